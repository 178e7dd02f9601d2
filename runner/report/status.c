#include "runner/report/status.h"

#include "runner/report/status_owner.h"
#include "runner/report/table.h"
#include <math.h>
#include <string.h>

/* ---- estimates */

/* The mean of `value` over the cells for which it is known: of one model, or of all for model -1. */
static double mean_over(const struct results *results, int model,
                        double (*value)(const struct result_cell *cell)) {
    double sum = 0.0;
    int n = 0;
    for (int i = 0; i < results->count; i++) {
        const struct result_cell *cell = &results->cells[i];
        double v = model < 0 || cell->model == model ? value(cell) : NAN;
        if (isnan(v)) continue;
        sum += v;
        n++;
    }
    return n ? sum / n : NAN;
}

static double rate_of(const struct result_cell *cell) {
    double span = cell->last_step - cell->started;
    if (cell->state == ARCHIVE_DONE && span > 0 && cell->charged_tokens > 0)
        return cell->charged_tokens / span;
    return cell->rate > 0 ? cell->rate : NAN;
}

static double evaluation_of(const struct result_cell *cell) {
    return cell->state == ARCHIVE_DONE && cell->last_step > 0 ? cell->ended - cell->last_step : NAN;
}

static double known_or(double value, double other) {
    return isnan(value) ? other : value;
}

/* A planned cell's file does not exist yet: another cell of the model and budget tells its tokens, else the
 * share of another budget. */
static double budget_of(const struct results *results, const struct result_cell *cell) {
    if (cell->budget_tokens > 0) return (double)cell->budget_tokens;
    double scaled = NAN;
    for (int i = 0; i < results->count; i++) {
        const struct result_cell *other = &results->cells[i];
        if (other->model != cell->model || other->budget_tokens <= 0) continue;
        if (other->budget == cell->budget) return (double)other->budget_tokens;
        scaled = (double)other->budget_tokens * results->axes.fraction[cell->budget] /
                 results->axes.fraction[other->budget];
    }
    return scaled;
}

double status_seconds_left(const struct results *results, const struct result_cell *cell) {
    if (cell->state == ARCHIVE_DONE) return 0.0;
    double rate = known_or(mean_over(results, cell->model, rate_of), mean_over(results, -1, rate_of));
    double evaluation = known_or(mean_over(results, cell->model, evaluation_of),
                                 known_or(mean_over(results, -1, evaluation_of), 0.0));
    double tokens = budget_of(results, cell);
    if (cell->state == ARCHIVE_RUNNING) {
        rate = known_or(cell->rate, rate);
        tokens -= cell->charged_tokens;
    }
    return fmax(tokens, 0.0) / rate + evaluation;
}

double status_total_left(const struct results *results) {
    double sum = 0.0;
    int running = results_count(results, ARCHIVE_RUNNING) - status_stopped(results);
    for (int i = 0; i < results->count; i++) {
        enum archive_state state = results->cells[i].state;
        if (state == ARCHIVE_RUNNING || state == ARCHIVE_PLANNED)
            sum += status_seconds_left(results, &results->cells[i]);
    }
    return sum / (running > 1 ? running : 1);
}

/* ---- text */

static int add_progress(const struct results *results, const struct result_cell *cell, double now,
                        struct table *table, struct error *err) {
    char age[DURATION_BYTES], left[DURATION_BYTES];
    double seconds = cell->state == ARCHIVE_RUNNING ? status_seconds_left(results, cell) : NAN;
    TRY(table_add(table, err, "%.0f of %lld", cell->charged_tokens, (long long)cell->budget_tokens));
    TRY(cell->budget_tokens
            ? table_add(table, err, "%.0f %%", 100.0 * cell->charged_tokens / (double)cell->budget_tokens)
            : table_add(table, err, "-"));
    TRY(cell->rate > 0 ? table_add(table, err, "%.0f", cell->rate) : table_add(table, err, "-"));
    TRY(table_add(table, err, "%s%s",
                  cell->updated > 0 ? table_duration(fmax(now - cell->updated, 0.0), age) : "-",
                  !results->folder && results_seems_killed(cell, now) ? ", killed?" : ""));
    return table_add(table, err, "%s", table_duration(seconds, left));
}

static const char *state_of(const struct result_cell *cell) {
    if (cell->stopped) return "stopped";
    return cell->owner && cell->state != ARCHIVE_RUNNING ? "starting" : archive_state_name(cell->state);
}

static int add_owner(const struct result_cell *cell, struct table *table, struct error *err) {
    if (cell->owner) return table_add(table, err, "%s", cell->owner);
    if (!cell->stopped) return table_add(table, err, "-");
    return cell->resumes ? table_add(table, err, "nobody; goes on at step %lld", (long long)cell->resumes)
                         : table_add(table, err, "nobody; starts anew");
}

static int add_rows(const struct results *results, double now, struct table *table, int *shown,
                    struct error *err) {
    static const char *const header[] = {"cell",     "model",    "budget",       "method",
                                         "seed",     "state",    "runs on",      "tokens",
                                         "progress", "tokens/s", "last written", "time left"};
    for (size_t i = 0; i < sizeof header / sizeof *header; i++) TRY(table_add(table, err, "%s", header[i]));
    TRY(table_end_row(table, err));
    for (int i = 0; i < results->count; i++) {
        const struct result_cell *cell = &results->cells[i];
        /* One that starts has an owner, but no file of its own yet. */
        if (cell->state == ARCHIVE_DONE || (cell->state == ARCHIVE_PLANNED && !cell->owner)) continue;
        TRY(table_add(table, err, "%d", cell->index));
        TRY(table_add(table, err, "%s", cell->key.model));
        TRY(table_add(table, err, "%s", cell->key.budget));
        TRY(table_add(table, err, "%s", cell->key.method));
        TRY(table_add(table, err, "%lld", cell->key.seed));
        TRY(table_add(table, err, "%s", state_of(cell)));
        TRY(add_owner(cell, table, err));
        TRY(add_progress(results, cell, now, table, err));
        TRY(table_end_row(table, err));
        ++*shown;
    }
    return 0;
}

static int tell_failures(const struct results *results, struct text *out, struct error *err) {
    for (int i = 0; i < results->count; i++) {
        const struct result_cell *cell = &results->cells[i];
        if (cell->state == ARCHIVE_FAILED)
            TRY(text_printf(out, err, "cell %d failed: %s\n", i, cell->message));
    }
    return 0;
}

static int tell_left(const struct results *results, struct text *out, struct error *err) {
    int stopped = status_stopped(results), running = results_count(results, ARCHIVE_RUNNING) - stopped;
    char left[DURATION_BYTES];
    if (!running && !stopped && !results_count(results, ARCHIVE_PLANNED)) return 0;
    double speed = 0.0;
    for (int i = 0; i < results->count; i++)
        if (results->cells[i].state == ARCHIVE_RUNNING && !results->cells[i].stopped &&
            results->cells[i].rate > 0)
            speed += results->cells[i].rate;
    if (speed > 0) TRY(text_printf(out, err, "speed: %.0f tokens/s in all\n", speed));
    if (isnan(status_total_left(results))) return text_append_string(out, "time left: not known yet\n", err);
    return text_printf(out, err, "time left: about %s, %d cell%s at a time, at the speed so far\n",
                       table_duration(status_total_left(results), left), running > 1 ? running : 1,
                       running > 1 ? "s" : "");
}

static int tell_counts(const struct results *results, struct text *out, struct error *err) {
    int stopped = status_stopped(results);
    TRY(text_printf(out, err, "%s%s%d cell%s: %d planned, %d running, ", results->name,
                    results->name[0] ? ": " : "", results->count, results->count > 1 ? "s" : "",
                    results_count(results, ARCHIVE_PLANNED),
                    results_count(results, ARCHIVE_RUNNING) - stopped));
    if (stopped) TRY(text_printf(out, err, "%d stopped, ", stopped));
    return text_printf(out, err, "%d done, %d failed\n", results_count(results, ARCHIVE_DONE),
                       results_count(results, ARCHIVE_FAILED));
}

int status_text(struct results *results, double now, struct text *out, struct error *err) {
    TRY(status_find_owners(results, err));
    TRY(tell_counts(results, out, err));
    if (results_count(results, ARCHIVE_DONE) < results->count) {
        struct table *table;
        int shown = 0;
        TRY(table_create(7, &table, err));
        int code = add_rows(results, now, table, &shown, err);
        if (!code && shown) {
            code = text_append_string(out, "\n", err);
            if (!code) code = table_print(table, out, err);
            if (!code) code = text_append_string(out, "\n", err);
        }
        table_destroy(&table);
        TRY(code);
    }
    TRY(tell_failures(results, out, err));
    return tell_left(results, out, err);
}

/* Whether a cell's rows add up. */
#include "runner/collect/collect_internal.h"

#include "base/memory.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A column of steps/ or validation/. */
struct column {
    double *values;
    int64_t rows, columns;
};

static int read_steps(struct archive_reader *reader, const char *name, struct column *out,
                      struct error *err) {
    return archive_reader_steps(reader, name, &out->values, &out->rows, &out->columns, err);
}

static int read_points(struct archive_reader *reader, const char *name, struct column *out,
                       struct error *err) {
    return archive_reader_validation(reader, name, &out->values, &out->rows, &out->columns, err);
}

/* Appends the first mistake only: what follows is often its consequence. */
#define WRONG(...) (why->length ? 0 : text_printf(why, err, __VA_ARGS__))

/* ---- steps */

static int check_consecutive(struct archive_reader *reader, struct text *why, struct error *err) {
    struct column step;
    TRY(read_steps(reader, "step", &step, err));
    int code = 0;
    for (int64_t i = 0; i < step.rows && !code; i++)
        if (step.values[i] != (double)i)
            code = WRONG("steps/step: row %lld is step %.0f (rows are consecutive from 0)", (long long)i,
                         step.values[i]);
    memory_free(step.values);
    return code;
}

enum counts { SUPERVISED, VALIDATION, PROBE, CHARGED, TOTAL, BY_TASK, VALIDATION_BY_TASK, COUNTS };
static const char *const count_names[COUNTS] = {"supervised_tokens",     "validation_tokens", "probe_tokens",
                                                "charged_tokens",        "total_tokens",      "task_tokens",
                                                "task_validation_tokens"};

static double row_sum(const struct column *column, int64_t row) {
    double sum = 0.0;
    for (int64_t k = 0; k < column->columns; k++) sum += column->values[row * column->columns + k];
    return sum;
}

/* Cumulative counts never fall. */
static int check_monotone(const struct column counts[COUNTS], struct text *why, struct error *err) {
    for (int c = 0; c < COUNTS; c++) {
        const struct column *column = &counts[c];
        for (int64_t i = 0; i < column->rows * column->columns; i++) {
            double before = i < column->columns ? 0.0 : column->values[i - column->columns];
            if (!(column->values[i] >= before))
                return WRONG("steps/%s: row %lld has %.0f after %.0f (counts are cumulative)", count_names[c],
                             (long long)(i / column->columns), column->values[i], before);
        }
    }
    return 0;
}

/* The books of every row agree with each other. */
static int check_books(const struct column counts[COUNTS], bool charge_all, struct text *why,
                       struct error *err) {
    for (int64_t i = 0; i < counts[SUPERVISED].rows; i++) {
        double supervised = counts[SUPERVISED].values[i], validation = counts[VALIDATION].values[i];
        double charged = supervised + (charge_all ? validation + counts[PROBE].values[i] : 0.0);
        long long row = (long long)i;
        if (counts[CHARGED].values[i] != charged)
            return WRONG("steps/charged_tokens: row %lld has %.0f (its tokens add up to %.0f)", row,
                         counts[CHARGED].values[i], charged);
        if (row_sum(&counts[BY_TASK], i) != supervised)
            return WRONG("steps/task_tokens: row %lld adds up to %.0f (supervised_tokens has %.0f)", row,
                         row_sum(&counts[BY_TASK], i), supervised);
        if (row_sum(&counts[VALIDATION_BY_TASK], i) != validation)
            return WRONG(
                "steps/task_validation_tokens: row %lld adds up to %.0f (validation_tokens has %.0f)", row,
                row_sum(&counts[VALIDATION_BY_TASK], i), validation);
        if (!(counts[TOTAL].values[i] >= supervised))
            return WRONG("steps/total_tokens: row %lld has %.0f, of which %.0f are supervised", row,
                         counts[TOTAL].values[i], supervised);
    }
    return 0;
}

static int check_budget(const struct column *charged, const struct archive_cell_summary *summary,
                        struct text *why, struct error *err) {
    double last = charged->rows ? charged->values[charged->rows - 1] : 0.0;
    if (last > (double)summary->budget_tokens)
        return WRONG("steps/charged_tokens: %.0f tokens of a budget of %lld", last,
                     (long long)summary->budget_tokens);
    if (summary->state == ARCHIVE_DONE && !charged->rows)
        return WRONG("steps: a finished cell without a step");
    return 0;
}

static int check_ledger(struct archive_reader *reader, const struct experiment *experiment,
                        const struct archive_cell_summary *summary, struct text *why, struct error *err) {
    struct column counts[COUNTS] = {0};
    int code = 0;
    for (int c = 0; c < COUNTS && !code; c++) code = read_steps(reader, count_names[c], &counts[c], err);
    if (!code) code = check_monotone(counts, why, err);
    if (!code) code = check_books(counts, experiment->training.validation_charged, why, err);
    if (!code) code = check_budget(&counts[CHARGED], summary, why, err);
    for (int c = 0; c < COUNTS; c++) memory_free(counts[c].values);
    return code;
}

/* ---- validation */

/* The last bits of a mean depend on the order of its sum. */
static bool same_mean(double found, double expected) {
    if (isnan(found) || isnan(expected)) return isnan(found) && isnan(expected);
    return found == expected || fabs(found - expected) <= 1e-9 * fabs(expected);
}

static int check_point(const struct column *loss, int64_t row, double worst, double mean, struct text *why,
                       struct error *err) {
    double largest = -INFINITY;
    for (int64_t k = 0; k < loss->columns; k++)
        largest = fmax(largest, loss->values[row * loss->columns + k]);
    if (worst != largest)
        return WRONG("validation/worst: row %lld has %.9g (the largest loss is %.9g)", (long long)row, worst,
                     largest);
    double expected = row_sum(loss, row) / (double)loss->columns;
    if (!same_mean(mean, expected))
        return WRONG("validation/mean: row %lld has %.9g (the losses' mean is %.9g)", (long long)row, mean,
                     expected);
    return 0;
}

static int check_validation(struct archive_reader *reader, const struct archive_cell_summary *summary,
                            int expected_points, struct text *why, struct error *err) {
    struct column step = {0}, loss = {0}, worst = {0}, mean = {0};
    int code = read_points(reader, "step", &step, err);
    if (!code) code = read_points(reader, "loss", &loss, err);
    if (!code) code = read_points(reader, "worst", &worst, err);
    if (!code) code = read_points(reader, "mean", &mean, err);
    for (int64_t i = 0; i < step.rows && !code; i++) {
        if (i && step.values[i] < step.values[i - 1])
            code = WRONG("validation/step: row %lld is step %.0f after %.0f", (long long)i, step.values[i],
                         step.values[i - 1]);
        if (!code && step.values[i] > (double)summary->steps)
            code = WRONG("validation/step: row %lld is after %.0f steps of %lld", (long long)i,
                         step.values[i], (long long)summary->steps);
        if (!code) code = check_point(&loss, i, worst.values[i], mean.values[i], why, err);
    }
    /* One row may stand for several set points, if a step passes them all. */
    if (!code && summary->state == ARCHIVE_DONE &&
        (step.rows > expected_points || (expected_points && !step.rows)))
        code = WRONG("validation: %lld rows (evaluation.validation_at has %d)", (long long)step.rows,
                     expected_points);
    memory_free(step.values);
    memory_free(loss.values);
    memory_free(worst.values);
    memory_free(mean.values);
    return code;
}

/* ---- evaluations */

static bool at_end(const struct evaluation_settings *settings) {
    return settings->at_count && settings->at[settings->at_count - 1].share >= 1.0;
}

/* Finished cells: every benchmark that the cell's own settings name, each with as many samples as it says. */
static int check_evaluations(struct archive_reader *reader, const struct evaluation_settings *settings,
                             int count, struct text *why, struct error *err) {
    if (!at_end(settings)) return 0;
    for (int b = 0; b < settings->benchmark_count; b++) {
        const char *name = settings->benchmarks[b].name;
        bool found = false;
        for (int i = 0; i < count; i++) {
            struct archive_evaluation evaluation;
            TRY(archive_reader_evaluation(reader, i, &evaluation, err));
            if (strcmp(evaluation.benchmark, name)) continue;
            found = true;
            if (evaluation.n < 1 || evaluation.sample_count != evaluation.n)
                TRY(WRONG("eval/%s: %lld records, and %lld rows of samples", name, (long long)evaluation.n,
                          (long long)evaluation.sample_count));
            if (!isfinite(evaluation.score)) TRY(WRONG("eval/%s: a score that is no number", name));
        }
        if (!found) TRY(WRONG("eval: no %s, which the experiment asks for", name));
    }
    return 0;
}

int collect_check_rows(struct archive_reader *reader, const struct experiment *experiment, struct text *why,
                       struct error *err) {
    struct archive_cell_summary summary;
    TRY(archive_reader_summary(reader, &summary, err));
    TRY(check_consecutive(reader, why, err));
    TRY(check_ledger(reader, experiment, &summary, why, err));
    TRY(check_validation(reader, &summary, experiment->evaluation.validation_count, why, err));
    if (summary.state != ARCHIVE_DONE) return 0;
    return check_evaluations(reader, &experiment->evaluation, summary.evaluations, why, err);
}

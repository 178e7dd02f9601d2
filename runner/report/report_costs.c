/* What the methods cost: tokens until uniform's quality is reached, tokens by task, and time. */
#include "runner/report/report_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- reaching uniform */

/* Over the seeds where both cells are finished: how many, how many reached it, and the mean share of those.
 */
struct reaching {
    int pairs, reached;
    double share;
};

static struct reaching reaching_of(const struct results *results, int model, int budget, int method,
                                   int uniform, bool worst) {
    struct reaching reaching = {0};
    for (int s = 0; s < results->axes.seeds; s++) {
        const struct result_cell *cell = results_cell(results, model, budget, method, s);
        const struct result_cell *reference = results_cell(results, model, budget, uniform, s);
        if (cell->state != ARCHIVE_DONE || reference->state != ARCHIVE_DONE || !cell->points ||
            !reference->points)
            continue;
        double share = report_share_to_reach(cell, reference, worst);
        reaching.pairs++;
        if (isnan(share)) continue;
        reaching.reached++;
        reaching.share += share;
    }
    if (reaching.reached) reaching.share /= reaching.reached;
    return reaching;
}

static int add_reaching(struct table *table, struct reaching r, struct error *err) {
    if (!r.reached) return table_add(table, err, "-");
    if (r.reached == r.pairs) return table_add(table, err, "%.0f %%", 100.0 * r.share);
    return table_add(table, err, "%.0f %% (%d of %d seeds)", 100.0 * r.share, r.reached, r.pairs);
}

static int add_reaching_rows(const struct results *results, int uniform, struct table *table,
                             struct error *err) {
    static const char *const header[] = {"model", "budget", "method", "seeds", "worst loss", "mean loss"};
    for (size_t i = 0; i < sizeof header / sizeof *header; i++) TRY(table_add(table, err, "%s", header[i]));
    TRY(table_end_row(table, err));
    const struct archive_grid_axes *axes = &results->axes;
    for (int i = 0; i < axes->models * axes->budgets * axes->methods; i++) {
        int method = i % axes->methods, pair = i / axes->methods, model = pair / axes->budgets,
            budget = pair % axes->budgets;
        struct reaching worst = reaching_of(results, model, budget, method, uniform, true);
        if (!worst.pairs || method == uniform) continue;
        TRY(report_add_row_name(table, results, model, budget, method, err));
        TRY(table_add(table, err, "%d", worst.pairs));
        TRY(add_reaching(table, worst, err));
        TRY(add_reaching(table, reaching_of(results, model, budget, method, uniform, false), err));
        TRY(table_end_row(table, err));
    }
    return 0;
}

int report_section_reaching(const struct results *results, struct text *out, struct error *err) {
    int uniform = results_method(results, "uniform");
    if (uniform < 0 || results->axes.methods < 2) return 0;
    struct table *table;
    TRY(table_create(3, &table, err));
    int code = add_reaching_rows(results, uniform, table, err);
    if (!code) {
        code = report_title(
            out,
            "Supervised tokens until uniform's final validation loss is reached, as a share of the budget",
            "Linear between set points; mean over the seeds that reach it; - if none does.", err);
    }
    if (!code) code = table_print(table, out, err);
    table_destroy(&table);
    return code;
}

/* ---- tokens by task */

/* The mean over finished seeds of a number by task. `which`: the training or the validation tokens. */
static double mean_by_task(const struct results *results, int model, int budget, int method, int task,
                           bool validation, const char *name) {
    double sum = 0.0;
    int n = 0;
    for (int s = 0; s < results->axes.seeds; s++) {
        const struct result_cell *cell = results_cell(results, model, budget, method, s);
        if (cell->state != ARCHIVE_DONE || !cell->steps || task >= cell->tasks ||
            strcmp(cell->task[task], name) != 0)
            continue;
        sum += (validation ? cell->task_validation_tokens : cell->task_tokens)[task];
        n++;
    }
    return n ? sum / n : NAN;
}

static double supervised(const struct result_cell *cell) {
    return cell->supervised_tokens;
}
static double validation(const struct result_cell *cell) {
    return cell->validation_tokens;
}
static double probe(const struct result_cell *cell) {
    return cell->probe_tokens;
}
static double charged(const struct result_cell *cell) {
    return cell->charged_tokens;
}

/* "1234" or "1234 + 56 validation". */
static int add_tokens(struct table *table, double training, double beside, struct error *err) {
    if (isnan(training)) return table_add(table, err, "-");
    if (!(beside > 0)) return table_add(table, err, "%.0f", training);
    return table_add(table, err, "%.0f + %.0f", training, beside);
}

static int add_sum_row(const struct results *results, struct table *table, int model, int budget,
                       const char *label, double (*value)(const struct result_cell *cell),
                       double (*beside)(const struct result_cell *cell), struct error *err) {
    TRY(table_add(table, err, "%s", label));
    for (int m = 0; m < results->axes.methods; m++) {
        double extra = beside ? report_mean_of(results, model, budget, m, beside).mean : 0.0;
        TRY(add_tokens(table, report_mean_of(results, model, budget, m, value).mean, extra, err));
    }
    return table_end_row(table, err);
}

static int add_task_rows(const struct results *results, struct table *table, int model, int budget,
                         const struct result_cell *example, struct error *err) {
    TRY(table_add(table, err, "task"));
    for (int m = 0; m < results->axes.methods; m++) TRY(table_add(table, err, "%s", results->axes.method[m]));
    TRY(table_end_row(table, err));
    for (int k = 0; k < example->tasks; k++) {
        TRY(table_add(table, err, "%s", example->task[k]));
        for (int m = 0; m < results->axes.methods; m++) {
            TRY(add_tokens(table, mean_by_task(results, model, budget, m, k, false, example->task[k]),
                           mean_by_task(results, model, budget, m, k, true, example->task[k]), err));
        }
        TRY(table_end_row(table, err));
    }
    TRY(add_sum_row(results, table, model, budget, "(all)", supervised, validation, err));
    TRY(add_sum_row(results, table, model, budget, "(probes)", probe, NULL, err));
    return add_sum_row(results, table, model, budget, "(charged)", charged, NULL, err);
}

static int print_tokens(const struct results *results, int model, int budget, struct text *out,
                        struct error *err) {
    const struct result_cell *example = NULL;
    for (int m = 0; m < results->axes.methods && !example; m++)
        example = report_example(results, model, budget, m);
    if (!example) return 0;
    struct table *table;
    TRY(table_create(1, &table, err));
    int code = text_printf(out, err, "\n%s, budget %s (%lld tokens)\n", results->axes.model[model],
                           results->axes.budget[budget], (long long)example->budget_tokens);
    if (!code) code = add_task_rows(results, table, model, budget, example, err);
    if (!code) code = table_print(table, out, err);
    table_destroy(&table);
    return code;
}

int report_section_tokens(const struct results *results, struct text *out, struct error *err) {
    if (!results_count(results, ARCHIVE_DONE)) return 0;
    TRY(report_title(
        out, "Supervised tokens by task (mean over seeds): trained on + looked at by the method's validation",
        "(probes): tokens looked at without training on them; (charged): what counted against the budget.",
        err));
    for (int model = 0; model < results->axes.models; model++) {
        for (int budget = 0; budget < results->axes.budgets; budget++)
            TRY(print_tokens(results, model, budget, out, err));
    }
    return 0;
}

/* ---- time */

static double seconds(const struct result_cell *cell) {
    return cell->seconds;
}

static int add_overhead(struct table *table, const struct results *results, int model, int budget, int method,
                        int uniform, struct error *err) {
    double own = report_mean_of(results, model, budget, method, report_seconds_per_token).mean, base = NAN;
    if (uniform >= 0) base = report_mean_of(results, model, budget, uniform, report_seconds_per_token).mean;
    TRY(table_add(table, err, "%.3f", 1000.0 * own));
    if (isnan(base)) return table_add(table, err, "-");
    return table_add(table, err, "%+.0f %%", 100.0 * (own / base - 1.0));
}

/* Shares of the phases in the time of all finished seeds. */
static int add_phases(struct table *table, const struct results *results, int model, int budget, int method,
                      struct error *err) {
    double total = 0.0, phase[PHASE_COUNT] = {0};
    for (int s = 0; s < results->axes.seeds; s++) {
        const struct result_cell *cell = results_cell(results, model, budget, method, s);
        if (cell->state != ARCHIVE_DONE) continue;
        total += cell->seconds;
        for (int p = 0; p < PHASE_COUNT; p++) phase[p] += cell->phase_seconds[p];
    }
    for (int p = 0; p < PHASE_COUNT; p++) {
        TRY(total > 0 ? table_add(table, err, "%.0f %%", 100.0 * phase[p] / total)
                      : table_add(table, err, "-"));
    }
    return 0;
}

static int add_time_rows(const struct results *results, struct table *table, struct error *err) {
    static const char *const header[] = {"model", "budget", "method", "time", "ms a token", "to uniform"};
    const struct archive_grid_axes *axes = &results->axes;
    int uniform = results_method(results, "uniform");
    for (size_t i = 0; i < sizeof header / sizeof *header; i++) TRY(table_add(table, err, "%s", header[i]));
    for (int p = 0; p < PHASE_COUNT; p++)
        TRY(table_add(table, err, "%s", archive_phase_name((enum archive_phase)p)));
    TRY(table_end_row(table, err));
    for (int i = 0; i < axes->models * axes->budgets * axes->methods; i++) {
        int method = i % axes->methods, pair = i / axes->methods, model = pair / axes->budgets,
            budget = pair % axes->budgets;
        char duration[DURATION_BYTES];
        if (!report_example(results, model, budget, method)) continue;
        TRY(report_add_row_name(table, results, model, budget, method, err));
        TRY(table_add(
            table, err, "%s",
            table_duration(report_mean_of(results, model, budget, method, seconds).mean, duration)));
        TRY(add_overhead(table, results, model, budget, method, uniform, err));
        TRY(add_phases(table, results, model, budget, method, err));
        TRY(table_end_row(table, err));
    }
    return 0;
}

int report_section_time(const struct results *results, struct text *out, struct error *err) {
    if (!results_count(results, ARCHIVE_DONE)) return 0;
    struct table *table;
    TRY(table_create(3, &table, err));
    int code = add_time_rows(results, table, err);
    if (!code) {
        code = report_title(out, "Time of training: of a cell, per supervised token, and its parts",
                            "Mean over seeds; the parts are shares of the steps and of what was measured "
                            "between them. Cells that ran "
                            "beside others on a shared machine are not comparable.",
                            err);
    }
    if (!code) code = table_print(table, out, err);
    table_destroy(&table);
    return code;
}

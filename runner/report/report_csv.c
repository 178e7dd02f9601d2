/* A report's numbers, one a line. */
#include "runner/report/report_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Quoted where RFC 4180 asks for it. */
static int add_field(struct text *out, const char *field, struct error *err) {
    if (!strpbrk(field, ",\"\r\n")) return text_append_string(out, field, err);
    TRY(text_append_string(out, "\"", err));
    for (const char *c = field; *c; c++)
        TRY(*c == '"' ? text_append_string(out, "\"\"", err) : text_append(out, c, 1, err));
    return text_append_string(out, "\"", err);
}

static int add_line(struct text *out, const struct result_cell *cell, const char *quantity, const char *item,
                    double value, struct error *err) {
    const char *const fields[] = {cell->key.model, cell->key.budget, cell->key.method};
    if (isnan(value)) return 0;
    for (int i = 0; i < 3; i++) {
        TRY(add_field(out, fields[i], err));
        TRY(text_append_string(out, ",", err));
    }
    TRY(text_printf(out, err, "%lld,", cell->key.seed));
    TRY(add_field(out, quantity, err));
    TRY(text_append_string(out, ",", err));
    TRY(add_field(out, item, err));
    return text_printf(out, err, ",%.17g\n", value);
}

static int add_compared(const struct results *results, const struct result_cell *cell, struct text *out,
                        struct error *err) {
    static const char *const baselines[] = {"uniform", "proportional"};
    for (int q = 0; q < report_quantities(results); q++) {
        const char *item, *key = report_key(results, q, &item);
        double value = report_value(results, cell, q);
        TRY(add_line(out, cell, key, item, value, err));
        for (int b = 0; b < 2; b++) {
            int baseline = results_method(results, baselines[b]);
            char name[64];
            if (baseline < 0 || baseline == cell->method) continue;
            snprintf(name, sizeof name, "%s_minus_%s", key, baselines[b]);
            double other = report_value(
                results, results_cell(results, cell->model, cell->budget, baseline, cell->seed), q);
            TRY(add_line(out, cell, name, item, value - other, err));
        }
    }
    return 0;
}

static int add_reaching(const struct results *results, const struct result_cell *cell, struct text *out,
                        struct error *err) {
    int uniform = results_method(results, "uniform");
    if (uniform < 0) return 0;
    const struct result_cell *reference =
        results_cell(results, cell->model, cell->budget, uniform, cell->seed);
    TRY(add_line(out, cell, "share_to_uniform_worst", "", report_share_to_reach(cell, reference, true), err));
    return add_line(out, cell, "share_to_uniform_mean", "", report_share_to_reach(cell, reference, false),
                    err);
}

static int add_costs(const struct result_cell *cell, struct text *out, struct error *err) {
    const struct {
        const char *name;
        double value;
    } costs[] = {{"steps", (double)cell->steps},
                 {"budget_tokens", (double)cell->budget_tokens},
                 {"supervised_tokens", cell->supervised_tokens},
                 {"validation_tokens", cell->validation_tokens},
                 {"probe_tokens", cell->probe_tokens},
                 {"charged_tokens", cell->charged_tokens},
                 {"seconds", cell->seconds},
                 {"seconds_per_token", report_seconds_per_token(cell)}};
    for (size_t i = 0; i < sizeof costs / sizeof *costs; i++) {
        TRY(add_line(out, cell, costs[i].name, "", costs[i].value, err));
    }
    for (int p = 0; p < PHASE_COUNT; p++) {
        char name[64];
        snprintf(name, sizeof name, "seconds_%s", archive_phase_name((enum archive_phase)p));
        TRY(add_line(out, cell, name, "", cell->phase_seconds[p], err));
    }
    return 0;
}

static int add_tasks(const struct result_cell *cell, struct text *out, struct error *err) {
    static const char *const mixtures[PATH_POINTS] = {"mixture_0", "mixture_25", "mixture_50", "mixture_75",
                                                      "mixture_100"};
    for (int k = 0; k < cell->tasks; k++) {
        const char *task = cell->task[k];
        if (cell->state == ARCHIVE_DONE && cell->points) {
            TRY(add_line(out, cell, "validation_loss", task, cell->loss[(cell->points - 1) * cell->tasks + k],
                         err));
        }
        if (!cell->steps) continue;
        TRY(add_line(out, cell, "task_tokens", task, cell->task_tokens[k], err));
        TRY(add_line(out, cell, "task_validation_tokens", task, cell->task_validation_tokens[k], err));
        for (int i = 0; i < PATH_POINTS; i++) {
            TRY(add_line(out, cell, mixtures[i], task, cell->path[i * cell->tasks + k], err));
        }
    }
    return 0;
}

int report_csv(const struct results *results, struct text *out, struct error *err) {
    TRY(text_append_string(out, "model,budget,method,seed,quantity,item,value\n", err));
    for (int i = 0; i < results->count; i++) {
        const struct result_cell *cell = &results->cells[i];
        TRY(add_compared(results, cell, out, err));
        TRY(add_reaching(results, cell, out, err));
        if (cell->steps) TRY(add_costs(cell, out, err));
        TRY(add_tasks(cell, out, err));
    }
    return 0;
}

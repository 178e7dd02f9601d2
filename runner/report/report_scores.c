/* Scores and validation losses by method, and their differences to a baseline. */
#include "runner/report/report_internal.h"

#include <math.h>
#include <stdio.h>

int report_title(struct text *out, const char *title, const char *remark, struct error *err) {
    TRY(text_printf(out, err, "\n%s\n", title));
    return remark ? text_printf(out, err, "%s\n", remark) : 0;
}

int report_add_interval(struct table *table, struct interval interval, double scale, int decimals,
                        bool signed_, struct error *err) {
    const char *mark = signed_ && interval_excludes_zero(interval) ? " *" : signed_ ? "  " : "";
    double mean = scale * interval.mean, half = scale * interval.half;
    if (!interval.n) return table_add(table, err, "-%s", mark);
    if (interval.n == 1) return table_add(table, err, signed_ ? "%+.*f%s" : "%.*f%s", decimals, mean, mark);
    return table_add(table, err, signed_ ? "%+.*f ± %.*f%s" : "%.*f ± %.*f%s", decimals, mean, decimals, half,
                     mark);
}

int report_add_row_name(struct table *table, const struct results *results, int model, int budget, int method,
                        struct error *err) {
    TRY(table_add(table, err, "%s", results->axes.model[model]));
    TRY(table_add(table, err, "%s", results->axes.budget[budget]));
    return table_add(table, err, "%s", results->axes.method[method]);
}

/* ---- one table */

/* A table over (model, budget, method) of the quantities first .. last - 1; differences to method `baseline`
 * unless that is -1. */
struct comparison {
    const struct results *results;
    int baseline, first, last;
};

/* The mean of a single benchmark's score says nothing new. */
static bool shown(const struct comparison *c, int quantity) {
    return c->results->axes.benchmarks > 1 || quantity != report_score_mean(c->results);
}

static int add_header(const struct comparison *c, struct table *table, struct error *err) {
    TRY(table_add(table, err, "model"));
    TRY(table_add(table, err, "budget"));
    TRY(table_add(table, err, "method"));
    TRY(table_add(table, err, c->baseline < 0 ? "seeds" : "pairs"));
    for (int q = c->first; q < c->last; q++) {
        if (shown(c, q))
            TRY(table_add(table, err, "%s%s", report_name(c->results, q), c->baseline < 0 ? "" : "  "));
    }
    return table_end_row(table, err);
}

static struct interval value_at(const struct comparison *c, int model, int budget, int method, int quantity) {
    return c->baseline < 0 ? report_over_seeds(c->results, model, budget, method, quantity)
                           : report_difference(c->results, model, budget, method, c->baseline, quantity);
}

static int add_row(const struct comparison *c, struct table *table, int model, int budget, int method,
                   struct error *err) {
    int most = 0;
    for (int q = c->first; q < c->last; q++) {
        int n = value_at(c, model, budget, method, q).n;
        if (n > most) most = n;
    }
    if (!most) return 0;
    TRY(report_add_row_name(table, c->results, model, budget, method, err));
    TRY(table_add(table, err, "%d", most));
    for (int q = c->first; q < c->last; q++) {
        if (!shown(c, q)) continue;
        TRY(report_add_interval(table, value_at(c, model, budget, method, q), report_scale(c->results, q),
                                report_decimals(c->results, q), c->baseline >= 0, err));
    }
    return table_end_row(table, err);
}

static int add_rows(const struct comparison *c, struct table *table, struct error *err) {
    const struct archive_grid_axes *axes = &c->results->axes;
    TRY(add_header(c, table, err));
    for (int model = 0; model < axes->models; model++) {
        for (int budget = 0; budget < axes->budgets; budget++) {
            for (int method = 0; method < axes->methods; method++) {
                if (method != c->baseline) TRY(add_row(c, table, model, budget, method, err));
            }
        }
    }
    return 0;
}

static int print_comparison(const struct comparison *c, struct text *out, struct error *err) {
    struct table *table;
    TRY(table_create(3, &table, err));
    int code = add_rows(c, table, err);
    if (!code) code = table_print(table, out, err);
    table_destroy(&table);
    return code;
}

/* ---- sections */

static const char by_seeds[] =
    "Mean over seeds ± half-width of its 95 % confidence interval (Student's t); without ± there is one seed "
    "and no interval.";

int report_section_scores(const struct results *results, struct text *out, struct error *err) {
    if (!results->axes.benchmarks) return 0;
    struct comparison c = {results, -1, 0, report_score_mean(results) + 1};
    TRY(report_title(out, "Scores × 100 (the benchmark's headline metric)", by_seeds, err));
    return print_comparison(&c, out, err);
}

int report_section_losses(const struct results *results, struct text *out, struct error *err) {
    struct comparison c = {results, -1, report_worst(results), report_quantities(results)};
    TRY(report_title(out, "Final validation loss (nats a token): the worst task's, and the mean over tasks",
                     by_seeds, err));
    return print_comparison(&c, out, err);
}

int report_section_differences(const struct results *results, const char *baseline, struct text *out,
                               struct error *err) {
    int method = results_method(results, baseline);
    if (method < 0 || results->axes.methods < 2) return 0;
    char title[128];
    struct comparison c = {results, method, 0, report_quantities(results)};
    snprintf(title, sizeof title, "Difference to %s (scores × 100; losses in nats)", baseline);
    TRY(report_title(out, title,
                     "Mean of the differences seed by seed ± half-width of its 95 % interval; * where the "
                     "interval excludes 0.\n"
                     "Each comparison stands alone: of many without any effect, one in twenty is marked.",
                     err));
    return print_comparison(&c, out, err);
}

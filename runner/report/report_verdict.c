/* The verdict in plain words, counted from the numbers. */
#include "runner/report/report_internal.h"

#include <math.h>
#include <string.h>

/* Over the (model, budget) pairs: how often a method is better than a baseline, and how often significantly
 * so. */
struct tally {
    int pairs, better, worse, clearly_better, clearly_worse;
    int single; /* pairs of one seed, which have no interval */
};

static struct tally tally_of(const struct results *results, int method, int baseline, int quantity) {
    struct tally tally = {0};
    double sign = report_higher_is_better(results, quantity) ? 1.0 : -1.0;
    for (int i = 0; i < results->axes.models * results->axes.budgets; i++) {
        struct interval d = report_difference(results, i / results->axes.budgets, i % results->axes.budgets,
                                              method, baseline, quantity);
        if (!d.n) continue;
        bool clear = interval_excludes_zero(d);
        tally.pairs++;
        tally.single += d.n == 1;
        if (sign * d.mean > 0) {
            tally.better++;
            tally.clearly_better += clear;
        } else if (sign * d.mean < 0) {
            tally.worse++;
            tally.clearly_worse += clear;
        }
    }
    return tally;
}

static int tell_tally(const struct results *results, int method, int baseline, int quantity, const char *what,
                      struct text *out, struct error *err) {
    struct tally t = tally_of(results, method, baseline, quantity);
    const char *name = results->axes.method[method], *other = results->axes.method[baseline];
    if (!t.pairs) return 0;
    TRY(text_printf(out, err, "- %s beats %s in %s in %d of %d (model, budget) pair%s", name, other, what,
                    t.better, t.pairs, t.pairs > 1 ? "s" : ""));
    bool known = t.pairs > t.single;
    if (known && t.better)
        TRY(text_printf(out, err, "; the difference is significant in %d", t.clearly_better));
    if (t.worse) TRY(text_printf(out, err, "; it is worse in %d", t.worse));
    if (known && t.worse) TRY(text_printf(out, err, ", significantly in %d", t.clearly_worse));
    if (t.pairs > t.better + t.worse)
        TRY(text_printf(out, err, "; equal in %d", t.pairs - t.better - t.worse));
    if (t.single)
        TRY(text_printf(out, err, " (%d with one seed only, which cannot tell chance from difference)",
                        t.single));
    return text_append_string(out, ".\n", err);
}

/* Mean over the pairs of the ratio of two methods' seconds per token, and of validation and probe tokens per
 * trained token. */
static int tell_cost(const struct results *results, int method, int uniform, struct text *out,
                     struct error *err) {
    double ratio = 0.0, beside = 0.0, trained = 0.0;
    int pairs = 0;
    for (int i = 0; i < results->axes.models * results->axes.budgets; i++) {
        int model = i / results->axes.budgets, budget = i % results->axes.budgets;
        double own = report_mean_of(results, model, budget, method, report_seconds_per_token).mean;
        double base = report_mean_of(results, model, budget, uniform, report_seconds_per_token).mean;
        if (!(own > 0) || !(base > 0)) continue;
        ratio += own / base;
        pairs++;
    }
    for (int i = 0; i < results->count; i++) {
        const struct result_cell *cell = &results->cells[i];
        if (cell->method != method || cell->state != ARCHIVE_DONE) continue;
        beside += cell->validation_tokens + cell->probe_tokens;
        trained += cell->supervised_tokens;
    }
    if (!pairs || !(trained > 0)) return 0;
    double percent = 100.0 * (ratio / pairs - 1.0);
    return text_printf(out, err,
                       "- %s takes %.0f %% %s time per supervised token than uniform, and looks at %.2f "
                       "validation and probe tokens for "
                       "every token it trains on.\n",
                       results->axes.method[method], fabs(percent), percent >= 0 ? "more" : "less",
                       beside / trained);
}

static int tell_method(const struct results *results, int method, struct text *out, struct error *err) {
    static const char *const baselines[] = {"uniform", "proportional"};
    for (size_t i = 0; i < sizeof baselines / sizeof *baselines; i++) {
        int baseline = results_method(results, baselines[i]);
        if (baseline < 0 || baseline == method) continue;
        TRY(tell_tally(results, method, baseline, report_worst(results), "worst validation loss", out, err));
        TRY(tell_tally(results, method, baseline, report_mean(results), "mean validation loss", out, err));
        TRY(tell_tally(results, method, baseline, report_score_mean(results),
                       "the mean of the benchmarks' scores", out, err));
    }
    int uniform = results_method(results, "uniform");
    return uniform < 0 || uniform == method ? 0 : tell_cost(results, method, uniform, out, err);
}

int report_section_verdict(const struct results *results, struct text *out, struct error *err) {
    struct text verdict = {0};
    int code = 0;
    for (int m = 0; m < results->axes.methods && !code; m++) {
        const char *name = results->axes.method[m];
        if (strcmp(name, "uniform") != 0 && strcmp(name, "proportional") != 0)
            code = tell_method(results, m, &verdict, err);
    }
    if (!code && verdict.length) {
        code = report_title(out, "Verdict", NULL, err);
        if (!code) code = text_append(out, verdict.data, verdict.length, err);
    }
    text_free(&verdict);
    return code;
}

/* The numbers of a report: what is compared, over seeds and against a baseline. */
#include "runner/report/report_internal.h"

#include <math.h>
#include <string.h>

int report_score_mean(const struct results *results) {
    return results->axes.benchmarks;
}

int report_worst(const struct results *results) {
    return results->axes.benchmarks + 1;
}

int report_mean(const struct results *results) {
    return results->axes.benchmarks + 2;
}

int report_quantities(const struct results *results) {
    return results->axes.benchmarks + 3;
}

const char *report_name(const struct results *results, int quantity) {
    if (quantity < results->axes.benchmarks) return results->axes.benchmark[quantity];
    static const char *const others[] = {"mean", "worst loss", "mean loss"};
    return others[quantity - results->axes.benchmarks];
}

const char *report_key(const struct results *results, int quantity, const char **item) {
    static const char *const others[] = {"score_mean", "validation_worst", "validation_mean"};
    bool score = quantity < results->axes.benchmarks;
    *item = score ? results->axes.benchmark[quantity] : "";
    return score ? "score" : others[quantity - results->axes.benchmarks];
}

bool report_higher_is_better(const struct results *results, int quantity) {
    return quantity <= report_score_mean(results);
}

double report_scale(const struct results *results, int quantity) {
    return report_higher_is_better(results, quantity) ? 100.0 : 1.0;
}

int report_decimals(const struct results *results, int quantity) {
    return report_higher_is_better(results, quantity) ? 1 : 3;
}

double report_value(const struct results *results, const struct result_cell *cell, int quantity) {
    int benchmarks = results->axes.benchmarks;
    if (cell->state != ARCHIVE_DONE) return NAN;
    if (quantity < benchmarks) return cell->score[quantity];
    if (quantity == report_score_mean(results)) {
        double sum = 0.0;
        for (int b = 0; b < benchmarks; b++) sum += cell->score[b];
        return benchmarks ? sum / benchmarks : NAN;
    }
    if (!cell->points) return NAN;
    return quantity == report_worst(results) ? cell->worst[cell->points - 1] : cell->mean[cell->points - 1];
}

/* ---- over seeds */

/* Running sums would not do: the interval needs the values. Seeds are few. */
enum { SEEDS_LIMIT = 4096 };

struct interval report_over_seeds(const struct results *results, int model, int budget, int method,
                                  int quantity) {
    double values[SEEDS_LIMIT];
    int count = results->axes.seeds < SEEDS_LIMIT ? results->axes.seeds : SEEDS_LIMIT;
    for (int s = 0; s < count; s++) {
        values[s] = report_value(results, results_cell(results, model, budget, method, s), quantity);
    }
    return interval_of(values, count);
}

struct interval report_difference(const struct results *results, int model, int budget, int method,
                                  int baseline, int quantity) {
    double values[SEEDS_LIMIT];
    int count = results->axes.seeds < SEEDS_LIMIT ? results->axes.seeds : SEEDS_LIMIT;
    for (int s = 0; s < count; s++) {
        values[s] = report_value(results, results_cell(results, model, budget, method, s), quantity) -
                    report_value(results, results_cell(results, model, budget, baseline, s), quantity);
    }
    return interval_of(values, count);
}

struct interval report_mean_of(const struct results *results, int model, int budget, int method,
                               double (*value)(const struct result_cell *cell)) {
    double values[SEEDS_LIMIT];
    int count = results->axes.seeds < SEEDS_LIMIT ? results->axes.seeds : SEEDS_LIMIT;
    for (int s = 0; s < count; s++) {
        const struct result_cell *cell = results_cell(results, model, budget, method, s);
        values[s] = cell->state == ARCHIVE_DONE ? value(cell) : NAN;
    }
    return interval_of(values, count);
}

int report_finished(const struct results *results, int model, int budget, int method) {
    int finished = 0;
    for (int s = 0; s < results->axes.seeds; s++) {
        finished += results_cell(results, model, budget, method, s)->state == ARCHIVE_DONE;
    }
    return finished;
}

const struct result_cell *report_example(const struct results *results, int model, int budget, int method) {
    for (int s = 0; s < results->axes.seeds; s++) {
        const struct result_cell *cell = results_cell(results, model, budget, method, s);
        if (cell->state == ARCHIVE_DONE && cell->steps) return cell;
    }
    return NULL;
}

/* ---- of one cell */

double report_share_to_reach(const struct result_cell *cell, const struct result_cell *reference,
                             bool worst) {
    if (cell->state != ARCHIVE_DONE || reference->state != ARCHIVE_DONE || !reference->points ||
        !cell->budget_tokens) {
        return NAN;
    }
    const double *loss = worst ? cell->worst : cell->mean, *tokens = cell->point_tokens;
    double target = (worst ? reference->worst : reference->mean)[reference->points - 1];
    for (int i = 0; i < cell->points; i++) {
        if (!(loss[i] <= target)) continue;
        double at = tokens[i];
        if (i > 0 && loss[i - 1] > loss[i]) {
            at = tokens[i - 1] +
                 (tokens[i] - tokens[i - 1]) * (loss[i - 1] - target) / (loss[i - 1] - loss[i]);
        }
        return at / (double)cell->budget_tokens;
    }
    return NAN;
}

double report_seconds_per_token(const struct result_cell *cell) {
    return cell->supervised_tokens > 0 ? cell->seconds / cell->supervised_tokens : NAN;
}

/* What an archive says: the text of `adapt report`, and its numbers as CSV. */
#ifndef ADAPT_RUNNER_REPORT_H
#define ADAPT_RUNNER_REPORT_H

#include "base/text.h"
#include "runner/report/results.h"
#include "runner/report/statistics.h"
#include <stdbool.h>

/* Appends the whole report. `now` in seconds since 1970. */
int report_text(const struct results *results, double now, struct text *out, struct error *err);

/* Appends a header and one line for each number: model,budget,method,seed,quantity,item,value; quoted as RFC
 * 4180 asks. Quantities: score (item: benchmark), score_mean, validation_worst, validation_mean (the last set
 * point of a finished cell), validation_loss (item: task), score_minus_BASELINE,
 * validation_worst_minus_BASELINE, ... (same seed; BASELINE: uniform or proportional),
 *   share_to_uniform_worst, share_to_uniform_mean (share of the budget at which the cell's loss first reached
 * uniform's final one), supervised_tokens, validation_tokens, probe_tokens, charged_tokens, budget_tokens,
 * steps, task_tokens, task_validation_tokens (item: task), seconds, seconds_per_token, seconds_PHASE,
 *   mixture_0, mixture_25, ... mixture_100 (item: task; at so many per cent of the steps).
 * Numbers that are not there have no line. Running and failed cells have those of their steps. */
int report_csv(const struct results *results, struct text *out, struct error *err);

/* --- what the report is made of; for its parts and its tests */

/* Numbers that cells are compared by: each benchmark's score, their mean, and the two final validation
 * losses. */
int report_quantities(const struct results *results);
int report_score_mean(const struct results *results); /* index of the mean of the scores */
int report_worst(const struct results *results); /* index of the worst, and of the mean validation loss */
int report_mean(const struct results *results);
const char *report_name(const struct results *results, int quantity);                   /* for people */
const char *report_key(const struct results *results, int quantity, const char **item); /* for CSV */
bool report_higher_is_better(const struct results *results, int quantity);
/* NaN unless the cell is done and has it. The mean of the scores needs all of them. */
double report_value(const struct results *results, const struct result_cell *cell, int quantity);

/* Over the seeds of a (model, budget, method): its values; and their differences to those of method
 * `baseline`, seed by seed. */
struct interval report_over_seeds(const struct results *results, int model, int budget, int method,
                                  int quantity);
struct interval report_difference(const struct results *results, int model, int budget, int method,
                                  int baseline, int quantity);

/* Share of the budget at which `cell` first had the final loss (worst, or mean) of `reference`: linear
 * between set points; NaN: never, or not known. */
double report_share_to_reach(const struct result_cell *cell, const struct result_cell *reference, bool worst);
/* Wall-clock seconds per supervised token trained on; NaN without steps. */
double report_seconds_per_token(const struct result_cell *cell);

#endif

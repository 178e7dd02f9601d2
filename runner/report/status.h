/* How far an experiment is: the text of `adapt status`, and the estimates in it. */
#ifndef ADAPT_RUNNER_STATUS_H
#define ADAPT_RUNNER_STATUS_H

#include "base/text.h"
#include "runner/report/results.h"

/* Seconds a cell will still take, its evaluation included; NaN if nothing tells the speed: for a running cell
 * its own over the last steps, else the mean of the model's other cells, else of all. 0 for a finished one.
 */
double status_seconds_left(const struct results *results, const struct result_cell *cell);
/* Seconds until all running and planned cells are done, with as many at a time as run now (at least one); NaN
 * if unknown. */
double status_total_left(const struct results *results);

/* Finds out who runs what (status_owner.h), and appends counts, a line for every running, stopped or failed
 * cell, and the time left. `now` in seconds since 1970. */
int status_text(struct results *results, double now, struct text *out, struct error *err);

#endif

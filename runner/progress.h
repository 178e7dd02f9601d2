/* What a long run tells while it runs: one line that is rewritten on a terminal, plain lines from time to
 * time elsewhere. Only coordinators hold one. */
#ifndef ADAPT_RUNNER_PROGRESS_H
#define ADAPT_RUNNER_PROGRESS_H

#include "base/error.h"
#include <stdint.h>
#include <stdio.h>

struct progress;

/* `out` is borrowed (stderr); `live` rewrites one line (a terminal with a single group), else a line at most
 * every PROGRESS_SECONDS seconds. */
enum { PROGRESS_SECONDS = 20 };
int progress_create(FILE *out, int live, struct progress **out_progress, struct error *err);
void progress_destroy(struct progress **progress);

/* A cell starts, by the number that the plan gives it; `name` is copied. */
void progress_cell(struct progress *progress, int index, const char *name, int64_t budget);
/* After a step. `share` [tasks] and `task_name` show the mixture's extremes. */
void progress_step(struct progress *progress, int64_t step, int64_t charged, int64_t fed_tokens, double loss,
                   int tasks, const double *share, const char *const *task_name);
/* A line of its own: a warning, a result, a failure. */
void progress_say(struct progress *progress, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

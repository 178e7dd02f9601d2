/* Results of benchmarks that are on disk beside a cell's checkpoints before its archive takes them in: an
 * attempt that goes on does not measure again what was measured. Everything here is the coordinator's. */
#ifndef ADAPT_RUNNER_CELL_KEPT_H
#define ADAPT_RUNNER_CELL_KEPT_H

#include "runner/cell/cell_internal.h"

/* Gives the archive what an earlier attempt has measured on the way to the current step; removes what came
 * later. */
int cell_kept_open(struct cell_run *run, struct error *err);
void cell_kept_close(struct cell_run *run);

/* Whether the archive has this benchmark's result at `share` of the budget. */
bool cell_kept_has(const struct cell_run *run, double share, const char *benchmark);
/* Gives a result to the archive and to the disk. That it cannot be kept on disk is told, and no failure. */
int cell_kept_add(struct cell_run *run, const struct archive_evaluation *evaluation, struct error *err);

#endif

/* What a run says before its first cell. */
#ifndef ADAPT_RUNNER_ANNOUNCE_H
#define ADAPT_RUNNER_ANNOUNCE_H

#include "runner/run_internal.h"
#include "runner/cell/loaded_model.h"

/* How many cells there are to run, on what, and how its ranks sum their gradients. Not collective: for
 * whoever has the run's `progress`. */
void announce_run(const struct run *run);

/* What the model's cells take of a rank's memory at most, and for what. Not collective, as announce_run. */
void announce_model(const struct run *run, const struct loaded_model *model);

#endif

/* What a cell knows beside its large vectors, as the sections of a checkpoint. */
#ifndef ADAPT_RUNNER_CELL_STATE_H
#define ADAPT_RUNNER_CELL_STATE_H

#include "runner/cell/cell_internal.h"
#include "runner/checkpoint/manifest.h"

enum { CELL_SECTIONS = 8 };

/* Sections with room for the cell's state in the arena, so that saving allocates nothing. The coordinator's.
 */
int cell_state_room(const struct cell_run *run, struct arena *arena, struct manifest_section *sections,
                    struct error *err);
/* Fills them. The coordinator's. */
void cell_state_save(const struct cell_run *run, struct manifest_section *sections);
/* Takes the state out of a checkpoint; every rank's. `watch` only where there is one. ERROR_INPUT where it
 * cannot be a state of this cell, which is then of no use any more. */
int cell_state_load(struct cell_run *run, const struct manifest *manifest, struct error *err);

#endif

/* Which cell a group runs next: its own share of the grid first, as it was dealt, then whatever nobody else
 * has taken. Cells that others have claimed, other groups of this run or other jobs, are left to them and
 * looked at again at the end. Everything here is the coordinator's. */
#ifndef ADAPT_RUNNER_TAKING_H
#define ADAPT_RUNNER_TAKING_H

#include "runner/claim/claim.h"
#include "runner/grid.h"
#include "runner/progress.h"

struct taking;
/* group_of and order are grid_deal's; `group` is this one's index. All borrowed. */
int taking_create(const struct experiment *experiment, const struct grid *grid, const int *group_of,
                  const int *order, int group, struct progress *progress, struct taking **out,
                  struct error *err);
void taking_destroy(struct taking **taking);

enum taking_kind {
    TAKING_CELL, /* *cell is claimed, and not finished */
    TAKING_WAIT, /* what is left waits for a cell that somebody else runs now */
    TAKING_END   /* nothing is left that this group could do */
};
int taking_next(struct taking *taking, enum taking_kind *kind, int *cell, struct claim **claim,
                struct error *err);
/* The cell's end: whether it is done, or failed. Not for one that was stopped. */
void taking_ended(struct taking *taking, int cell, bool done);

/* Cells that this group has done and failed: 1 and 2 in fate[cells], elsewhere 0. */
void taking_tell(const struct taking *taking, double *fate);

#endif

/* The grid of cells: models x budgets x methods x seeds, in a fixed order. */
#ifndef ADAPT_RUNNER_GRID_H
#define ADAPT_RUNNER_GRID_H

#include "io/archive/archive.h"
#include "runner/experiment/experiment.h"

struct cell {
    int index;                       /* 0, 1, ...: model-major, then budget, method, seed */
    int model, budget, method, seed; /* indices into the experiment's lists */
    int reference; /* index of the cell whose final losses this one compares with, which runs first; -1: none
                    */
    bool selected; /* to be run by this command */
    bool done;     /* finished in the archive already */
    int state; /* enum archive_state that its file tells; ARCHIVE_PLANNED: there is none that can be read */
    double ended; /* seconds since 1970, of a cell that has come to an end; else 0 */
    double cost;  /* estimated, in the same arbitrary unit for all cells */
};

struct grid {
    struct cell *cells;
    int count;
    struct grid_scratch *scratch; /* of grid_deal */
};

/* All cells; `selection` such as "3,5-8" (NULL: all). Cells whose file in the archive folder says done are
 * marked. A selection that is malformed, names cells that do not exist, or holds an unfinished cell whose
 * reference is neither selected nor done is ERROR_INPUT. Reads the archive: in a group, only what one rank
 * found may be used. */
int grid_create(const struct experiment *experiment, const char *selection, struct grid **out,
                struct error *err);
void grid_destroy(struct grid **grid);

struct archive_cell_key grid_cell_key(const struct experiment *experiment, const struct cell *cell);
/* "model / 0.05 / adapt / seed 1", freshly allocated. */
int grid_cell_name(const struct experiment *experiment, const struct cell *cell, char **out,
                   struct error *err);

/* Reads from the cell's file what it says by now: `state`, `ended` and `done` are set anew. */
int grid_cell_look(const struct experiment *experiment, struct cell *cell, struct error *err);

/* Deals the selected, unfinished cells to `groups` groups: chains (a reference cell and those that wait for
 * it) stay together, the costliest chain goes first to the group with the least work. group_of[cell] = group,
 * or -1 for a cell that is not to be run. order[] lists all cells; within a group they run in its order: a
 * reference before those that wait for it, else by index, so that a model is opened as seldom as can be. Both
 * [count]. */
void grid_deal(const struct grid *grid, int groups, int *group_of, int *order);

#endif

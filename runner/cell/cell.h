/* One cell of the grid: fine-tune one model under one budget with one method and seed, measure, evaluate, archive. */
#ifndef ADAPT_RUNNER_CELL_H
#define ADAPT_RUNNER_CELL_H

#include "runner/experiment/experiment.h"
#include "runner/grid.h"
#include "runner/group.h"
#include "runner/cell/loaded_model.h"
#include "runner/progress.h"

/* What a cell runs with; all borrowed. */
struct cell_job {
    const struct experiment *experiment;
    const struct grid *grid;
    const struct cell *cell;
    const struct group *group;
    const struct loaded_model *model;
    struct backend *backend;
    struct progress *progress; /* NULL on ranks that are not coordinators */
    int threads;
};

/* Runs the cell to its end. Its file in the archive ends as done, or as failed with the reason, which is also returned. Collective over
 * the group; every rank returns the same code. */
int cell_run(const struct cell_job *job, struct error *err);

#endif

/* One cell of the grid: fine-tune one model under one budget with one method and seed, measure, evaluate,
 * archive. */
#ifndef ADAPT_RUNNER_CELL_H
#define ADAPT_RUNNER_CELL_H

#include "runner/experiment/experiment.h"
#include "runner/grid.h"
#include "runner/group.h"
#include "runner/cell/loaded_model.h"
#include "runner/claim/claim.h"
#include "runner/progress.h"
#include "runner/stop.h"

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
    int neighbours;      /* ranks of the whole run on this rank's machine, this one included */
    struct claim *claim; /* coordinator only; NULL: nobody else can be at the cell */
    struct stop *stop;   /* NULL: nothing stops it */
    bool restart;        /* checkpoints of earlier runs are thrown away */
};

/* Runs the cell to its end, from its newest good checkpoint where there is one. Its file in the archive ends
 * as done, or as failed with the reason, which is also returned. Where the run is to stop it returns
 * ERROR_STOPPED: everything is saved, and the archive says that the cell is running. Collective over the
 * group; every rank returns the same code. */
int cell_run(const struct cell_job *job, struct error *err);

#endif

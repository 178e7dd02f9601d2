/* What runner/run.c (the whole run) and runner/run_cells.c (a group's cells) share. */
#ifndef ADAPT_RUNNER_RUN_INTERNAL_H
#define ADAPT_RUNNER_RUN_INTERNAL_H

#include "runner/grid.h"
#include "runner/group.h"
#include "runner/progress.h"
#include "runner/run.h"
#include "runner/stop.h"
#include "runner/taking.h"

struct run {
    struct experiment *experiment;
    struct grid *grid;
    struct group world, group;
    struct backend *backend;
    struct progress *progress; /* coordinators only */
    int threads;
    int *group_of, *order; /* [cells] */
    struct stop *stop;
    struct taking *taking; /* coordinators only */
    const struct run_options *options;
};

/* The experiment's file, anew. Only the world's coordinator writes it. */
int run_write_experiment(struct run *run, struct error *err);

/* Cell after cell, until nothing is left for this group or a signal came. Collective over the group. */
int run_cells(struct run *run, bool *stopped, struct error *err);

#endif

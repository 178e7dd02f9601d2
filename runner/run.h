/* Runs the grid: deals cells to groups of ranks and sees every one of them to its end. */
#ifndef ADAPT_RUNNER_RUN_H
#define ADAPT_RUNNER_RUN_H

#include "base/error.h"
#include "runner/signals.h"
#include <mpi.h>
#include <stdbool.h>

struct run_options {
    const char *experiment;  /* path */
    const char *out;         /* overrides the file's; NULL: not */
    const char *cells;       /* selection such as "3,5-8"; NULL: all */
    int threads;             /* of each rank; 0: the cores of the node shared out */
    bool resume;             /* the archive's folder must hold this experiment already */
    struct signals *signals; /* borrowed; a signal stops the run after the step at hand */
    bool restart;            /* unfinished cells start anew: their checkpoints are thrown away */
};

struct run_outcome {
    int done, failed, skipped; /* cells; the same on every rank */
    int elsewhere;             /* cells that other jobs are running, or have left unfinished meanwhile */
    bool stopped;              /* by a signal, with everything saved: the same command goes on */
    char out[4096];            /* the archive's folder */
};

/* Checks everything that would fail later, then runs the selected cells that are not done yet and that nobody
 * else runs. A cell that fails is marked in the archive and told; the others go on. Collective over `world`;
 * every rank returns the same code. */
int run_grid(MPI_Comm world, const struct run_options *options, struct run_outcome *outcome,
             struct error *err);

#endif

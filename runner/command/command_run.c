#include "runner/command/command.h"

#include "base/error.h"
#include "runner/command/complain.h"
#include "runner/command/options.h"
#include "runner/run.h"
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "usage: adapt run EXPERIMENT.json [--out DIR] [--cells 3,5-8] [--threads N]\n"
    "\n"
    "Runs the experiment's grid: every cell (model x budget x method x seed) that is not done yet.\n"
    "Alone, under mpirun, or under srun; groups of \"ranks_per_cell\" ranks run cells side by side.\n"
    "\n"
    "  --out DIR      folder of the archive, instead of the file's \"out\"\n"
    "  --cells LIST   only these cells, by their index in `adapt plan`\n"
    "  --threads N    threads of each rank (default: the node's cores shared out)\n";

/* "--threads N"; 0 where it is absent, -1 where it is no number of threads. */
static int parse_threads(const char *text) {
    if (!text) return 0;
    char *end;
    long threads = strtol(text, &end, 10);
    return *end || threads < 1 || threads > 4096 ? -1 : (int)threads;
}

int command_run(int argc, char **argv) {
    struct run_options options = {0};
    const char *threads = NULL;
    const struct command_option known[] = {
        {"out", &options.out}, {"cells", &options.cells}, {"threads", &threads}, {NULL, NULL}};
    int status, rank, provided;
    if (!command_options(argc, argv, usage, known, &options.experiment, &status)) return status;
    options.threads = parse_threads(threads);
    if (options.threads < 0) {
        fprintf(stderr, "adapt: --threads %s: not a number of threads (1 to 4096)\n", threads);
        return 2;
    }
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided) != MPI_SUCCESS) {
        fputs("adapt: MPI does not start\n", stderr);
        return 1;
    }
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    struct run_outcome outcome;
    struct error err = {0};
    int code = run_grid(MPI_COMM_WORLD, &options, &outcome, &err);
    if (rank == 0) {
        if (code)
            complain(NULL, err.message);
        else
            fprintf(stderr, "%d cells done, %d failed, %d done before; the archive is %s/experiment.h5\n", outcome.done,
                    outcome.failed, outcome.skipped, outcome.out);
    }
    MPI_Finalize();
    if (code) return complain_status(code);
    return outcome.failed ? 1 : 0;
}

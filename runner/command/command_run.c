#include "runner/command/command.h"

#include "base/error.h"
#include "runner/command/complain.h"
#include "runner/run.h"
#include <getopt.h>
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

static int parse(int argc, char **argv, struct run_options *options) {
    static const struct option known[] = {{"out", required_argument, NULL, 'o'},
                                          {"cells", required_argument, NULL, 'c'},
                                          {"threads", required_argument, NULL, 't'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int letter;
    optind = 1;
    while ((letter = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (letter) {
        case 'o': options->out = optarg; break;
        case 'c': options->cells = optarg; break;
        case 't':
            options->threads = atoi(optarg);
            if (options->threads < 1) {
                fprintf(stderr, "adapt: --threads %s: not a number of threads (1 or more)\n", optarg);
                return 2;
            }
            break;
        case 'h': fputs(usage, stdout); return -1;
        default: fputs(usage, stderr); return 2;
        }
    }
    if (optind + 1 != argc) {
        fputs(usage, stderr);
        return 2;
    }
    options->experiment = argv[optind];
    return 0;
}

int command_run(int argc, char **argv) {
    struct run_options options = {0};
    int status = parse(argc, argv, &options);
    if (status) return status < 0 ? 0 : status;
    int rank, provided;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) {
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

#include "runner/command/command.h"

#include "base/error.h"
#include "io/file.h"
#include "runner/command/complain.h"
#include "runner/command/options.h"
#include "runner/group.h"
#include "runner/run.h"
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

static const char usage[] =
    "usage: adapt run EXPERIMENT.json [--out DIR] [--cells 3,5-8] [--threads N] [--resume|--restart]\n"
    "\n"
    "Runs the experiment's grid: every cell (model x budget x method x seed) that is not done yet and that no\n"
    "other job runs; a cell that was cut short goes on from its last checkpoint. Alone, under mpirun, or under\n"
    "srun; groups of \"ranks_per_cell\" ranks run cells side by side. SIGTERM, SIGINT and SIGUSR1 stop it after\n"
    "the step at hand, with a checkpoint.\n"
    "\n"
    "  --out DIR      folder of the archive, instead of the file's \"out\"\n"
    "  --cells LIST   only these cells, by their index in `adapt plan`\n"
    "  --threads N    threads of each rank (default: the node's cores shared out)\n"
    "  --resume       only if the folder holds this experiment already (against a mistyped --out)\n"
    "  --restart      unfinished cells start anew: their checkpoints are thrown away\n"
    "  --launch-file FILE    for job scripts: FILE is removed when all ranks have started, and made again, "
    "with exit\n"
    "                 status 0, where a signal stopped the run\n"
    "\n"
    "Exit status: 0 everything that was to be done here is done, 1 something failed, 2 wrong usage or "
    "input,\n"
    "75 stopped by a signal with everything saved: the same command goes on.\n";

/* "--threads N"; 0 where it is absent, -1 where it is no number of threads. */
static int parse_threads(const char *text) {
    if (!text) return 0;
    char *end;
    long threads = strtol(text, &end, 10);
    return *end || threads < 1 || threads > 4096 ? -1 : (int)threads;
}

/* Before that nothing is known to have started but this process. */
static void remove_launch_file(const char *path, int rank) {
    if (!path) return;
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) unlink(path);
}

/* mpirun takes a minute or two where ranks end with another status than 0: it gives the others time that they
 * do not need. So a job script is told by its file, and a run without one by the status. */
static int stopped_status(const char *launch_file, int rank) {
    static const char text[] = "stopped\n";
    int told = launch_file && rank == 0 && !file_write(launch_file, text, sizeof text - 1, NULL);
    MPI_Bcast(&told, 1, MPI_INT, 0, MPI_COMM_WORLD);
    return told ? 0 : EX_TEMPFAIL;
}

static void tell(int code, const struct run_outcome *outcome, const struct error *err) {
    if (code) {
        complain(NULL, err->message);
        return;
    }
    fprintf(stderr, "%d cells done, %d failed, %d done before", outcome->done, outcome->failed,
            outcome->skipped);
    if (outcome->stopped)
        fprintf(stderr, "; stopped by a signal, with everything saved: the same command goes on");
    else if (outcome->elsewhere)
        fprintf(stderr, ", %d left to other jobs that run them now", outcome->elsewhere);
    fprintf(stderr, "; the archive is %s/experiment.h5\n", outcome->out);
}

int command_run(int argc, char **argv) {
    struct run_options options = {0};
    const char *threads = NULL, *launch_file = NULL;
    const struct command_option known[] = {{"out", &options.out},
                                           {"cells", &options.cells},
                                           {"threads", &threads},
                                           {"launch-file", &launch_file},
                                           {NULL, NULL}};
    int status, rank;
    struct error err = {0};
    options.resume = command_flag(&argc, argv, "resume");
    options.restart = command_flag(&argc, argv, "restart");
    if (options.resume && options.restart) {
        fputs("adapt: --resume and --restart exclude each other\n", stderr);
        return 2;
    }
    if (!command_options(argc, argv, usage, known, &options.experiment, &status)) return status;
    options.threads = parse_threads(threads);
    if (options.threads < 0) {
        fprintf(stderr, "adapt: --threads %s: not a number of threads (1 to 4096)\n", threads);
        return 2;
    }
    if (signals_create(&options.signals, &err) || group_start(&err)) {
        complain(NULL, err.message);
        return 1;
    }
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    remove_launch_file(launch_file, rank);
    struct run_outcome outcome;
    int code = run_grid(MPI_COMM_WORLD, &options, &outcome, &err);
    if (rank == 0) tell(code, &outcome, &err);
    status = code ? complain_status(code) : outcome.failed ? 1 : 0;
    if (!code && outcome.stopped) status = stopped_status(launch_file, rank);
    signals_destroy(&options.signals);
    MPI_Finalize();
    return status;
}

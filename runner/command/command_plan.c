#include "runner/command/command.h"

#include "base/memory.h"
#include "runner/command/complain.h"
#include "runner/command/options.h"
#include "runner/check/check_overlap.h"
#include "runner/check/estimate.h"
#include "runner/grid.h"
#include "runner/check/matmul_rate.h"
#include "runner/device.h"
#include "runner/threads.h"
#include "runner/cell/cell_checkpoint.h"
#include "runner/cell/trainer.h"
#include <stdio.h>
#include <string.h>

static const char usage[] = "usage: adapt plan EXPERIMENT.json [--out DIR] [--cells 3,5-8]\n"
                            "\n"
                            "Shows the cells of the grid: index, budget in supervised tokens, and estimates "
                            "of steps, memory of a rank and time of\n"
                            "training on this machine.\n"
                            "\n"
                            "  --out DIR      folder of the archive, instead of the file's \"out\"\n"
                            "  --cells LIST   only these cells\n";

/* The share of the rate of large matrix products that training is expected to reach: `adapt bench` finds 0.85
 * for models of 100 million parameters and more; some of it is lost to what else a cell does. */
static const double efficiency = 0.75;

struct plan {
    struct experiment *experiment;
    struct grid *grid;
    struct backend *backend;
    struct loaded_model *model; /* of the cells being shown */
    struct text dropped;        /* tasks with instances that repeat a benchmark, the same for every model */
    double rate;                /* operations a second; 0: not measured */
    double seconds;             /* of the cells shown that are not done */
    int open_cells;
};

static int measure_rate(struct plan *plan, struct error *err) {
    const struct experiment *e = plan->experiment;
    TRY(device_open(MPI_COMM_NULL, e->device, e->dtype, threads_alone(0), &plan->backend, err));
    return matmul_rate_measure(plan->backend, 0.2, &plan->rate, err);
}

static void show_duration(char out[32], double seconds) {
    if (seconds < 100.0)
        snprintf(out, 32, "%.0f s", seconds);
    else if (seconds < 6000.0)
        snprintf(out, 32, "%.0f min", seconds / 60.0);
    else
        snprintf(out, 32, "%.1f h", seconds / 3600.0);
}

static int show_cell(struct plan *plan, const struct cell *cell, struct error *err) {
    const struct experiment *experiment = plan->experiment;
    const struct experiment_method *method = &experiment->methods[cell->method];
    struct archive_cell_key key = grid_cell_key(experiment, cell);
    struct estimate estimate;
    TRY(estimate_cell(experiment, plan->model, method, experiment->budgets[cell->budget].fraction, &estimate,
                      err));
    int ranks = (int)experiment->ranks_per_cell;
    double bytes = estimate_memory(plan->backend, experiment, plan->model, method).total;
    if (device_uses_host_memory(experiment->device)) /* and so do copies for checkpoints */
        bytes += (double)cell_checkpoint_bytes(plan->model, &experiment->training, ranks);
    double seconds = estimate.operations / (efficiency * plan->rate);
    char duration[32], reference[32] = "-";
    show_duration(duration, seconds);
    if (cell->reference >= 0) snprintf(reference, sizeof reference, "%d", cell->reference);
    printf("%5d  %-16s %8s %11lld  %-16s %5lld %8.0f %7.2f GiB %8s %6s  %s\n", cell->index, key.model,
           key.budget, (long long)estimate.budget, key.method, key.seed, estimate.steps, bytes / (1 << 30),
           duration, reference, archive_state_name((enum archive_state)cell->state));
    if (!cell->done) {
        plan->seconds += seconds;
        plan->open_cells++;
    }
    return 0;
}

static int show_cells(struct plan *plan, struct error *err) {
    printf("%5s  %-16s %8s %11s  %-16s %5s %8s %11s %8s %6s  %s\n", "cell", "model", "budget", "tokens",
           "method", "seed", "steps", "memory", "time", "after", "state");
    int opened = -1;
    for (int i = 0; i < plan->grid->count; i++) {
        const struct cell *cell = &plan->grid->cells[i];
        if (!cell->selected) continue;
        if (cell->model != opened) {
            loaded_model_close(&plan->model);
            TRY(loaded_model_open(plan->experiment, cell->model, NULL, &plan->model, err));
            opened = cell->model;
            text_clear(&plan->dropped);
            TRY(check_overlap_dropped(plan->experiment, plan->model->tasks, &plan->dropped, err));
        }
        TRY(show_cell(plan, cell, err));
    }
    if (plan->dropped.length)
        printf("left out, as they share %lld words in a row with a benchmark: instances of %s\n",
               plan->experiment->evaluation.decontaminate.ngram, text_string(&plan->dropped));
    char duration[32];
    show_duration(duration, plan->seconds);
    printf("%d cells to run, about %s of training one after the other on this machine (%d threads, %.0f "
           "GFLOP/s in matrix "
           "products, of which %.0f %% are expected); evaluations come on top\n",
           plan->open_cells, duration, threads_alone(0), plan->rate / 1e9, 100.0 * efficiency);
    return 0;
}

static int show_plan(struct plan *plan, const char *out, const char *cells, struct error *err) {
    if (out) TRY(experiment_set_out(plan->experiment, out, err));
    TRY(grid_create(plan->experiment, cells, &plan->grid, err));
    TRY(measure_rate(plan, err));
    return show_cells(plan, err);
}

int command_plan(int argc, char **argv) {
    const char *path, *out = NULL, *cells = NULL;
    const struct command_option options[] = {{"out", &out}, {"cells", &cells}, {NULL, NULL}};
    int status;
    if (!command_options(argc, argv, usage, options, &path, &status)) return status;
    struct plan plan = {0};
    struct error err = {0};
    if (experiment_load(path, &plan.experiment, &err)) {
        complain(NULL, err.message);
        return 2;
    }
    int code = show_plan(&plan, out, cells, &err);
    fflush(stdout);
    if (code) complain(NULL, err.message);
    loaded_model_close(&plan.model);
    text_free(&plan.dropped);
    backend_destroy(&plan.backend);
    grid_destroy(&plan.grid);
    experiment_destroy(&plan.experiment);
    return code ? complain_status(code) : 0;
}

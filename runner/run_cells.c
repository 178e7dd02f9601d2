/* A group's cells: takes one after the other and sees it to its end. */
#include "runner/run_internal.h"

#include "base/clock.h"
#include "base/memory.h"
#include "runner/cell/cell.h"
#include "runner/link.h"
#include <time.h>

/* Tells the end of a cell. Not collective. */
static void tell(struct run *run, const struct cell *cell, int code, double seconds,
                 const struct error *err) {
    if (!run->progress) return;
    char *name = NULL;
    if (grid_cell_name(run->experiment, cell, &name, NULL)) return;
    if (code == ERROR_STOPPED)
        progress_say(run->progress, "cell %d (%s): %s", cell->index, name, err->message);
    else if (code)
        progress_say(run->progress, "adapt: cell %d (%s) failed: %s", cell->index, name, err->message);
    else
        progress_say(run->progress, "cell %d (%s) done in %.1f s", cell->index, name, seconds);
    memory_free(name);
}

enum { WAIT_SECONDS = 2 };

/* What the group does next, the same on all its ranks: runs a cell, which the coordinator has claimed, waits,
 * or ends. */
struct turn {
    enum taking_kind kind;
    int cell;
    bool stop;           /* it ends because a signal came */
    struct claim *claim; /* the coordinator's */
};

static int take_turn(struct run *run, struct turn *turn, struct error *err) {
    *turn = (struct turn){.kind = TAKING_END, .cell = -1};
    TRY(group_wait(&run->group,
                   err)); /* where the coordinator has slept, the others have not turned in circles */
    int code = 0, vote = -(int)stop_wanted(run->stop);
    if (run->taking) code = taking_next(run->taking, &turn->kind, &turn->cell, &turn->claim, err);
    code = group_agree_least(&run->group, code, &vote, 1, err);
    double values[2] = {turn->kind, turn->cell};
    if (!code) code = group_broadcast(&run->group, values, 2, err);
    turn->kind = (enum taking_kind)values[0];
    turn->cell = (int)values[1];
    turn->stop = vote && turn->kind != TAKING_END;
    if (code || turn->stop) {
        claim_release(&turn->claim);
        turn->kind = TAKING_END;
    }
    return code;
}

/* The model of the cell at hand; another one is closed first. */
static int open_model(struct run *run, const struct cell *cell, struct loaded_model **model, int *opened,
                      struct error *err) {
    if (*opened == cell->model) return 0;
    loaded_model_close(model);
    *opened = -1;
    TRY(loaded_model_open(run->experiment, cell->model, &run->group, model, err));
    *opened = cell->model;
    return 0;
}

/* A link that broke in the cell before is given up; only MPI's failure is one here. */
static int mend_link(struct run *run, struct error *err) {
    int code = link_settle(&run->group, err);
    if (code && run->progress)
        progress_say(run->progress, "sums over the ranks from here on: %s", link_describe(&run->group));
    return code == ERROR_PEER ? code : 0;
}

static int run_cell(struct run *run, struct turn *turn, struct loaded_model **model, int *opened,
                    struct error *err) {
    const struct cell *cell = &run->grid->cells[turn->cell];
    double started = clock_seconds();
    int code = mend_link(run, err);
    if (!code) code = open_model(run, cell, model, opened, err);
    struct cell_job job = {.experiment = run->experiment,
                           .grid = run->grid,
                           .cell = cell,
                           .group = &run->group,
                           .model = *model,
                           .backend = run->backend,
                           .progress = run->progress,
                           .threads = run->threads,
                           .neighbours = run->world.local,
                           .claim = turn->claim,
                           .stop = run->stop,
                           .restart = run->options->restart};
    if (!code) code = cell_run(&job, err);
    if (code != ERROR_PEER) claim_release(&turn->claim);
    tell(run, cell, code, clock_seconds() - started, err);
    if (run->taking && code != ERROR_STOPPED) taking_ended(run->taking, turn->cell, !code);
    return code;
}

/* Whether a device of the group has failed for good: each cell that it took would fail at once, and be taken
 * from the groups that can run it. Collective. */
static bool device_lost(struct run *run) {
    struct backend *backend = run->backend;
    struct buffer *probe = NULL;
    struct error why = {0};
    int code = backend->buffer_create(backend, sizeof(float), &probe, &why);
    if (!code) {
        backend->zero(backend, 1, (struct view){probe, 0, DTYPE_F32});
        code = backend->check(backend, &why);
        backend->buffer_destroy(backend, &probe);
    }
    code = group_agree(&run->group, code, &why);
    if (code && run->progress)
        progress_say(run->progress, "adapt: a device is lost; its ranks take no more cells: %s", why.message);
    return code != 0;
}

int run_cells(struct run *run, bool *stopped, struct error *err) {
    const struct timespec pause = {.tv_sec = WAIT_SECONDS};
    struct loaded_model *model = NULL;
    struct turn turn;
    int opened = -1, code = 0;
    for (*stopped = false; !*stopped;) {
        code = take_turn(run, &turn, err);
        *stopped = turn.stop;
        if (code || turn.kind == TAKING_END) break;
        if (turn.kind == TAKING_WAIT) {
            if (run->taking) nanosleep(&pause, NULL);
            continue;
        }
        code = run_cell(run, &turn, &model, &opened, err);
        *stopped = code == ERROR_STOPPED;
        if (code == ERROR_PEER) break; /* communication itself is broken: nothing more can be agreed on */
        bool lost = code && code != ERROR_STOPPED && device_lost(run);
        code = 0;
        struct error late = {0};
        if (group_is_coordinator(&run->world) && run_write_experiment(run, &late))
            progress_say(run->progress, "adapt: warning: %s", late.message);
        if (lost) break;
    }
    if (*stopped) stop_tell(run->stop);
    loaded_model_close(&model);
    return code;
}

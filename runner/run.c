#include "runner/run_internal.h"

#include "base/memory.h"
#include "io/file.h"
#include "runner/announce.h"
#include "runner/cell/cell.h"
#include "runner/command/complain.h"
#include "runner/cell/ledger.h"
#include "runner/evaluation.h"
#include "runner/device.h"
#include "runner/link.h"
#include "runner/threads.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool needed(const struct run *run, int model) {
    for (int i = 0; i < run->grid->count; i++) {
        const struct cell *cell = &run->grid->cells[i];
        if (cell->model == model && cell->selected && !cell->done) return true;
    }
    return false;
}

/* Opens every model once, which also fills the token cache; a budget of no tokens, or a model that a
 * benchmark cannot be put to, is found here and not after hours. */
static int prepare_models(struct run *run, struct error *err) {
    const struct experiment *experiment = run->experiment;
    for (int m = 0; m < experiment->model_count; m++) {
        if (!needed(run, m)) continue;
        struct loaded_model *model;
        TRY(loaded_model_open(experiment, m, &run->world, &model, err));
        int64_t supervised = model->tasks->supervised;
        if (group_is_coordinator(&run->world)) announce_model(run, model);
        int code = evaluation_check_model(experiment, model, err);
        loaded_model_close(&model);
        TRY(code);
        for (int b = 0; b < experiment->budget_count; b++)
            if (ledger_budget(experiment->budgets[b].fraction, supervised) < 1)
                return error_set(err, ERROR_INPUT,
                                 "%s: budget %s of %lld supervised tokens is zero tokens (for model %s)",
                                 experiment->path, experiment->budgets[b].name, (long long)supervised,
                                 experiment->models[m].name);
    }
    return 0;
}

static int prepare_files(struct run *run, struct error *err) {
    const struct experiment *experiment = run->experiment;
    char *old = NULL, *cells = NULL;
    for (int i = 0; i < experiment->evaluation.benchmark_count; i++) {
        int64_t records;
        struct eval_task task = evaluation_task(&experiment->evaluation.benchmarks[i]);
        TRY(eval_check(&task, &experiment->evaluation.settings, &records, err));
    }
    TRY(archive_experiment_config(experiment->out, &old, err));
    int code = old ? experiment_compare(experiment, old, err) : 0;
    if (!old && run->options->resume)
        code = error_set(err, ERROR_INPUT,
                         "%s: holds no archive, so there is nothing to resume (is the folder right?)",
                         experiment->out);
    memory_free(old);
    if (!code) code = file_join(experiment->out, "cells", &cells, err);
    if (!code) code = file_make_folder(cells, err);
    memory_free(cells);
    return code;
}

int run_write_experiment(struct run *run, struct error *err) {
    return experiment_write_archive(run->experiment, run->backend->name, run->world.size, run->threads, NULL,
                                    err);
}

/* The grid as the coordinator sees it: another rank may look at the archive's folder a moment later. */
static int make_grid(struct run *run, const char *cells, struct error *err) {
    int code = grid_create(run->experiment, cells, &run->grid, err);
    TRY(group_agree(&run->world, code, err));
    double *done;
    code = memory_alloc(&done, (size_t)run->grid->count, sizeof *done, err);
    TRY(group_agree(&run->world, code, err));
    for (int i = 0; i < run->grid->count; i++) done[i] = run->grid->cells[i].done;
    code = group_broadcast(&run->world, done, (size_t)run->grid->count, err);
    for (int i = 0; i < run->grid->count; i++) run->grid->cells[i].done = done[i] != 0.0;
    memory_free(done);
    return code;
}

static int prepare(MPI_Comm world, const struct run_options *options, struct run *run, struct error *err) {
    TRY(group_whole(world, &run->world, err));
    run->threads = threads_per_rank(world, options->threads);
    threads_pin(run->threads);
    int code = experiment_load(options->experiment, &run->experiment, err);
    if (!code && options->out) code = experiment_set_out(run->experiment, options->out, err);
    TRY(group_agree(&run->world, code, err));
    TRY(make_grid(run, options->cells, err));
    TRY(group_split(world, (int)run->experiment->ranks_per_cell, &run->group, err));
    code =
        device_open(world, run->experiment->device, run->experiment->dtype, run->threads, &run->backend, err);
    TRY(group_agree(&run->world, code, err));
    if (run->group.size > 0) code = link_open(&run->group, run->backend, (int)run->experiment->link, err);
    TRY(group_agree(&run->world, code, err));
    const struct experiment *experiment = run->experiment;
    bool coordinator = group_is_coordinator(&run->world);
    code = coordinator ? prepare_files(run, err) : 0;
    TRY(group_agree(&run->world, code, err));
    if (group_is_coordinator(&run->group)) {
        int live = run->group.count == 1 && isatty(STDERR_FILENO);
        code = progress_create(stderr, live, &run->progress, err);
    }
    TRY(group_agree(&run->world, code, err));
    if (coordinator) announce_run(run);
    TRY(prepare_models(run, err));
    code = coordinator ? run_write_experiment(run, err) : 0;
    TRY(group_agree(&run->world, code, err));
    if (!code) code = memory_alloc(&run->group_of, (size_t)run->grid->count, sizeof(int), err);
    if (!code) code = memory_alloc(&run->order, (size_t)run->grid->count, sizeof(int), err);
    if (!code) grid_deal(run->grid, run->group.count, run->group_of, run->order);
    if (!code && group_is_coordinator(&run->group))
        code = taking_create(experiment, run->grid, run->group_of, run->order, run->group.index,
                             run->progress, &run->taking, err);
    TRY(group_agree(&run->world, code, err));
    return stop_create(world, run->options->signals, &run->stop,
                       err); /* until here a signal ends the program: there is nothing to save */
}

/* Cells by their end, over all groups; what nobody here has run is looked up. */
static int count_cells(struct run *run, bool stopped, struct run_outcome *outcome, struct error *err) {
    size_t cells = (size_t)run->grid->count;
    double *fate, sums[2] = {stopped, 0.0};
    int code = group_agree(&run->world, memory_alloc(&fate, cells, sizeof *fate, err), err);
    if (code) return code;
    if (run->taking) taking_tell(run->taking, fate);
    code = group_sum(&run->world, fate, cells, err);
    if (!code) code = group_sum(&run->world, sums, 1, err);
    outcome->stopped = sums[0] > 0.0;
    struct grid *now = NULL;
    if (!code && group_is_coordinator(&run->world))
        code = grid_create(run->experiment, run->options->cells, &now, err);
    for (size_t i = 0; i < cells && !code; i++) {
        bool selected = run->grid->cells[i].selected;
        outcome->done += fate[i] == 1.0;
        outcome->failed += fate[i] == 2.0;
        outcome->skipped +=
            selected && fate[i] == 0.0 && (run->grid->cells[i].done || (now && now->cells[i].done));
        outcome->elsewhere += selected && fate[i] == 0.0 && now && !now->cells[i].done;
    }
    grid_destroy(&now);
    memory_free(fate);
    return group_agree(&run->world, code, err);
}

static void release(struct run *run) {
    taking_destroy(&run->taking);
    progress_destroy(&run->progress);
    memory_free(run->group_of);
    memory_free(run->order);
    link_close(&run->group);
    backend_destroy(&run->backend);
    grid_destroy(&run->grid);
    experiment_destroy(&run->experiment);
    group_release(&run->group);
    group_release(&run->world);
}

static int run_and_count(struct run *run, struct run_outcome *outcome, struct error *err) {
    bool stopped = false;
    int code = 0;
    snprintf(outcome->out, sizeof outcome->out, "%s", run->experiment->out);
    if (run->group.size > 0) code = run_cells(run, &stopped, err);
    if (code == ERROR_PEER) {
        complain(NULL, err->message);
        MPI_Abort(run->world.comm, 1);
    }
    int late = group_wait(&run->world, err);
    if (!code) code = late;
    TRY(group_agree(&run->world, code, err));
    stop_destroy(&run->stop);
    TRY(count_cells(run, stopped, outcome, err));
    return group_agree(&run->world, group_is_coordinator(&run->world) ? run_write_experiment(run, err) : 0,
                       err);
}

int run_grid(MPI_Comm world, const struct run_options *options, struct run_outcome *outcome,
             struct error *err) {
    struct run run = {.world.comm = MPI_COMM_NULL, .group.comm = MPI_COMM_NULL, .options = options};
    *outcome = (struct run_outcome){0};
    int code = prepare(world, options, &run, err);
    if (!code) code = run_and_count(&run, outcome, err);
    release(&run);
    return code;
}

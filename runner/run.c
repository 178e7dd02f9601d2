#include "runner/run.h"

#include "base/clock.h"
#include "base/memory.h"
#include "io/file.h"
#include "runner/cell/cell.h"
#include "runner/command/complain.h"
#include "runner/cell/ledger.h"
#include "runner/evaluation.h"
#include "runner/device.h"
#include "runner/threads.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct run {
    struct experiment *experiment;
    struct grid *grid;
    struct group world, group;
    struct backend *backend;
    struct progress *progress; /* coordinators only */
    int threads;
    int *group_of, *order; /* [cells] */
};

static bool needed(const struct run *run, int model) {
    for (int i = 0; i < run->grid->count; i++) {
        const struct cell *cell = &run->grid->cells[i];
        if (cell->model == model && cell->selected && !cell->done) return true;
    }
    return false;
}

/* Opens every model once, which also fills the token cache; a budget of no tokens, or a model that a benchmark cannot be put
 * to, is found here and not after hours. */
static int prepare_models(struct run *run, struct error *err) {
    const struct experiment *experiment = run->experiment;
    for (int m = 0; m < experiment->model_count; m++) {
        if (!needed(run, m)) continue;
        struct loaded_model *model;
        TRY(loaded_model_open(experiment, m, &run->world, &model, err));
        int64_t supervised = model->tasks->supervised;
        int code = evaluation_check_model(experiment, model, err);
        loaded_model_close(&model);
        TRY(code);
        for (int b = 0; b < experiment->budget_count; b++)
            if (ledger_budget(experiment->budgets[b].fraction, supervised) < 1)
                return error_set(err, ERROR_INPUT, "%s: budget %s of %lld supervised tokens is zero tokens (for model %s)",
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
    memory_free(old);
    if (!code) code = file_join(experiment->out, "cells", &cells, err);
    if (!code) code = file_make_folder(cells, err);
    memory_free(cells);
    return code;
}

/* The experiment's file, anew. Only the world's coordinator writes it. */
static int write_experiment(struct run *run, struct error *err) {
    const struct experiment *e = run->experiment;
    const struct evaluation_settings *evaluation = &e->evaluation;
    char host[256] = "unknown";
    gethostname(host, sizeof host - 1);
    struct archive_run about = {.experiment = e->name,
                                .path = e->path,
                                .config = e->text,
                                .backend = run->backend->name,
                                .host = host,
                                .ranks = run->world.size,
                                .threads = run->threads};
    struct arena *arena;
    const char **names[4], **benchmark_category, **benchmark_metric;
    double *fraction;
    TRY(arena_create(&arena, err));
    const int counts[4] = {e->model_count, e->budget_count, e->method_count, evaluation->benchmark_count};
    int code = 0;
    for (int i = 0; i < 4 && !code; i++) code = arena_alloc(arena, &names[i], (size_t)counts[i] + 1, sizeof(char *), err);
    if (!code) code = arena_alloc(arena, &benchmark_category, (size_t)counts[3] + 1, sizeof(char *), err);
    if (!code) code = arena_alloc(arena, &benchmark_metric, (size_t)counts[3] + 1, sizeof(char *), err);
    if (!code) code = arena_alloc(arena, &fraction, (size_t)counts[1] + 1, sizeof(double), err);
    if (!code) {
        for (int i = 0; i < counts[0]; i++) names[0][i] = e->models[i].name;
        for (int i = 0; i < counts[1]; i++) names[1][i] = e->budgets[i].name;
        for (int i = 0; i < counts[1]; i++) fraction[i] = e->budgets[i].fraction;
        for (int i = 0; i < counts[2]; i++) names[2][i] = e->methods[i].name;
        for (int i = 0; i < counts[3]; i++) {
            names[3][i] = evaluation->benchmarks[i].name;
            benchmark_category[i] = eval_category(names[3][i]);
            benchmark_metric[i] = eval_headline(names[3][i]);
        }
        struct archive_grid_axes axes = {counts[0], counts[1], counts[2],          e->seed_count,    counts[3], names[0],
                                         names[1],  names[2],  names[3],           benchmark_category, benchmark_metric,
                                         e->seeds,  fraction};
        code = archive_experiment_write(e->out, &about, &axes, err);
    }
    arena_destroy(&arena);
    return code;
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
    int code = experiment_load(options->experiment, &run->experiment, err);
    if (!code && options->out) code = experiment_set_out(run->experiment, options->out, err);
    TRY(group_agree(&run->world, code, err));
    TRY(make_grid(run, options->cells, err));
    TRY(group_split(world, (int)run->experiment->ranks_per_cell, &run->group, err));
    code = device_open(world, run->experiment->device, run->experiment->dtype, run->threads, &run->backend, err);
    TRY(group_agree(&run->world, code, err));
    bool coordinator = group_is_coordinator(&run->world);
    code = coordinator ? prepare_files(run, err) : 0;
    TRY(group_agree(&run->world, code, err));
    TRY(prepare_models(run, err));
    code = coordinator ? write_experiment(run, err) : 0;
    TRY(group_agree(&run->world, code, err));
    if (group_is_coordinator(&run->group)) {
        int live = run->group.count == 1 && isatty(STDERR_FILENO);
        code = progress_create(stderr, live, &run->progress, err);
    }
    if (!code && coordinator && run->group.size > 1 && !group_may_thread())
        progress_say(run->progress,
                     "warning: MPI gives no thread of its own to sums over the ranks (less than "
                     "MPI_THREAD_SERIALIZED): they go on only now and then beside the computation");
    if (!code) code = memory_alloc(&run->group_of, (size_t)run->grid->count, sizeof(int), err);
    if (!code) code = memory_alloc(&run->order, (size_t)run->grid->count, sizeof(int), err);
    if (!code) grid_deal(run->grid, run->group.count, run->group_of, run->order);
    return group_agree(&run->world, code, err);
}

/* Tells the end of a cell. Not collective. */
static void tell(struct run *run, const struct cell *cell, int code, double seconds, const struct error *err) {
    if (!run->progress) return;
    char *name = NULL;
    if (grid_cell_name(run->experiment, cell, &name, NULL)) return;
    if (code)
        progress_say(run->progress, "adapt: cell %d (%s) failed: %s", cell->index, name, err->message);
    else
        progress_say(run->progress, "cell %d of %d done: %s (%.1f s)", cell->index + 1, run->grid->count, name, seconds);
    memory_free(name);
}

/* This group's cells in order; counts done and failed ones. */
static int run_own_cells(struct run *run, double *counts, struct error *err) {
    struct loaded_model *model = NULL;
    int opened = -1;
    for (int i = 0; i < run->grid->count; i++) {
        const struct cell *cell = &run->grid->cells[run->order[i]];
        if (run->group_of[cell->index] != run->group.index) continue;
        int code = 0;
        if (opened != cell->model) {
            loaded_model_close(&model);
            opened = -1;
            code = loaded_model_open(run->experiment, cell->model, &run->group, &model, err);
            if (!code) opened = cell->model;
        }
        struct cell_job job = {run->experiment, run->grid,     cell,          &run->group,
                               model,           run->backend,  run->progress, run->threads};
        double started = clock_seconds();
        if (!code) code = cell_run(&job, err);
        tell(run, cell, code, clock_seconds() - started, err);
        if (code == ERROR_PEER) { /* communication itself is broken: nothing more can be agreed on */
            loaded_model_close(&model);
            return code;
        }
        if (group_is_coordinator(&run->group)) counts[code ? 1 : 0] += 1.0;
        struct error late = {0};
        if (group_is_coordinator(&run->world) && write_experiment(run, &late))
            progress_say(run->progress, "adapt: warning: %s", late.message);
    }
    loaded_model_close(&model);
    return 0;
}

static void release(struct run *run) {
    progress_destroy(&run->progress);
    memory_free(run->group_of);
    memory_free(run->order);
    backend_destroy(&run->backend);
    grid_destroy(&run->grid);
    experiment_destroy(&run->experiment);
    group_release(&run->group);
    group_release(&run->world);
}

int run_grid(MPI_Comm world, const struct run_options *options, struct run_outcome *outcome, struct error *err) {
    struct run run = {.world.comm = MPI_COMM_NULL, .group.comm = MPI_COMM_NULL};
    *outcome = (struct run_outcome){0};
    int code = prepare(world, options, &run, err);
    if (!code) {
        snprintf(outcome->out, sizeof outcome->out, "%s", run.experiment->out);
        double counts[2] = {0.0, 0.0};
        for (int i = 0; i < run.grid->count; i++) outcome->skipped += run.grid->cells[i].selected && run.grid->cells[i].done;
        if (run.group.size > 0) code = run_own_cells(&run, counts, err);
        if (code == ERROR_PEER) {
            complain(NULL, err->message);
            MPI_Abort(world, 1);
        }
        code = group_wait(&run.world, err);
        if (!code) code = group_sum(&run.world, counts, 2, err);
        outcome->done = (int)counts[0];
        outcome->failed = (int)counts[1];
        if (!code) code = group_agree(&run.world, group_is_coordinator(&run.world) ? write_experiment(&run, err) : 0, err);
    }
    release(&run);
    return code;
}

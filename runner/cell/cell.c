#include "runner/cell/cell_internal.h"
#include "runner/cell/cell_checkpoint.h"
#include "runner/cell/cell_kept.h"

#include "base/memory.h"
#include "io/file.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct experiment_method *method_of(const struct cell_job *job) {
    return &job->experiment->methods[job->cell->method];
}

/* OUT/models/ plus the name of the cell's file. */
static int name_model_folder(struct cell_run *run, struct error *err) {
    const struct experiment *experiment = run->job->experiment;
    struct archive_cell_key key = grid_cell_key(experiment, run->job->cell);
    char *path, *stem = NULL;
    struct text folder = {0};
    TRY(archive_cell_path(experiment->out, &key, &path, err));
    int code = archive_cell_beside(path, "", &stem, err);
    if (!code) code = text_printf(&folder, err, "%s/models/%s", experiment->out, strrchr(stem, '/') + 1);
    run->model_folder = folder.data;
    memory_free(path);
    memory_free(stem);
    return code;
}

static int make_state(struct cell_run *run, struct error *err) {
    const struct cell_job *job = run->job;
    const struct experiment *experiment = job->experiment;
    const struct task_set *set = job->model->tasks;
    const struct experiment_method *method = method_of(job);
    size_t tasks = (size_t)set->count;
    run->tasks = set->count;
    run->best = INFINITY;
    run->last_update = -1;
    TRY(memory_alloc(&run->share, tasks, sizeof(double), err));
    TRY(memory_alloc(&run->token_share, tasks, sizeof(double), err));
    TRY(memory_alloc(&run->mean_completion, tasks, sizeof(double), err));
    TRY(memory_alloc(&run->loss, tasks, sizeof(double), err));
    TRY(memory_alloc(&run->reference, tasks, sizeof(double), err));
    TRY(memory_alloc(&run->task_name, tasks, sizeof(char *), err));
    double *size = run->token_share; /* free until the first step */
    for (int k = 0; k < set->count; k++) {
        const struct task *task = &set->tasks[k];
        bool by_token = experiment->training.unit == SAMPLER_TOKEN;
        run->task_name[k] = task->name;
        run->reference[k] = NAN;
        run->mean_completion[k] = (double)task->training_supervised / (double)task->training_count;
        size[k] = (double)(by_token ? task->training_supervised : task->training_count);
    }
    double fraction = experiment->budgets[job->cell->budget].fraction;
    int64_t budget = ledger_budget(fraction, set->supervised);
    if (budget < 1)
        return error_set(err, ERROR_INPUT, "budget %s of %lld supervised tokens is zero tokens",
                         experiment->budgets[job->cell->budget].name, (long long)set->supervised);
    TRY(ledger_create(set->count, budget, experiment->training.validation_charged, &run->ledger, err));
    struct method_problem problem = {set->count, size};
    TRY(mixture_create(method->method, method->settings, &problem, &run->mixture, err));
    memcpy(run->share, mixture_shares(run->mixture), tasks * sizeof(double));
    TRY(sampler_create(set, (uint64_t)experiment->seeds[job->cell->seed], experiment->training.unit,
                       method->method->quota ? SAMPLER_QUOTA : SAMPLER_RANDOM, &run->sampler, err));
    if (cell_coordinates(run)) TRY(watch_create(set->count, &run->watch, err));
    return name_model_folder(run, err);
}

static void release(struct cell_run *run) {
    cell_checkpoint_destroy(run); /* its thread reads the trainer's vectors no more */
    cell_kept_close(run);
    watchdog_destroy(&run->watchdog);
    trainer_destroy(&run->trainer);
    sampler_destroy(&run->sampler);
    mixture_destroy(&run->mixture);
    ledger_release(&run->ledger);
    watch_destroy(&run->watch);
    memory_free(run->share);
    memory_free(run->token_share);
    memory_free(run->mean_completion);
    memory_free(run->loss);
    memory_free(run->reference);
    memory_free(run->task_name);
    memory_free(run->model_folder);
}

/* Whose rank it is, for the watchdog's message. */
static int start_watchdog(struct cell_run *run, struct error *err) {
    const struct cell_job *job = run->job;
    char who[128], host[64] = "unknown";
    gethostname(host, sizeof host - 1);
    snprintf(who, sizeof who, "cell %d: rank %d on %s", job->cell->index, job->group->rank, host);
    return watchdog_create(who, 60.0 * job->experiment->training.stall_minutes, &run->watchdog, err);
}

static void show_life(void *context) {
    const struct cell_run *run = context;
    watchdog_mark(run->watchdog);
}

/* What must be there before the first step; the archive comes first, so that it tells what fails later. */
static int prepare(struct cell_run *run, struct error *err) {
    const struct cell_job *job = run->job;
    TRY(group_agree(job->group, make_state(run, err), err));
    TRY(cell_resume_open(run, err));
    if (job->progress) {
        char *name = NULL;
        if (!grid_cell_name(job->experiment, job->cell, &name, err))
            progress_cell(job->progress, job->cell->index, name, run->ledger.budget);
        memory_free(name);
    }
    TRY(group_agree(job->group, start_watchdog(run, err), err));
    TRY(trainer_create(job->backend, job->group, job->model, &job->experiment->training,
                       mixture_plan(run->mixture), &run->trainer, err));
    trainer_watch(run->trainer, show_life, run);
    TRY(cell_resume_load(run, err));
    TRY(group_agree(job->group, cell_coordinates(run) ? cell_kept_open(run, err) : 0, err));
    return cell_checkpoint_prepare(run, err);
}

static int course(struct cell_run *run, struct error *err) {
    const struct evaluation_settings *evaluation = &run->job->experiment->evaluation;
    bool more = evaluation->benchmark_count > 0 && evaluation->at[evaluation->at_count - 1].share >= 1;
    bool regular = run->job->experiment->training.checkpoint_minutes > 0.0;
    TRY(prepare(run, err));
    TRY(cell_train(run, err));
    watchdog_mark(run->watchdog);
    TRY(cell_keep_last(run, err));
    if (regular || !more) TRY(cell_checkpoint_end(run, more, err));
    trainer_release_training(run->trainer);
    int code = cell_evaluate_end(run, err);
    struct error why = {0};
    if (code == ERROR_STOPPED && cell_checkpoint_end(run, true, &why)) {
        *err = why;
        code = why.code;
    }
    return code;
}

/* Done, or failed for a reason that lies in what the cell computes: another attempt from the checkpoint would
 * end the same way. */
static bool is_final(int code) {
    return !code || code == ERROR_NUMERIC || code == ERROR_INTERNAL;
}

/* Records the end in the cell's file, which the coordinator has. */
static int finish(struct cell_run *run, int code, struct error *err) {
    struct claim *claim = run->job->claim;
    struct error late = {0};
    if (claim && claim_check(claim, &late)) { /* its file is another's now */
        archive_cell_close(&run->archive);
        if (!code) *err = late;
        return code ? code : late.code;
    }
    if (code == ERROR_STOPPED) {
        archive_cell_close(&run->archive);
        return code;
    }
    int closed =
        archive_cell_finish(&run->archive, code ? ARCHIVE_FAILED : ARCHIVE_DONE, code ? err->message : NULL,
                            run->saved ? run->model_folder : NULL, &late);
    if (closed && !code) *err = late;
    if (!code) code = closed;
    if (is_final(code)) cell_checkpoint_remove(run);
    return code;
}

int cell_run(const struct cell_job *job, struct error *err) {
    struct cell_run run = {.job = job};
    int code = course(&run, err);
    watchdog_rest(run.watchdog);
    if (run.archive) code = finish(&run, code, err);
    if (!code || code != ERROR_PEER) code = group_agree(job->group, code, err);
    release(&run);
    return code;
}

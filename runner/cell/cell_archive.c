/* The cell's file in the archive. */
#include "runner/cell/cell_internal.h"

#include "base/memory.h"
#include "runner/cell/decontaminate.h"
#include "runner/checkpoint/manifest.h"
#include "runner/link.h"
#include <string.h>
#include <unistd.h>

int cell_archive_open(struct cell_run *run, const struct manifest *from, struct error *err) {
    const struct cell_job *job = run->job;
    const struct experiment *experiment = job->experiment;
    const struct task_set *set = job->model->tasks;
    char host[256] = "unknown";
    gethostname(host, sizeof host - 1);
    struct archive_run about = {.experiment = experiment->name,
                                .path = experiment->path,
                                .config = experiment->text,
                                .backend = job->backend->name,
                                .link = link_describe(job->group),
                                .host = host,
                                .ranks = job->group->size,
                                .threads = job->threads};
    struct archive_cell_plan plan = {.key = grid_cell_key(experiment, job->cell),
                                     .budget_fraction = experiment->budgets[job->cell->budget].fraction,
                                     .budget_tokens = run->ledger.budget,
                                     .tasks = set->count,
                                     .data_hash = set->hash,
                                     .tokenizer_hash = tokenizer_hash(job->model->tokenizer)};
    struct arena *arena;
    struct archive_task *tasks = NULL;
    char *settings = NULL, *path = NULL;
    TRY(arena_create(&arena, err));
    int code = arena_alloc(arena, &tasks, (size_t)set->count, sizeof *tasks, err);
    for (int k = 0; !code && k < set->count; k++) {
        const struct task *task = &set->tasks[k];
        tasks[k] = (struct archive_task){task->name,
                                         task->category,
                                         task->training_count,
                                         task->validation_count,
                                         task->training_supervised,
                                         task->cut,
                                         task->dropped,
                                         task->bad};
    }
    plan.task = tasks;
    if (!code) code = decontaminate_archive(experiment, set, arena, &plan.overlap, err);
    if (!code) code = experiment_method_json(&experiment->methods[job->cell->method], &settings, err);
    plan.method_settings = settings;
    if (!code) code = archive_cell_path(experiment->out, &plan.key, &path, err);
    if (!code)
        code =
            from ? archive_cell_resume(path, &about, &plan, from->step, from->validations, &run->archive, err)
                 : archive_cell_create(path, &about, &plan, &run->archive, err);
    arena_destroy(&arena);
    memory_free(settings);
    memory_free(path);
    return code;
}

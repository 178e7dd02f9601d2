/* What a cell measures beside its steps: validation losses at set points, the checkpoint worth keeping, benchmarks. */
#include "runner/cell/cell_internal.h"

#include "base/memory.h"
#include "eval/evaluate.h"
#include "io/file.h"
#include <math.h>
#include <string.h>

static int save_model(struct cell_run *run, struct error *err) {
    const struct loaded_model *model = run->job->model;
    TRY(file_make_folder(run->model_folder, err));
    TRY(parameters_save(run->job->experiment->keep_dtype, model->entry->path, run->model_folder, model->layout, run->job->backend,
                        trainer_parameters(run->trainer), err));
    run->saved = true;
    return 0;
}

/* The coordinator's part of a set point: the row, and the checkpoint if it is the best so far. */
static int record(struct cell_run *run, struct error *err) {
    const struct experiment *experiment = run->job->experiment;
    struct archive_validation row = {
        .step = run->step, .supervised_tokens = run->ledger.sum[LEDGER_TRAINING], .loss = run->loss, .worst = -INFINITY};
    for (int k = 0; k < run->tasks; k++) {
        if (run->loss[k] > row.worst) row.worst = run->loss[k];
        row.mean += run->loss[k] / run->tasks;
    }
    TRY(archive_cell_append_validation(run->archive, &row, err));
    TRY(archive_cell_flush(run->archive, err));
    double score = experiment->best == BEST_WORST ? row.worst : row.mean;
    if (experiment->keep != KEEP_BEST || !(score < run->best)) return 0;
    run->best = score;
    return save_model(run, err);
}

int cell_measure_reached(struct cell_run *run, bool end, struct error *err) {
    const struct evaluation_settings *settings = &run->job->experiment->evaluation;
    bool reached = false;
    while (run->set_point < settings->validation_count) {
        double charged = (double)ledger_charged(&run->ledger);
        double wanted = settings->validation_at[run->set_point] * (double)run->ledger.budget;
        if (!end && charged < wanted) break;
        run->set_point++;
        reached = true;
    }
    if (!reached) return 0;
    double outside_steps[PHASE_COUNT];
    TRY(trainer_validate(run->trainer, run->loss, err));
    trainer_take_phases(run->trainer, outside_steps); /* the next step's row tells that step's time alone */
    int code = cell_coordinates(run) ? record(run, err) : 0;
    return group_agree(run->job->group, code, err);
}

int cell_keep_last(struct cell_run *run, struct error *err) {
    if (run->job->experiment->keep != KEEP_LAST) return 0;
    int code = cell_coordinates(run) ? save_model(run, err) : 0;
    return group_agree(run->job->group, code, err);
}

static int sum_over_group(void *context, double *values, size_t n, struct error *err) {
    return group_sum(context, values, n, err);
}

/* Copies an evaluation's records into the archive's form; the strings stay borrowed. */
static int archive_result(struct cell_run *run, const struct eval_result *result, struct error *err) {
    struct archive_metric metrics[8];
    struct archive_sample *samples;
    TRY(memory_alloc(&samples, (size_t)result->sample_count, sizeof *samples, err));
    for (int m = 0; m < result->metric_count; m++)
        metrics[m] = (struct archive_metric){result->metrics[m].name, result->metrics[m].value,
                                             result->metrics[m].standard_error};
    for (int64_t i = 0; i < result->sample_count; i++) {
        const struct eval_sample *sample = &result->samples[i];
        samples[i] = (struct archive_sample){sample->id,       sample->prediction, sample->target, sample->log_likelihood,
                                             sample->requests, sample->metric[result->headline]};
    }
    const struct eval_metric *headline = &result->metrics[result->headline];
    struct archive_evaluation evaluation = {.benchmark = result->benchmark,
                                            .category = result->category,
                                            .metric = headline->name,
                                            .score = headline->value,
                                            .standard_error = headline->standard_error,
                                            .n = result->sample_count,
                                            .step = run->step,
                                            .data_hash = result->data_hash,
                                            .prompt_hash = result->prompt_hash,
                                            .metrics = metrics,
                                            .metric_count = result->metric_count,
                                            .samples = samples,
                                            .sample_count = result->sample_count};
    int code = archive_cell_add_evaluation(run->archive, &evaluation, err);
    memory_free(samples);
    return code;
}

int cell_evaluate(struct cell_run *run, struct error *err) {
    const struct cell_job *job = run->job;
    const struct evaluation_settings *settings = &job->experiment->evaluation;
    struct eval_model model = {.backend = job->backend,
                               .config = &job->model->config,
                               .layout = job->model->layout,
                               .parameters = trainer_parameters(run->trainer),
                               .tokenizer = job->model->tokenizer};
    struct group group = *job->group;
    struct eval_peers peers = {group.rank, group.size, sum_over_group, &group};
    struct eval_settings limits = {.limit = settings->limit};
    for (int i = 0; i < settings->benchmark_count; i++) {
        struct eval_result *result = NULL;
        int code = eval_run(settings->benchmarks[i].name, settings->benchmarks[i].path, &model, &limits, &peers, &result, err);
        if (!code && cell_coordinates(run)) code = archive_result(run, result, err);
        eval_result_destroy(&result);
        TRY(group_agree(job->group, code, err));
    }
    return 0;
}

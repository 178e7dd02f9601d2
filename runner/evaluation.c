#include "runner/evaluation.h"

#include "io/tasks/template.h"

struct eval_task evaluation_task(const struct experiment_benchmark *benchmark) {
    return (struct eval_task){benchmark->name, benchmark->path, benchmark->exemplars};
}

static int sum_over_group(void *context, double *values, size_t n, struct error *err) {
    return group_sum(context, values, n, err);
}

struct eval_peers evaluation_peers(struct group *group) {
    return (struct eval_peers){group->rank, group->size, sum_over_group, group};
}

int evaluation_check_model(const struct experiment *experiment, const struct loaded_model *model,
                           struct error *err) {
    const struct evaluation_settings *evaluation = &experiment->evaluation;
    for (int i = 0; i < evaluation->benchmark_count; i++) {
        int code = eval_check_model(evaluation->benchmarks[i].name, &evaluation->settings, &model->config,
                                    model->tokenizer, err);
        if (code) {
            error_context(err, "model %s", model->entry->name);
            return code;
        }
    }
    return 0;
}

static int convert_metrics(const struct eval_metric *metrics, int count, struct arena *arena,
                           struct archive_metric **out, struct error *err) {
    TRY(arena_alloc(arena, out, (size_t)count, sizeof **out, err));
    for (int m = 0; m < count; m++)
        (*out)[m] = (struct archive_metric){metrics[m].name, metrics[m].filter, metrics[m].value,
                                            metrics[m].standard_error};
    return 0;
}

static int convert_samples(const struct eval_result *result, struct arena *arena,
                           struct archive_evaluation *out, struct error *err) {
    struct archive_sample *samples;
    TRY(arena_alloc(arena, &samples, (size_t)result->sample_count, sizeof *samples, err));
    for (int64_t i = 0; i < result->sample_count; i++) {
        const struct eval_sample *sample = &result->samples[i];
        samples[i] = (struct archive_sample){.id = sample->id,
                                             .prediction = sample->prediction,
                                             .target = sample->target,
                                             .log_likelihood = sample->log_likelihood,
                                             .choices = sample->log_likelihood ? sample->requests : 0,
                                             .response = sample->response ? sample->response[0] : NULL,
                                             .score = sample->metric[result->headline]};
    }
    out->samples = samples;
    out->sample_count = result->sample_count;
    return 0;
}

static int convert_parts(const struct eval_result *result, struct arena *arena,
                         struct archive_evaluation *out, struct error *err) {
    struct archive_part *parts;
    TRY(arena_alloc(arena, &parts, (size_t)result->part_count, sizeof *parts, err));
    for (int p = 0; p < result->part_count && result->parts[p].name; p++) {
        const struct eval_metric *headline = &result->parts[p].metrics[result->headline];
        parts[out->part_count++] = (struct archive_part){result->parts[p].name, result->parts[p].count,
                                                         headline->value, headline->standard_error};
    }
    out->parts = parts;
    return 0;
}

int evaluation_convert(const struct eval_result *result, const struct eval_settings *settings,
                       struct arena *arena, struct archive_evaluation *out, struct error *err) {
    const struct eval_metric *headline = &result->metrics[result->headline];
    struct archive_metric *metrics;
    *out = (struct archive_evaluation){.benchmark = result->benchmark,
                                       .category = result->category,
                                       .version = result->version,
                                       .metric = headline->name,
                                       .score = headline->value,
                                       .standard_error = headline->standard_error,
                                       .n = result->sample_count,
                                       .share = 1,
                                       .shots = result->shots,
                                       .chat_template = template_chat_names[settings->chat],
                                       .data_hash = result->data_hash,
                                       .prompt_hash = result->prompt_hash,
                                       .metric_count = result->metric_count};
    TRY(convert_metrics(result->metrics, result->metric_count, arena, &metrics, err));
    out->metrics = metrics;
    TRY(convert_samples(result, arena, out, err));
    return convert_parts(result, arena, out, err);
}

#include "eval/evaluate.h"

#include "base/clock.h"
#include "base/hash.h"
#include "eval/evaluation.h"
#include "eval/peers.h"
#include "eval/prompts.h"
#include "eval/scoring/scorer.h"
#include "io/tasks/template.h"
#include <stdlib.h>
#include <string.h>

/* A result and the memory behind it. */
struct owned_result {
    struct eval_result result; /* first: the caller's pointer is this struct's */
    struct arena *arena;
};

int evaluation_place(const struct evaluation *e, const struct document *document, int code,
                     struct error *err) {
    error_context(err, "%s:%lld", e->set.parts[document->part].path, (long long)document->line);
    return code;
}

/* ---- what is asked for */

static int check_sampling(const struct benchmark *benchmark, const struct eval_settings *settings,
                          struct error *err) {
    if (settings->pass_at > settings->answers)
        return error_set(err, ERROR_INPUT,
                         "pass_at %lld with %lld answers a record (at least as many answers expected)",
                         settings->pass_at, settings->answers);
    if (settings->answers > 1 && settings->temperature == 0 && benchmark_generates(benchmark))
        return error_set(
            err, ERROR_INPUT,
            "%lld answers a record are all the same without sampling (a temperature above 0 expected)",
            settings->answers);
    return 0;
}

static int check_settings(const struct benchmark *benchmark, const struct eval_settings *settings, int *shots,
                          struct error *err) {
    TRY(prompts_shots(benchmark, settings->shots, shots, err));
    TRY(check_sampling(benchmark, settings, err));
    if (benchmark->scorer && benchmark->scorer->check)
        return benchmark->scorer->check(benchmark, settings, err);
    return 0;
}

/* Tokens of a prompt with its answer, and of them those that may be generated. */
static int choose_lengths(const struct benchmark *benchmark, const struct eval_settings *settings,
                          const struct model_config *config, int *max_length, int *max_new,
                          struct error *err) {
    int longest = config->max_positions;
    if (settings->max_length > longest)
        return error_set(err, ERROR_INPUT, "context length %lld (1..%d expected: the model's positions)",
                         settings->max_length, longest);
    *max_length = settings->max_length ? (int)settings->max_length : longest;
    *max_new = benchmark->generation.max_new;
    if (*max_new && settings->max_new) *max_new = (int)settings->max_new;
    if (*max_new < *max_length) return 0;
    return error_set(err, ERROR_INPUT,
                     "a context of %d tokens leaves no room for a prompt before the %d that %s may generate "
                     "(max_new_tokens, or a longer context, expected)",
                     *max_length, *max_new, benchmark->name);
}

static int check_model(const struct benchmark *benchmark, const struct eval_settings *settings,
                       const struct model_config *config, const struct tokenizer *tokenizer, int *max_length,
                       int *max_new, struct error *err) {
    int32_t end_id;
    TRY(template_chat_check((enum template_chat)settings->chat, tokenizer, &end_id, err));
    return choose_lengths(benchmark, settings, config, max_length, max_new, err);
}

int eval_check_model(const char *name, const struct eval_settings *settings,
                     const struct model_config *config, const struct tokenizer *tokenizer,
                     struct error *err) {
    const struct benchmark *benchmark;
    int max_length, max_new;
    TRY(benchmark_get(name, &benchmark, err));
    return check_model(benchmark, settings, config, tokenizer, &max_length, &max_new, err);
}

int eval_check(const struct eval_task *task, const struct eval_settings *settings, int64_t *records,
               struct error *err) {
    const struct benchmark *benchmark;
    struct arena *arena;
    struct document_set set = {0};
    int shots;
    TRY(benchmark_get(task->benchmark, &benchmark, err));
    TRY(check_settings(benchmark, settings, &shots, err));
    TRY(arena_create(&arena, err));
    int code = document_set_load(benchmark, task->path, task->shots_path, shots, 0, arena, &set, err);
    if (!code) *records = (int64_t)set.count;
    document_set_free(&set);
    arena_destroy(&arena);
    return code;
}

/* ---- preparing */

/* Accuracy of executed code is asked for once more, for k answers. */
static int add_pass_at(struct evaluation *e, struct error *err) {
    struct eval_result *result = e->result;
    if (e->benchmark->scorer != &scorer_code || e->settings->pass_at <= 1) return 0;
    struct text name = {0};
    char *copy;
    int code = text_printf(&name, err, "pass@%lld", e->settings->pass_at);
    if (!code) code = arena_copy(e->arena, text_string(&name), name.length, &copy, err);
    text_free(&name);
    TRY(code);
    result->metrics[result->metric_count] = result->metrics[0];
    result->metrics[result->metric_count++].name = copy;
    return 0;
}

static int describe_result(struct evaluation *e, struct error *err) {
    const struct benchmark *benchmark = e->benchmark;
    struct eval_result *result = e->result;
    result->benchmark = benchmark->name;
    result->category = benchmark->category;
    result->version = benchmark->version;
    result->headline = benchmark->headline;
    result->shots = e->shots;
    result->answers = e->answers;
    for (; result->filter_count < BENCHMARK_FILTERS_MAX && benchmark->filters[result->filter_count].name;
         result->filter_count++)
        result->filters[result->filter_count] = benchmark->filters[result->filter_count].name;
    for (int m = 0; m < BENCHMARK_METRICS_MAX && benchmark->metrics[m].name; m++) {
        const struct benchmark_metric *metric = &benchmark->metrics[m];
        result->metrics[result->metric_count++] =
            (struct eval_metric){.name = metric->name,
                                 .filter = result->filter_count ? result->filters[metric->filter] : "none",
                                 .by_parts = metric->by_parts};
    }
    return add_pass_at(e, err);
}

/* Records of several files are told apart by the file's name. */
static int name_sample(struct evaluation *e, const struct document *document, struct eval_sample *sample,
                       struct error *err) {
    const char *part = e->set.parts[document->part].name;
    struct text id = {0};
    char *copy = NULL;
    if (!part) return 0;
    int code = text_printf(&id, err, "%s/%s", part, document->id);
    if (!code) code = arena_copy(e->arena, text_string(&id), id.length, &copy, err);
    sample->id = copy;
    text_free(&id);
    return code;
}

/* The samples' part that is known before any answer. */
static int describe_samples(struct evaluation *e, struct error *err) {
    struct eval_result *result = e->result;
    const struct document_set *set = &e->set;
    TRY(arena_alloc(e->arena, &result->parts, (size_t)set->part_count, sizeof *result->parts, err));
    result->part_count = set->part_count;
    for (int p = 0; p < set->part_count; p++)
        result->parts[p] = (struct eval_part){.name = set->parts[p].name,
                                              .first = (int64_t)set->parts[p].first,
                                              .count = (int64_t)set->parts[p].count};
    TRY(arena_alloc(e->arena, &result->samples, set->count, sizeof *result->samples, err));
    result->sample_count = (int64_t)set->count;
    for (size_t d = 0; d < set->count; d++) {
        const struct document *document = &set->documents[d];
        result->samples[d] = (struct eval_sample){.index = document->index,
                                                  .part = document->part,
                                                  .id = document->id,
                                                  .document = document->json,
                                                  .target = document->target,
                                                  .logged_target = document->target,
                                                  .requests = document->requests,
                                                  .context = document->context,
                                                  .continuation = document->continuation};
        TRY(name_sample(e, document, &result->samples[d], err));
    }
    return 0;
}

static int hash_prompts(const struct evaluation *e, char hex[HASH_HEX_BYTES], struct error *err) {
    struct hash *hash;
    TRY(hash_create(&hash, err));
    int code = 0;
    for (size_t d = 0; d < e->set.count && !code; d++) {
        const struct document *document = &e->set.documents[d];
        for (int i = 0; i < document->requests && !code; i++) {
            code = hash_update_string(hash, document->context[i], err);
            if (!code && document->continuation)
                code = hash_update_string(hash, document->continuation[i], err);
        }
    }
    if (!code) return hash_finish(&hash, hex, err);
    hash_destroy(&hash);
    return code;
}

static int prepare(struct evaluation *e, struct error *err) {
    const struct eval_task *task = e->task;
    TRY(benchmark_get(task->benchmark, &e->benchmark, err));
    TRY(check_settings(e->benchmark, e->settings, &e->shots, err));
    TRY(check_model(e->benchmark, e->settings, e->model->config, e->model->tokenizer, &e->max_length,
                    &e->max_new, err));
    e->answers = benchmark_generates(e->benchmark) ? (int)e->settings->answers : 1;
    TRY(document_set_load(e->benchmark, task->path, task->shots_path, e->shots, e->settings->limit, e->arena,
                          &e->set, err));
    TRY(prompts_assemble(e->benchmark, e->settings, e->shots, &e->set, err));
    TRY(describe_result(e, err));
    TRY(describe_samples(e, err));
    memcpy(e->result->data_hash, e->set.data_hash, sizeof e->result->data_hash);
    TRY(hash_prompts(e, e->result->prompt_hash, err));
    return request_encoder_create(e->model, e->max_length, &e->encoder, err);
}

/* All ranks must have read the same: the number of documents and a hash of their texts agree where count *
 * sum of squares is the square of the sum. The hash is cut to 16 bits so that these sums are exact for a
 * thousand ranks. */
static int agree(const struct evaluation *e, int code, struct error *err) {
    double hash = code ? 0 : (double)(strtoul(e->result->prompt_hash + 60, NULL, 16));
    double documents = (double)e->set.count;
    double values[] = {0, hash, hash * hash, documents, documents * documents};
    TRY(peers_sum(e->peers, code, values, sizeof values / sizeof values[0], err));
    double ranks = peers_count(e->peers);
    if (ranks * values[2] != values[1] * values[1] || ranks * values[4] != values[3] * values[3]) {
        return error_set(err, ERROR_INPUT, "%s: the ranks read different records (one file for all expected)",
                         e->task->path);
    }
    return 0;
}

/* The time an evaluation took, mean over the ranks. */
static int take_time(struct evaluation *e, double started, int code, struct error *err) {
    double values[] = {0, clock_seconds() - started};
    TRY(peers_sum(e->peers, code, values, 2, err));
    e->result->seconds = values[1] / peers_count(e->peers);
    return 0;
}

/* After preparing, which may have failed with `code`. */
static int evaluate(struct evaluation *e, double started, int code, struct error *err) {
    TRY(agree(e, code, err));
    TRY(benchmark_generates(e->benchmark) ? answer_by_generation(e, err) : answer_choices(e, err));
    code = result_aggregate(e, err);
    return take_time(e, started, code, err);
}

int eval_run(const struct eval_task *task, const struct eval_model *model,
             const struct eval_settings *settings, const struct eval_peers *peers, struct eval_result **out,
             struct error *err) {
    *out = NULL;
    double started = clock_seconds();
    struct evaluation e = {.task = task, .model = model, .settings = settings, .peers = peers};
    struct owned_result *owned = NULL;
    int code = memory_alloc(&owned, 1, sizeof *owned, err);
    if (!code) code = arena_create(&owned->arena, err);
    if (!code) code = arena_create(&e.scratch, err);
    if (!code) {
        e.arena = owned->arena;
        e.result = &owned->result;
        code = prepare(&e, err);
    }
    code = evaluate(&e, started, code, err);
    struct eval_result *result = owned ? &owned->result : NULL;
    if (code) {
        eval_result_destroy(&result);
    } else {
        *out = result;
    }
    document_set_free(&e.set);
    request_encoder_destroy(&e.encoder);
    arena_destroy(&e.scratch);
    return code;
}

void eval_result_destroy(struct eval_result **out) {
    struct owned_result *owned = (struct owned_result *)*out;
    *out = NULL;
    if (!owned) return;
    arena_destroy(&owned->arena);
    memory_free(owned);
}

#include "eval/generation/generation.h"

#include "base/machine.h"
#include "base/memory.h"
#include "eval/generation/generation_schedule.h"
#include "eval/generation/sampling.h"
#include <limits.h>

struct engine {
    const struct eval_model *model;
    const struct generation_work *work;
    struct generation_counts *counts;
    struct generation_order order;
    struct generation_limits limits;
    struct decoder *decoder;
    struct generation_schedule *schedule;
    struct stop_strings stops;
    struct sampling *sampling;      /* NULL: greedy */
    struct generation_row **asking; /* [sequences] rows that a pass predicts for */
    int32_t *best;                  /* [sequences] what it predicts */
    float *logits;                  /* [requests, vocabulary]; NULL: greedy */
    struct token_list room;         /* scratch of decoding */
    struct text text;               /* likewise */
    int64_t done;
};

int64_t generation_cost(const struct generation_request *request) {
    return (int64_t)request->length + request->max_new;
}

/* ---- checks */

static int check_request(const struct eval_model *model, const struct generation_request *r,
                         struct error *err) {
    if (r->length < 1 || r->max_new < 1)
        return error_set(err, ERROR_INTERNAL, "request %zu: %d tokens, at most %d new (expected 1 at least)",
                         r->index, r->length, r->max_new);
    if (r->length > model->config->max_positions - r->max_new)
        return error_set(err, ERROR_INTERNAL, "request %zu: %d tokens and up to %d new (expected %d at most)",
                         r->index, r->length, r->max_new, model->config->max_positions);
    if (r->index > UINT32_MAX)
        return error_set(err, ERROR_INTERNAL, "request %zu: an index above %u", r->index, UINT32_MAX);
    for (int i = 0; i < r->length; i++) {
        if (r->ids[i] < 0 || r->ids[i] >= model->config->vocabulary)
            return error_set(err, ERROR_INTERNAL, "request %zu: token %d is %d (expected 0 to %d)", r->index,
                             i, r->ids[i], model->config->vocabulary - 1);
    }
    return 0;
}

/* ---- one pass */

static int finish_request(struct engine *e, struct generation_row *row, struct error *err) {
    const struct generation_work *work = e->work;
    const struct generation_request *request = row->job->request;
    row->over = true;
    text_clear(&e->text);
    TRY(spelling_append(e->model->tokenizer, row->ids, row->generated, true, &e->room, &e->text, err));
    size_t length = stop_strings_cut(&e->stops, text_string(&e->text), e->text.length);
    if (e->text.data) e->text.data[length] = '\0';
    TRY(work->done(work->context, request->index, text_string(&e->text), length, row->ids, row->generated,
                   err));
    e->counts->generated_tokens += row->generated;
    e->done++;
    if (work->progress) work->progress(work->progress_context, e->done, (int64_t)work->count);
    return 0;
}

static int take_token(struct engine *e, struct generation_row *row, int32_t token, struct error *err) {
    row->ids[row->generated++] = token;
    bool over = row->generated == row->job->request->max_new;
    for (int i = 0; i < e->work->end_count && !over; i++) over = token == e->work->end_ids[i];
    if (!over)
        TRY(stop_search_step(&row->search, &e->stops, e->model->tokenizer, row->ids, row->generated, &e->room,
                             &e->text, &over, err));
    return over ? finish_request(e, row, err) : 0;
}

static int take_tokens(struct engine *e, int predictions, struct error *err) {
    for (int i = 0; i < predictions; i++) {
        struct generation_row *row = e->asking[i];
        size_t index = row->job->request->index;
        int32_t token = e->best[i];
        int code = 0;
        if (e->sampling)
            code = sampling_draw(e->sampling, e->logits + (size_t)i * (size_t)e->model->config->vocabulary,
                                 (uint32_t)index, (uint64_t)row->generated, &token, err);
        if (!code) code = take_token(e, row, token, err);
        if (code) return error_context(err, "request %zu", index);
    }
    return 0;
}

static int decode_all(struct engine *e, struct error *err) {
    for (;;) {
        const struct decoder_feed *feeds;
        int count, predictions;
        TRY(generation_schedule_plan(e->schedule, &feeds, &count, e->asking, &predictions, err));
        if (!count) return 0;
        if (e->model->between) TRY(e->model->between(e->model->between_context, err));
        if (decoder_step(e->decoder, feeds, count, e->best, e->logits, err))
            return error_context(err, "generating, %d requests at once", count);
        e->counts->passes++;
        TRY(take_tokens(e, predictions, err));
        generation_schedule_advance(e->schedule);
    }
}

/* ---- the whole */

static int prepare(struct engine *e, int64_t cache_bytes, struct error *err) {
    const struct generation_work *work = e->work;
    const struct eval_model *model = e->model;
    for (size_t i = 0; i < work->count; i++) {
        TRY(check_request(model, &work->requests[i], err));
        e->counts->prompt_tokens += work->requests[i].length;
    }
    /* Half of what is free: the rest of the program needs some as well. */
    if (!cache_bytes) cache_bytes = machine_memory_free() / 2;
    if (!cache_bytes) cache_bytes = INT64_MAX;
    TRY(generation_order_create(work->requests, work->count, &e->order, err));
    TRY(generation_limits_choose(model, &e->order, work->temperature != 0.0, cache_bytes, &e->limits, err));
    size_t vocabulary = (size_t)model->config->vocabulary, sequences = (size_t)e->limits.decoder.sequences;
    TRY(decoder_create(model->backend, model->config, model->layout, model->parameters, &e->limits.decoder,
                       &e->decoder, err));
    TRY(generation_schedule_create(e->decoder, &e->order, &e->limits, &e->schedule, err));
    TRY(memory_alloc(&e->asking, sequences, sizeof *e->asking, err));
    TRY(memory_alloc(&e->best, sequences, sizeof *e->best, err));
    e->stops = stop_strings_of(work->stops, work->stop_count);
    if (work->temperature == 0.0) return 0;
    struct sampling_settings settings = {work->temperature, work->top_p, work->seed};
    TRY(sampling_create(&settings, model->config->vocabulary, &e->sampling, err));
    return memory_alloc(&e->logits, (size_t)e->limits.requests * vocabulary, sizeof *e->logits, err);
}

int generation_run(const struct eval_model *model, const struct generation_work *work, int64_t cache_bytes,
                   struct generation_counts *counts, struct error *err) {
    struct engine engine = {.model = model, .work = work, .counts = counts};
    *counts = (struct generation_counts){0};
    if (!work->count) return 0;
    int code = prepare(&engine, cache_bytes, err);
    if (!code) code = decode_all(&engine, err);
    if (!code)
        counts->shared_tokens = counts->prompt_tokens - generation_schedule_prompt_rows(engine.schedule);
    generation_schedule_destroy(&engine.schedule);
    decoder_destroy(&engine.decoder);
    generation_order_free(&engine.order);
    sampling_destroy(&engine.sampling);
    memory_free(engine.asking);
    memory_free(engine.best);
    memory_free(engine.logits);
    token_list_free(&engine.room);
    text_free(&engine.text);
    return code;
}

#include "eval/likelihood/loglikelihood.h"

#include "eval/likelihood/sharing.h"
#include "train/model.h"
#include <stdlib.h>

enum { DEFAULT_BATCH_ROWS = 1024 };

/* Requests fed as one, and where their results go. */
struct piece {
    struct sharing sharing;
    size_t first;
};

/* A run of pieces that one forward pass takes. */
struct span {
    size_t begin, end;
    int rows, targets, segments;
};

struct engine {
    const struct eval_model *model;
    const struct loglikelihood_work *work;
    int rows; /* most a batch may have */
    struct piece
        *pieces; /* longest first: what does not fit into memory fails at once, and batches fill up well */
    size_t piece_count, piece_capacity;
    struct span *spans;
    size_t span_count, span_capacity;
    struct batch *batch;
    struct model *network;
    float *loss;     /* [targets of the largest span] */
    int32_t *greedy; /* [the same] */
};

int64_t loglikelihood_rows(const struct request_group *group) {
    return group->count ? sharing_plan(group->requests, group->count).rows : 0;
}

/* A group that is too large for a batch is cut into pieces, each with its own copy of the shared rows. */
static int add_group(struct engine *engine, const struct request_group *group, struct error *err) {
    for (int begin = 0; begin < group->count;) {
        int count = group->count - begin;
        struct sharing sharing = sharing_plan(group->requests + begin, count);
        while (sharing.rows > engine->rows && count > 1) {
            sharing = sharing_plan(group->requests + begin, --count);
        }
        TRY(memory_reserve(&engine->pieces, &engine->piece_capacity, engine->piece_count + 1,
                           sizeof *engine->pieces, err));
        engine->pieces[engine->piece_count++] = (struct piece){sharing, group->first + (size_t)begin};
        begin += count;
    }
    return 0;
}

static int by_falling_rows(const void *a, const void *b) {
    const struct piece *x = a, *y = b;
    if (x->sharing.rows != y->sharing.rows) return x->sharing.rows < y->sharing.rows ? 1 : -1;
    return x->first < y->first ? -1 : 1;
}

static int add_spans(struct engine *engine, struct error *err) {
    for (size_t i = 0; i < engine->piece_count;) {
        struct span span = {.begin = i};
        for (; i < engine->piece_count; i++) {
            const struct sharing *sharing = &engine->pieces[i].sharing;
            if (i > span.begin && span.rows + sharing->rows > engine->rows) break;
            span.rows += sharing->rows;
            span.targets += sharing->targets;
            span.segments += sharing->count;
        }
        span.end = i;
        TRY(memory_reserve(&engine->spans, &engine->span_capacity, engine->span_count + 1,
                           sizeof *engine->spans, err));
        engine->spans[engine->span_count++] = span;
    }
    return 0;
}

static int plan(struct engine *engine, struct error *err) {
    const struct loglikelihood_work *work = engine->work;
    engine->rows = engine->model->batch_rows > 0 ? engine->model->batch_rows : DEFAULT_BATCH_ROWS;
    for (size_t g = 0; g < work->count; g++) {
        for (int i = 0; i < work->groups[g].count; i++) {
            int fed = work->groups[g].requests[i].length - 1;
            if (fed > engine->rows) engine->rows = fed;
        }
    }
    for (size_t g = 0; g < work->count; g++) TRY(add_group(engine, &work->groups[g], err));
    if (engine->piece_count)
        qsort(engine->pieces, engine->piece_count, sizeof *engine->pieces, by_falling_rows);
    return add_spans(engine, err);
}

static int allocate(struct engine *engine, struct error *err) {
    struct span most = {0};
    for (size_t i = 0; i < engine->span_count; i++) {
        const struct span *span = &engine->spans[i];
        if (span->rows > most.rows) most.rows = span->rows;
        if (span->targets > most.targets) most.targets = span->targets;
        if (span->segments > most.segments) most.segments = span->segments;
    }
    const struct eval_model *model = engine->model;
    struct model_limits limits = {.rows = most.rows, .targets = most.targets};
    TRY(batch_create(most.rows, most.targets, most.segments, &engine->batch, err));
    TRY(memory_alloc(&engine->loss, (size_t)most.targets, sizeof *engine->loss, err));
    TRY(memory_alloc(&engine->greedy, (size_t)most.targets, sizeof *engine->greedy, err));
    return model_create(model->backend, model->config, model->layout, &limits, &engine->network, err);
}

static int score_span(struct engine *engine, const struct span *span, double *log_likelihood, bool *greedy,
                      struct error *err) {
    batch_clear(engine->batch);
    for (size_t i = span->begin; i < span->end; i++) {
        TRY(sharing_append(&engine->pieces[i].sharing, engine->batch, err));
    }
    TRY(model_forward(engine->network, engine->model->parameters, engine->batch, err));
    TRY(model_losses(engine->network, engine->loss, engine->greedy, err));
    int target = 0;
    for (size_t i = span->begin; i < span->end; i++) {
        const struct piece *piece = &engine->pieces[i];
        sharing_collect(&piece->sharing, engine->loss + target, engine->greedy + target,
                        log_likelihood + piece->first, greedy + piece->first);
        target += piece->sharing.targets;
    }
    return 0;
}

static int run(struct engine *engine, double *log_likelihood, bool *greedy, int64_t *tokens,
               struct error *err) {
    TRY(plan(engine, err));
    if (engine->span_count == 0) return 0;
    TRY(allocate(engine, err));
    int64_t done = 0, total = 0;
    for (size_t i = 0; i < engine->span_count; i++) total += engine->spans[i].segments;
    for (size_t i = 0; i < engine->span_count; i++) {
        const struct span *span = &engine->spans[i];
        if (engine->model->between) TRY(engine->model->between(engine->model->between_context, err));
        TRY(score_span(engine, span, log_likelihood, greedy, err));
        *tokens += span->rows;
        done += span->segments;
        if (engine->work->progress) engine->work->progress(engine->work->progress_context, done, total);
    }
    return 0;
}

int loglikelihood_run(const struct eval_model *model, const struct loglikelihood_work *work,
                      double *log_likelihood, bool *greedy, int64_t *tokens, struct error *err) {
    struct engine engine = {.model = model, .work = work};
    *tokens = 0;
    int code = run(&engine, log_likelihood, greedy, tokens, err);
    model_destroy(&engine.network);
    batch_destroy(&engine.batch);
    memory_free(engine.pieces);
    memory_free(engine.spans);
    memory_free(engine.loss);
    memory_free(engine.greedy);
    return code;
}

/* The forward pass. */
#include "train/model_internal.h"

void model_linear(struct model *m, int rows, int out, int in, struct view x, struct view w, float beta,
                  struct view y) {
    struct backend *b = m->backend;
    b->matmul(b, false, true, rows, out, in, 1, x, in, w, in, beta, y, out);
}

struct attention_shape model_attention_shape(const struct model *m, int layer) {
    const struct model_config *c = &m->config;
    return (struct attention_shape){.rows = m->batch->rows,
                                    .heads = c->heads,
                                    .kv_heads = c->kv_heads,
                                    .head_dim = c->head_dim,
                                    .window = c->windowed[layer] ? c->window : 0,
                                    .scale = c->query_scale,
                                    .segments = m->batch->segments,
                                    .segment = m->batch->segment};
}

static struct view weight(const struct model *m, size_t offset) {
    return view_at(m->parameters, offset);
}

static bool same_place(struct view a, struct view b) {
    return a.buffer == b.buffer && a.offset == b.offset;
}

/* y[rows,D] = norm of x[rows,D] by the norm at `offset` */
static void norm(struct model *m, int rows, struct view x, size_t offset, struct view y, struct view rstd) {
    struct backend *b = m->backend;
    b->rmsnorm(b, rows, m->config.hidden, m->config.norm_epsilon, m->config.norm_offset, x, weight(m, offset),
               y, rstd);
}

void model_rotated(struct model *m, int layer, struct view *query, struct view *key) {
    const struct model_config *c = &m->config;
    const struct layer_parameters *p = &m->layout->layers[layer];
    const struct layer_state *s = &m->layers[layer];
    struct backend *b = m->backend;
    int rows = m->batch->rows;
    *query = s->query;
    *key = s->key;
    if (!c->qk_norm) return; /* rotated when they were made */
    if (m->query_rotated.buffer) {
        *query = m->query_rotated;
        *key = m->key_rotated;
    }
    b->rmsnorm(b, rows * c->heads, c->head_dim, c->norm_epsilon, c->norm_offset, s->query,
               weight(m, p->query_norm), *query, m->query_rstd);
    b->rmsnorm(b, rows * c->kv_heads, c->head_dim, c->norm_epsilon, c->norm_offset, s->key,
               weight(m, p->key_norm), *key, m->key_rstd);
    b->rope(b, rows, c->heads, c->head_dim, false, m->position, model_rope(m, layer), *query);
    b->rope(b, rows, c->kv_heads, c->head_dim, false, m->position, model_rope(m, layer), *key);
}

/* Attention among the rows of the batch, or over the cache, which first takes the rows in. */
static void attend_rows(struct model *m, int layer, struct view query, struct view key) {
    const struct model_config *c = &m->config;
    const struct layer_state *s = &m->layers[layer];
    const struct model_cache *cache = m->cache;
    struct backend *b = m->backend;
    struct attention_shape all = model_attention_shape(m, layer);
    if (!cache) {
        b->attention(b, &all, query, key, s->value, s->attention, s->lse);
        return;
    }
    const struct model_cache_pages *pages = c->windowed[layer] ? &cache->windowed : &cache->full;
    struct cached_attention_shape shape = {.rows = all.rows,
                                           .heads = all.heads,
                                           .kv_heads = all.kv_heads,
                                           .head_dim = all.head_dim,
                                           .window = all.window,
                                           .scale = all.scale,
                                           .page_rows = cache->page_rows,
                                           .segments = all.segments,
                                           .segment = pages->segment};
    b->scatter_rows(b, all.rows, model_key_size(m), pages->row, key, cache->keys[layer]);
    b->scatter_rows(b, all.rows, model_key_size(m), pages->row, s->value, cache->values[layer]);
    if (model_is_last(m, layer) && !m->batch->targets) return; /* nobody asks */
    b->cached_attention(b, &shape, query, cache->keys[layer], cache->values[layer], s->attention);
}

static void attend(struct model *m, int layer) {
    const struct model_config *c = &m->config;
    const struct layer_parameters *p = &m->layout->layers[layer];
    struct layer_state *s = &m->layers[layer];
    struct backend *b = m->backend;
    int rows = m->batch->rows, queries = model_query_size(m), keys = model_key_size(m);
    norm(m, rows, s->input, p->input_norm, m->normed, m->rstd);
    model_linear(m, rows, queries, c->hidden, m->normed, weight(m, p->query), 0, s->query);
    model_linear(m, rows, keys, c->hidden, m->normed, weight(m, p->key), 0, s->key);
    model_linear(m, rows, keys, c->hidden, m->normed, weight(m, p->value), 0, s->value);
    if (!c->qk_norm) {
        b->rope(b, rows, c->heads, c->head_dim, false, m->position, model_rope(m, layer), s->query);
        b->rope(b, rows, c->kv_heads, c->head_dim, false, m->position, model_rope(m, layer), s->key);
    }
    struct view query, key;
    model_rotated(m, layer, &query, &key);
    attend_rows(m, layer, query, key);
}

/* The residual stream behind attention: at all rows, or in the last layer at the target rows. */
static void add_attention(struct model *m, int layer) {
    const struct layer_parameters *p = &m->layout->layers[layer];
    struct layer_state *s = &m->layers[layer];
    struct backend *b = m->backend;
    int rows = m->batch->rows, hidden = m->config.hidden, queries = model_query_size(m);
    struct view attention = s->attention;
    if (model_is_last(m, layer)) {
        rows = m->batch->targets;
        attention = m->gathered;
        b->gather_rows(b, rows, queries, m->target_row, s->attention, attention);
        b->gather_rows(b, rows, hidden, m->target_row, s->input, s->middle);
    } else if (!same_place(s->input, s->middle)) {
        b->copy(b, (size_t)rows * (size_t)hidden, s->input, s->middle);
    }
    if (!m->config.norm_after_blocks) {
        model_linear(m, rows, hidden, queries, attention, weight(m, p->output), 1, s->middle);
        return;
    }
    model_linear(m, rows, hidden, queries, attention, weight(m, p->output), 0, s->attention_out);
    norm(m, rows, s->attention_out, p->attention_norm_after, m->normed, s->attention_rstd);
    b->add(b, (size_t)rows * (size_t)hidden, 1, m->normed, s->middle);
}

static int rows_behind_attention(const struct model *m, int layer) {
    return model_is_last(m, layer) ? m->batch->targets : m->batch->rows;
}

/* y[R,D] = (act(gate) * up) W^T + beta y */
static void project_down(struct model *m, int layer, float beta, struct view y) {
    const struct model_config *c = &m->config;
    const struct layer_state *s = &m->layers[layer];
    struct backend *b = m->backend;
    int rows = rows_behind_attention(m, layer);
    b->gated(b, (size_t)rows * (size_t)c->feed_forward, c->activation, s->gate, s->up, m->activated);
    model_linear(m, rows, c->hidden, c->feed_forward, m->activated, weight(m, m->layout->layers[layer].down),
                 beta, y);
}

/* Feed-forward up to what the backward pass reads; where a norm follows, its output is in `normed`. */
static void feed_forward(struct model *m, int layer) {
    const struct model_config *c = &m->config;
    const struct layer_parameters *p = &m->layout->layers[layer];
    struct layer_state *s = &m->layers[layer];
    int rows = rows_behind_attention(m, layer);
    norm(m, rows, s->middle, p->feed_forward_norm, m->normed, m->rstd);
    model_linear(m, rows, c->feed_forward, c->hidden, m->normed, weight(m, p->gate), 0, s->gate);
    model_linear(m, rows, c->feed_forward, c->hidden, m->normed, weight(m, p->up), 0, s->up);
    if (!c->norm_after_blocks) return;
    project_down(m, layer, 0, s->feed_forward_out);
    norm(m, rows, s->feed_forward_out, p->feed_forward_norm_after, m->normed, s->feed_forward_rstd);
}

void model_run_layer(struct model *m, int layer) {
    attend(m, layer);
    add_attention(m, layer);
    feed_forward(m, layer);
}

/* The residual stream behind a layer that has just run. */
static void add_feed_forward(struct model *m, int layer) {
    struct layer_state *s = &m->layers[layer];
    struct backend *b = m->backend;
    struct view output = model_is_last(m, layer) ? m->final : m->layers[layer + 1].input;
    size_t numbers = (size_t)rows_behind_attention(m, layer) * (size_t)m->config.hidden;
    if (!same_place(s->middle, output)) b->copy(b, numbers, s->middle, output);
    if (m->config.norm_after_blocks)
        b->add(b, numbers, 1, m->normed, output);
    else
        project_down(m, layer, 1, output);
}

/* --- the batch */

static int check_range(const int32_t *values, int count, int low, int high, const char *what,
                       struct error *err) {
    for (int i = 0; i < count; i++)
        if (values[i] < low || values[i] >= high)
            return error_set(err, ERROR_INPUT, "batch: %s %d is %d, outside %d..%d", what, i, (int)values[i],
                             low, high - 1);
    return 0;
}

static int check_batch(const struct model *m, const struct batch *batch, struct error *err) {
    if (batch->rows > m->limits.rows || batch->targets > m->limits.targets)
        return error_set(err, ERROR_INTERNAL,
                         "batch: %d rows and %d targets, but the model was made for %d and %d", batch->rows,
                         batch->targets, m->limits.rows, m->limits.targets);
    TRY(check_range(batch->id, batch->rows, 0, m->config.vocabulary, "token", err));
    TRY(check_range(batch->target_id, batch->targets, 0, m->config.vocabulary, "target token", err));
    TRY(check_range(batch->position, batch->rows, 0, model_positions(m), "position", err));
    TRY(check_range(batch->target_row, batch->targets, 0, batch->rows, "target row", err));
    for (int i = 1; i < batch->targets; i++)
        if (batch->target_row[i] <= batch->target_row[i - 1])
            return error_set(err, ERROR_INTERNAL, "batch: target rows do not ascend at %d", i);
    if (!m->limits.slots) return 0;
    TRY(check_range(batch->row_slot, batch->rows, 0, m->limits.slots, "row slot", err));
    return check_range(batch->target_slot, batch->targets, 0, m->limits.slots, "target slot", err);
}

static void upload_batch(struct model *m, const struct batch *batch) {
    struct backend *b = m->backend;
    size_t rows = (size_t)batch->rows, targets = (size_t)batch->targets;
    b->upload(b, m->id, batch->id, rows);
    b->upload(b, m->position, batch->position, rows);
    b->upload(b, m->row_slot, batch->row_slot, rows);
    b->upload(b, m->target_row, batch->target_row, targets);
    b->upload(b, m->target_id, batch->target_id, targets);
    b->upload(b, m->target_slot, batch->target_slot, targets);
    b->upload(b, m->target_weight, batch->target_weight, targets);
}

static int forward(struct model *m, struct view parameters, const struct batch *batch,
                   const struct model_cache *cache, struct error *err) {
    struct backend *b = m->backend;
    m->batch = NULL;
    m->kept = false;
    TRY(check_batch(m, batch, err));
    m->batch = batch;
    m->cache = cache;
    m->parameters = parameters;
    if (!batch->targets && !cache) return 0; /* whatever is asked of this batch is empty */
    upload_batch(m, batch);
    b->embed(b, batch->rows, m->config.hidden, m->config.embedding_factor, m->id,
             weight(m, m->layout->embedding), m->layers[0].input);
    for (int layer = 0; layer < m->config.layers; layer++) {
        model_run_layer(m, layer);
        add_feed_forward(m, layer);
    }
    norm(m, batch->targets, m->final, m->layout->final_norm, m->states, m->final_rstd);
    m->cache = NULL;
    m->kept = m->limits.training;
    return 0;
}

int model_forward(struct model *m, struct view parameters, const struct batch *batch, struct error *err) {
    return forward(m, parameters, batch, NULL, err);
}

int model_forward_cached(struct model *m, struct view parameters, const struct batch *batch,
                         const struct model_cache *cache, struct error *err) {
    if (m->limits.training) return error_set(err, ERROR_INTERNAL, "a model made for training has no cache");
    return forward(m, parameters, batch, cache, err);
}

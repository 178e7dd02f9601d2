/* Where a model's activations lie: one buffer, carved once. */
#include "train/model_internal.h"

enum { ALIGNMENT = 256 }; /* bytes */

struct plan {
    struct buffer *buffer;
    size_t bytes; /* taken so far */
    enum dtype activations;
};

static struct view take(struct plan *plan, enum dtype dtype, size_t elements) {
    struct view view = {plan->buffer, plan->bytes / dtype_bytes(dtype), dtype};
    plan->bytes += (elements * dtype_bytes(dtype) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return view;
}

static struct view floats(struct plan *plan, int rows, int columns) {
    return take(plan, DTYPE_F32, (size_t)rows * (size_t)columns);
}

/* Numbers of the size of the activations, which may be halves. */
static struct view active(struct plan *plan, int rows, int columns) {
    return take(plan, plan->activations, (size_t)rows * (size_t)columns);
}

static struct view integers(struct plan *plan, int count) {
    return take(plan, DTYPE_I32, (size_t)count);
}

/* Rows of what serves all rows as well as the targets. */
static int most_rows(const struct model *m) {
    return m->limits.rows > m->limits.targets ? m->limits.rows : m->limits.targets;
}

static void plan_batch(struct model *m, struct plan *plan) {
    int rows = m->limits.rows, targets = m->limits.targets;
    m->id = integers(plan, rows);
    m->position = integers(plan, rows);
    m->row_slot = integers(plan, rows);
    m->target_row = integers(plan, targets);
    m->target_id = integers(plan, targets);
    m->target_slot = integers(plan, targets);
    m->target_weight = floats(plan, targets, 1);
    m->rope_full = floats(plan, model_positions(m), m->config.head_dim);
    m->rope_windowed = m->config.window ? floats(plan, model_positions(m), m->config.head_dim) : m->rope_full;
    m->final = active(plan, targets, m->config.hidden);
    m->final_rstd = floats(plan, targets, 1);
    m->states = active(plan, targets, m->config.hidden);
    m->loss = floats(plan, targets, 1);
    m->greedy = integers(plan, targets);
    size_t slots = (size_t)m->limits.slots;
    m->ones = slots ? floats(plan, targets, 1) : view_none();
    m->slot_loss = take(plan, DTYPE_F64, 2 * slots);
    m->alignment = view_at(m->slot_loss, slots);
}

/* What attention and what feed-forward need at different times lies in the same place. */
struct shared {
    size_t start, end;
};
static void shared_begin(const struct plan *plan, struct shared *shared) {
    shared->start = shared->end = plan->bytes;
}
static void shared_next(struct plan *plan, struct shared *shared) {
    if (plan->bytes > shared->end) shared->end = plan->bytes;
    plan->bytes = shared->start;
}
static void shared_finish(struct model *m, struct plan *plan, struct shared *shared) {
    shared_next(plan, shared);
    plan->bytes = shared->end;
    m->logits = (struct view){plan->buffer, shared->start / sizeof(float), DTYPE_F32};
    m->logits_room = (shared->end - shared->start) / sizeof(float);
}

static void plan_attention(const struct model *m, struct plan *plan, struct layer_state *layer) {
    int rows = m->limits.rows;
    layer->query = active(plan, rows, model_query_size(m));
    layer->key = active(plan, rows, model_key_size(m));
    layer->value = active(plan, rows, model_key_size(m));
    layer->attention = active(plan, rows, model_query_size(m));
    layer->lse = floats(plan, rows, m->config.heads);
}

/* What the backward pass will read of a layer, but for its input; `rows` behind attention. */
static void plan_layer(const struct model *m, struct plan *plan, int rows, struct layer_state *layer) {
    plan_attention(m, plan, layer);
    layer->middle = active(plan, rows, m->config.hidden);
    layer->gate = active(plan, rows, m->config.feed_forward);
    layer->up = active(plan, rows, m->config.feed_forward);
    layer->attention_out = layer->feed_forward_out = m->normed;
    layer->attention_rstd = layer->feed_forward_rstd = m->rstd;
    if (!m->config.norm_after_blocks) return;
    layer->attention_out = active(plan, rows, m->config.hidden);
    layer->attention_rstd = floats(plan, rows, 1);
    layer->feed_forward_out = active(plan, rows, m->config.hidden);
    layer->feed_forward_rstd = floats(plan, rows, 1);
}

/* An input for each layer, and what else the backward pass will read: for each layer, or once for all. */
static void plan_training_layers(struct model *m, struct plan *plan) {
    struct layer_state shared = {0};
    bool share = m->limits.recompute == RECOMPUTE_LAYER;
    if (share) plan_layer(m, plan, most_rows(m), &shared);
    for (int i = 0; i < m->config.layers; i++) {
        struct layer_state *layer = &m->layers[i];
        *layer = shared;
        if (!share) plan_layer(m, plan, model_is_last(m, i) ? m->limits.targets : m->limits.rows, layer);
        layer->input = active(plan, m->limits.rows, m->config.hidden);
    }
}

static void plan_training(struct model *m, struct plan *plan) {
    int rows = m->limits.rows, most = most_rows(m);
    int queries = model_query_size(m), keys = model_key_size(m);
    struct shared shared;
    plan_training_layers(m, plan);
    m->stream_gradient = active(plan, rows, m->config.hidden);
    m->target_gradient = active(plan, m->limits.targets, m->config.hidden);
    m->normed_gradient = active(plan, most, m->config.hidden);
    m->block_gradient = m->config.norm_after_blocks ? active(plan, most, m->config.hidden) : view_none();
    shared_begin(plan, &shared);
    m->activated = active(plan, most, m->config.feed_forward);
    m->activated_gradient = active(plan, most, m->config.feed_forward);
    shared_next(plan, &shared);
    m->attention_gradient = active(plan, rows, queries);
    m->query_gradient = active(plan, most, queries);
    m->gathered = m->query_gradient; /* free until attention is differentiated */
    m->key_gradient = active(plan, rows, keys);
    m->value_gradient = active(plan, rows, keys);
    if (m->config.qk_norm) {
        m->query_rotated = active(plan, rows, queries);
        m->key_rotated = active(plan, rows, keys);
    }
    shared_finish(m, plan, &shared);
}

/* One residual stream, updated in place, and one set of everything else. The last layer goes on at the target
 * rows. */
static void plan_inference(struct model *m, struct plan *plan) {
    int most = most_rows(m);
    struct layer_state layer = {0};
    struct shared shared;
    layer.input = active(plan, m->limits.rows, m->config.hidden);
    layer.attention_out = layer.feed_forward_out = m->normed;
    layer.attention_rstd = layer.feed_forward_rstd = m->rstd;
    shared_begin(plan, &shared);
    plan_attention(m, plan, &layer);
    m->gathered = active(plan, m->limits.targets, model_query_size(m));
    shared_next(plan, &shared);
    layer.gate = active(plan, most, m->config.feed_forward);
    layer.up = active(plan, most, m->config.feed_forward);
    m->activated = active(plan, most, m->config.feed_forward);
    shared_finish(m, plan, &shared);
    for (int i = 0; i < m->config.layers; i++) {
        m->layers[i] = layer;
        m->layers[i].middle = model_is_last(m, i) ? m->final : layer.input;
    }
}

size_t model_plan(struct model *m, struct buffer *buffer) {
    struct plan plan = {buffer, 0, m->limits.activations};
    int most = most_rows(m);
    plan_batch(m, &plan);
    m->normed = active(&plan, most, m->config.hidden);
    m->rstd = floats(&plan, most, 1);
    m->query_rstd = m->config.qk_norm ? floats(&plan, m->limits.rows, m->config.heads) : view_none();
    m->key_rstd = m->config.qk_norm ? floats(&plan, m->limits.rows, m->config.kv_heads) : view_none();
    m->query_rotated = m->key_rotated = view_none();
    if (m->limits.training)
        plan_training(m, &plan);
    else
        plan_inference(m, &plan);
    return plan.bytes;
}

/* The backward pass: gradients, alignments, or both from one pass.
 *
 * Alignments (the inner product of each slot's gradient with a direction G) need no backward pass of their
 * own: gradients are sums over rows, and rows add up within their slot. For a linear layer y = x W^T whose
 * output has gradient dy, the part of row t is <dy_t^T x_t, G_W>, which linear_gradient takes beside the
 * weight's gradient; for a norm it is dy_t . (x_t / rms * G); for an embedding row it is dx_t . G[id_t]. */
#include "train/model_internal.h"

struct pass {
    struct model *m;
    struct backend *b;
    struct view gradient;  /* flat, added to; or absent */
    struct view direction; /* flat; or absent: no alignments */
    int rows;              /* of the stage in progress */
    struct view slot;      /* I32 [rows] */
    struct view stream;    /* [rows,D] gradient by the residual stream */
    struct gradient_watcher watcher;
};

static struct view weight(const struct pass *p, size_t offset) {
    return view_at(p->m->parameters, offset);
}

static struct view gradient_of(const struct pass *p, size_t offset) {
    return p->gradient.buffer ? view_at(p->gradient, offset) : view_none();
}

static void tell(const struct pass *p, size_t first) {
    if (p->watcher.final && p->gradient.buffer) p->watcher.final(p->watcher.context, first);
}

static void align(const struct pass *p, int columns, struct view x, struct view y) {
    p->b->row_dot(p->b, p->rows, columns, x, y, p->slot, p->m->alignment);
}

/* What the linear layer W[out,in] at `offset` adds to the gradient and to the alignments, from its input
 * x[rows,in] and its output's gradient dy[rows,out]. */
static void linear_weight(const struct pass *p, int out, int in, struct view x, struct view dy,
                          size_t offset) {
    struct linear_gradient args = {.rows = p->rows,
                                   .out = out,
                                   .in = in,
                                   .input = x,
                                   .output_gradient = dy,
                                   .gradient = gradient_of(p, offset)};
    if (p->direction.buffer) {
        args.direction = view_at(p->direction, offset);
        args.slot = p->slot;
        args.alignment = p->m->alignment;
    }
    p->b->linear_gradient(p->b, &args);
}

/* dx[rows,in] = dy[rows,out] W[out,in] + beta dx */
static void linear_input(const struct pass *p, int out, int in, struct view dy, size_t offset, float beta,
                         struct view dx) {
    p->b->matmul(p->b, false, false, p->rows, in, out, 1, dy, out, weight(p, offset), in, beta, dx, in);
}

/* Through a norm of `groups` vectors of `size` a row: x[rows,groups,size] is its input, dy the gradient of
 * its output, dx that of its input. `room` (as large as x; x itself never) and `rstd` are overwritten; rstd
 * must hold 1/rms of x already if there is no direction. */
static void norm_backward(const struct pass *p, int groups, int size, struct view x, size_t offset,
                          struct view rstd, struct view dy, bool accumulate, struct view dx,
                          struct view room) {
    struct backend *b = p->b;
    const struct model_config *c = &p->m->config;
    if (p->direction.buffer) {
        b->rmsnorm(b, p->rows * groups, size, c->norm_epsilon, 0, x, view_at(p->direction, offset), room,
                   rstd);
        align(p, groups * size, room, dy);
    }
    b->rmsnorm_backward(b, p->rows * groups, size, c->norm_offset, x, weight(p, offset), rstd, dy, accumulate,
                        dx, gradient_of(p, offset));
}

/* A block's normed input again, as in the forward pass. */
static void norm_again(const struct pass *p, struct view x, size_t offset) {
    struct model *m = p->m;
    p->b->rmsnorm(p->b, p->rows, m->config.hidden, m->config.norm_epsilon, m->config.norm_offset, x,
                  weight(p, offset), m->normed, m->rstd);
}

/* The gradient by a block's output, before the norm that may follow it. */
static struct view block_gradient(const struct pass *p, struct view out, size_t norm_after,
                                  struct view rstd) {
    struct model *m = p->m;
    if (!m->config.norm_after_blocks) return p->stream;
    norm_backward(p, 1, m->config.hidden, out, norm_after, rstd, p->stream, false, m->block_gradient,
                  m->normed);
    return m->block_gradient;
}

static void feed_forward(const struct pass *p, int layer) {
    struct model *m = p->m;
    struct backend *b = p->b;
    const struct model_config *c = &m->config;
    const struct layer_parameters *at = &m->layout->layers[layer];
    const struct layer_state *s = &m->layers[layer];
    int hidden = c->hidden, size = c->feed_forward;
    size_t numbers = (size_t)p->rows * (size_t)size;
    struct view dy =
        block_gradient(p, s->feed_forward_out, at->feed_forward_norm_after, s->feed_forward_rstd);
    b->gated(b, numbers, c->activation, s->gate, s->up, m->activated);
    linear_weight(p, hidden, size, m->activated, dy, at->down);
    linear_input(p, hidden, size, dy, at->down, 0, m->activated_gradient);
    b->gated_backward(b, numbers, c->activation, s->gate, s->up, m->activated_gradient, s->gate, s->up);

    norm_again(p, s->middle, at->feed_forward_norm);
    linear_weight(p, size, hidden, m->normed, s->gate, at->gate);
    linear_weight(p, size, hidden, m->normed, s->up, at->up);
    linear_input(p, size, hidden, s->gate, at->gate, 0, m->normed_gradient);
    linear_input(p, size, hidden, s->up, at->up, 1, m->normed_gradient);
    norm_backward(p, 1, hidden, s->middle, at->feed_forward_norm, m->rstd, m->normed_gradient, true,
                  p->stream, m->normed);
}

/* The output projection; leaves attention_gradient at all rows. */
static void attention_output(struct pass *p, int layer) {
    struct model *m = p->m;
    struct backend *b = p->b;
    const struct layer_parameters *at = &m->layout->layers[layer];
    const struct layer_state *s = &m->layers[layer];
    int hidden = m->config.hidden, queries = model_query_size(m);
    struct view dy = block_gradient(p, s->attention_out, at->attention_norm_after, s->attention_rstd);
    if (!model_is_last(m, layer)) {
        linear_weight(p, hidden, queries, s->attention, dy, at->output);
        linear_input(p, hidden, queries, dy, at->output, 0, m->attention_gradient);
        return;
    }
    /* The last layer went on at the target rows only: spread their gradients over all rows, zero elsewhere.
     */
    size_t all = (size_t)m->batch->rows;
    b->gather_rows(b, p->rows, queries, m->target_row, s->attention, m->gathered);
    linear_weight(p, hidden, queries, m->gathered, dy, at->output);
    linear_input(p, hidden, queries, dy, at->output, 0, m->gathered);
    b->zero(b, all * (size_t)queries, m->attention_gradient);
    b->scatter_add_rows(b, p->rows, queries, m->target_row, m->gathered, m->attention_gradient);
    b->zero(b, all * (size_t)hidden, m->stream_gradient);
    b->scatter_add_rows(b, p->rows, hidden, m->target_row, p->stream, m->stream_gradient);
    p->rows = m->batch->rows;
    p->slot = m->row_slot;
    p->stream = m->stream_gradient;
}

/* The norms of queries and keys: their gradients in place. model_rotated left 1/rms. */
static void query_norms(const struct pass *p, int layer) {
    struct model *m = p->m;
    const struct model_config *c = &m->config;
    const struct layer_parameters *at = &m->layout->layers[layer];
    const struct layer_state *s = &m->layers[layer];
    norm_backward(p, c->heads, c->head_dim, s->query, at->query_norm, m->query_rstd, m->query_gradient, false,
                  m->query_gradient, m->query_rotated);
    norm_backward(p, c->kv_heads, c->head_dim, s->key, at->key_norm, m->key_rstd, m->key_gradient, false,
                  m->key_gradient, m->key_rotated);
}

static void attention(const struct pass *p, int layer) {
    struct model *m = p->m;
    struct backend *b = p->b;
    const struct model_config *c = &m->config;
    const struct layer_parameters *at = &m->layout->layers[layer];
    const struct layer_state *s = &m->layers[layer];
    int hidden = c->hidden, queries = model_query_size(m), keys = model_key_size(m);
    struct view query, key, table = model_rope(m, layer);
    struct attention_shape shape = model_attention_shape(m, layer);
    model_rotated(m, layer, &query, &key);
    b->attention_backward(b, &shape, query, key, s->value, s->attention, s->lse, m->attention_gradient,
                          m->query_gradient, m->key_gradient, m->value_gradient);
    b->rope(b, p->rows, c->heads, c->head_dim, true, m->position, table, m->query_gradient);
    b->rope(b, p->rows, c->kv_heads, c->head_dim, true, m->position, table, m->key_gradient);
    if (c->qk_norm) query_norms(p, layer);

    norm_again(p, s->input, at->input_norm);
    linear_weight(p, queries, hidden, m->normed, m->query_gradient, at->query);
    linear_weight(p, keys, hidden, m->normed, m->key_gradient, at->key);
    linear_weight(p, keys, hidden, m->normed, m->value_gradient, at->value);
    linear_input(p, queries, hidden, m->query_gradient, at->query, 0, m->normed_gradient);
    linear_input(p, keys, hidden, m->key_gradient, at->key, 1, m->normed_gradient);
    linear_input(p, keys, hidden, m->value_gradient, at->value, 1, m->normed_gradient);
    norm_backward(p, 1, hidden, s->input, at->input_norm, m->rstd, m->normed_gradient, true, p->stream,
                  m->normed);
}

/* Loss and head; leaves the gradient by the residual stream at the target rows. */
static void head(struct pass *p, float scale) {
    struct model *m = p->m;
    struct backend *b = p->b;
    p->rows = m->batch->targets;
    p->slot = m->target_slot;
    p->stream = m->target_gradient;
    b->upload(b, m->target_weight, m->batch->target_weight, (size_t)p->rows);
    b->scale(b, (size_t)p->rows, scale, m->target_weight);
    struct linear_cross_entropy args = {.rows = p->rows,
                                        .hidden = m->config.hidden,
                                        .vocabulary = m->config.vocabulary,
                                        .hidden_states = m->states,
                                        .weight = weight(p, m->layout->head),
                                        .target = m->target_id,
                                        .loss = m->loss,
                                        .row_weight = m->target_weight,
                                        .hidden_gradient = m->normed_gradient,
                                        .weight_gradient = gradient_of(p, m->layout->head)};
    if (p->direction.buffer) {
        args.direction = view_at(p->direction, m->layout->head);
        args.slot = p->slot;
        args.alignment = m->alignment;
    }
    b->linear_cross_entropy(b, &args);
    norm_backward(p, 1, m->config.hidden, m->final, m->layout->final_norm, m->final_rstd, m->normed_gradient,
                  false, p->stream, m->normed);
}

static void embedding(const struct pass *p) {
    struct model *m = p->m;
    struct backend *b = p->b;
    int hidden = m->config.hidden;
    if (p->gradient.buffer)
        b->embed_backward(b, p->rows, hidden, m->config.embedding_factor, m->id, p->stream,
                          gradient_of(p, m->layout->embedding));
    if (!p->direction.buffer) return;
    b->embed(b, p->rows, hidden, m->config.embedding_factor, m->id,
             view_at(p->direction, m->layout->embedding), m->normed);
    align(p, hidden, m->normed, p->stream);
}

static int check_call(const struct model *m, struct view direction, struct error *err) {
    if (!m->limits.training)
        return error_set(err, ERROR_INTERNAL, "model_backward of a model not made for training");
    if (!m->batch || (m->batch->targets && !m->kept))
        return error_set(err, ERROR_INTERNAL, "model_backward without a forward pass of its own before it");
    if (direction.buffer && !m->limits.slots)
        return error_set(err, ERROR_INTERNAL, "model_backward: alignments, but no slots for them");
    return 0;
}

void model_watch_gradient(struct model *m, const struct gradient_watcher *watcher) {
    m->watcher = *watcher;
}

int model_backward(struct model *m, float scale, struct view gradient, struct view direction,
                   struct error *err) {
    struct backend *b = m->backend;
    struct pass pass = {.m = m, .b = b, .gradient = gradient, .direction = direction, .watcher = m->watcher};
    m->watcher.final = NULL;
    TRY(check_call(m, direction, err));
    if (!m->batch->targets) {
        tell(&pass, 0);
        return 0;
    }
    m->kept = false; /* gate and up become their gradients */
    /* The tensors stand in the flat vector in the order of the forward pass, a tied head at its beginning. */
    head(&pass, scale);
    model_sum_losses(m);
    tell(&pass, m->layout->final_norm);
    for (int layer = m->config.layers - 1; layer >= 0; layer--) {
        bool overwritten = m->limits.recompute == RECOMPUTE_LAYER && !model_is_last(m, layer);
        if (overwritten) model_run_layer(m, layer);
        feed_forward(&pass, layer);
        tell(&pass, m->layout->layers[layer].feed_forward_norm);
        attention_output(&pass, layer);
        tell(&pass, m->layout->layers[layer].output);
        attention(&pass, layer);
        tell(&pass, m->layout->layers[layer].input_norm);
    }
    embedding(&pass);
    tell(&pass, 0);
    return 0;
}

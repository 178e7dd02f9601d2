/* The inside of a model, shared by planning, forward and backward; not for callers.
 *
 * Letters as in train/backend.h: T rows, N targets, D hidden, Q = heads * head_dim, E = kv_heads * head_dim
 * (keys and values), F feed-forward, H heads, L layers. R stands for the rows behind the last layer's
 * attention: only the target rows matter from there on, so R is N in the last layer and T in the others. */
#ifndef ADAPT_TRAIN_MODEL_INTERNAL_H
#define ADAPT_TRAIN_MODEL_INTERNAL_H

#include "train/model.h"

/* What a layer keeps between forward and backward. In a model that is not made for training all layers share
 * them; in one that recomputes layers they share all but the input, and it is the state of the layer that ran
 * last. */
struct layer_state {
    struct view input;     /* [T,D] residual stream before the layer */
    struct view query;     /* [T,Q] where there is QK-norm: before it; else rotated */
    struct view key;       /* [T,E] likewise */
    struct view value;     /* [T,E] */
    struct view attention; /* [T,Q] */
    struct view lse;       /* F32 [T,H] */
    struct view middle;    /* [R,D] residual stream after attention */
    struct view gate, up;  /* [R,F] */
    /* with norms after the blocks (gemma3_text): what they read, and their 1/rms */
    struct view attention_out, attention_rstd;       /* [R,D], F32 [R] */
    struct view feed_forward_out, feed_forward_rstd; /* [R,D], F32 [R] */
};

struct model {
    struct backend *backend; /* borrowed */
    struct model_config config;
    const struct parameter_layout *layout; /* borrowed */
    struct model_limits limits;
    struct buffer *buffer;      /* owned: everything below lies in it */
    struct layer_state *layers; /* [L], owned */

    /* the batch on the device */
    struct view id, position, row_slot;             /* I32 [T] */
    struct view target_row, target_id, target_slot; /* I32 [N] */
    struct view target_weight;                      /* F32 [N] */
    struct view rope_full, rope_windowed; /* F32 [positions,C]; the same view where they do not differ */

    /* results */
    struct view final;      /* [N,D] residual stream after the last layer, at the target rows */
    struct view final_rstd; /* F32 [N] */
    struct view states;     /* [N,D] final, normed */
    struct view loss;       /* F32 [N] */
    struct view greedy;     /* I32 [N]; flags of model_losses, tokens of model_best */
    struct view ones;       /* F32 [N] */
    struct view slot_loss;  /* F64 [slots], sums since they were taken; alignments lie behind them */
    struct view alignment;  /* F64 [slots] */

    /* scratch of both passes */
    struct view normed;               /* [T,D] input of a block, normed */
    struct view rstd;                 /* F32 [T] */
    struct view query_rstd, key_rstd; /* F32 [T,H], [T,K], where there is QK-norm */
    struct view
        query_rotated; /* [T,Q], [T,E]: normed and rotated, where the layer keeps the raw ones; else absent */
    struct view key_rotated;
    struct view gathered;  /* [N,Q] the target rows of attention */
    struct view activated; /* [R,F] act(gate) * up */
    struct view logits;    /* all of the scratch that feed-forward and attention share, for model_logits */
    size_t logits_room;    /* its elements */

    /* scratch of the backward pass */
    struct view stream_gradient;    /* [T,D] by the residual stream */
    struct view target_gradient;    /* [N,D] the same behind the last layer's attention */
    struct view normed_gradient;    /* [T,D] by a block's normed input */
    struct view block_gradient;     /* [T,D] by a block's output, where a norm follows it */
    struct view activated_gradient; /* [R,F] */
    struct view attention_gradient; /* [T,Q] */
    struct view query_gradient, key_gradient, value_gradient; /* [T,Q], [T,E], [T,E] */

    /* the pass in progress */
    const struct batch *batch;       /* borrowed from forward to backward; NULL: no forward yet */
    const struct model_cache *cache; /* of the forward pass that is running; NULL: none */
    struct view parameters;
    struct gradient_watcher watcher; /* of the next backward pass; final NULL: none */
    bool kept;                       /* the layers hold what a backward pass reads */
    double *slot_sums;               /* [2 slots], owned: sums on their way to the caller */
};

/* Carves every view of `model` out of a buffer (NULL: only counts); model->layers has room for the layers.
 * Returns the bytes that are needed. */
size_t model_plan(struct model *model, struct buffer *buffer);

static inline int model_query_size(const struct model *m) {
    return m->config.heads * m->config.head_dim;
}
static inline int model_key_size(const struct model *m) {
    return m->config.kv_heads * m->config.head_dim;
}
static inline int model_positions(const struct model *m) {
    return m->limits.positions ? m->limits.positions : m->limits.rows;
}
static inline bool model_is_last(const struct model *m, int layer) {
    return layer == m->config.layers - 1;
}
static inline struct view model_rope(const struct model *m, int layer) {
    return m->config.windowed[layer] ? m->rope_windowed : m->rope_full;
}
struct attention_shape model_attention_shape(const struct model *m, int layer);

/* Runs a layer from its input as far as the backward pass reads its state: to gate and up, or to the norm
 * behind feed-forward. Both passes do, where the layers share their state. */
void model_run_layer(struct model *m, int layer);

/* The layer's queries and keys as attention reads them: where raw ones are kept, norms and rotates them into
 * scratch (both passes do). */
void model_rotated(struct model *m, int layer, struct view *query, struct view *key);

/* Adds the losses of the targets to their slots' sums. */
void model_sum_losses(struct model *m);

/* y[rows,out] = x[rows,in] W[out,in]^T + beta y */
void model_linear(struct model *m, int rows, int out, int in, struct view x, struct view w, float beta,
                  struct view y);

#endif

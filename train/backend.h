/* The operations a model is made of, as a table that each device fills: cpu, cuda, and memcheck (cpu behind a
 * wall, for tests). train/model.c runs on any of them.
 *
 * Buffers are opaque: only operations, upload and download touch their contents, so nothing above this header
 * may assume that memory is the host's. Operations are ordered as called and may run asynchronously; upload
 * and download wait. They return nothing: the first failure is kept and told by `check`, which callers ask
 * once per pass, so the code of a model stays readable. No operation allocates after `reserve` was called
 * with a large enough size.
 *
 * Letters in shapes: T rows (tokens of a packed batch), D hidden size, V vocabulary, N supervised positions,
 * H query heads, K key/value heads, C dimension of a head, F feed-forward size. All matrices are row-major
 * and dense unless a leading dimension is given. */
#ifndef ADAPT_TRAIN_BACKEND_H
#define ADAPT_TRAIN_BACKEND_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dtype { DTYPE_F32, DTYPE_F64, DTYPE_I32, DTYPE_BF16 };
static inline size_t dtype_bytes(enum dtype dtype) {
    return dtype == DTYPE_F64 ? 8 : dtype == DTYPE_BF16 ? 2 : 4;
}

struct buffer; /* device memory, owned by whoever created it */

/* A typed place inside a buffer; a NULL buffer means "absent" where an operation says so. */
struct view {
    struct buffer *buffer;
    size_t offset; /* in elements of dtype */
    enum dtype dtype;
};
static inline struct view view_at(struct view view, size_t elements) {
    view.offset += elements;
    return view;
}
static inline struct view view_none(void) {
    return (struct view){NULL, 0, DTYPE_F32};
}

/* A run of consecutive rows of a packed batch that attend to themselves causally and, where `prefix_length` >
 * 0, to all of another run of rows: how several continuations share one context. Positions count on from the
 * prefix. prefix rows must lie before `start`. */
struct segment {
    int32_t start, length;
    int32_t prefix_start, prefix_length;
};

struct attention_shape {
    int rows;                      /* T */
    int heads, kv_heads, head_dim; /* H, K, C; H is a multiple of K */
    int window;  /* a row sees at most the last `window` positions, itself included; 0: all */
    float scale; /* on the scores */
    int segments;
    const struct segment *segment; /* host array, [segments]; covers every row exactly once, in order */
};

/* Rows that attend to what they follow in a cache of keys and values: one sequence's new rows. */
struct cached_segment {
    int32_t start, length; /* rows of the batch; their keys and values stand in the cache already */
    int32_t past; /* rows of the sequence before them: the new rows' positions are past, past + 1, ... */
    const int32_t *page; /* host array: rows of page p of the sequence, positions p * page_rows and on, begin
                            at cache row page[p] * page_rows. Pages that no row sees may hold -1. */
};

struct cached_attention_shape {
    int rows;                      /* T */
    int heads, kv_heads, head_dim; /* H, K, C; H is a multiple of K */
    int window;  /* a row sees at most the last `window` positions, itself included; 0: all */
    float scale; /* on the scores */
    int page_rows;
    int segments;
    const struct cached_segment
        *segment; /* host array, [segments]; covers every row exactly once, in order */
};

enum activation { ACTIVATION_SILU, ACTIVATION_GELU_TANH };

struct adamw_step {
    float learning_rate, beta1, beta2, epsilon;
    float weight_decay;             /* decoupled: w -= learning_rate * weight_decay * w */
    float correction1, correction2; /* 1 - beta1^t and 1 - beta2^t */
    struct view
        gradient_scale; /* one F32 on the device that multiplies every gradient (clipping); absent: 1 */
};

/* The gradient of a linear layer's weight W[out,in], from the layer's input x and its output's gradient dy.
 */
struct linear_gradient {
    int rows, out, in;           /* T, and the shape of W */
    struct view input;           /* [T,in] */
    struct view output_gradient; /* [T,out] */
    struct view gradient;        /* [out,in], dy^T x is added to it; or absent */
    /* Alignments: alignment[slot[t]] += < dy_t^T x_t, direction >; all absent: none. Cheapest where rows of a
     * slot stand together. */
    struct view direction; /* [out,in] */
    struct view slot;      /* I32 [T] */
    struct view alignment; /* F64 [slots], added to */
};

struct linear_cross_entropy {
    int rows, hidden, vocabulary; /* N, D, V */
    struct view hidden_states;    /* [N,D] */
    struct view weight;           /* [V,D] */
    struct view target;           /* I32 [N], in 0..V-1 */
    struct view loss;             /* out, F32 [N]: -log softmax(h W^T)[target], natural logarithm */
    struct view greedy; /* out, I32 [N]: 1 where the target is the argmax (lowest index on ties); or absent */
    /* Gradients of sum_n row_weight[n] * loss[n]; all absent for a forward pass. */
    struct view row_weight;      /* F32 [N] */
    struct view hidden_gradient; /* out, [N,D] */
    struct view weight_gradient; /* [V,D], added to */
    /* Alignments: alignment[slot[n]] += < d(row n's weighted loss)/dW, direction >; or absent. */
    struct view direction; /* [V,D] */
    struct view slot;      /* I32 [N] */
    struct view alignment; /* F64 [slots], added to */
};

enum { BACKEND_STAMPS = 1024 };

struct peers; /* train/peers.h */
struct peers_card;

struct backend {
    const char *name;
    /* What models keep their activations in: DTYPE_F32, or DTYPE_BF16 where the backend can. Whoever creates
     * the backend may change it before models are made. Weights, gradients, losses and what is kept beside
     * them are F32 anyway. */
    enum dtype activations;

    /* --- memory. `buffer_create` gives zeroed memory, aligned to 256 bytes. */
    int (*buffer_create)(struct backend *b, size_t bytes, struct buffer **out, struct error *err);
    void (*buffer_destroy)(struct backend *b, struct buffer **buffer); /* *buffer may be NULL */
    /* The buffer's memory if the host may use it between operations (after `check`), else NULL. */
    void *(*host_pointer)(struct backend *b, struct buffer *buffer);
    /* Copies `count` elements between host memory of the view's dtype and the device; both wait. */
    void (*upload)(struct backend *b, struct view to, const void *from, size_t count);
    void (*download)(struct backend *b, struct view from, void *to, size_t count);
    /* Grows the scratch memory that operations share to what shapes up to these need. */
    int (*reserve)(struct backend *b, int rows, int hidden, int vocabulary, int targets, struct error *err);
    /* Bytes of scratch that `reserve` would take. */
    size_t (*scratch_bytes)(struct backend *b, int rows, int hidden, int vocabulary, int targets);
    /* Bytes of the device's memory: what is free, and all; 0 and 0 where it is the host's. */
    void (*memory)(struct backend *b, size_t *left, size_t *total);
    /* Waits for everything and returns the first failure since the last check, with the operation's name. */
    int (*check)(struct backend *b, struct error *err);

    /* --- time in the order of operations */
    /* Puts time stamp number `i`, 0 <= i < BACKEND_STAMPS, behind everything called so far, and does not
     * wait; where it was put before, it moves. Put while a failure stands, it may be nowhere. The first stamp
     * of all may allocate. */
    void (*stamp)(struct backend *b, int i);
    /* Waits for both stamps and returns the seconds from one to the other; 0 where one of them is nowhere,
     * and while a failure stands. */
    double (*stamp_seconds)(struct backend *b, int from, int to);

    void (*destroy)(struct backend *b); /* called by backend_destroy */

    /* --- whole vectors of `n` elements */
    void (*zero)(struct backend *b, size_t n, struct view x);
    void (*copy)(struct backend *b, size_t n, struct view from,
                 struct view to);                                       /* converts between F32 and BF16 */
    void (*scale)(struct backend *b, size_t n, float a, struct view x); /* x *= a */
    void (*add)(struct backend *b, size_t n, float a, struct view x, struct view y); /* y += a x */
    /* result (one F64) += <x, y>, accumulated in double. */
    void (*dot)(struct backend *b, size_t n, struct view x, struct view y, struct view result);
    /* factor (one F32) = min(1, limit / sqrt(squares)), squares one F64; 1 where limit <= 0. */
    void (*clip_factor)(struct backend *b, float limit, struct view squares, struct view factor);
    /* AdamW (Loshchilov & Hutter 2019): m, v, w updated from gradient g. */
    void (*adamw)(struct backend *b, size_t n, const struct adamw_step *step, struct view g, struct view m,
                  struct view v, struct view w);
    /* w -= learning_rate * (scale * g + weight_decay * w): plain gradient descent with the same settings
     * struct. */
    void (*sgd)(struct backend *b, size_t n, const struct adamw_step *step, struct view g, struct view w);
    /* g *= (1 - beta1) / (correction1 * (sqrt(v / correction2) + epsilon)): the derivative of an AdamW step
     * by the gradient, with v frozen. */
    void (*precondition)(struct backend *b, size_t n, const struct adamw_step *step, struct view v,
                         struct view g);

    /* --- matrices: C[m,n] = alpha op(A) op(B) + beta C; op(A) is [m,k]; leading dimensions are those of the
     * stored rows */
    void (*matmul)(struct backend *b, bool transpose_a, bool transpose_b, int m, int n, int k, float alpha,
                   struct view a, int lda, struct view bm, int ldb, float beta, struct view c, int ldc);

    void (*linear_gradient)(struct backend *b, const struct linear_gradient *args);

    /* --- rows */
    /* out[T,D] = factor * table[ids[T], D] */
    void (*embed)(struct backend *b, int rows, int hidden, float factor, struct view ids, struct view table,
                  struct view out);
    /* table_gradient[ids[t]] += factor * dout[t]; the order of additions is fixed. */
    void (*embed_backward)(struct backend *b, int rows, int hidden, float factor, struct view ids,
                           struct view dout, struct view table_gradient);
    /* to[i] = from[index[i]], i < rows */
    void (*gather_rows)(struct backend *b, int rows, int hidden, struct view index, struct view from,
                        struct view to);
    /* to[index[i]] += from[i]; indices are distinct. */
    void (*scatter_add_rows)(struct backend *b, int rows, int hidden, struct view index, struct view from,
                             struct view to);
    /* to[index[i]] = from[i]; indices are distinct. */
    void (*scatter_rows)(struct backend *b, int rows, int columns, struct view index, struct view from,
                         struct view to);
    /* alignment[slot[t]] += sum_d x[t,d] y[t,d]; alignment F64 [slots], slot I32 [T]; deterministic. */
    void (*row_dot)(struct backend *b, int rows, int columns, struct view x, struct view y, struct view slot,
                    struct view alignment);
    /* y[r] = x[r] * rstd[r] * (offset + w), rstd[r] = 1 / sqrt(mean x[r]^2 + epsilon) (Zhang & Sennrich
     * 2019). offset is 0, or 1 for Gemma. `rstd` F32 [rows] is written; y may be x. */
    void (*rmsnorm)(struct backend *b, int rows, int columns, float epsilon, float offset, struct view x,
                    struct view w, struct view y, struct view rstd);
    /* dx = (accumulate ? dx : 0) + gradient by x; dw += gradient by w (absent: skipped). dx may be dy if not
     * accumulating. */
    void (*rmsnorm_backward)(struct backend *b, int rows, int columns, float offset, struct view x,
                             struct view w, struct view rstd, struct view dy, bool accumulate, struct view dx,
                             struct view dw);
    /* Rotates x[T, heads, C] in place, pairs (c, c + C/2), by the angle whose cosine and sine stand at
     * table[position[t], 0..C/2-1] and table[position[t], C/2..C-1]; inverse rotates back (the backward
     * pass). */
    void (*rope)(struct backend *b, int rows, int heads, int head_dim, bool inverse, struct view position,
                 struct view table, struct view x);
    /* out[T,H,C] = softmax(scale q k^T) v by segments; lse F32 [T,H] keeps the log of the softmax's
     * denominator. */
    void (*attention)(struct backend *b, const struct attention_shape *shape, struct view q, struct view k,
                      struct view v, struct view out, struct view lse);
    /* Gradients, overwritten. Segments with a prefix are not differentiated: a failure. */
    void (*attention_backward)(struct backend *b, const struct attention_shape *shape, struct view q,
                               struct view k, struct view v, struct view out, struct view lse,
                               struct view dout, struct view dq, struct view dk, struct view dv);
    /* out[T,H,C] = softmax(scale q k^T) v over a cache of keys and values [cache rows, K, C]; forward only.
     * One new row a sequence (decoding) and many (a prompt) are both fast. */
    void (*cached_attention)(struct backend *b, const struct cached_attention_shape *shape, struct view q,
                             struct view keys, struct view values, struct view out);
    /* out[n] = act(gate) * up */
    void (*gated)(struct backend *b, size_t n, enum activation activation, struct view gate, struct view up,
                  struct view out);
    /* dgate may be gate and dup may be up: overwritten in place. */
    void (*gated_backward)(struct backend *b, size_t n, enum activation activation, struct view gate,
                           struct view up, struct view dout, struct view dgate, struct view dup);
    void (*linear_cross_entropy)(struct backend *b, const struct linear_cross_entropy *args);
    /* best[n] = argmax_v hidden_states[n] . weight[v], the lowest index on ties, -1 where one of the products
     * is NaN; hidden_states [N,D], weight [V,D], best I32 [N]. No [N,V] array is needed beyond the scratch
     * that reserve took. */
    void (*linear_argmax)(struct backend *b, int rows, int hidden, int vocabulary, struct view hidden_states,
                          struct view weight, struct view best);

    /* --- several processes, a device each. NULL, all of them, where the device's memory is the host's. */
    /* The device's memory at a view of `count` elements, for libraries that take such pointers; whoever uses
     * it has called `check`. `change`: they will be written. NULL where the view leaves its buffer. */
    void *(*device_pointer)(struct backend *b, struct view view, size_t count, bool change);
    /* Fills in the card; ERROR_DEVICE says why nothing links this device to others (card->device is filled in
     * also then). */
    int (*peers_card)(struct backend *b, struct peers_card *card, struct error *err);
    /* An id for a link, of PEERS_ID_BYTES: one process makes it, all open theirs with it. */
    int (*peers_id)(struct backend *b, unsigned char *id, struct error *err);
    /* Links `ranks` processes, this being number `rank`: all of them call it, no two with the same device. */
    int (*peers_open)(struct backend *b, const unsigned char *id, int rank, int ranks, struct peers **out,
                      struct error *err);
};

/* Makes the backend called `name`: "cpu", "cuda" (the first device), "cuda:N", or "memcheck" (for tests).
 * `threads` is the number of host threads (0: what OpenMP offers). An unknown name, or a device that this
 * build lacks, is ERROR_INPUT that says what there is; a device that cannot be used is ERROR_DEVICE that says
 * why. */
int backend_create(const char *name, int threads, struct backend **out, struct error *err);
void backend_destroy(struct backend **backend);
/* NULL-terminated names of the backends, for messages. */
const char *const *backend_names(void);

#endif

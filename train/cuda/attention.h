/* What all attention kernels share: which tiles there are, who sees whom, where rows lie.
 *
 * Queries and keys are taken in tiles, so that scores exist for one pair of tiles at a time (Dao et al. 2022;
 * the softmax over tiles is Milakov & Gimelshein 2018). A tile of queries holds several tokens and, of each,
 * the heads that have their keys in common.
 *
 * There are two kinds of kernels, chosen between in attention.cu: attention_tensor_*.cu for bfloat16, with
 * products on tensor cores and sums in registers (Dao 2023), and attention_scalar_*.cu for whatever else
 * there is, with products as sums in float32 out of shared memory. In both, LANES neighbouring threads share
 * a row of a tile. Neither adds up across blocks: sums are always in the same order. */
#ifndef ADAPT_TRAIN_CUDA_ATTENTION_H
#define ADAPT_TRAIN_CUDA_ATTENTION_H

#include "train/cuda/kernels.h"
extern "C" {
#include "train/attention_shape.h"
}

enum {
    LANES = 4,
    WIDEST = 256,           /* dimension of a head */
    MOST_SHARED = 99 << 10, /* bytes for a block: 8.6, 8.9 and 12.0 have no more, other GPUs do */
};

/* Some tokens of a segment. Positions count from the start of the prefix, or of the cached sequence. */
struct attention_tile {
    int32_t start, count;       /* rows of the batch */
    int32_t position;           /* of the first */
    int32_t first;              /* row of the batch of the segment's first token */
    int32_t last;               /* position behind the segment's last token */
    int32_t prefix, prefix_row; /* positions below `prefix` are the batch's rows from prefix_row on */
    int32_t pages;              /* where the segment's pages begin in the table of pages; over a cache only */
};

/* What a kernel is told of the shape. */
struct attention_plan {
    int rows;                             /* of a tile */
    int heads, kv_heads, head_dim, group; /* group: heads that have keys in common */
    int shared, parts;                    /* of them in a tile; tiles for all of them */
    int window;
    float scale;
    int page_rows; /* 0: keys are the batch's rows */
    unsigned tiles;
    const struct attention_tile *tile; /* on the device */
    const int32_t *page;               /* likewise */
};

static __device__ __forceinline__ int first_seen(int window, int position) {
    return window > 0 && position >= window ? position - window + 1 : 0;
}

/* Whether the token at `position` sees the key at `key`. */
static __device__ __forceinline__ bool sees(int window, int position, int key) {
    return key <= position && (window == 0 || key > position - window);
}

/* How many of the pairs of positions first..last and keys key..last_key see each other. */
enum sight { NO_PAIR, SOME_PAIRS, ALL_PAIRS };
static __device__ __forceinline__ enum sight sight_of(int window, int first, int last, int key,
                                                      int last_key) {
    if (key > last || last_key < first_seen(window, first)) return NO_PAIR;
    return sees(window, first, last_key) && sees(window, last, key) ? ALL_PAIRS : SOME_PAIRS;
}

/* The row of keys and values at a position. */
static __device__ __forceinline__ size_t key_row(const struct attention_plan *plan,
                                                 const struct attention_tile *tile, int position) {
    if (plan->page_rows)
        return (size_t)plan->page[tile->pages + position / plan->page_rows] * plan->page_rows +
               position % plan->page_rows;
    return position < tile->prefix ? tile->prefix_row + position : tile->first + position - tile->prefix;
}

/* Sum and largest over the threads that share a row; a whole warp takes part. */
static __device__ __forceinline__ float lanes_sum(float value) {
    for (int lane = LANES / 2; lane > 0; lane /= 2) value += __shfl_xor_sync(ALL_LANES, value, lane);
    return value;
}
static __device__ __forceinline__ float lanes_most(float value) {
    for (int lane = LANES / 2; lane > 0; lane /= 2)
        value = fmaxf(value, __shfl_xor_sync(ALL_LANES, value, lane));
    return value;
}

/* A row of a tile of queries: one token's one head. */
struct query_row {
    bool inside; /* there is such a token and such a head */
    int position;
    size_t index; /* among [T, heads] */
};
static __device__ __forceinline__ struct query_row query_row_of(const struct attention_plan *plan,
                                                                const struct attention_tile *tile, int row) {
    struct query_row q;
    int part = (int)blockIdx.y % plan->parts, kv_head = (int)blockIdx.y / plan->parts;
    int in_group = part * plan->shared + row % plan->shared, token = row / plan->shared;
    q.inside = token < tile->count && in_group < plan->group;
    q.position = tile->position + token;
    q.index = (size_t)(tile->start + token) * plan->heads + kv_head * plan->group + in_group;
    return q;
}

/* ---- on the host (attention_plan.cu) */

/* Tiles of queries of at most `rows` rows, for a shape that was checked; the tables are copied to the device.
 * False after a failure. */
bool attention_plan_queries(struct cuda *cuda, enum cuda_operation op, const struct attention_shape *shape,
                            int rows, struct attention_plan *plan);
bool attention_plan_cached(struct cuda *cuda, enum cuda_operation op,
                           const struct cached_attention_shape *shape, int rows, struct attention_plan *plan);
/* Tiles of keys, of at most `rows` tokens. */
bool attention_plan_keys(struct cuda *cuda, enum cuda_operation op, const struct attention_shape *shape,
                         int rows, struct attention_plan *plan);

/* ---- the kinds of kernels */

/* Operands in device memory, of `dtype` unless they are float. */
struct forward_operands {
    enum dtype dtype;
    const void *q, *k, *v;
    void *out;
    float *lse; /* NULL where it is not wanted */
};
struct backward_operands {
    enum dtype dtype;
    const void *q, *k, *v, *out, *dout;
    const float *lse;
    float *inner; /* [T, heads] <dO, O> */
    void *dq, *dk, *dv;
};

struct attention_kernels {
    /* Rows of a tile. In the forward pass they may be few where no segment has more than `most`. */
    int (*rows)(int head_dim, int most);
    void (*forward)(struct cuda *cuda, enum cuda_operation op, const struct attention_plan *plan,
                    const struct forward_operands *at);
    void (*backward)(struct cuda *cuda, enum cuda_operation op, const struct attention_plan *queries,
                     const struct attention_plan *keys, const struct backward_operands *at);
};

int attention_scalar_rows(int head_dim, int most);
void attention_scalar_forward(struct cuda *cuda, enum cuda_operation op, const struct attention_plan *plan,
                              const struct forward_operands *at);
void attention_scalar_backward(struct cuda *cuda, enum cuda_operation op,
                               const struct attention_plan *queries, const struct attention_plan *keys,
                               const struct backward_operands *at);
int attention_tensor_rows(int head_dim, int most);
void attention_tensor_forward(struct cuda *cuda, enum cuda_operation op, const struct attention_plan *plan,
                              const struct forward_operands *at);
void attention_tensor_backward(struct cuda *cuda, enum cuda_operation op,
                               const struct attention_plan *queries, const struct attention_plan *keys,
                               const struct backward_operands *at);

/* Runs the statement with WIDE as the width that a head of `head_dim` columns needs. */
#define WITH_WIDTH(head_dim, WIDE, ...)                                                                      \
    do {                                                                                                     \
        if ((head_dim) <= 64) {                                                                              \
            enum { WIDE = 64 };                                                                              \
            __VA_ARGS__;                                                                                     \
        } else if ((head_dim) <= 128) {                                                                      \
            enum { WIDE = 128 };                                                                             \
            __VA_ARGS__;                                                                                     \
        } else {                                                                                             \
            enum { WIDE = 256 };                                                                             \
            __VA_ARGS__;                                                                                     \
        }                                                                                                    \
    } while (0)

#endif

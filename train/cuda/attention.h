/* What the forward and the backward pass of attention share.
 *
 * Queries and keys are taken in tiles, so that scores exist for one pair of tiles at a time (Dao et al. 2022;
 * the softmax over tiles is Milakov & Gimelshein 2018). A tile of queries holds several tokens and, of each,
 * the heads that have their keys in common. LANES threads share a row of a tile: each has every LANES-th key
 * in scores, and every LANES-th column in outputs. Products are sums in float32 whatever the operands are;
 * the inner loops stand in `tile_dot` and `tile_add`, to be exchanged for tensor cores. */
#ifndef ADAPT_TRAIN_CUDA_ATTENTION_H
#define ADAPT_TRAIN_CUDA_ATTENTION_H

#include "train/cuda/kernels.h"
extern "C" {
#include "train/attention_shape.h"
}

enum {
    LANES = 4,
    WIDEST = 256, /* dimension of a head */
#ifdef ADAPT_EMULATION
    MOST_ROWS = 32,
    FEW_ROWS = 8
#else
    MOST_ROWS = 64,
    FEW_ROWS = 16 /* of a tile, where sequences have few */
#endif
};

/* Sizes of tiles for heads of up to WIDE columns. */
template <int WIDE> struct tile_sizes {
    enum {
        ROWS = WIDE > 128 ? MOST_ROWS / 2 : MOST_ROWS,
        OTHERS = WIDE > 128 ? 16 : 32,
        THREADS = ROWS * LANES
    };
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

/* The row of keys and values at a position. */
static __device__ __forceinline__ size_t key_row(const struct attention_plan *plan,
                                                 const struct attention_tile *tile, int position) {
    if (plan->page_rows)
        return (size_t)plan->page[tile->pages + position / plan->page_rows] * plan->page_rows +
               position % plan->page_rows;
    return position < tile->prefix ? tile->prefix_row + position : tile->first + position - tile->prefix;
}

/* A tile in shared memory: rows of float, `tile_stride` apart so that neighbouring rows are in different
 * banks. */
static __device__ __host__ __forceinline__ int tile_stride(int columns) {
    return columns + 1;
}

/* Row `row` of a tile from `columns` numbers, or zeros where `from` is NULL; by the threads that share the
 * row. */
template <typename T>
static __device__ __forceinline__ void tile_load(float *tile, int row, int lane, int columns, const T *from) {
    for (int c = lane; c < columns; c += LANES)
        tile[row * tile_stride(columns) + c] = from ? get(from, (size_t)c) : 0.0f;
}

static __device__ __forceinline__ float tile_dot(const float *a, int row_a, const float *b, int row_b,
                                                 int columns) {
    const float *x = a + row_a * tile_stride(columns), *y = b + row_b * tile_stride(columns);
    float sum = 0.0f;
    for (int c = 0; c < columns; c++) sum += x[c] * y[c];
    return sum;
}

/* sums[i] += factor * tile[row, lane + i LANES] */
template <int WIDE>
static __device__ __forceinline__ void tile_add(float *sums, float factor, const float *tile, int row,
                                                int lane, int columns) {
    const float *from = tile + row * tile_stride(columns);
#pragma unroll
    for (int i = 0; i < WIDE / LANES; i++)
        if (lane + i * LANES < columns) sums[i] += factor * from[lane + i * LANES];
}

template <int WIDE, typename T>
static __device__ __forceinline__ void tile_store(T *to, const float *sums, float factor, int lane,
                                                  int columns) {
#pragma unroll
    for (int i = 0; i < WIDE / LANES; i++)
        if (lane + i * LANES < columns) put(to, (size_t)(lane + i * LANES), factor * sums[i]);
}

/* Sum and largest over the threads that share a row. */
static __device__ __forceinline__ float lanes_sum(float value) {
    for (int lane = LANES / 2; lane > 0; lane /= 2) value += __shfl_xor_sync(ALL_LANES, value, lane);
    return value;
}
static __device__ __forceinline__ float lanes_most(float value) {
    for (int lane = LANES / 2; lane > 0; lane /= 2)
        value = fmaxf(value, __shfl_xor_sync(ALL_LANES, value, lane));
    return value;
}

/* What a thread of a tile of queries is about: one token's one head. */
struct query_row {
    int row, lane; /* in the tile */
    bool inside;   /* there is such a token and such a head */
    int token;     /* row of the batch */
    int position, head;
};
static __device__ __forceinline__ struct query_row query_row_of(const struct attention_plan *plan,
                                                                const struct attention_tile *tile) {
    struct query_row q;
    int part = (int)blockIdx.y % plan->parts, kv_head = (int)blockIdx.y / plan->parts;
    q.row = (int)threadIdx.x / LANES;
    q.lane = (int)threadIdx.x % LANES;
    int in_group = part * plan->shared + q.row % plan->shared, token = q.row / plan->shared;
    q.inside = token < tile->count && in_group < plan->group;
    q.token = tile->start + token;
    q.position = tile->position + token;
    q.head = kv_head * plan->group + in_group;
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
/* Rows that tiles have for heads of this dimension. */
int attention_tile_rows(int head_dim);
/* Runs the forward kernel. `lse` may be NULL. */
void attention_run(struct cuda *cuda, enum cuda_operation op, const struct attention_plan *plan,
                   enum dtype dtype, const void *q, const void *k, const void *v, void *out, float *lse);

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

/* Tiles of the tensor kernels: rows of bfloat16 in shared memory, zeros behind their columns up to WIDE,
 * which make no difference to products. A warp has 16 rows of the block's tile and all of the other one:
 * scores and sums stay in the registers of the LANES threads that share a row, as fragments (tensor.h).
 *
 * The other side's tiles come by copies that go on while the tile before is computed with, in turn into one
 * and the other of two stages. */
#ifndef ADAPT_TRAIN_CUDA_ATTENTION_TENSOR_H
#define ADAPT_TRAIN_CUDA_ATTENTION_TENSOR_H

#include "train/cuda/attention.h"
#include "train/cuda/tensor.h"

typedef __nv_bfloat16 bf16;

static const float LOG2_E = 1.44269504f, LN_2 = 0.69314718f;

enum {
    WARP_ROWS = 16,
    WARPS = 4,
    THREADS = WARPS * WARP,
    MOST_ROWS = WARPS * WARP_ROWS, /* of a block's tile */
    FEW_ROWS = WARP_ROWS           /* where there are few queries; forward */
};

/* Sizes of tiles for heads of up to WIDE columns. Sums fit the registers; of blocks, three and more fit the
 * shared memory of a multiprocessor of compute capability 8.0 (two and more backward), of the widest one. */
template <int WIDE> struct tensor_sizes {
    enum {
        KEYS = WIDE > 64 ? 32 : 64,    /* of the other side, forward */
        OTHERS = WIDE > 128 ? 16 : 32, /* backward */
        /* Between rows: eight of them have their same columns in different banks. */
        STRIDE = WIDE + 8
    };
};

/* piece(row, column) for each 16 bytes of a tile, by all threads of a block. */
template <int WIDE, int ROWS, typename F> static __device__ __forceinline__ void tile_pieces(F piece) {
    enum { PIECES = WIDE / 8, ROUNDS = ROWS * PIECES / THREADS };
    static_assert(ROUNDS * THREADS == ROWS * PIECES, "threads share a tile evenly");
#pragma unroll 2 /* more take the registers that sums need */
    for (int i = 0; i < ROUNDS; i++) {
        int at = i * THREADS + (int)threadIdx.x;
        piece(at / PIECES, at % PIECES * 8);
    }
}

/* What a thread is about in a kernel over tiles of queries. */
struct warp_rows {
    int first, lane;                   /* of the tile, the warp's first row; in the warp */
    int first_position, last_position; /* of the warp's rows, whether or not they are inside */
    bool inside;                       /* the first one is, if any */
    struct query_row my[2];            /* rows lane / LANES and 8 behind: those of which it has a part */
};
static __device__ __forceinline__ struct warp_rows warp_rows_of(const struct attention_plan *plan,
                                                                const struct attention_tile *tile) {
    struct warp_rows w;
    w.first = (int)threadIdx.x / WARP * WARP_ROWS;
    w.lane = (int)threadIdx.x % WARP;
    w.first_position = query_row_of(plan, tile, w.first).position;
    w.last_position = query_row_of(plan, tile, w.first + WARP_ROWS - 1).position;
    w.inside = w.first_position < tile->position + tile->count;
#pragma unroll
    for (int r = 0; r < 2; r++) w.my[r] = query_row_of(plan, tile, w.first + w.lane / LANES + r * 8);
    return w;
}

/* Begins to copy the rows of a tile of queries; zeros for those that are not inside. */
template <int WIDE, int ROWS>
static __device__ __forceinline__ void copy_queries(const struct attention_plan *plan,
                                                    const struct attention_tile *tile, const bf16 *from,
                                                    bf16 *to) {
    tile_pieces<WIDE, ROWS>([&](int row, int column) {
        const struct query_row query = query_row_of(plan, tile, row);
        const bool there = query.inside && column < plan->head_dim;
        copy_begin(to + row * tensor_sizes<WIDE>::STRIDE + column,
                   from + (there ? query.index * plan->head_dim + column : 0), there);
    });
}

/* Begins to copy keys and values of the positions from `key` on; zeros for those outside of first..end-1. */
template <int WIDE, int KEYS>
static __device__ __forceinline__ void copy_keys(const struct attention_plan *plan,
                                                 const struct attention_tile *tile, int key, int first,
                                                 int end, const bf16 *k, const bf16 *v, bf16 *keys,
                                                 bf16 *values) {
    const size_t kv_head = blockIdx.y / (unsigned)plan->parts;
    tile_pieces<WIDE, KEYS>([&](int row, int column) {
        const int position = key + row, to = row * tensor_sizes<WIDE>::STRIDE + column;
        const bool there = position >= first && position < end && column < plan->head_dim;
        size_t from = 0;
        if (there)
            from = (key_row(plan, tile, position) * plan->kv_heads + kv_head) * plan->head_dim + column;
        copy_begin(keys + to, k + from, there);
        copy_begin(values + to, v + from, there);
    });
}

/* scores[16, N] += a[16, WIDE] b[N, WIDE]^T */
template <int WIDE, int N>
static __device__ __forceinline__ void product_rows(float (&scores)[N / 8][4], const bf16 *a, const bf16 *b) {
    enum { STRIDE = tensor_sizes<WIDE>::STRIDE };
    const int lane = (int)threadIdx.x % WARP;
    /* Matrices of a: rows 0 and 8 on of columns 0 on, then of columns 8 on; of b: columns 0 and 8 on of rows
     * 0 on, then of rows 8 on. */
    a += lane % 16 * STRIDE + lane / 16 * 8;
    b += (lane / 16 * 8 + lane % 8) * STRIDE + lane / 8 % 2 * 8;
#pragma unroll 8 /* all 16 steps of the widest heads would spill registers */
    for (int c = 0; c < WIDE; c += 16) {
        uint32_t left[4], right[4];
        tensor_load(left, a + c);
#pragma unroll
        for (int n = 0; n < N; n += 16) {
            tensor_load(right, b + n * STRIDE + c);
            tensor_multiply(scores[n / 8], left, right);
            tensor_multiply(scores[n / 8 + 1], left, right + 2);
        }
    }
}

/* sums[16, WIDE] += weights[16, N] b[N, WIDE], weights rounded to bfloat16 */
template <int WIDE, int N>
static __device__ __forceinline__ void product_columns(float (&sums)[WIDE / 8][4],
                                                       const float (&weights)[N / 8][4], const bf16 *b) {
    enum { STRIDE = tensor_sizes<WIDE>::STRIDE };
    const int lane = (int)threadIdx.x % WARP;
    b += lane % 16 * STRIDE + lane / 16 * 8;
#pragma unroll
    for (int n = 0; n < N; n += 16) {
        const float *first = weights[n / 8], *second = weights[n / 8 + 1];
        const uint32_t left[4] = {pack(first[0], first[1]), pack(first[2], first[3]),
                                  pack(second[0], second[1]), pack(second[2], second[3])};
#pragma unroll
        for (int c = 0; c < WIDE; c += 16) {
            uint32_t right[4];
            tensor_load_transposed(right, b + n * STRIDE + c);
            tensor_multiply(sums[c / 8], left, right);
            tensor_multiply(sums[c / 8 + 1], left, right + 2);
        }
    }
}

template <int N> static __device__ __forceinline__ void clear(float (&sums)[N][4]) {
#pragma unroll
    for (int i = 0; i < N; i++)
#pragma unroll
        for (int e = 0; e < 4; e++) sums[i][e] = 0.0f;
}

/* The column of a fragment's element e of the i-th eight columns; its row is lane / 4 + e / 2 * 8. */
static __device__ __forceinline__ int fragment_column(int lane, int i, int e) {
    return i * 8 + lane % 4 * 2 + e % 2;
}

/* Takes their weight from scores of pairs that do not see each other: those of which seen(which of the
 * thread's two rows, column) is false. */
template <int N, typename F>
static __device__ __forceinline__ void hide_unseen(float (&scores)[N][4], F seen) {
    const int lane = (int)threadIdx.x % WARP;
#pragma unroll
    for (int i = 0; i < N; i++)
#pragma unroll
        for (int e = 0; e < 4; e++)
            scores[i][e] = seen(e / 2, fragment_column(lane, i, e)) ? scores[i][e] : -INFINITY;
}

/* Half of a fragment: columns of one row, times a factor. */
template <int WIDE>
static __device__ __forceinline__ void store_row(bf16 *to, const float (&sums)[WIDE / 8][4], int which,
                                                 float factor, int columns) {
    const int lane = (int)threadIdx.x % WARP;
#pragma unroll
    for (int i = 0; i < WIDE / 8; i++)
        if (i * 8 < columns)
            put_pair(to + fragment_column(lane, i, 0), factor * sums[i][which * 2],
                     factor * sums[i][which * 2 + 1]);
}

#endif

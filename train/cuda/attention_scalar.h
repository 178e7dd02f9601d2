/* Tiles of the scalar kernels: rows of float in shared memory, of which each of LANES threads has every
 * LANES-th key in scores, and every LANES-th column in outputs. */
#ifndef ADAPT_TRAIN_CUDA_ATTENTION_SCALAR_H
#define ADAPT_TRAIN_CUDA_ATTENTION_SCALAR_H

#include "train/cuda/attention.h"

enum { MOST_ROWS = 64, FEW_ROWS = 16 };

/* Sizes of tiles for heads of up to WIDE columns. */
template <int WIDE> struct tile_sizes {
    enum {
        ROWS = WIDE > 128 ? MOST_ROWS / 2 : MOST_ROWS,
        KEYS = WIDE > 128 ? 16 : 32, /* of the other side, forward */
        OTHERS = WIDE > 128  ? 8
                 : WIDE > 64 ? 16
                             : 32, /* backward */
        THREADS = ROWS * LANES
    };
};

/* Rows are `tile_stride` apart so that neighbours are in different banks. */
static __device__ __host__ constexpr __forceinline__ int tile_stride(int columns) {
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

#endif

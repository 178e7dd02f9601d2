/* What kernels share: numbers of either dtype as float, sums over warps and blocks in a fixed order, telling
 * trouble. */
#ifndef ADAPT_TRAIN_CUDA_KERNELS_H
#define ADAPT_TRAIN_CUDA_KERNELS_H

#include "train/cuda/device.h"

enum { WARP = 32 };
static const unsigned ALL_LANES = 0xffffffffu;

static __device__ __forceinline__ float get(const float *x, size_t i) {
    return x[i];
}
static __device__ __forceinline__ float get(const __nv_bfloat16 *x, size_t i) {
    return __bfloat162float(x[i]);
}
static __device__ __forceinline__ void put(float *x, size_t i, float value) {
    x[i] = value;
}
static __device__ __forceinline__ void put(__nv_bfloat16 *x, size_t i, float value) {
    x[i] = __float2bfloat16_rn(value);
}

/* A thread's first element of a loop over all blocks, and its stride. */
static __device__ __forceinline__ size_t first_element(void) {
    return (size_t)blockIdx.x * blockDim.x + threadIdx.x;
}
static __device__ __forceinline__ size_t element_stride(void) {
    return (size_t)gridDim.x * blockDim.x;
}

template <typename T> static __device__ __forceinline__ T warp_sum(T value) {
    for (int lane = WARP / 2; lane > 0; lane /= 2) value += __shfl_xor_sync(ALL_LANES, value, lane);
    return value;
}

/* The sum over the threads of a block that have threadIdx.y in common; blockDim.x is a power of two of at
 * least 32 that divides the block, room[blockDim.y * blockDim.x / 32]. Every thread gets it; all of the
 * block's threads take part. */
template <typename T> static __device__ __forceinline__ T row_sum(T value, T *room) {
    value = warp_sum(value);
    if (blockDim.x == WARP) return value;
    unsigned warps = blockDim.x / WARP;
    T *mine = room + threadIdx.y * warps;
    __syncthreads(); /* whoever reads the last sum is through */
    if (threadIdx.x % WARP == 0) mine[threadIdx.x / WARP] = value;
    __syncthreads();
    T sum = mine[0];
    for (unsigned w = 1; w < warps; w++) sum += mine[w];
    return sum;
}

/* Whether an index is in 0..bound-1; else the first trouble of the first operation that has one is kept. */
static __device__ __forceinline__ bool in_bounds(struct trouble *trouble, enum cuda_operation op, size_t at,
                                                 int value, size_t bound) {
    if (value >= 0 && (size_t)value < bound) return true;
    int told = atomicCAS(&trouble->operation, -1, op);
    if (told == -1 || told == op) {
        atomicMin(&trouble->first, (unsigned long long)at << 32 | (unsigned)value);
        trouble->bound = (long long)bound;
    }
    return false;
}

#endif

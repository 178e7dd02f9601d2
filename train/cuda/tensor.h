/* Instructions of tensor cores, and copies to shared memory that go on beside them; a warp runs each of the
 * former together. Registers hold parts of matrices ("fragments") as the PTX ISA documents for mma.m16n8k16:
 * with g = lane / 4 and t = lane % 4,
 *
 *     a[0], a[1]   A[g, 2t], A[g, 2t+1] and A[g+8, 2t], A[g+8, 2t+1]; a[2], a[3] the same of columns 8 on
 *     b[0], b[1]   B[2t, g], B[2t+1, g] and B[2t+8, g], B[2t+9, g]
 *     d[0]..d[3]   D[g, 2t], D[g, 2t+1], D[g+8, 2t], D[g+8, 2t+1]
 *
 * each pair in one register, the first in its lower half. So the D of two products that lie beside each other
 * are the A of another one, once they are rounded and packed. */
#ifndef ADAPT_TRAIN_CUDA_TENSOR_H
#define ADAPT_TRAIN_CUDA_TENSOR_H

#include <cuda_bf16.h>
#include <cuda_runtime.h>
#include <stdint.h>

#ifdef ADAPT_EMULATION

/* d[16, 8] += A[16, 16] B[16, 8] */
static inline void tensor_multiply(float d[4], const uint32_t a[4], const uint32_t b[2]) {
    emulation_mma(__FILE__, __LINE__, d, a, b);
}
/* Four matrices of 8 x 8: lanes 0..7 name the rows (16 bytes of shared memory, aligned to that) of the first,
 * 8..15 of the second, and so on; to[i] is the lane's pair [g, 2t..] of the i-th. */
static inline void tensor_load(uint32_t to[4], const __nv_bfloat16 *row) {
    emulation_ldmatrix(__FILE__, __LINE__, to, row, false);
}
/* The same of transposed matrices: to[i] is the pair [2t.., g]. */
static inline void tensor_load_transposed(uint32_t to[4], const __nv_bfloat16 *row) {
    emulation_ldmatrix(__FILE__, __LINE__, to, row, true);
}
/* Begins to copy 16 aligned bytes to shared memory, or as many zeros where `there` is false; `from` is not
 * read then. */
static inline void copy_begin(void *shared, const void *from, bool there) {
    emulation_copy(shared, from, 16, there);
}
/* The same of 4 bytes. */
static inline void copy_begin_word(void *shared, const void *from, bool there) {
    emulation_copy(shared, from, 4, there);
}
/* Waits for all copies that this thread began. Others see them after the next barrier. */
static inline void copy_wait(void) {
    emulation_copy_wait();
}
/* Two numbers rounded to bfloat16, the first in the lower half. */
static inline uint32_t pack(float first, float second) {
    return (uint32_t)__float2bfloat16_rn(second).bits << 16 | __float2bfloat16_rn(first).bits;
}
/* Writes them to aligned memory. */
static inline void put_pair(__nv_bfloat16 *to, float first, float second) {
    uint32_t pair = pack(first, second);
    if ((uintptr_t)to % sizeof pair) emulation_misaligned(__FILE__, __LINE__, to);
    memcpy((void *)to, &pair, sizeof pair);
}
/* 2^x to two units in the last place. */
static inline float exponential(float x) {
    return exp2f(x);
}

#else

/* Volatile as what a warp does together must stay where all of its threads are together. */
static __device__ __forceinline__ void tensor_multiply(float d[4], const uint32_t a[4], const uint32_t b[2]) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

static __device__ __forceinline__ uint32_t shared_address(const void *shared) {
    return (uint32_t)__cvta_generic_to_shared(shared);
}

static __device__ __forceinline__ void tensor_load(uint32_t to[4], const __nv_bfloat16 *row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(shared_address(row))
                 : "memory");
}

static __device__ __forceinline__ void tensor_load_transposed(uint32_t to[4], const __nv_bfloat16 *row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(shared_address(row))
                 : "memory");
}

static __device__ __forceinline__ void copy_begin(void *shared, const void *from, bool there) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)),
                 "l"(__cvta_generic_to_global(from)), "r"(there ? 16 : 0)
                 : "memory");
}

static __device__ __forceinline__ void copy_begin_word(void *shared, const void *from, bool there) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(shared_address(shared)),
                 "l"(__cvta_generic_to_global(from)), "r"(there ? 4 : 0)
                 : "memory");
}

static __device__ __forceinline__ void copy_wait(void) {
    asm volatile("cp.async.wait_all;" ::: "memory");
}

static __device__ __forceinline__ uint32_t pack(float first, float second) {
    uint32_t pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
    return pair;
}

static __device__ __forceinline__ void put_pair(__nv_bfloat16 *to, float first, float second) {
    *(uint32_t *)(void *)to = pack(first, second);
}

static __device__ __forceinline__ float exponential(float x) {
    float result;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
    return result;
}

#endif
#endif

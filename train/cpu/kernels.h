/* What the inner loops of the cpu backend share.
 *
 * A kernel is a static function without OpenMP in it, compiled for several instruction sets and chosen when
 * the program is loaded; the operations around them deal rows or chunks to threads. (An OpenMP region is
 * moved into a function of its own by the compiler, which would not be cloned with the one around it.)
 *
 * Numbers below FLT_MIN cost some processors a hundred cycles each. Kernels whose results decay (moments,
 * softmax tails) write 0 instead, so no thread needs to be switched to flush-to-zero and callers keep their
 * floating-point mode. */
#ifndef ADAPT_TRAIN_CPU_KERNELS_H
#define ADAPT_TRAIN_CPU_KERNELS_H

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The loader resolves clones before a sanitizer's run-time has started, so those builds get the plain
 * version. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) &&     \
    !defined(__SANITIZE_THREAD__)
#define CPU_KERNEL __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CPU_KERNEL
#endif
#define CPU_INLINE static inline __attribute__((always_inline))

/* sum of x[i] y[i], in double. */
double cpu_dot(size_t n, const float *x, const float *y);

/* e^x within 2 units in the last place for x <= 88; 0 below log(FLT_MIN). Without branches, so that loops
 * over it become vector code: x = n log 2 + r with |r| <= log(2)/2, e^r by the polynomial of Cephes' expf
 * (Moshier 1992). NaN stays NaN. */
CPU_INLINE float cpu_exp(float x) {
    const float round = 12582912.0f; /* 1.5 * 2^23: adding it leaves the nearest integer in the low bits */
    float shifted = x * 1.44269504088896341f + round;
    float n = shifted - round;
    float r = x - n * 0.693359375f - n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << 23) + 0x3f800000u;
    float power;
    memcpy(&power, &bits, sizeof power);
    return x < -87.3365447505531f ? 0.0f : p * power;
}

/* 1 / (1 + e^-x), from e^-|x| so that nothing overflows. */
CPU_INLINE float cpu_sigmoid(float x) {
    float e = cpu_exp(-fabsf(x));
    return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

enum { CPU_LANES = 16 };

/* A vector of CPU_LANES floats at any address: one register of AVX-512, two of AVX, four of SSE. */
typedef float cpu_vec __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t cpu_mask __attribute__((vector_size(64), aligned(4), may_alias));

/* Keeps the larger of each lane and of x[lane]. The compiler does not make a vector of `x > y ? x : y` by
 * itself, lest a NaN or -0 be treated differently; here NaN are not kept. */
CPU_INLINE void cpu_keep_larger(cpu_vec *lanes, const float *x) {
    cpu_vec here = *(const cpu_vec *)x, old = *lanes;
    cpu_mask take = here > old;
    *lanes = (cpu_vec)(((cpu_mask)here & take) | ((cpu_mask)old & ~take));
}

/* The largest lane, and the sum of lanes: by halves, because a chain of sixteen operations waits for each. */
CPU_INLINE float cpu_largest_lane(const cpu_vec *lanes) {
    float x[CPU_LANES];
    memcpy(x, lanes, sizeof x);
#pragma GCC unroll 4
    for (int half = CPU_LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++) x[l] = x[l + half] > x[l] ? x[l + half] : x[l];
    return x[0];
}
CPU_INLINE float cpu_sum_lanes(const cpu_vec *lanes) {
    float x[CPU_LANES];
    memcpy(x, lanes, sizeof x);
#pragma GCC unroll 4
    for (int half = CPU_LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++) x[l] += x[l + half];
    return x[0];
}

/* x, or 0 where |x| is below the smallest normal number. */
CPU_INLINE float cpu_flush(float x) {
    return fabsf(x) < FLT_MIN ? 0.0f : x;
}

#endif

#include "train/cpu/tile.h"

#include "train/cpu/kernels.h"
#include <stdbool.h>

enum {
    WIDTH = CPU_LANES,
    HEIGHT = 6, /* of the piece of C that stays in registers; 6 x 2 of the 16 that AVX has */
    LINE = 16   /* floats of a cache line */
};

/* HEIGHT or fewer rows of one column of vectors. `rows` and `far` are constants wherever this is inlined. */
CPU_INLINE void multiply_piece(const int rows, const bool far, int k, const float *a, ptrdiff_t row,
                               ptrdiff_t column, const float *b, ptrdiff_t ldb, int accumulate, float *c,
                               ptrdiff_t ldc) {
    cpu_vec sum[HEIGHT];
#pragma GCC unroll 6
    for (int i = 0; i < rows; i++) sum[i] = accumulate ? *(const cpu_vec *)(c + i * ldc) : (cpu_vec){0};
    for (int l = 0; l < k;) {
        int end = far && k - l > LINE ? l + LINE : k;
        if (far)
#pragma GCC unroll 6
            for (int i = 0; i < rows; i++) __builtin_prefetch(a + (i + HEIGHT) * row + l, 0, 2);
        for (; l < end; l++) {
            cpu_vec in = *(const cpu_vec *)(b + l * ldb);
#pragma GCC unroll 6
            for (int i = 0; i < rows; i++) sum[i] += a[i * row + l * column] * in;
        }
    }
#pragma GCC unroll 6
    for (int i = 0; i < rows; i++) *(cpu_vec *)(c + i * ldc) = sum[i];
}

/* The columns behind the last whole vector. */
CPU_INLINE void multiply_rest(int m, int n, int k, const float *a, ptrdiff_t row, ptrdiff_t column,
                              const float *b, ptrdiff_t ldb, int accumulate, float *c, ptrdiff_t ldc) {
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            float sum = accumulate ? c[i * ldc + j] : 0.0f;
            for (int l = 0; l < k; l++) sum += a[i * row + l * column] * b[l * ldb + j];
            c[i * ldc + j] = sum;
        }
}

CPU_INLINE void multiply(int m, int n, int k, const bool far, const float *a, ptrdiff_t row, ptrdiff_t column,
                         const float *b, ptrdiff_t ldb, int accumulate, float *c, ptrdiff_t ldc) {
    int j = 0;
    for (; j + WIDTH <= n; j += WIDTH) {
        int i = 0;
        for (; i + HEIGHT <= m; i += HEIGHT)
            multiply_piece(HEIGHT, far, k, a + i * row, row, column, b + j, ldb, accumulate, c + i * ldc + j,
                           ldc);
        const float *left = a + i * row;
        float *out = c + i * ldc + j;
        switch (m - i) {
        case 5: multiply_piece(5, false, k, left, row, column, b + j, ldb, accumulate, out, ldc); break;
        case 4: multiply_piece(4, false, k, left, row, column, b + j, ldb, accumulate, out, ldc); break;
        case 3: multiply_piece(3, false, k, left, row, column, b + j, ldb, accumulate, out, ldc); break;
        case 2: multiply_piece(2, false, k, left, row, column, b + j, ldb, accumulate, out, ldc); break;
        case 1: multiply_piece(1, false, k, left, row, column, b + j, ldb, accumulate, out, ldc); break;
        default: break;
        }
    }
    if (j < n) multiply_rest(m, n - j, k, a, row, column, b + j, ldb, accumulate, c + j, ldc);
}

CPU_KERNEL void tile_multiply(int m, int n, int k, const float *a, ptrdiff_t row, ptrdiff_t column,
                              const float *b, ptrdiff_t ldb, int accumulate, float *c, ptrdiff_t ldc) {
    multiply(m, n, k, false, a, row, column, b, ldb, accumulate, c, ldc);
}

CPU_KERNEL void tile_multiply_far(int m, int n, int k, const float *a, ptrdiff_t lda, const float *b,
                                  ptrdiff_t ldb, float *c, ptrdiff_t ldc) {
    multiply(m, n, k, true, a, lda, 1, b, ldb, 0, c, ldc);
}

typedef float quad __attribute__((vector_size(16), aligned(4), may_alias));

/* Four rows and columns at a time: rows of 4 become columns by two rounds of interleaving. */
static CPU_KERNEL void kernel_transpose(int m, int k, const float *from, ptrdiff_t stride, int width,
                                        float *to) {
    for (int i = 0; i < m; i += 4)
        for (int l = 0; l < k; l += 4) {
            const float *in = from + i * stride + l;
            quad a = *(const quad *)in, b = *(const quad *)(in + stride),
                 c = *(const quad *)(in + 2 * stride);
            quad d = *(const quad *)(in + 3 * stride);
            quad ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5),
                 ab1 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
            quad cd0 = __builtin_shufflevector(c, d, 0, 4, 1, 5),
                 cd1 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
            float *out = to + l * width + i;
            *(quad *)out = __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5);
            *(quad *)(out + width) = __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7);
            *(quad *)(out + 2 * width) = __builtin_shufflevector(ab1, cd1, 0, 1, 4, 5);
            *(quad *)(out + 3 * width) = __builtin_shufflevector(ab1, cd1, 2, 3, 6, 7);
        }
}

void tile_transpose(int m, int k, const float *from, ptrdiff_t stride, int width, float *to) {
    int whole_m = m / 4 * 4, whole_k = k / 4 * 4;
    kernel_transpose(whole_m, whole_k, from, stride, width, to);
    for (int l = 0; l < k; l++) {
        for (int i = l < whole_k ? whole_m : 0; i < m; i++) to[l * width + i] = from[i * stride + l];
        for (int i = m; i < width; i++) to[l * width + i] = 0.0f;
    }
}

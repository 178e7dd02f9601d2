#include "train/cpu/tile.h"

#include "train/cpu/kernels.h"

CPU_KERNEL void tile_multiply(int m, int n, int k, const float *a, ptrdiff_t row, ptrdiff_t column,
                              const float *b, ptrdiff_t ldb, int accumulate, float *c, ptrdiff_t ldc) {
    for (int i = 0; i < m; i++) {
        float *restrict out = c + i * ldc;
        if (!accumulate)
            for (int j = 0; j < n; j++) out[j] = 0.0f;
        for (int l = 0; l < k; l++) {
            const float *restrict in = b + l * ldb;
            const float x = a[i * row + l * column];
            for (int j = 0; j < n; j++) out[j] += x * in[j];
        }
    }
}

void tile_transpose(int m, int k, const float *from, ptrdiff_t stride, int width, float *to) {
    for (int l = 0; l < k; l++) {
        for (int i = 0; i < m; i++) to[l * width + i] = from[i * stride + l];
        for (int i = m; i < width; i++) to[l * width + i] = 0.0f;
    }
}

#include "train/cpu/few.h"

#include "train/cpu/kernels.h"
#include "train/cpu/tile.h"
#include <omp.h>

enum {
    LANES = CPU_LANES,
    BLOCK = FEW_BLOCK,
    SMALL = 1 << 17 /* multiplications up to which one thread does them all */
};

int few_strips(int rows) {
    return (rows + LANES - 1) / LANES;
}

size_t few_bytes(int rows, int width) {
    return sizeof(float) * (size_t)few_strips(rows) * LANES * (size_t)width;
}

static float *strip_at(const struct few *few, int strip) {
    return few->columns + (size_t)strip * LANES * (size_t)few->width;
}

static int strip_rows(const struct few *few, int strip) {
    int left = few->rows - strip * LANES;
    return left < LANES ? left : LANES;
}

void few_load(const struct few *few, int strip, const float *x, ptrdiff_t ldx) {
    tile_transpose(strip_rows(few, strip), few->width, x + strip * LANES * ldx, ldx, LANES,
                   strip_at(few, strip));
}

void few_multiply(const struct few *few, int count, const float *w, ptrdiff_t ldw, float *y) {
    float products[BLOCK * LANES], turned[LANES * BLOCK];
    for (int strip = 0; strip < few_strips(few->rows); strip++) {
        tile_multiply_far(count, LANES, few->width, w, ldw, strip_at(few, strip), LANES, products, LANES);
        tile_transpose(count, LANES, products, LANES, BLOCK, turned);
        memcpy(y + strip * LANES * BLOCK, turned, sizeof(float) * BLOCK * (size_t)strip_rows(few, strip));
    }
}

static CPU_KERNEL void kernel_blend(int n, float alpha, const float *restrict x, float beta,
                                    float *restrict y) {
    if (beta == 0.0f)
        for (int i = 0; i < n; i++) y[i] = alpha * x[i];
    else
        for (int i = 0; i < n; i++) y[i] = alpha * x[i] + beta * y[i];
}

size_t few_room(int rows, int width) {
    return rows <= FEW_ROWS ? few_bytes(rows, width) : 0;
}

int few_linear(struct gemm *gemm, int threads, int m, int n, int k, float alpha, const float *a, int lda,
               const float *b, int ldb, float beta, float *c, int ldc, void *room) {
    if (m > FEW_ROWS) return gemm_multiply(gemm, false, true, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    struct few few = {m, k, room};
    int blocks = (n + BLOCK - 1) / BLOCK;
    if ((double)m * n * k <= SMALL) threads = 1;
#pragma omp parallel num_threads(threads)
    {
        float products[FEW_ROWS * BLOCK];
#pragma omp for schedule(static)
        for (int strip = 0; strip < few_strips(m); strip++) few_load(&few, strip, a, lda);
#pragma omp for schedule(static)
        for (int block = 0; block < blocks; block++) {
            int first = block * BLOCK, count = n - first < BLOCK ? n - first : BLOCK;
            few_multiply(&few, count, b + (ptrdiff_t)first * ldb, ldb, products);
            for (int i = 0; i < m; i++)
                kernel_blend(count, alpha, products + i * BLOCK, beta, c + (ptrdiff_t)i * ldc + first);
        }
    }
    return 0;
}

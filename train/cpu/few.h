/* The product of a few rows with a large matrix, as linear layers have it: y[m,n] = x[m,k] w[n,k]^T with m of
 * one to a few vectors' lanes. A GEMM library rearranges the large matrix first, which takes longer than the
 * product; here the rows of w are read once, as they lie, and those of x are rearranged so that a vector
 * holds the same column of CPU_LANES rows.
 *
 * A sum runs over k from the first to the last, whatever the other rows and the number of threads are. */
#ifndef ADAPT_TRAIN_CPU_FEW_H
#define ADAPT_TRAIN_CPU_FEW_H

#include "train/cpu/gemm.h"
#include <stddef.h>

enum {
    FEW_ROWS = 128, /* about twice as many are as fast in the library */
    FEW_BLOCK = 48  /* rows of w that are taken together */
};

/* A few rows, rearranged. */
struct few {
    int rows, width; /* m, k */
    float *columns;  /* strips of CPU_LANES rows: [strips, k, CPU_LANES], 0 where there is no row */
};

/* Bytes of few->columns. */
size_t few_bytes(int rows, int width);
int few_strips(int rows);
/* Rearranges the rows of x [m,k], ldx apart, that belong to a strip. */
void few_load(const struct few *few, int strip, const float *x, ptrdiff_t ldx);
/* y[r * FEW_BLOCK + i] = the product of row r of x with row i of w, for `count` rows of w, at most FEW_BLOCK,
 * ldw apart. On the calling thread. */
void few_multiply(const struct few *few, int count, const float *w, ptrdiff_t ldw, float *y);

/* C[m,n] = alpha A[m,k] B[n,k]^T + beta C: by few_multiply up to FEW_ROWS rows, else by the library, whose
 * status is returned. With beta 0 the old C is not read. `room` has few_room(m, k) bytes, aligned to 64. m,
 * n, k > 0. */
int few_linear(struct gemm *gemm, int threads, int m, int n, int k, float alpha, const float *a, int lda,
               const float *b, int ldb, float beta, float *c, int ldc, void *room);
size_t few_room(int rows, int width);

#endif

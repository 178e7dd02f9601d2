/* The matrix product of the library that this build uses: oneDNN or a CBLAS. */
#ifndef ADAPT_TRAIN_CPU_GEMM_H
#define ADAPT_TRAIN_CPU_GEMM_H

#include "base/error.h"
#include <stdbool.h>

/* What the library keeps between products. */
struct gemm;

/* Products on `threads` threads. */
int gemm_create(int threads, struct gemm **out, struct error *err);
void gemm_destroy(struct gemm **gemm); /* *gemm may be NULL */

/* C[m,n] = alpha op(A) op(B) + beta C, row-major; m, n, k > 0. With beta 0 the old C is not read. Leading
 * dimensions are those of the stored rows. 0, or the library's status. Not from two threads at once. */
int gemm_multiply(struct gemm *gemm, bool transpose_a, bool transpose_b, int m, int n, int k, float alpha,
                  const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc);

/* The same on the calling thread alone, for callers inside an OpenMP region; several may be under way at
 * once. */
int gemm_multiply_here(struct gemm *gemm, bool transpose_a, bool transpose_b, int m, int n, int k,
                       float alpha, const float *a, int lda, const float *b, int ldb, float beta, float *c,
                       int ldc);

#endif

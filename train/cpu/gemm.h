/* The matrix product of the library that this build uses: oneDNN or a CBLAS. */
#ifndef ADAPT_TRAIN_CPU_GEMM_H
#define ADAPT_TRAIN_CPU_GEMM_H

#include <stdbool.h>

/* C[m,n] = alpha op(A) op(B) + beta C, row-major, on `threads` threads; m, n, k > 0. With beta 0 the old C is
 * not read. Leading dimensions are those of the stored rows. 0, or the library's status. */
int gemm(int threads, bool transpose_a, bool transpose_b, int m, int n, int k, float alpha, const float *a,
         int lda, const float *b, int ldb, float beta, float *c, int ldc);

#endif

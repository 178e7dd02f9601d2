#include "train/cpu/gemm.h"

#include <omp.h>

#if ADAPT_GEMM_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#else
#include <cblas.h>
/* OpenBLAS built on plain threads does not ask OpenMP how many to use. */
extern void openblas_set_num_threads(int threads) __attribute__((weak));
#endif

int gemm(int threads, bool transpose_a, bool transpose_b, int m, int n, int k, float alpha, const float *a,
         int lda, const float *b, int ldb, float beta, float *c, int ldc) {
    int before = omp_get_max_threads(), status = 0;
    if (threads != before) omp_set_num_threads(threads);
#if ADAPT_GEMM_ONEDNN
    status = dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, alpha, a, lda, b, ldb,
                        beta, c, ldc);
#else
    if (openblas_set_num_threads) openblas_set_num_threads(threads);
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                transpose_b ? CblasTrans : CblasNoTrans, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
#endif
    if (threads != before) omp_set_num_threads(before);
    return status;
}

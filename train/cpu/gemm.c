#include "train/cpu/gemm.h"

#include "base/memory.h"
#include <omp.h>

#if ADAPT_GEMM_ONEDNN
#include "train/cpu/linear_products.h"
#include <oneapi/dnnl/dnnl.h>
#else
#include <cblas.h>
/* OpenBLAS built on plain threads does not ask OpenMP how many to use. */
extern void openblas_set_num_threads(int threads) __attribute__((weak));
#endif

struct gemm {
    int threads;
#if ADAPT_GEMM_ONEDNN
    struct linear_products *products;
#endif
};

int gemm_create(int threads, struct gemm **out, struct error *err) {
    struct gemm *gemm;
    TRY(memory_alloc(&gemm, 1, sizeof *gemm, err));
    gemm->threads = threads;
    int code = 0;
#if ADAPT_GEMM_ONEDNN
    code = linear_products_create(&gemm->products, err);
#endif
    *out = gemm;
    if (code) gemm_destroy(out);
    return code;
}

void gemm_destroy(struct gemm **gemm) {
    if (!*gemm) return;
#if ADAPT_GEMM_ONEDNN
    linear_products_destroy(&(*gemm)->products);
#endif
    memory_free(*gemm);
    *gemm = NULL;
}

#if ADAPT_GEMM_ONEDNN
static int sgemm(bool transpose_a, bool transpose_b, int m, int n, int k, float alpha, const float *a,
                 int lda, const float *b, int ldb, float beta, float *c, int ldc) {
    return dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, alpha, a, lda, b, ldb, beta,
                      c, ldc);
}

/* dnnl_sgemm copies all of a transposed B at every call; matmul does not, and is the faster one wherever such
 * copies count (bench_operations). In other products dnnl_sgemm is as fast or faster, and needs nothing made
 * for the shape. */
static bool favours_matmul(bool transpose_a, bool transpose_b, int m, int n, int k, float alpha) {
    enum { MANY_ROWS = 1024 };
    return !transpose_a && transpose_b && alpha == 1.0f && (m < MANY_ROWS || n <= k);
}

static int multiply(struct gemm *gemm, bool transpose_a, bool transpose_b, int m, int n, int k, float alpha,
                    const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc) {
    if (favours_matmul(transpose_a, transpose_b, m, n, k, alpha)) {
        struct linear_shape shape = {m, n, k, lda, ldb, ldc, beta};
        return linear_products_multiply(gemm->products, &shape, a, b, c);
    }
    return sgemm(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

int gemm_multiply_here(struct gemm *gemm, bool transpose_a, bool transpose_b, int m, int n, int k,
                       float alpha, const float *a, int lda, const float *b, int ldb, float beta, float *c,
                       int ldc) {
    (void)gemm;
    omp_set_num_threads(
        1); /* of regions begun by this one's thread: a region of one does not count as one with oneDNN */
    return sgemm(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
#else
static int sgemm(int threads, bool transpose_a, bool transpose_b, int m, int n, int k, float alpha,
                 const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc) {
    if (openblas_set_num_threads) openblas_set_num_threads(threads);
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                transpose_b ? CblasTrans : CblasNoTrans, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    return 0;
}

static int multiply(struct gemm *gemm, bool transpose_a, bool transpose_b, int m, int n, int k, float alpha,
                    const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc) {
    return sgemm(gemm->threads, transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

int gemm_multiply_here(struct gemm *gemm, bool transpose_a, bool transpose_b, int m, int n, int k,
                       float alpha, const float *a, int lda, const float *b, int ldb, float beta, float *c,
                       int ldc) {
    (void)gemm;
    return sgemm(1, transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
#endif

int gemm_multiply(struct gemm *gemm, bool transpose_a, bool transpose_b, int m, int n, int k, float alpha,
                  const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc) {
    int before = omp_get_max_threads();
    if (gemm->threads != before) omp_set_num_threads(gemm->threads);
    int status = multiply(gemm, transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    if (gemm->threads != before) omp_set_num_threads(before);
    return status;
}

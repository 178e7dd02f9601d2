/* Matrix products by cuBLASLt. Our matrices are row-major, the library's column-major: C^T = op(B)^T op(A)^T.
 *
 * Which algorithm is good is asked once for sizes that are alike: rows change from batch to batch, and asking
 * takes the host longer than a product takes the device. Products of few rows all use the algorithm of FEW
 * rows, and none that sums in parts: a row's bits do not depend on how many there are beside it. */
#include "train/cuda/cublaslt.h"
#include "train/cuda/kernels.h"

extern "C" {
#include "base/memory.h"
}
#include <string.h>

enum { FEW = 128, SLOTS = 1024, TRIES = 16, MOST_ALIGNMENT = 16 };

struct shape {
    int m, n, k; /* rounded up to what stands for them */
    int transposes;
    int dtype, dtype_c;
    int alignment[3]; /* of A, B, C, in bytes */
};

struct plan {
    bool made;
    struct shape shape;
    cublasLtMatmulDesc_t description;
    cublasLtMatmulAlgo_t algorithm;
};

struct matmul_cache {
    struct plan plans[SLOTS]; /* by the shape's hash */
};

static int stand_in(int size) {
    int step = size <= 1024 ? FEW : 512;
    return (size + step - 1) / step * step;
}

static int alignment_of(const void *at, int stride, enum dtype dtype) {
    int alignment = MOST_ALIGNMENT;
    size_t row = (size_t)stride * dtype_bytes(dtype);
    while ((uintptr_t)at % (size_t)alignment || row % (size_t)alignment) alignment /= 2;
    return alignment;
}

static cudaDataType_t type_of(int dtype) {
    return dtype == DTYPE_BF16 ? CUDA_R_16BF : CUDA_R_32F;
}

static bool good(struct cuda *cuda, enum cuda_operation op, const char *what, const struct cuda_product *p,
                 cublasStatus_t status) {
    if (status == CUBLAS_STATUS_SUCCESS) return true;
    cuda_fail(cuda, status == CUBLAS_STATUS_ALLOC_FAILED ? ERROR_MEMORY : ERROR_DEVICE, op,
              "%s: status %d for %d x %d x %d on CUDA device %d", what, (int)status, p->m, p->n, p->k,
              cuda->device);
    return false;
}

/* The three layouts of a product of these sizes, as the library sees them: the stored rows are its columns.
 */
struct layouts {
    cublasLtMatrixLayout_t a, b, c;
};

static void destroy_layouts(struct cublaslt *l, struct layouts *layouts) {
    if (layouts->a) l->cublasLtMatrixLayoutDestroy(layouts->a);
    if (layouts->b) l->cublasLtMatrixLayoutDestroy(layouts->b);
    if (layouts->c) l->cublasLtMatrixLayoutDestroy(layouts->c);
}

static bool make_layouts(struct cuda *cuda, enum cuda_operation op, const struct cuda_product *p, int m,
                         int n, int k, bool widen, struct layouts *out) {
    struct cublaslt *l = cuda->library;
    int columns_a = p->transpose_a ? m : k, rows_a = p->transpose_a ? k : m;
    int columns_b = p->transpose_b ? k : n, rows_b = p->transpose_b ? n : k;
    int lda = widen && p->lda < columns_a ? columns_a : p->lda,
        ldb = widen && p->ldb < columns_b ? columns_b : p->ldb;
    int ldc = widen && p->ldc < n ? n : p->ldc;
    memset(out, 0, sizeof *out);
    return good(cuda, op, "cublasLtMatrixLayoutCreate", p,
                l->cublasLtMatrixLayoutCreate(&out->a, type_of(p->dtype), (uint64_t)columns_a,
                                              (uint64_t)rows_a, lda)) &&
           good(cuda, op, "cublasLtMatrixLayoutCreate", p,
                l->cublasLtMatrixLayoutCreate(&out->b, type_of(p->dtype), (uint64_t)columns_b,
                                              (uint64_t)rows_b, ldb)) &&
           good(cuda, op, "cublasLtMatrixLayoutCreate", p,
                l->cublasLtMatrixLayoutCreate(&out->c, type_of(p->dtype_c), (uint64_t)n, (uint64_t)m, ldc));
}

static cublasStatus_t set_preference(struct cublaslt *l, const struct shape *shape,
                                     cublasLtMatmulPreference_t preference) {
    const size_t workspace = CUDA_WORKSPACE;
    /* Parts of a sum, where there are parts, are kept in float32: the library would round them to bfloat16.
     */
    const uint32_t reduction =
        shape->m <= FEW ? CUBLASLT_REDUCTION_SCHEME_NONE : CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
    /* The library's A is our B. */
    const uint32_t alignment[] = {(uint32_t)shape->alignment[1], (uint32_t)shape->alignment[0],
                                  (uint32_t)shape->alignment[2], (uint32_t)shape->alignment[2]};
    const cublasLtMatmulPreferenceAttributes_t names[] = {
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES};
    cublasStatus_t status = l->cublasLtMatmulPreferenceSetAttribute(
        preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace, sizeof workspace);
    if (!status && (shape->m <= FEW || shape->dtype_c == DTYPE_BF16))
        status = l->cublasLtMatmulPreferenceSetAttribute(
            preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &reduction, sizeof reduction);
    for (int i = 0; i < 4 && !status; i++)
        status =
            l->cublasLtMatmulPreferenceSetAttribute(preference, names[i], &alignment[i], sizeof alignment[i]);
    return status;
}

/* Asks the library how to multiply m x n x k. */
static bool choose(struct cuda *cuda, enum cuda_operation op, const struct cuda_product *p,
                   const struct shape *shape, int m, int n, int k, cublasLtMatmulDesc_t description,
                   cublasLtMatmulAlgo_t *out) {
    struct cublaslt *l = cuda->library;
    struct layouts layouts;
    cublasLtMatmulPreference_t preference = NULL;
    cublasLtMatmulHeuristicResult_t result;
    int found = 0;
    bool fine =
        make_layouts(cuda, op, p, m, n, k, true, &layouts) &&
        good(cuda, op, "cublasLtMatmulPreferenceCreate", p, l->cublasLtMatmulPreferenceCreate(&preference)) &&
        good(cuda, op, "cublasLtMatmulPreferenceSetAttribute", p, set_preference(l, shape, preference)) &&
        good(cuda, op, "cublasLtMatmulAlgoGetHeuristic", p,
             l->cublasLtMatmulAlgoGetHeuristic(l->handle, description, layouts.b, layouts.a, layouts.c,
                                               layouts.c, preference, 1, &result, &found));
    found = fine && found && result.state == CUBLAS_STATUS_SUCCESS;
    if (fine && !found)
        cuda_fail(cuda, ERROR_DEVICE, op, "cuBLASLt knows no way to multiply %d x %d x %d", m, n, k);
    if (found) *out = result.algo;
    if (preference) l->cublasLtMatmulPreferenceDestroy(preference);
    destroy_layouts(l, &layouts);
    return found;
}

static bool make_plan(struct cuda *cuda, enum cuda_operation op, const struct cuda_product *p,
                      const struct shape *shape, struct plan *plan) {
    struct cublaslt *l = cuda->library;
    const int32_t first = p->transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N,
                  second = p->transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
    if (plan->made) l->cublasLtMatmulDescDestroy(plan->description);
    memset(plan, 0, sizeof *plan);
    if (!good(cuda, op, "cublasLtMatmulDescCreate", p,
              l->cublasLtMatmulDescCreate(&plan->description, CUBLAS_COMPUTE_32F, CUDA_R_32F)))
        return false;
    plan->made =
        good(cuda, op, "cublasLtMatmulDescSetAttribute", p,
             l->cublasLtMatmulDescSetAttribute(plan->description, CUBLASLT_MATMUL_DESC_TRANSA, &first,
                                               sizeof first)) &&
        good(cuda, op, "cublasLtMatmulDescSetAttribute", p,
             l->cublasLtMatmulDescSetAttribute(plan->description, CUBLASLT_MATMUL_DESC_TRANSB, &second,
                                               sizeof second)) &&
        choose(cuda, op, p, shape, shape->m, shape->n, shape->k, plan->description, &plan->algorithm);
    if (!plan->made) l->cublasLtMatmulDescDestroy(plan->description);
    plan->shape = *shape;
    return plan->made;
}

static uint64_t hash_of(const struct shape *shape) {
    const unsigned char *bytes = (const unsigned char *)shape;
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < sizeof *shape; i++) hash = (hash ^ bytes[i]) * 1099511628211u;
    return hash;
}

static struct plan *find_plan(struct cuda *cuda, enum cuda_operation op, const struct cuda_product *p,
                              struct shape *shape) {
    memset(shape, 0, sizeof *shape);
    shape->m = stand_in(p->m);
    shape->n = stand_in(p->n);
    shape->k = stand_in(p->k);
    shape->transposes = p->transpose_a + 2 * p->transpose_b;
    shape->dtype = p->dtype;
    shape->dtype_c = p->dtype_c;
    shape->alignment[0] = alignment_of(p->a, p->lda, p->dtype);
    shape->alignment[1] = alignment_of(p->b, p->ldb, p->dtype);
    shape->alignment[2] = alignment_of(p->c, p->ldc, p->dtype_c);
    uint64_t hash = hash_of(shape);
    struct plan *plan = NULL;
    for (int i = 0; i < TRIES; i++) {
        plan = &cuda->matmuls->plans[(hash + (uint64_t)i) % SLOTS];
        if (!plan->made) break;
        if (!memcmp(&plan->shape, shape, sizeof *shape)) return plan;
    }
    return make_plan(cuda, op, p, shape, plan) ? plan : NULL; /* the last tried makes room */
}

void cuda_multiply(struct cuda *cuda, enum cuda_operation op, const struct cuda_product *p) {
    if (!cuda_ready(cuda) || p->m == 0 || p->n == 0) return;
    struct shape shape;
    struct layouts layouts;
    struct cublaslt *l = cuda->library;
    struct plan *plan = find_plan(cuda, op, p, &shape);
    if (!plan) return;
    if (make_layouts(cuda, op, p, p->m, p->n, p->k, false, &layouts)) {
        cublasStatus_t status = CUBLAS_STATUS_SUCCESS;
        cublasLtMatmulAlgo_t algorithm = plan->algorithm;
        for (int attempt = 0; attempt < 2; attempt++) {
            status = l->cublasLtMatmul(l->handle, plan->description, &p->alpha, p->b, layouts.b, p->a,
                                       layouts.a, &p->beta, p->c, layouts.c, p->c, layouts.c, &algorithm,
                                       cuda->workspace, CUDA_WORKSPACE, cuda->stream);
            /* What is good for the sizes' stand-ins may not be for the sizes. */
            if (!status || attempt ||
                !choose(cuda, op, p, &shape, p->m, p->n, p->k, plan->description, &algorithm))
                break;
        }
        good(cuda, op, "cublasLtMatmul", p, status);
    }
    destroy_layouts(l, &layouts);
}

int cuda_matmul_open(struct cuda *cuda, struct error *err) {
    TRY(memory_alloc(&cuda->matmuls, 1, sizeof *cuda->matmuls, err));
    return cublaslt_open(&cuda->library, err);
}

void cuda_matmul_close(struct cuda *cuda) {
    for (int i = 0; cuda->matmuls && cuda->library && i < SLOTS; i++)
        if (cuda->matmuls->plans[i].made)
            cuda->library->cublasLtMatmulDescDestroy(cuda->matmuls->plans[i].description);
    memory_free(cuda->matmuls);
    cuda->matmuls = NULL;
    cublaslt_close(&cuda->library);
}

/* ---- the operation */

template <typename T> static __global__ void kernel_keep(int m, int n, float beta, T *c, int ldc) {
    for (size_t i = first_element(); i < (size_t)m * n; i += element_stride()) {
        size_t at = i / n * ldc + i % n;
        put(c, at, beta == 0.0f ? 0.0f : beta * get(c, at));
    }
}

static size_t span(int rows, int columns, int stride) {
    return rows > 0 && columns > 0 ? (size_t)(rows - 1) * (size_t)stride + (size_t)columns : 0;
}

static void matmul(struct backend *b, bool transpose_a, bool transpose_b, int m, int n, int k, float alpha,
                   struct view a, int lda, struct view bm, int ldb, float beta, struct view c, int ldc) {
    const enum cuda_operation op = CUDA_MATMUL;
    struct cuda *cuda = cuda_of(b);
    if (!cuda_sizes(cuda, op, m, n, k) || m == 0 || n == 0) return;
    if (lda < (transpose_a ? m : k) || ldb < (transpose_b ? k : n) || ldc < n) {
        cuda_fail(cuda, ERROR_INTERNAL, op, "leading dimensions %d, %d, %d are too small for %d x %d x %d",
                  lda, ldb, ldc, m, n, k);
        return;
    }
    if (!cuda_is_activation(cuda, op, a) || !cuda_is_activation(cuda, op, bm) ||
        !cuda_is_activation(cuda, op, c))
        return;
    size_t count_a = transpose_a ? span(k, m, lda) : span(m, k, lda);
    size_t count_b = transpose_b ? span(n, k, ldb) : span(k, n, ldb);
    bool halves = a.dtype == DTYPE_BF16 || bm.dtype == DTYPE_BF16;
    if (!halves && c.dtype == DTYPE_BF16) {
        cuda_fail(cuda, ERROR_UNSUPPORTED, op, "a BF16 product of F32 operands");
        return;
    }
    struct cuda_product p = {transpose_a, transpose_b, m,    n,   k,   alpha, beta,
                             NULL,        NULL,        NULL, lda, ldb, ldc,   halves ? DTYPE_BF16 : DTYPE_F32,
                             c.dtype};
    p.a = halves ? cuda_halves(cuda, op, a, count_a) : cuda_read(cuda, op, a, count_a, DTYPE_F32);
    p.b = halves ? cuda_halves(cuda, op, bm, count_b) : cuda_read(cuda, op, bm, count_b, DTYPE_F32);
    p.c = cuda_write(cuda, op, c, span(m, n, ldc), c.dtype);
    if (!p.a || !p.b || !p.c) return;
    if (k > 0 && alpha != 0.0f)
        cuda_multiply(cuda, op, &p);
    else /* libraries differ here */
        WITH_TYPE(c.dtype, T,
                  cuda_launch(cuda, op, kernel_keep<T>, cuda_blocks((size_t)m * n), CUDA_THREADS, 0, m, n,
                              beta, (T *)p.c, ldc));
}

void cuda_install_matmul(struct backend *b) {
    b->matmul = matmul;
}

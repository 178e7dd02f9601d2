/* cuBLASLt with plain loops: column-major layouts, float32 or bfloat16 operands, float32 sums. Long sums are
 * cut into parts where that is allowed, and the parts rounded to the output's type if that is allowed too. */
#include "cublasLt.h"
#include "cuda_bf16.h"
#include "tests/emulation/emulation.h"

#include <vector>

struct emulation_lt {
    int unused;
};
struct emulation_lt_description {
    cublasOperation_t a, b;
};
struct emulation_lt_layout {
    cudaDataType_t type;
    uint64_t rows, columns;
    int64_t stride;
};
struct emulation_lt_preference {
    uint32_t alignment[4]; /* A, B, C, D */
    uint32_t reductions;
};

namespace {

size_t size_of(cudaDataType_t type) {
    return type == CUDA_R_16BF ? 2 : 4;
}

float get(const void *at, cudaDataType_t type, size_t index) {
    return type == CUDA_R_16BF ? __bfloat162float(((const __nv_bfloat16 *)at)[index])
                               : ((const float *)at)[index];
}

void set(void *at, cudaDataType_t type, size_t index, float value) {
    if (type == CUDA_R_16BF)
        ((__nv_bfloat16 *)at)[index] = __float2bfloat16_rn(value);
    else
        ((float *)at)[index] = value;
}

/* op(X) as [rows, columns], rows together. */
std::vector<float> rows_of(const void *x, const emulation_lt_layout &layout, bool transposed) {
    std::vector<float> out(layout.rows * layout.columns);
    uint64_t rows = transposed ? layout.columns : layout.rows,
             columns = transposed ? layout.rows : layout.columns;
    for (uint64_t i = 0; i < rows; i++)
        for (uint64_t j = 0; j < columns; j++) {
            uint64_t row = transposed ? j : i, column = transposed ? i : j;
            out[i * columns + j] = get(x, layout.type, column * (uint64_t)layout.stride + row);
        }
    return out;
}

void need(const char *what, const void *at, const emulation_lt_layout &layout) {
    if (!layout.columns || !layout.rows) return;
    size_t bytes = ((layout.columns - 1) * (uint64_t)layout.stride + layout.rows) * size_of(layout.type);
    if (!emulation_memory_holds(at, bytes)) emulation_stop("cublasLtMatmul: %s leaves its memory", what);
    if (layout.stride < (int64_t)layout.rows)
        emulation_stop("cublasLtMatmul: %s has too short a stride", what);
}

/* As a GPU's kernels cut long sums into pieces. */
enum { RUN = 1024, LANES = 16 };

float dot(uint64_t n, const float *x, const float *y) {
    float lanes[LANES] = {0}, sum = 0.0f;
    uint64_t e = 0;
    for (; e + LANES <= n; e += LANES)
        for (int l = 0; l < LANES; l++) lanes[l] += x[e + (uint64_t)l] * y[e + (uint64_t)l];
    for (; e < n; e++) lanes[e % LANES] += x[e] * y[e];
    for (int l = 0; l < LANES; l++) sum += lanes[l];
    return sum;
}

float round_part(float part) {
    return __bfloat162float(__float2bfloat16_rn(part));
}

enum { PARTS = 4 }; /* of a sum, where they may be rounded */

void multiply(const emulation_lt_description &d, bool rounds_parts, float alpha, const void *a,
              const emulation_lt_layout &la, const void *b, const emulation_lt_layout &lb, float beta,
              void *c, const emulation_lt_layout &lc) {
    std::vector<float> left = rows_of(a, la, d.a == CUBLAS_OP_T);  /* [m, k] */
    std::vector<float> right = rows_of(b, lb, d.b == CUBLAS_OP_N); /* [n, k] */
    uint64_t m = lc.rows, n = lc.columns, k = m ? left.size() / m : 0;
    for (uint64_t j = 0; j < n; j++)
        for (uint64_t i = 0; i < m; i++) {
            float sum = 0.0f;
            uint64_t run = rounds_parts ? (k + PARTS - 1) / PARTS : (uint64_t)RUN;
            for (uint64_t e = 0; e < k; e += run) {
                float part =
                    dot(k - e < run ? k - e : run, left.data() + i * k + e, right.data() + j * k + e);
                sum += rounds_parts ? round_part(part) : part;
            }
            uint64_t at = j * (uint64_t)lc.stride + i;
            float old = beta == 0.0f ? 0.0f : beta * get(c, lc.type, at);
            set(c, lc.type, at, alpha * sum + old);
        }
}

} // namespace

cublasStatus_t cublasLtCreate(cublasLtHandle_t *out) {
    *out = new emulation_lt;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
    delete handle;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *out, cublasComputeType_t compute,
                                        cudaDataType_t scale) {
    if (compute != CUBLAS_COMPUTE_32F || scale != CUDA_R_32F) return CUBLAS_STATUS_NOT_SUPPORTED;
    *out = new emulation_lt_description{CUBLAS_OP_N, CUBLAS_OP_N};
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t description) {
    delete description;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t description,
                                              cublasLtMatmulDescAttributes_t what, const void *value,
                                              size_t bytes) {
    if (bytes != sizeof(int32_t)) return CUBLAS_STATUS_INVALID_VALUE;
    int32_t operation;
    memcpy(&operation, value, sizeof operation);
    (what == CUBLASLT_MATMUL_DESC_TRANSA ? description->a : description->b) = (cublasOperation_t)operation;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *out, cudaDataType_t type, uint64_t rows,
                                          uint64_t columns, int64_t stride) {
    *out = new emulation_lt_layout{type, rows, columns, stride};
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
    delete layout;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *out) {
    *out = new emulation_lt_preference{{256, 256, 256, 256}, CUBLASLT_REDUCTION_SCHEME_MASK};
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
    delete preference;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t what,
                                                    const void *value, size_t) {
    if (what >= CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES)
        memcpy(&preference->alignment[what - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES], value,
               sizeof(uint32_t));
    if (what == CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK)
        memcpy(&preference->reductions, value, sizeof preference->reductions);
    return CUBLAS_STATUS_SUCCESS;
}

/* The promised alignments travel in the algorithm, and are held against the operands. */
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t d,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t,
                                              cublasLtMatmulPreference_t preference, int wanted,
                                              cublasLtMatmulHeuristicResult_t *results, int *found) {
    uint64_t m = d->a == CUBLAS_OP_T ? a->columns : a->rows, k = d->a == CUBLAS_OP_T ? a->rows : a->columns;
    uint64_t n = d->b == CUBLAS_OP_T ? b->rows : b->columns, kb = d->b == CUBLAS_OP_T ? b->columns : b->rows;
    *found = 0;
    if (wanted < 1 || m != c->rows || n != c->columns || k != kb || a->type != b->type)
        return CUBLAS_STATUS_INVALID_VALUE;
    if (a->type == CUDA_R_32F && c->type != CUDA_R_32F) return CUBLAS_STATUS_NOT_SUPPORTED;
    memset(results, 0, sizeof *results);
    for (int i = 0; i < 4; i++) results->algo.data[i] = preference->alignment[i];
    results->algo.data[4] = (preference->reductions & (CUBLASLT_REDUCTION_SCHEME_INPLACE |
                                                       CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE)) != 0;
    *found = 1;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t description, const void *alpha,
                              const void *a, cublasLtMatrixLayout_t layout_a, const void *b,
                              cublasLtMatrixLayout_t layout_b, const void *beta, const void *c,
                              cublasLtMatrixLayout_t layout_c, void *d, cublasLtMatrixLayout_t layout_d,
                              const cublasLtMatmulAlgo_t *algo, void *workspace, size_t workspace_bytes,
                              cudaStream_t stream) {
    if (c != d || !algo || layout_c->stride != layout_d->stride) return CUBLAS_STATUS_INVALID_VALUE;
    const void *places[] = {a, b, c, d};
    for (int i = 0; i < 4; i++)
        if (algo->data[i] == 0 || (uintptr_t)places[i] % algo->data[i]) return CUBLAS_STATUS_INVALID_VALUE;
    if (!emulation_memory_holds(workspace, workspace_bytes)) emulation_stop("cublasLtMatmul: the workspace");
    need("A", a, *layout_a);
    need("B", b, *layout_b);
    need("D", d, *layout_d);
    float by, keep;
    memcpy(&by, alpha, sizeof by);
    memcpy(&keep, beta, sizeof keep);
    emulation_lt_description op = *description;
    emulation_lt_layout la = *layout_a, lb = *layout_b, lc = *layout_d;
    bool rounds_parts = algo->data[4] && layout_d->type == CUDA_R_16BF;
    emulation_enqueue(stream, [=] { multiply(op, rounds_parts, by, a, la, b, lb, keep, d, lc); });
    return CUBLAS_STATUS_SUCCESS;
}

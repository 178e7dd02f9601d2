/* Attention forward, over a cache, and backward: checks, and which kernels run. */
#include "train/cuda/attention.h"

#include <limits.h>

static const struct attention_kernels scalar = {attention_scalar_rows, attention_scalar_forward,
                                                attention_scalar_backward},
                                      tensor = {attention_tensor_rows, attention_tensor_forward,
                                                attention_tensor_backward};

/* Tensor cores take bfloat16 in steps of 16 columns, copies to shared memory 16 aligned bytes; the largest of
 * scores is found before they are scaled. */
static const struct attention_kernels *kernels_for(enum dtype dtype, int head_dim, float scale,
                                                   uintptr_t places) {
    return dtype == DTYPE_BF16 && head_dim % 16 == 0 && scale > 0.0f && places % 16 == 0 ? &tensor : &scalar;
}
static uintptr_t forward_places(const struct forward_operands *at) {
    return (uintptr_t)at->q | (uintptr_t)at->k | (uintptr_t)at->v | (uintptr_t)at->out;
}
static uintptr_t backward_places(const struct backward_operands *at) {
    return (uintptr_t)at->q | (uintptr_t)at->k | (uintptr_t)at->v | (uintptr_t)at->dout | (uintptr_t)at->dq |
           (uintptr_t)at->dk | (uintptr_t)at->dv;
}

static bool wide(struct cuda *cuda, enum cuda_operation op, int head_dim) {
    if (head_dim <= WIDEST) return true;
    cuda_fail(cuda, ERROR_UNSUPPORTED, op, "heads of dimension %d, at most %d", head_dim, (int)WIDEST);
    return false;
}

static void attention(struct backend *b, const struct attention_shape *shape, struct view q, struct view k,
                      struct view v, struct view out, struct view lse) {
    const enum cuda_operation op = CUDA_ATTENTION;
    struct cuda *cuda = cuda_of(b);
    struct error err = {0, ""};
    struct forward_operands at = {};
    struct attention_plan plan;
    if (!cuda_ready(cuda) || !cuda_is_activation(cuda, op, q)) return;
    if (attention_shape_check(shape, &err)) {
        cuda_fail(cuda, err.code, op, "%s", err.message);
        return;
    }
    if (shape->rows == 0 || !wide(cuda, op, shape->head_dim)) return;
    size_t heads = (size_t)shape->rows * (size_t)shape->heads, queries = heads * (size_t)shape->head_dim;
    size_t kv = (size_t)shape->rows * (size_t)shape->kv_heads * (size_t)shape->head_dim;
    at.dtype = q.dtype;
    at.q = cuda_read(cuda, op, q, queries, q.dtype);
    at.k = cuda_read(cuda, op, k, kv, q.dtype);
    at.v = cuda_read(cuda, op, v, kv, q.dtype);
    at.out = cuda_write(cuda, op, out, queries, q.dtype);
    at.lse = (float *)cuda_write(cuda, op, lse, heads, DTYPE_F32);
    if (!cuda_ready(cuda)) return;
    const struct attention_kernels *kernels =
        kernels_for(q.dtype, shape->head_dim, shape->scale, forward_places(&at));
    if (attention_plan_queries(cuda, op, shape, kernels->rows(shape->head_dim, INT_MAX), &plan))
        kernels->forward(cuda, op, &plan, &at);
}

/* Over a paged cache: the same kernels, with keys and values where the pages say. */
static void cached_attention(struct backend *b, const struct cached_attention_shape *shape, struct view q,
                             struct view keys, struct view values, struct view out) {
    const enum cuda_operation op = CUDA_CACHED_ATTENTION;
    struct cuda *cuda = cuda_of(b);
    struct error err = {0, ""};
    struct forward_operands at = {};
    struct attention_plan plan;
    size_t room = cuda_least(cuda_room(keys), cuda_room(values));
    size_t row = (size_t)(shape->kv_heads > 0 ? shape->kv_heads : 1) *
                 (size_t)(shape->head_dim > 0 ? shape->head_dim : 1);
    if (!cuda_ready(cuda) || !cuda_is_activation(cuda, op, q)) return;
    if (cached_attention_shape_check(shape, room / row, &err)) {
        cuda_fail(cuda, err.code, op, "%s", err.message);
        return;
    }
    if (shape->rows == 0 || !wide(cuda, op, shape->head_dim)) return;
    size_t queries = (size_t)shape->rows * (size_t)shape->heads * (size_t)shape->head_dim;
    at.dtype = q.dtype;
    at.q = cuda_read(cuda, op, q, queries, q.dtype);
    at.k = cuda_read(cuda, op, keys, row, q.dtype);
    at.v = cuda_read(cuda, op, values, row, q.dtype);
    at.out = cuda_write(cuda, op, out, queries, q.dtype);
    if (!cuda_ready(cuda)) return;
    /* One new row a sequence needs no more than small tiles. */
    size_t longest = 0;
    for (int s = 0; s < shape->segments; s++) longest = cuda_most(longest, (size_t)shape->segment[s].length);
    longest *= (size_t)(shape->heads / shape->kv_heads);
    const struct attention_kernels *kernels =
        kernels_for(q.dtype, shape->head_dim, shape->scale, forward_places(&at));
    int rows = kernels->rows(shape->head_dim, (int)cuda_least(longest, INT_MAX));
    if (attention_plan_cached(cuda, op, shape, rows, &plan)) kernels->forward(cuda, op, &plan, &at);
}

/* inner[t, h] = <dO, O>; a warp each. */
template <typename T>
static __global__ void kernel_inner(size_t count, int width, const T *out, const T *dout, float *inner) {
    size_t row = (size_t)blockIdx.x * blockDim.y + threadIdx.y;
    float sum = 0.0f;
    for (int c = (int)threadIdx.x; row < count && c < width; c += WARP)
        sum += get(out, row * width + c) * get(dout, row * width + c);
    sum = warp_sum(sum);
    if (row < count && threadIdx.x == 0) inner[row] = sum;
}

size_t cuda_attention_scratch(int rows, int heads) {
    return sizeof(float) * (size_t)rows * (size_t)heads;
}

static void run_backward(struct cuda *cuda, enum cuda_operation op, const struct attention_shape *shape,
                         const struct backward_operands *at) {
    const struct attention_kernels *kernels =
        kernels_for(at->dtype, shape->head_dim, shape->scale, backward_places(at));
    const int rows = kernels->rows(shape->head_dim, INT_MAX);
    const size_t heads = (size_t)shape->rows * (size_t)shape->heads;
    struct attention_plan queries, keys;
    if (!attention_plan_queries(cuda, op, shape, rows, &queries) ||
        !attention_plan_keys(cuda, op, shape, rows, &keys))
        return;
    WITH_TYPE(at->dtype, T,
              cuda_launch(cuda, op, kernel_inner<T>, (unsigned)((heads + 7) / 8), dim3(WARP, 8), 0, heads,
                          shape->head_dim, (const T *)at->out, (const T *)at->dout, at->inner));
    kernels->backward(cuda, op, &queries, &keys, at);
}

static void attention_backward(struct backend *b, const struct attention_shape *shape, struct view q,
                               struct view k, struct view v, struct view out, struct view lse,
                               struct view dout, struct view dq, struct view dk, struct view dv) {
    const enum cuda_operation op = CUDA_ATTENTION_BACKWARD;
    struct cuda *cuda = cuda_of(b);
    struct error err = {0, ""};
    if (!cuda_ready(cuda) || !cuda_is_activation(cuda, op, q)) return;
    if (attention_shape_check_backward(shape, &err)) {
        cuda_fail(cuda, err.code, op, "%s", err.message);
        return;
    }
    if (!wide(cuda, op, shape->head_dim) || shape->rows == 0) return;
    size_t heads = (size_t)shape->rows * (size_t)shape->heads, queries = heads * (size_t)shape->head_dim;
    size_t kv = (size_t)shape->rows * (size_t)shape->kv_heads * (size_t)shape->head_dim;
    struct backward_operands at = {};
    at.dtype = q.dtype;
    at.q = cuda_read(cuda, op, q, queries, q.dtype);
    at.k = cuda_read(cuda, op, k, kv, q.dtype);
    at.v = cuda_read(cuda, op, v, kv, q.dtype);
    at.out = cuda_read(cuda, op, out, queries, q.dtype);
    at.lse = (const float *)cuda_read(cuda, op, lse, heads, DTYPE_F32);
    at.dout = cuda_read(cuda, op, dout, queries, q.dtype);
    at.dq = cuda_write(cuda, op, dq, queries, q.dtype);
    at.dk = cuda_write(cuda, op, dk, kv, q.dtype);
    at.dv = cuda_write(cuda, op, dv, kv, q.dtype);
    at.inner = (float *)cuda_scratch(cuda, op, cuda_attention_scratch(shape->rows, shape->heads));
    if (cuda_ready(cuda)) run_backward(cuda, op, shape, &at);
}

void cuda_install_attention(struct backend *b) {
    b->attention = attention;
}

void cuda_install_attention_cached(struct backend *b) {
    b->cached_attention = cached_attention;
}

void cuda_install_attention_backward(struct backend *b) {
    b->attention_backward = attention_backward;
}

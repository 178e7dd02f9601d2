/* Gradients of attention. With P = softmax(scale Q K^T) and O = P V: dV = P^T dO, dP = dO V^T, dS = scale P
 * (dP - D) with D = <dO, O> of each query, dQ = dS K, dK = dS^T Q (Dao et al. 2022). P is made again from the
 * scores and the forward pass's log-sum-exp.
 *
 * Queries gather over keys in one kernel, keys over queries in another: seven products a pair of tiles
 * instead of five, but nothing is added up across blocks, so sums are always in the same order. */
#include "train/cuda/attention.h"

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

/* The weight P of a pair, and dS. */
static __device__ __forceinline__ void differentiate(float scale, float score, float lse, float slope,
                                                     float inner, float *weight, float *gradient) {
    *weight = expf(scale * score - lse);
    *gradient = scale * *weight * (slope - inner);
}

template <typename T, int WIDE>
static __global__ void __launch_bounds__(tile_sizes<WIDE>::THREADS)
    kernel_queries(struct attention_plan plan, const T *q, const T *k, const T *v, const float *lse,
                   const float *inner, const T *dout, T *dq) {
    enum { ROWS = tile_sizes<WIDE>::ROWS, KEYS = tile_sizes<WIDE>::OTHERS };
    KERNEL_SHARED(memory);
    const int width = plan.head_dim, stride = tile_stride(width);
    float *queries = (float *)memory, *above = queries + ROWS * stride, *keys = above + ROWS * stride;
    float *values = keys + KEYS * stride, *slopes = values + KEYS * stride; /* [ROWS, KEYS + 1] */
    const struct attention_tile tile = plan.tile[blockIdx.x];
    const struct query_row my = query_row_of(&plan, &tile);
    const size_t kv_head = blockIdx.y / (unsigned)plan.parts, row = (size_t)my.token * plan.heads + my.head;
    float sums[WIDE / LANES];
#pragma unroll
    for (int i = 0; i < WIDE / LANES; i++) sums[i] = 0.0f;
    tile_load(queries, my.row, my.lane, width, my.inside ? q + row * width : NULL);
    tile_load(above, my.row, my.lane, width, my.inside ? dout + row * width : NULL);
    const float log_sum = my.inside ? lse[row] : 0.0f, mean = my.inside ? inner[row] : 0.0f;
    const int end = tile.position + tile.count;
    for (int key = first_seen(plan.window, tile.position); key < end; key += KEYS) {
        __syncthreads();
        if (my.row < KEYS) {
            bool there = key + my.row < end;
            size_t from = there ? (key_row(&plan, &tile, key + my.row) * plan.kv_heads + kv_head) * width : 0;
            tile_load(keys, my.row, my.lane, width, there ? k + from : NULL);
            tile_load(values, my.row, my.lane, width, there ? v + from : NULL);
        }
        __syncthreads();
#pragma unroll
        for (int j = 0; j < KEYS / LANES; j++) {
            int other = my.lane + j * LANES;
            float weight, gradient = 0.0f;
            if (my.inside && sees(plan.window, my.position, key + other))
                differentiate(plan.scale, tile_dot(queries, my.row, keys, other, width), log_sum,
                              tile_dot(above, my.row, values, other, width), mean, &weight, &gradient);
            slopes[my.row * (KEYS + 1) + other] = gradient;
        }
        __syncwarp();
        for (int other = 0; my.inside && other < KEYS; other++)
            tile_add<WIDE>(sums, slopes[my.row * (KEYS + 1) + other], keys, other, my.lane, width);
    }
    if (my.inside) tile_store<WIDE>(dq + row * width, sums, 1.0f, my.lane, width);
}

/* A tile of keys of one key/value head, over all queries of its heads that see one of them. */
template <typename T, int WIDE>
static __global__ void __launch_bounds__(tile_sizes<WIDE>::THREADS)
    kernel_keys(struct attention_plan plan, const T *q, const T *k, const T *v, const float *lse,
                const float *inner, const T *dout, T *dk, T *dv) {
    enum { ROWS = tile_sizes<WIDE>::ROWS, QUERIES = tile_sizes<WIDE>::OTHERS };
    KERNEL_SHARED(memory);
    const int width = plan.head_dim, stride = tile_stride(width);
    float *keys = (float *)memory, *values = keys + ROWS * stride, *queries = values + ROWS * stride;
    float *above = queries + QUERIES * stride, *weights = above + QUERIES * stride; /* [ROWS, QUERIES + 1] */
    float *slopes = weights + ROWS * (QUERIES + 1), *log_sum = slopes + ROWS * (QUERIES + 1),
          *mean = log_sum + QUERIES;
    const struct attention_tile tile = plan.tile[blockIdx.x];
    const int row = (int)threadIdx.x / LANES, lane = (int)threadIdx.x % LANES, position = tile.position + row;
    const bool inside = row < tile.count;
    const size_t at = ((size_t)(tile.start + row) * plan.kv_heads + blockIdx.y) * width;
    float key_sums[WIDE / LANES], value_sums[WIDE / LANES];
#pragma unroll
    for (int i = 0; i < WIDE / LANES; i++) key_sums[i] = value_sums[i] = 0.0f;
    tile_load(keys, row, lane, width, inside ? k + at : NULL);
    tile_load(values, row, lane, width, inside ? v + at : NULL);
    /* Tokens from the first key on, up to the last that the window lets see the last key; each with all
     * heads. */
    int end = tile.last;
    if (plan.window > 0 && tile.position + tile.count - 1 + plan.window < end)
        end = tile.position + tile.count - 1 + plan.window;
    const int count = (end - tile.position) * plan.group;
    for (int first = 0; first < count; first += QUERIES) {
        __syncthreads();
        if (row < QUERIES) {
            int query = first + row, token = tile.start + query / plan.group;
            bool there = query < count;
            size_t from = (size_t)token * plan.heads + blockIdx.y * (unsigned)plan.group + query % plan.group;
            tile_load(queries, row, lane, width, there ? q + from * width : NULL);
            tile_load(above, row, lane, width, there ? dout + from * width : NULL);
            if (lane == 0) {
                log_sum[row] = there ? lse[from] : 0.0f;
                mean[row] = there ? inner[from] : 0.0f;
            }
        }
        __syncthreads();
#pragma unroll
        for (int j = 0; j < QUERIES / LANES; j++) {
            int other = lane + j * LANES, query = first + other;
            bool seen =
                inside && query < count && sees(plan.window, tile.position + query / plan.group, position);
            float weight = 0.0f, gradient = 0.0f;
            if (seen)
                differentiate(plan.scale, tile_dot(keys, row, queries, other, width), log_sum[other],
                              tile_dot(values, row, above, other, width), mean[other], &weight, &gradient);
            weights[row * (QUERIES + 1) + other] = weight;
            slopes[row * (QUERIES + 1) + other] = gradient;
        }
        __syncwarp();
        for (int other = 0; inside && other < QUERIES; other++) {
            tile_add<WIDE>(value_sums, weights[row * (QUERIES + 1) + other], above, other, lane, width);
            tile_add<WIDE>(key_sums, slopes[row * (QUERIES + 1) + other], queries, other, lane, width);
        }
    }
    if (!inside) return;
    tile_store<WIDE>(dk + at, key_sums, 1.0f, lane, width);
    tile_store<WIDE>(dv + at, value_sums, 1.0f, lane, width);
}

template <int WIDE> static size_t queries_bytes(int head_dim) {
    const size_t rows = tile_sizes<WIDE>::ROWS, others = tile_sizes<WIDE>::OTHERS;
    return sizeof(float) * (2 * (rows + others) * (size_t)tile_stride(head_dim) + rows * (others + 1));
}

template <int WIDE> static size_t keys_bytes(int head_dim) {
    const size_t rows = tile_sizes<WIDE>::ROWS, others = tile_sizes<WIDE>::OTHERS;
    return queries_bytes<WIDE>(head_dim) + sizeof(float) * (rows * (others + 1) + 2 * others);
}

size_t cuda_attention_scratch(int rows, int heads) {
    return sizeof(float) * (size_t)rows * (size_t)heads;
}

/* Device memory of the operands. */
struct places {
    const void *q, *k, *v, *out, *dout;
    const float *lse;
    void *dq, *dk, *dv;
    float *inner;
};

template <typename T>
static void run(struct cuda *cuda, enum cuda_operation op, const struct attention_shape *shape,
                const struct places *at) {
    struct attention_plan queries, keys;
    int width = shape->head_dim, rows = attention_tile_rows(width);
    size_t heads = (size_t)shape->rows * (size_t)shape->heads;
    const T *q = (const T *)at->q, *k = (const T *)at->k, *v = (const T *)at->v, *dout = (const T *)at->dout;
    if (!attention_plan_queries(cuda, op, shape, rows, &queries) ||
        !attention_plan_keys(cuda, op, shape, rows, &keys))
        return;
    cuda_launch(cuda, op, kernel_inner<T>, (unsigned)((heads + 7) / 8), dim3(WARP, 8), 0, heads, width,
                (const T *)at->out, dout, at->inner);
    WITH_WIDTH(width, WIDE, {
        cuda_launch(cuda, op, kernel_queries<T, WIDE>,
                    dim3(queries.tiles, (unsigned)(shape->kv_heads * queries.parts)),
                    tile_sizes<WIDE>::THREADS, queries_bytes<WIDE>(width), queries, q, k, v, at->lse,
                    at->inner, dout, (T *)at->dq);
        cuda_launch(cuda, op, kernel_keys<T, WIDE>, dim3(keys.tiles, (unsigned)shape->kv_heads),
                    tile_sizes<WIDE>::THREADS, keys_bytes<WIDE>(width), keys, q, k, v, at->lse, at->inner,
                    dout, (T *)at->dk, (T *)at->dv);
    });
}

static void attention_backward(struct backend *b, const struct attention_shape *shape, struct view q,
                               struct view k, struct view v, struct view out, struct view lse,
                               struct view dout, struct view dq, struct view dk, struct view dv) {
    const enum cuda_operation op = CUDA_ATTENTION_BACKWARD;
    struct cuda *cuda = cuda_of(b);
    struct error err = {0, ""};
    if (!cuda_ready(cuda) || !cuda_is_activation(cuda, op, q)) return;
    if (!attention_shape_check_backward(shape, &err) && shape->head_dim > WIDEST)
        error_set(&err, ERROR_UNSUPPORTED, "heads of dimension %d, at most %d", shape->head_dim, (int)WIDEST);
    if (err.code) cuda_fail(cuda, err.code, op, "%s", err.message);
    if (err.code || shape->rows == 0) return;
    size_t heads = (size_t)shape->rows * (size_t)shape->heads, queries = heads * (size_t)shape->head_dim;
    size_t kv = (size_t)shape->rows * (size_t)shape->kv_heads * (size_t)shape->head_dim;
    struct places at;
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
    if (cuda_ready(cuda)) WITH_TYPE(q.dtype, T, run<T>(cuda, op, shape, &at));
}

void cuda_install_attention_backward(struct backend *b) {
    b->attention_backward = attention_backward;
}

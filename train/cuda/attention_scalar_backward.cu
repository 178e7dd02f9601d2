/* Gradients of attention. With P = softmax(scale Q K^T) and O = P V: dV = P^T dO, dP = dO V^T, dS = scale P
 * (dP - D) with D = <dO, O> of each query, dQ = dS K, dK = dS^T Q (Dao et al. 2022). P is made again from the
 * scores and the forward pass's log-sum-exp.
 *
 * Queries gather over keys in one kernel, keys over queries in another: seven products a pair of tiles
 * instead of five, but nothing is added up across blocks, so sums are always in the same order. */
#include "train/cuda/attention_scalar.h"

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
    const int row = (int)threadIdx.x / LANES, lane = (int)threadIdx.x % LANES;
    const struct query_row my = query_row_of(&plan, &tile, row);
    const size_t kv_head = blockIdx.y / (unsigned)plan.parts, at = my.index * width;
    float sums[WIDE / LANES];
#pragma unroll
    for (int i = 0; i < WIDE / LANES; i++) sums[i] = 0.0f;
    tile_load(queries, row, lane, width, my.inside ? q + at : NULL);
    tile_load(above, row, lane, width, my.inside ? dout + at : NULL);
    const float log_sum = my.inside ? lse[my.index] : 0.0f, mean = my.inside ? inner[my.index] : 0.0f;
    const int end = tile.position + tile.count;
    for (int key = first_seen(plan.window, tile.position); key < end; key += KEYS) {
        __syncthreads();
        if (row < KEYS) {
            bool there = key + row < end;
            size_t from = there ? (key_row(&plan, &tile, key + row) * plan.kv_heads + kv_head) * width : 0;
            tile_load(keys, row, lane, width, there ? k + from : NULL);
            tile_load(values, row, lane, width, there ? v + from : NULL);
        }
        __syncthreads();
#pragma unroll
        for (int j = 0; j < KEYS / LANES; j++) {
            int other = lane + j * LANES;
            float weight, gradient = 0.0f;
            if (my.inside && sees(plan.window, my.position, key + other))
                differentiate(plan.scale, tile_dot(queries, row, keys, other, width), log_sum,
                              tile_dot(above, row, values, other, width), mean, &weight, &gradient);
            slopes[row * (KEYS + 1) + other] = gradient;
        }
        __syncwarp();
        for (int other = 0; my.inside && other < KEYS; other++)
            tile_add<WIDE>(sums, slopes[row * (KEYS + 1) + other], keys, other, lane, width);
    }
    if (my.inside) tile_store<WIDE>(dq + at, sums, 1.0f, lane, width);
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
    const int last_key = tile.position + tile.count - 1;
    const int end =
        plan.window > 0 && plan.window < tile.last - last_key ? last_key + plan.window : tile.last;
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

template <int WIDE> static constexpr size_t queries_bytes(int head_dim) {
    const size_t rows = tile_sizes<WIDE>::ROWS, others = tile_sizes<WIDE>::OTHERS;
    return sizeof(float) * (2 * (rows + others) * (size_t)tile_stride(head_dim) + rows * (others + 1));
}

template <int WIDE> static constexpr size_t keys_bytes(int head_dim) {
    const size_t rows = tile_sizes<WIDE>::ROWS, others = tile_sizes<WIDE>::OTHERS;
    return queries_bytes<WIDE>(head_dim) + sizeof(float) * (rows * (others + 1) + 2 * others);
}

template <typename T, int WIDE>
static void run(struct cuda *cuda, enum cuda_operation op, const struct attention_plan *queries,
                const struct attention_plan *keys, const struct backward_operands *at) {
    static_assert(keys_bytes<WIDE>(WIDE) <= MOST_SHARED, "a block's tiles fit every GPU");
    const int width = queries->head_dim, threads = tile_sizes<WIDE>::THREADS;
    const T *q = (const T *)at->q, *k = (const T *)at->k, *v = (const T *)at->v, *dout = (const T *)at->dout;
    cuda_launch(cuda, op, kernel_queries<T, WIDE>,
                dim3(queries->tiles, (unsigned)(queries->kv_heads * queries->parts)), threads,
                queries_bytes<WIDE>(width), *queries, q, k, v, at->lse, at->inner, dout, (T *)at->dq);
    cuda_launch(cuda, op, kernel_keys<T, WIDE>, dim3(keys->tiles, (unsigned)keys->kv_heads), threads,
                keys_bytes<WIDE>(width), *keys, q, k, v, at->lse, at->inner, dout, (T *)at->dk, (T *)at->dv);
}

void attention_scalar_backward(struct cuda *cuda, enum cuda_operation op,
                               const struct attention_plan *queries, const struct attention_plan *keys,
                               const struct backward_operands *at) {
    WITH_TYPE(at->dtype, T, WITH_WIDTH(queries->head_dim, WIDE, run<T, WIDE>(cuda, op, queries, keys, at)));
}

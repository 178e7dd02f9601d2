#include "train/cuda/attention.h"

/* A block has a tile of queries: for each row its maximum so far, the sum of its weights, and its output
 * relative to the maximum. Keys that a row does not see have no weight, whatever their scores are. */
template <typename T, int WIDE, int ROWS>
static __global__ void __launch_bounds__(ROWS *LANES)
    kernel_attention(struct attention_plan plan, const T *q, const T *k, const T *v, T *out, float *lse) {
    enum { KEYS = tile_sizes<WIDE>::OTHERS };
    KERNEL_SHARED(memory);
    const int width = plan.head_dim, stride = tile_stride(width);
    float *queries = (float *)memory, *keys = queries + ROWS * stride, *values = keys + KEYS * stride;
    float *weights = values + KEYS * stride; /* [ROWS, KEYS + 1] */
    const struct attention_tile tile = plan.tile[blockIdx.x];
    const struct query_row my = query_row_of(&plan, &tile);
    const size_t kv_head = blockIdx.y / (unsigned)plan.parts;
    const size_t at = ((size_t)my.token * plan.heads + my.head) * width;
    float sums[WIDE / LANES];
#pragma unroll
    for (int i = 0; i < WIDE / LANES; i++) sums[i] = 0.0f;
    float most = -INFINITY, total = 0.0f;
    tile_load(queries, my.row, my.lane, width, my.inside ? q + at : NULL);
    const int end = tile.position + tile.count;
    for (int key = first_seen(plan.window, tile.position); key < end; key += KEYS) {
        __syncthreads(); /* whoever reads the last keys is through */
        for (int r = my.row; r < KEYS; r += ROWS) {
            bool there = key + r < end;
            size_t from = there ? (key_row(&plan, &tile, key + r) * plan.kv_heads + kv_head) * width : 0;
            tile_load(keys, r, my.lane, width, there ? k + from : NULL);
            tile_load(values, r, my.lane, width, there ? v + from : NULL);
        }
        __syncthreads();
        float scores[KEYS / LANES], here = -INFINITY, sum = 0.0f;
#pragma unroll
        for (int j = 0; j < KEYS / LANES; j++) {
            int other = my.lane + j * LANES;
            bool seen = my.inside && sees(plan.window, my.position, key + other);
            scores[j] = seen ? plan.scale * tile_dot(queries, my.row, keys, other, width) : -INFINITY;
            here = fmaxf(here, scores[j]);
        }
        float above = fmaxf(most, lanes_most(here)), correction = above > most ? expf(most - above) : 1.0f;
#pragma unroll
        for (int j = 0; j < KEYS / LANES; j++) {
            int other = my.lane + j * LANES;
            bool seen = my.inside && sees(plan.window, my.position, key + other);
            float weight = seen ? expf(scores[j] - above) : 0.0f;
            weights[my.row * (KEYS + 1) + other] = weight;
            sum += weight;
        }
        total = total * correction + lanes_sum(sum);
        most = above;
        __syncwarp(); /* a row's weights are written and read by one warp */
#pragma unroll
        for (int i = 0; i < WIDE / LANES; i++) sums[i] *= correction;
        for (int other = 0; my.inside && other < KEYS; other++)
            tile_add<WIDE>(sums, weights[my.row * (KEYS + 1) + other], values, other, my.lane, width);
    }
    if (!my.inside) return;
    tile_store<WIDE>(out + at, sums, 1.0f / total, my.lane, width);
    if (lse && my.lane == 0) lse[(size_t)my.token * plan.heads + my.head] = most + logf(total);
}

template <typename T, int WIDE, int ROWS>
static void run(struct cuda *cuda, enum cuda_operation op, const struct attention_plan *plan, const void *q,
                const void *k, const void *v, void *out, float *lse) {
    const size_t keys = tile_sizes<WIDE>::OTHERS, stride = (size_t)tile_stride(plan->head_dim);
    cuda_launch(cuda, op, kernel_attention<T, WIDE, ROWS>,
                dim3(plan->tiles, (unsigned)(plan->kv_heads * plan->parts)), ROWS * LANES,
                sizeof(float) * ((ROWS + 2 * keys) * stride + ROWS * (keys + 1)), *plan, (const T *)q,
                (const T *)k, (const T *)v, (T *)out, lse);
}

void attention_run(struct cuda *cuda, enum cuda_operation op, const struct attention_plan *plan,
                   enum dtype dtype, const void *q, const void *k, const void *v, void *out, float *lse) {
    WITH_TYPE(dtype, T, WITH_WIDTH(plan->head_dim, WIDE, {
                  if (plan->rows == FEW_ROWS)
                      run<T, WIDE, FEW_ROWS>(cuda, op, plan, q, k, v, out, lse);
                  else
                      run<T, WIDE, tile_sizes<WIDE>::ROWS>(cuda, op, plan, q, k, v, out, lse);
              }));
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
    struct attention_plan plan;
    if (!cuda_ready(cuda) || !cuda_is_activation(cuda, op, q)) return;
    if (attention_shape_check(shape, &err)) {
        cuda_fail(cuda, err.code, op, "%s", err.message);
        return;
    }
    if (shape->rows == 0 || !wide(cuda, op, shape->head_dim)) return;
    size_t heads = (size_t)shape->rows * (size_t)shape->heads, queries = heads * (size_t)shape->head_dim;
    size_t kv = (size_t)shape->rows * (size_t)shape->kv_heads * (size_t)shape->head_dim;
    const void *query = cuda_read(cuda, op, q, queries, q.dtype), *key = cuda_read(cuda, op, k, kv, q.dtype);
    const void *value = cuda_read(cuda, op, v, kv, q.dtype);
    void *to = cuda_write(cuda, op, out, queries, q.dtype);
    float *log_sum = (float *)cuda_write(cuda, op, lse, heads, DTYPE_F32);
    if (!query || !key || !value || !to || !log_sum) return;
    if (attention_plan_queries(cuda, op, shape, attention_tile_rows(shape->head_dim), &plan))
        attention_run(cuda, op, &plan, q.dtype, query, key, value, to, log_sum);
}

/* Over a paged cache: the same kernel, with keys and values where the pages say. */
static void cached_attention(struct backend *b, const struct cached_attention_shape *shape, struct view q,
                             struct view keys, struct view values, struct view out) {
    const enum cuda_operation op = CUDA_CACHED_ATTENTION;
    struct cuda *cuda = cuda_of(b);
    struct error err = {0, ""};
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
    const void *query = cuda_read(cuda, op, q, queries, q.dtype),
               *key = cuda_read(cuda, op, keys, row, q.dtype);
    const void *value = cuda_read(cuda, op, values, row, q.dtype);
    void *to = cuda_write(cuda, op, out, queries, q.dtype);
    if (!query || !key || !value || !to) return;
    /* One new row a sequence needs no more than small tiles. */
    int longest = 0, rows = attention_tile_rows(shape->head_dim);
    for (int s = 0; s < shape->segments; s++)
        if (shape->segment[s].length > longest) longest = shape->segment[s].length;
    if (longest * (shape->heads / shape->kv_heads) <= FEW_ROWS) rows = FEW_ROWS;
    if (attention_plan_cached(cuda, op, shape, rows, &plan))
        attention_run(cuda, op, &plan, q.dtype, query, key, value, to, NULL);
}

void cuda_install_attention(struct backend *b) {
    b->attention = attention;
}

void cuda_install_attention_cached(struct backend *b) {
    b->cached_attention = cached_attention;
}

#include "train/cuda/attention_scalar.h"

/* A block has a tile of queries: for each row its maximum so far, the sum of its weights, and its output
 * relative to the maximum. Keys that a row does not see have no weight, whatever their scores are. */
template <typename T, int WIDE, int ROWS>
static __global__ void __launch_bounds__(ROWS *LANES)
    kernel_attention(struct attention_plan plan, const T *q, const T *k, const T *v, T *out, float *lse) {
    enum { KEYS = tile_sizes<WIDE>::KEYS };
    KERNEL_SHARED(memory);
    const int width = plan.head_dim, stride = tile_stride(width);
    float *queries = (float *)memory, *keys = queries + ROWS * stride, *values = keys + KEYS * stride;
    float *weights = values + KEYS * stride; /* [ROWS, KEYS + 1] */
    const struct attention_tile tile = plan.tile[blockIdx.x];
    const int row = (int)threadIdx.x / LANES, lane = (int)threadIdx.x % LANES;
    const struct query_row my = query_row_of(&plan, &tile, row);
    const size_t kv_head = blockIdx.y / (unsigned)plan.parts, at = my.index * width;
    float sums[WIDE / LANES];
#pragma unroll
    for (int i = 0; i < WIDE / LANES; i++) sums[i] = 0.0f;
    float most = -INFINITY, total = 0.0f;
    tile_load(queries, row, lane, width, my.inside ? q + at : NULL);
    const int end = tile.position + tile.count;
    for (int key = first_seen(plan.window, tile.position); key < end; key += KEYS) {
        __syncthreads(); /* whoever reads the last keys is through */
        for (int r = row; r < KEYS; r += ROWS) {
            bool there = key + r < end;
            size_t from = there ? (key_row(&plan, &tile, key + r) * plan.kv_heads + kv_head) * width : 0;
            tile_load(keys, r, lane, width, there ? k + from : NULL);
            tile_load(values, r, lane, width, there ? v + from : NULL);
        }
        __syncthreads();
        float scores[KEYS / LANES], here = -INFINITY, sum = 0.0f;
#pragma unroll
        for (int j = 0; j < KEYS / LANES; j++) {
            int other = lane + j * LANES;
            bool seen = my.inside && sees(plan.window, my.position, key + other);
            scores[j] = seen ? plan.scale * tile_dot(queries, row, keys, other, width) : -INFINITY;
            here = fmaxf(here, scores[j]);
        }
        float above = fmaxf(most, lanes_most(here)), correction = above > most ? expf(most - above) : 1.0f;
#pragma unroll
        for (int j = 0; j < KEYS / LANES; j++) {
            int other = lane + j * LANES;
            bool seen = my.inside && sees(plan.window, my.position, key + other);
            float weight = seen ? expf(scores[j] - above) : 0.0f;
            weights[row * (KEYS + 1) + other] = weight;
            sum += weight;
        }
        total = total * correction + lanes_sum(sum);
        most = above;
        __syncwarp(); /* a row's weights are written and read by one warp */
#pragma unroll
        for (int i = 0; i < WIDE / LANES; i++) sums[i] *= correction;
        for (int other = 0; my.inside && other < KEYS; other++)
            tile_add<WIDE>(sums, weights[row * (KEYS + 1) + other], values, other, lane, width);
    }
    if (!my.inside) return;
    tile_store<WIDE>(out + at, sums, 1.0f / total, lane, width);
    if (lse && lane == 0) lse[my.index] = most + logf(total);
}

template <int WIDE, int ROWS> static constexpr size_t shared_bytes(int head_dim) {
    const size_t rows = ROWS, keys = tile_sizes<WIDE>::KEYS;
    return sizeof(float) * ((rows + 2 * keys) * (size_t)tile_stride(head_dim) + rows * (keys + 1));
}

template <typename T, int WIDE, int ROWS>
static void run(struct cuda *cuda, enum cuda_operation op, const struct attention_plan *plan,
                const struct forward_operands *at) {
    static_assert(shared_bytes<WIDE, ROWS>(WIDE) <= MOST_SHARED, "a block's tiles fit every GPU");
    cuda_launch(cuda, op, kernel_attention<T, WIDE, ROWS>,
                dim3(plan->tiles, (unsigned)(plan->kv_heads * plan->parts)), ROWS * LANES,
                shared_bytes<WIDE, ROWS>(plan->head_dim), *plan, (const T *)at->q, (const T *)at->k,
                (const T *)at->v, (T *)at->out, at->lse);
}

int attention_scalar_rows(int head_dim, int most) {
    int rows = FEW_ROWS;
    if (most <= FEW_ROWS) return rows;
    WITH_WIDTH(head_dim, WIDE, rows = tile_sizes<WIDE>::ROWS);
    return rows;
}

void attention_scalar_forward(struct cuda *cuda, enum cuda_operation op, const struct attention_plan *plan,
                              const struct forward_operands *at) {
    WITH_TYPE(at->dtype, T, WITH_WIDTH(plan->head_dim, WIDE, {
                  if (plan->rows == FEW_ROWS)
                      run<T, WIDE, FEW_ROWS>(cuda, op, plan, at);
                  else
                      run<T, WIDE, tile_sizes<WIDE>::ROWS>(cuda, op, plan, at);
              }));
}

/* Gradients of attention (attention_scalar_backward.cu says how) with products on tensor cores. P and dS are
 * rounded to bfloat16 for the products with them. */
#include "train/cuda/attention_tensor.h"

/* The weight P = 2^(scale score - lse) of a pair and dS but for its factor `scale`, over scores and slopes.
 */
static __device__ __forceinline__ void differentiate(float scale, float lse, float inner, float *score,
                                                     float *slope) {
    *score = exponential(fmaf(scale, *score, -lse));
    *slope = *score * (*slope - inner);
}

template <int WIDE>
static __global__ void __launch_bounds__(THREADS)
    kernel_queries(struct attention_plan plan, const bf16 *q, const bf16 *k, const bf16 *v, const float *lse,
                   const float *inner, const bf16 *dout, bf16 *dq) {
    enum {
        ROWS = MOST_ROWS,
        KEYS = tensor_sizes<WIDE>::OTHERS,
        STRIDE = tensor_sizes<WIDE>::STRIDE,
        STAGE = KEYS * STRIDE
    };
    KERNEL_SHARED(memory);
    bf16 *queries = (bf16 *)memory, *above = queries + ROWS * STRIDE, *keys = above + ROWS * STRIDE,
         *values = keys + 2 * STAGE;
    const struct attention_tile tile = plan.tile[blockIdx.x];
    const struct warp_rows warp = warp_rows_of(&plan, &tile);
    const int first = first_seen(plan.window, tile.position), end = tile.position + tile.count;
    float sums[WIDE / 8][4], log_sum[2], mean[2];
    clear(sums);
#pragma unroll
    for (int r = 0; r < 2; r++) {
        log_sum[r] = warp.my[r].inside ? LOG2_E * lse[warp.my[r].index] : 0.0f;
        mean[r] = warp.my[r].inside ? inner[warp.my[r].index] : 0.0f;
    }
    copy_queries<WIDE, ROWS>(&plan, &tile, q, queries);
    copy_queries<WIDE, ROWS>(&plan, &tile, dout, above);
    copy_keys<WIDE, KEYS>(&plan, &tile, first, first, end, k, v, keys, values);
    for (int key = first, stage = 0; key < end; key += KEYS, stage ^= 1) {
        copy_wait();
        __syncthreads(); /* the tile is there, and whoever reads the one before is through */
        if (key + KEYS < end)
            copy_keys<WIDE, KEYS>(&plan, &tile, key + KEYS, first, end, k, v, keys + (stage ^ 1) * STAGE,
                                  values + (stage ^ 1) * STAGE);
        const enum sight sight =
            sight_of(plan.window, warp.first_position, warp.last_position, key, key + KEYS - 1);
        if (!warp.inside || sight == NO_PAIR) continue;
        float scores[KEYS / 8][4], slopes[KEYS / 8][4];
        clear(scores);
        clear(slopes);
        product_rows<WIDE, KEYS>(scores, queries + warp.first * STRIDE, keys + stage * STAGE);
        product_rows<WIDE, KEYS>(slopes, above + warp.first * STRIDE, values + stage * STAGE);
        if (sight == SOME_PAIRS)
            hide_unseen(scores, [&](int which, int column) {
                return sees(plan.window, warp.my[which].position, key + column);
            });
#pragma unroll
        for (int i = 0; i < KEYS / 8; i++)
#pragma unroll
            for (int e = 0; e < 4; e++)
                differentiate(plan.scale * LOG2_E, log_sum[e / 2], mean[e / 2], &scores[i][e], &slopes[i][e]);
        product_columns<WIDE, KEYS>(sums, slopes, keys + stage * STAGE);
    }
#pragma unroll
    for (int r = 0; r < 2; r++)
        if (warp.my[r].inside)
            store_row<WIDE>(dq + warp.my[r].index * plan.head_dim, sums, r, plan.scale, plan.head_dim);
}

/* The gradients that a kernel makes: registers hold both for all but the widest heads. */
enum { KEY_GRADIENT = 1, VALUE_GRADIENT = 2 };

/* A tile of keys of one key/value head, over all queries of its heads that see one of them. */
template <int WIDE, int WANTED>
static __global__ void __launch_bounds__(THREADS)
    kernel_keys(struct attention_plan plan, const bf16 *q, const bf16 *k, const bf16 *v, const float *lse,
                const float *inner, const bf16 *dout, bf16 *dk, bf16 *dv) {
    enum {
        ROWS = MOST_ROWS,
        QUERIES = tensor_sizes<WIDE>::OTHERS,
        STRIDE = tensor_sizes<WIDE>::STRIDE,
        STAGE = QUERIES * STRIDE
    };
    KERNEL_SHARED(memory);
    bf16 *keys = (bf16 *)memory, *values = keys + ROWS * STRIDE, *queries = values + ROWS * STRIDE,
         *above = queries + 2 * STAGE;
    const struct attention_tile tile = plan.tile[blockIdx.x];
    const int lane = (int)threadIdx.x % WARP, warp_row = (int)threadIdx.x / WARP * WARP_ROWS;
    const size_t kv_head = blockIdx.y;
    const int warp_key = tile.position + warp_row;
    float key_sums[WIDE / 8][4], value_sums[WIDE / 8][4];
    clear(key_sums);
    clear(value_sums);
    tile_pieces<WIDE, ROWS>([&](int row, int column) {
        const bool there = row < tile.count && column < plan.head_dim;
        const size_t at =
            there ? ((tile.start + row) * (size_t)plan.kv_heads + kv_head) * plan.head_dim + column : 0;
        copy_begin(keys + row * STRIDE + column, k + at, there);
        if (WANTED & KEY_GRADIENT) copy_begin(values + row * STRIDE + column, v + at, there);
    });
    /* Tokens from the first key on, up to the last that the window lets see the last key; each with all
     * heads. The log-sum-exp and <dO, O> of a query stand behind the columns of its row. */
    const int last_key = tile.position + tile.count - 1;
    const int end =
        plan.window > 0 && plan.window < tile.last - last_key ? last_key + plan.window : tile.last;
    const int count = (end - tile.position) * plan.group;
    const auto query_index = [&](int query) {
        return (size_t)(tile.start + query / plan.group) * plan.heads + kv_head * plan.group +
               query % plan.group;
    };
    const auto copy_others = [&](int first_query, int stage) {
        tile_pieces<WIDE, QUERIES>([&](int row, int column) {
            const bool there = first_query + row < count && column < plan.head_dim;
            const size_t at = there ? query_index(first_query + row) * plan.head_dim + column : 0;
            const int to = stage * STAGE + row * STRIDE + column;
            copy_begin(queries + to, q + at, there);
            copy_begin(above + to, dout + at, there);
        });
        const int row = (int)threadIdx.x;
        if (row >= QUERIES) return;
        const bool there = first_query + row < count;
        const size_t at = there ? query_index(first_query + row) : 0;
        bf16 *behind = queries + stage * STAGE + row * STRIDE + WIDE;
        copy_begin_word(behind, lse + at, there);
        copy_begin_word(behind + 2, inner + at, there);
    };
    copy_others(0, 0);
    for (int first = 0, stage = 0; first < count; first += QUERIES, stage ^= 1) {
        copy_wait();
        __syncthreads(); /* the tile is there, and whoever reads the one before is through */
        if (first + QUERIES < count) copy_others(first + QUERIES, stage ^ 1);
        const enum sight sight =
            sight_of(plan.window, tile.position + first / plan.group,
                     tile.position + (first + QUERIES - 1) / plan.group, warp_key, warp_key + WARP_ROWS - 1);
        if (warp_row >= tile.count || sight == NO_PAIR) continue;
        float weights[QUERIES / 8][4], slopes[QUERIES / 8][4];
        clear(weights);
        clear(slopes);
        product_rows<WIDE, QUERIES>(weights, keys + warp_row * STRIDE, queries + stage * STAGE);
        if (WANTED & KEY_GRADIENT)
            product_rows<WIDE, QUERIES>(slopes, values + warp_row * STRIDE, above + stage * STAGE);
        if (sight == SOME_PAIRS)
            hide_unseen(weights, [&](int which, int column) {
                return sees(plan.window, tile.position + (first + column) / plan.group,
                            warp_key + lane / LANES + which * 8);
            });
#pragma unroll
        for (int i = 0; i < QUERIES / 8; i++)
#pragma unroll
            for (int e = 0; e < 4; e++) {
                const int other = fragment_column(lane, i, e);
                const float *behind = (const float *)(queries + stage * STAGE + other * STRIDE + WIDE);
                differentiate(plan.scale * LOG2_E, LOG2_E * behind[0], behind[1], &weights[i][e],
                              &slopes[i][e]);
            }
        if (WANTED & VALUE_GRADIENT)
            product_columns<WIDE, QUERIES>(value_sums, weights, above + stage * STAGE);
        if (WANTED & KEY_GRADIENT) product_columns<WIDE, QUERIES>(key_sums, slopes, queries + stage * STAGE);
    }
#pragma unroll
    for (int r = 0; r < 2; r++) {
        const int row = warp_row + lane / LANES + r * 8;
        const size_t at = ((tile.start + row) * (size_t)plan.kv_heads + kv_head) * plan.head_dim;
        if (row >= tile.count) continue;
        if (WANTED & KEY_GRADIENT) store_row<WIDE>(dk + at, key_sums, r, plan.scale, plan.head_dim);
        if (WANTED & VALUE_GRADIENT) store_row<WIDE>(dv + at, value_sums, r, 1.0f, plan.head_dim);
    }
}

template <int WIDE, int WANTED>
static void run_keys(struct cuda *cuda, enum cuda_operation op, const struct attention_plan *plan,
                     size_t shared, const struct backward_operands *at) {
    cuda_launch(cuda, op, kernel_keys<WIDE, WANTED>, dim3(plan->tiles, (unsigned)plan->kv_heads), THREADS,
                shared, *plan, (const bf16 *)at->q, (const bf16 *)at->k, (const bf16 *)at->v, at->lse,
                at->inner, (const bf16 *)at->dout, (bf16 *)at->dk, (bf16 *)at->dv);
}

template <int WIDE>
static void run(struct cuda *cuda, enum cuda_operation op, const struct attention_plan *queries,
                const struct attention_plan *keys, const struct backward_operands *at) {
    constexpr size_t rows = 2 * MOST_ROWS + 4 * tensor_sizes<WIDE>::OTHERS,
                     shared = sizeof(bf16) * rows * tensor_sizes<WIDE>::STRIDE;
    static_assert(shared <= MOST_SHARED, "a block's tiles fit every GPU");
    cuda_launch(cuda, op, kernel_queries<WIDE>,
                dim3(queries->tiles, (unsigned)(queries->kv_heads * queries->parts)), THREADS, shared,
                *queries, (const bf16 *)at->q, (const bf16 *)at->k, (const bf16 *)at->v, at->lse, at->inner,
                (const bf16 *)at->dout, (bf16 *)at->dq);
    if constexpr (WIDE <= 128) {
        run_keys<WIDE, KEY_GRADIENT | VALUE_GRADIENT>(cuda, op, keys, shared, at);
    } else {
        run_keys<WIDE, VALUE_GRADIENT>(cuda, op, keys, shared, at);
        run_keys<WIDE, KEY_GRADIENT>(cuda, op, keys, shared, at);
    }
}

void attention_tensor_backward(struct cuda *cuda, enum cuda_operation op,
                               const struct attention_plan *queries, const struct attention_plan *keys,
                               const struct backward_operands *at) {
    WITH_WIDTH(queries->head_dim, WIDE, run<WIDE>(cuda, op, queries, keys, at));
}

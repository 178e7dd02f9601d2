#include "train/cuda/attention_tensor.h"

/* A block has a tile of queries. For each row: the largest score so far, in units of which exponentials are
 * powers of two, the sum of its weights, and its output relative to the largest. Tiles of keys begin at
 * multiples of KEYS: a row's numbers do not depend on which rows are beside it. Where there are rows for one
 * warp only, the others help to copy. */
template <int WIDE, int ROWS>
static __global__ void __launch_bounds__(THREADS)
    kernel_attention(struct attention_plan plan, const bf16 *q, const bf16 *k, const bf16 *v, bf16 *out,
                     float *lse) {
    enum { KEYS = tensor_sizes<WIDE>::KEYS, STRIDE = tensor_sizes<WIDE>::STRIDE, STAGE = KEYS * STRIDE };
    KERNEL_SHARED(memory);
    bf16 *queries = (bf16 *)memory, *keys = queries + ROWS * STRIDE, *values = keys + 2 * STAGE;
    const struct attention_tile tile = plan.tile[blockIdx.x];
    const struct warp_rows warp = warp_rows_of(&plan, &tile);
    const int first = first_seen(plan.window, tile.position), end = tile.position + tile.count;
    const float scale = plan.scale * LOG2_E;
    float sums[WIDE / 8][4], most[2] = {-INFINITY, -INFINITY}, total[2] = {0.0f, 0.0f};
    clear(sums);
    copy_queries<WIDE, ROWS>(&plan, &tile, q, queries);
    const int start = first / KEYS * KEYS;
    copy_keys<WIDE, KEYS>(&plan, &tile, start, first, end, k, v, keys, values);
    for (int key = start, stage = 0; key < end; key += KEYS, stage ^= 1) {
        copy_wait();
        __syncthreads(); /* the tile is there, and whoever reads the one before is through */
        if (key + KEYS < end)
            copy_keys<WIDE, KEYS>(&plan, &tile, key + KEYS, first, end, k, v, keys + (stage ^ 1) * STAGE,
                                  values + (stage ^ 1) * STAGE);
        const enum sight sight =
            sight_of(plan.window, warp.first_position, warp.last_position, key, key + KEYS - 1);
        if (!warp.inside || sight == NO_PAIR) continue;
        float scores[KEYS / 8][4], shift[2], correction[2];
        clear(scores);
        product_rows<WIDE, KEYS>(scores, queries + warp.first * STRIDE, keys + stage * STAGE);
        if (sight == SOME_PAIRS)
            hide_unseen(scores, [&](int which, int column) {
                return sees(plan.window, warp.my[which].position, key + column);
            });
#pragma unroll
        for (int r = 0; r < 2; r++) {
            float here = -INFINITY;
#pragma unroll
            for (int i = 0; i < KEYS / 8; i++)
                here = fmaxf(here, fmaxf(scores[i][r * 2], scores[i][r * 2 + 1]));
            float above = fmaxf(most[r], scale * lanes_most(here));
            shift[r] = above == -INFINITY ? 0.0f : above; /* there is nothing to see yet */
            correction[r] = exponential(most[r] - shift[r]);
            most[r] = above;
            total[r] *= correction[r];
        }
#pragma unroll
        for (int i = 0; i < KEYS / 8; i++)
#pragma unroll
            for (int e = 0; e < 4; e++) {
                scores[i][e] = exponential(fmaf(scores[i][e], scale, -shift[e / 2]));
                total[e / 2] += scores[i][e];
            }
        /* Maxima are found early, mostly. */
        if (__ballot_sync(ALL_LANES, correction[0] != 1.0f || correction[1] != 1.0f)) {
#pragma unroll
            for (int i = 0; i < WIDE / 8; i++)
#pragma unroll
                for (int e = 0; e < 4; e++) sums[i][e] *= correction[e / 2];
        }
        product_columns<WIDE, KEYS>(sums, scores, values + stage * STAGE);
    }
#pragma unroll
    for (int r = 0; r < 2; r++) {
        const float sum = lanes_sum(total[r]);
        if (!warp.my[r].inside) continue;
        store_row<WIDE>(out + warp.my[r].index * plan.head_dim, sums, r, 1.0f / sum, plan.head_dim);
        if (lse && warp.lane % LANES == 0) lse[warp.my[r].index] = LN_2 * most[r] + logf(sum);
    }
}

template <int WIDE, int ROWS>
static void run(struct cuda *cuda, enum cuda_operation op, const struct attention_plan *plan,
                const struct forward_operands *at) {
    constexpr size_t rows = ROWS + 4 * tensor_sizes<WIDE>::KEYS,
                     shared = sizeof(bf16) * rows * tensor_sizes<WIDE>::STRIDE;
    static_assert(shared <= MOST_SHARED, "a block's tiles fit every GPU");
    cuda_launch(cuda, op, kernel_attention<WIDE, ROWS>,
                dim3(plan->tiles, (unsigned)(plan->kv_heads * plan->parts)), THREADS, shared, *plan,
                (const bf16 *)at->q, (const bf16 *)at->k, (const bf16 *)at->v, (bf16 *)at->out, at->lse);
}

int attention_tensor_rows(int head_dim, int most) {
    (void)head_dim;
    return most <= FEW_ROWS ? FEW_ROWS : MOST_ROWS;
}

void attention_tensor_forward(struct cuda *cuda, enum cuda_operation op, const struct attention_plan *plan,
                              const struct forward_operands *at) {
    WITH_WIDTH(plan->head_dim, WIDE, {
        if (plan->rows == FEW_ROWS)
            run<WIDE, FEW_ROWS>(cuda, op, plan, at);
        else
            run<WIDE, MOST_ROWS>(cuda, op, plan, at);
    });
}

/* What the forward and the backward pass of attention share.
 *
 * Queries and keys are taken in blocks, so that scores exist for one pair of blocks at a time (Dao et al.
 * 2022; the softmax over blocks is Milakov & Gimelshein 2018). Where a pair is seen in part only, at the
 * diagonal and at the edge of a window, products are cut into strips that leave most of the unseen scores
 * out. */
#ifndef ADAPT_TRAIN_CPU_ATTENTION_H
#define ADAPT_TRAIN_CPU_ATTENTION_H

#include "train/attention_shape.h"
#include "train/cpu/cpu.h"

enum {
    ATTENTION_BLOCK = 64, /* queries, keys */
    ATTENTION_STRIP = 16
};

/* A block of queries against a block of keys: `rows` queries from `position` on, `keys` keys from `key` on.
 */
struct pairs {
    int position, rows;
    int key, keys;
    int window; /* 0: none */
};

struct range {
    int first, last; /* half-open, within the block */
};

static inline int attention_clamp(int value, int most) {
    return value < 0 ? 0 : value > most ? most : value;
}

/* The first position that a query sees. */
static inline int attention_first(int window, int position) {
    return window > 0 && position >= window ? position - window + 1 : 0;
}

/* The keys that any of the queries `from` .. `to`-1 of the block sees. */
static inline struct range pairs_keys(const struct pairs *pairs, int from, int to) {
    int first =
        attention_clamp(attention_first(pairs->window, pairs->position + from) - pairs->key, pairs->keys);
    int last = attention_clamp(pairs->position + to - pairs->key, pairs->keys);
    return (struct range){first, last > first ? last : first};
}

/* The queries that see any of the keys `from` .. `to`-1 of the block. */
static inline struct range pairs_queries(const struct pairs *pairs, int from, int to) {
    int first = attention_clamp(pairs->key + from - pairs->position, pairs->rows), last = pairs->rows;
    if (pairs->window > 0 && pairs->window < pairs->position + pairs->rows) /* longer ones hide nothing */
        last = attention_clamp(pairs->key + to - 1 + pairs->window - pairs->position, pairs->rows);
    return (struct range){first, last > first ? last : first};
}

/* Rows (or keys) to take at a time: all where every query sees every key. */
static inline int pairs_strip(const struct pairs *pairs) {
    bool all = pairs->position >= pairs->key + pairs->keys - 1 &&
               attention_first(pairs->window, pairs->position + pairs->rows - 1) <= pairs->key;
    return all ? ATTENTION_BLOCK : ATTENTION_STRIP;
}

/* scores[rows, ATTENTION_BLOCK] = queries [rows, C], `stride` apart, times keys [C, ATTENTION_BLOCK], where
 * seen; anything elsewhere. */
void attention_scores(const struct pairs *pairs, int head_dim, const float *queries, ptrdiff_t stride,
                      const float *keys, float *scores);
/* out[rows, C] += weights[rows, ATTENTION_BLOCK] values[keys, C]; weights are 0 where not seen. */
void attention_combine(const struct pairs *pairs, int head_dim, const float *weights, const float *values,
                       ptrdiff_t stride, float *out, ptrdiff_t out_stride);

/* A block of queries on its way through one block of keys after another: the running softmax, and what a
 * thread works in. Its memory lies in cpu_attention_scratch(1, head_dim). */
struct attention_work {
    float *output;  /* [ATTENTION_BLOCK, C] sum so far, relative to the maximum so far */
    float *keys;    /* [C, ATTENTION_BLOCK] */
    float *scores;  /* [ATTENTION_BLOCK, ATTENTION_BLOCK] */
    float *maximum; /* [ATTENTION_BLOCK] */
    float *sum;     /* [ATTENTION_BLOCK] */
    int head_dim;
    float scale; /* on the scores */
};
/* The `thread`-th share of the scratch memory. */
struct attention_work attention_work_at(void *scratch, int thread, int head_dim, float scale);
/* Starts `rows` queries, which have seen nothing. */
void attention_begin(struct attention_work *work, int rows);
/* Keys and values that lie together: `count` rows of either, `stride` apart. */
struct attention_keys {
    const float *keys, *values;
    ptrdiff_t stride;
    int count;
};
/* Shows the queries [pairs->rows, C] of one head, `stride` apart, a block of keys. */
void attention_take(struct attention_work *work, const struct pairs *pairs, const float *queries,
                    ptrdiff_t stride, const struct attention_keys *keys);
/* The same for queries [heads, C] of one row and as many heads (at most ATTENTION_BLOCK) that have their keys
 * in common and see all of them. The keys of the block after that are asked for meanwhile. */
void attention_take_row(struct attention_work *work, int heads, const struct attention_keys *here,
                        const struct attention_keys *next, const float *queries);
/* Row `row` of work->scores, of which `seen` are, becomes weights relative to the new maximum, 0 where not
 * seen; maximum, sum and output are brought up to date. */
void attention_weigh(struct attention_work *work, int row, struct range seen);
/* What query `row` has come to: out[C]. */
void attention_finish(const struct attention_work *work, int row, float *out);

#endif

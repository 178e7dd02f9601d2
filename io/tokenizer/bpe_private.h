/* The parts of a BPE model, shared by loading (bpe_load.c) and encoding (bpe.c). */
#ifndef ADAPT_IO_TOKENIZER_BPE_PRIVATE_H
#define ADAPT_IO_TOKENIZER_BPE_PRIVATE_H

#include "io/tokenizer/bpe.h"
#include "io/tokenizer/merges.h"
#include "io/tokenizer/word_cache.h"

enum {
    BPE_PAGES = 0x110000 >> 8, /* pages of 256 code points */
    BPE_JOIN_BITS = 22
};

struct bpe_symbol {
    int32_t id;         /* of the token; -1 once merged into its left neighbour */
    int32_t prev, next; /* indices; -1 at the ends */
};

struct bpe_candidate {
    uint64_t key; /* rank, then position: the order in which merges apply */
    int32_t id;   /* of the product, by which a candidate that went stale is known */
};

struct bpe {
    struct vocabulary *vocabulary;
    struct merges merges;
    bool byte_level, byte_fallback, fuse_unknown, ignore_merges;
    int32_t unknown;           /* id, or -1 */
    int32_t *pages[BPE_PAGES]; /* the id of each code point that is a token by itself, or -1; NULL: none on
                                  the page */
    int32_t fallback[256];     /* ids of "<0x00>" to "<0xFF>", or -1 */
    unsigned char *joins;      /* see bpe_may_join */

    struct word_cache *cache;
    struct bpe_symbol *symbols; /* scratch */
    size_t symbol_count, symbol_capacity;
    struct bpe_candidate *heap; /* scratch */
    size_t heap_count, heap_capacity;
    struct text spelling; /* scratch: a word in the byte-level alphabet */
};

/* The id of a code point's own token, or -1. */
static inline int32_t bpe_point_id(const struct bpe *bpe, int32_t point) {
    const int32_t *page = bpe->pages[point >> 8];
    return page ? page[point & 0xff] : -1;
}

/* A bit for each pair of code points at which some merge joins two tokens, found by hash: a clear bit means
 * that no merge ever crosses between the two, a set bit means nothing. */
static inline size_t bpe_join_bit(int32_t left, int32_t right) {
    uint64_t key = ((uint64_t)left << 21 | (uint64_t)right) * 0x9e3779b97f4a7c15ULL;
    return (size_t)(key >> (64 - BPE_JOIN_BITS));
}

static inline bool bpe_may_join(const struct bpe *bpe, int32_t left, int32_t right) {
    size_t bit = bpe_join_bit(left, right);
    return bpe->joins[bit >> 3] >> (bit & 7) & 1;
}

#endif

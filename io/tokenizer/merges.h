/* The merges of a BPE model: which pair of tokens becomes which token, and how early. */
#ifndef ADAPT_IO_TOKENIZER_MERGES_H
#define ADAPT_IO_TOKENIZER_MERGES_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

struct merge {
    int32_t left, right; /* the pair; left is -1 in an empty slot */
    int32_t rank;        /* lower merges first */
    int32_t id;          /* of the product */
};

struct merges {
    struct merge *slots; /* a power of two, at most half full, linear probing */
    size_t mask;
};

/* An empty table with room for `count` merges. Free with merges_free. */
int merges_create(size_t count, struct merges *out, struct error *err);
void merges_free(struct merges *merges);
/* Adds a merge; one of the same pair is replaced, as in the reference. */
void merges_add(struct merges *merges, struct merge merge);

static inline size_t merges_slot(const struct merges *merges, int32_t left, int32_t right) {
    uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    key *=
        0x9e3779b97f4a7c15ULL; /* Fibonacci hashing: the golden ratio spreads the keys over the high bits */
    return (size_t)(key >> 32) & merges->mask;
}

/* The merge of a pair, or NULL. */
static inline const struct merge *merges_find(const struct merges *merges, int32_t left, int32_t right) {
    for (size_t at = merges_slot(merges, left, right);; at = (at + 1) & merges->mask) {
        const struct merge *slot = &merges->slots[at];
        if (slot->left < 0) return NULL;
        if (slot->left == left && slot->right == right) return slot;
    }
}

#endif

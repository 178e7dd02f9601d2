/* What the forward and the backward pass of attention share.
 *
 * Queries and keys are taken in blocks of ATTENTION_BLOCK, so that scores exist for one pair of blocks at a
 * time (Dao et al. 2022; the softmax over blocks is Milakov & Gimelshein 2018). */
#ifndef ADAPT_TRAIN_CPU_ATTENTION_H
#define ADAPT_TRAIN_CPU_ATTENTION_H

#include "train/cpu/cpu.h"

enum { ATTENTION_BLOCK = 64 };

/* Whether the shape keeps its promises; a failure otherwise. */
bool attention_shape_good(struct cpu *cpu, const char *operation, const struct attention_shape *shape);

/* The first position that a query at `position` sees. */
static inline int attention_first(const struct attention_shape *shape, int position) {
    return shape->window > 0 && position >= shape->window ? position - shape->window + 1 : 0;
}

#endif

/* Deals work of known cost to workers so that the largest load is small: longest first, each to the least
 * loaded (Graham's LPT). A pure function of the costs: every rank computes the same deal. */
#ifndef ADAPT_BASE_DEAL_H
#define ADAPT_BASE_DEAL_H

#include <stdint.h>

/* Scratch for one item; callers keep an array so that dealing inside a step allocates nothing. */
struct deal_item {
    int64_t cost;
    int index;
};

/* owner[i] = 0 .. workers-1 for each of `count` items of cost[i] >= 0. Ties go to the lower index, so the
 * result is unique. `items` [count] and `load` [workers] are scratch. */
void deal_balanced(const int64_t *cost, int count, int workers, int *owner, struct deal_item *items,
                   int64_t *load);

#endif

#include "base/deal.h"

#include <stdlib.h>

static int by_falling_cost(const void *a, const void *b) {
    const struct deal_item *x = a, *y = b;
    if (x->cost != y->cost) return x->cost < y->cost ? 1 : -1;
    return (x->index > y->index) - (x->index < y->index);
}

void deal_balanced(const int64_t *cost, int count, int workers, int *owner, struct deal_item *items,
                   int64_t *load) {
    for (int i = 0; i < count; i++) items[i] = (struct deal_item){cost[i], i};
    for (int w = 0; w < workers; w++) load[w] = 0;
    qsort(items, (size_t)count, sizeof *items, by_falling_cost);
    for (int i = 0; i < count; i++) {
        int least = 0;
        for (int w = 1; w < workers; w++)
            if (load[w] < load[least]) least = w;
        owner[items[i].index] = least;
        load[least] += items[i].cost;
    }
}

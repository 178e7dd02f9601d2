/* What runner/cell/pass.c and runner/cell/pass_weighed.c share. */
#ifndef ADAPT_RUNNER_PASS_INTERNAL_H
#define ADAPT_RUNNER_PASS_INTERNAL_H

#include "base/deal.h"
#include "runner/cell/pass.h"

struct pass {
    struct backend *backend;     /* borrowed */
    const struct group *group;   /* borrowed */
    struct reduction *reduction; /* borrowed; NULL: gradients are not summed */
    struct pass_limits limits;
    size_t elements; /* of a flat vector */
    struct model *model;
    struct batch *batch;
    float *target_loss;           /* [rows] of one micro-batch */
    double *sums;                 /* [3 * tasks]: loss, tokens, alignment (or weight) */
    int64_t *cost;                /* [items] */
    int *owner;                   /* [items] */
    struct deal_item *deal;       /* [items] */
    int64_t *load;                /* [ranks] */
    void (*pulse)(void *context); /* may be NULL */
    void *pulse_context;
};

static inline void pass_pulse(const struct pass *pass) {
    if (pass->pulse) pass->pulse(pass->pulse_context);
}

/* What to do with each packed micro-batch. */
struct pass_work {
    struct view parameters, gradient, direction;
    bool backward;
    float scale;
    bool sum; /* the gradient goes to the reduction while the last micro-batch runs */
};

/* Packs the items of `rank` (or all: -1) in order and runs every micro-batch; adds to pass->sums. */
int pass_run_items(struct pass *pass, const struct pass_work *work, const struct pass_item *items, int count,
                   int rank, struct error *err);

#endif

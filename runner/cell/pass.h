/* A pass: this rank's share of a list of examples, packed into micro-batches and run through the model.
 *
 * The list is the same on every rank; which examples a rank runs follows from their lengths alone. Sums come
 * back over the whole group, so callers see the same numbers whatever the number of ranks, up to rounding. */
#ifndef ADAPT_RUNNER_PASS_H
#define ADAPT_RUNNER_PASS_H

#include "io/tasks/tasks.h"
#include "runner/reduction.h"
#include "train/model.h"

struct pass_item {
    const struct example *example;
    int32_t task;
    float weight; /* of each supervised token's loss in the objective */
};

/* Sums by task over the whole group; [tasks]. */
struct pass_sums {
    double *loss;   /* sum of the supervised tokens' losses, unweighted */
    double *tokens; /* how many */
};

/* The memory passes need, made once for a cell. */
struct pass;
struct pass_limits {
    int rows;  /* of a micro-batch on one rank */
    int items; /* longest list */
    int tasks;
    int recompute;          /* enum recompute */
    enum dtype activations; /* for pass_bytes; a pass takes its backend's */
};
/* `reduction` (borrowed) sums gradients over the group; NULL: nobody does. */
int pass_create(struct backend *backend, const struct model_config *config,
                const struct parameter_layout *layout, const struct group *group,
                const struct pass_limits *limits, struct reduction *reduction, struct pass **out,
                struct error *err);
void pass_destroy(struct pass **pass);

/* `pulse` is called before every micro-batch: a sign of life of what may take long. */
void pass_watch(struct pass *pass, void (*pulse)(void *context), void *context);

/* Device memory that pass_create would take for these limits, in bytes. */
size_t pass_bytes(const struct model_config *config, const struct pass_limits *limits);

/* Forward only: losses by task. Collective. */
int pass_losses(struct pass *pass, struct view parameters, const struct pass_item *items, int count,
                struct pass_sums *sums, struct error *err);

/* Forward and backward: adds the gradient of sum weight * loss to `gradient` (absent: none), which is summed
 * over the group while the last backward pass runs: what is there before must be zero, or each rank's own
 * part of the sum. Where `direction` is given, alignment[task] = < gradient of the task's part, direction >.
 * Losses by task as above. Collective. */
int pass_gradient(struct pass *pass, struct view parameters, const struct pass_item *items, int count,
                  struct view gradient, struct view direction, double *alignment, struct pass_sums *sums,
                  struct error *err);

/* Gives a task its weight in an objective that shows only while the passes go on (an online softmax over
 * tasks). */
struct pass_weigher {
    /* Called once a task, in the list's order, with the mean loss over its supervised tokens. *weight: of
     * that mean in the objective; *rescale: what the weights of all tasks before, and so their gradients, are
     * to be multiplied by. */
    int (*weigh)(void *context, int task, double loss, double *weight, double *rescale, struct error *err);
    void *context;
};

/* Overwrites `gradient` with that of sum_k weight_k * (mean loss of task k), and fills loss[task] for the
 * tasks of the list, on this rank alone. `items` hold the examples of one task after the other, of weight 1.
 * Tasks share micro-batches: their losses are known before the backward pass runs, which reads the weights
 * then. A task that is larger than a micro-batch is run twice. Not collective. */
int pass_weighed_gradient(struct pass *pass, struct view parameters, const struct pass_item *items, int count,
                          struct view gradient, const struct pass_weigher *weigher, double *loss,
                          struct error *err);

#endif

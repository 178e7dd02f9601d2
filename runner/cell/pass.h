/* A pass: this rank's share of a list of examples, packed into micro-batches and run through the model.
 *
 * The list is the same on every rank; which examples a rank runs follows from their lengths alone. Sums come back over the
 * whole group, so callers see the same numbers whatever the number of ranks, up to rounding. */
#ifndef ADAPT_RUNNER_PASS_H
#define ADAPT_RUNNER_PASS_H

#include "io/tasks/tasks.h"
#include "runner/group.h"
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
    int rows;      /* of a micro-batch on one rank */
    int items;     /* longest list */
    int tasks;
    bool alignments;
    int recompute; /* enum recompute */
};
int pass_create(struct backend *backend, const struct model_config *config, const struct parameter_layout *layout,
                const struct group *group, const struct pass_limits *limits, struct pass **out, struct error *err);
void pass_destroy(struct pass **pass);

/* Device memory that pass_create would take for these limits, in bytes. */
size_t pass_bytes(const struct model_config *config, const struct pass_limits *limits);

/* Forward only: losses by task. Collective. */
int pass_losses(struct pass *pass, struct view parameters, const struct pass_item *items, int count,
                struct pass_sums *sums, struct error *err);

/* Forward and backward: adds this rank's part of the gradient of sum weight * loss to `gradient` (absent: none; NOT reduced
 * over the group: see group_sum_vector), and, where `direction` is given, alignment[task] = < gradient of the task's part,
 * direction > summed over the group. Losses by task as above. Collective. */
int pass_gradient(struct pass *pass, struct view parameters, const struct pass_item *items, int count,
                  struct view gradient, struct view direction, double *alignment, struct pass_sums *sums,
                  struct error *err);

/* One list of one task on this rank alone: where it fits into one micro-batch the loss is known before the backward pass runs.
 * Calls `weigh(context, loss, &scale)` with the mean loss, then adds `scale` times the gradient of the mean loss to `gradient`. *loss
 * gets the mean. Not collective. */
int pass_task_gradient(struct pass *pass, struct view parameters, const struct pass_item *items, int count,
                       struct view gradient, int (*weigh)(void *context, double loss, float *scale, struct error *err),
                       void *context, double *loss, struct error *err);

#endif

/* The trainer: one rank's replica of a model under training, and the two kinds of step.
 *
 * A plain step minimises the mean loss over the step's supervised tokens. An update step draws at least a few
 * examples of every task, weighs each task by its share of the mixture, and measures on the way the signal
 * that an online method learns from: the validation losses, and the alignments d_k = < g_k, G > of each
 * task's training gradient with the validation gradient of the smooth worst case (design: "The algorithm").
 * Everything here is collective over the group. */
#ifndef ADAPT_RUNNER_TRAINER_H
#define ADAPT_RUNNER_TRAINER_H

#include "io/archive/archive.h"
#include "runner/reduction.h"
#include "runner/cell/loaded_model.h"
#include "runner/cell/pass.h"
#include "solver/method.h"
#include "train/optimizer.h"
#include "train/sampler.h"

struct trainer;

/* Memory is sized for steps of `step_items` examples at most. The weights are read from the model's folder.
 * `plan` says which signals will be asked for. All pointers are borrowed. */
int trainer_create(struct backend *backend, const struct group *group, const struct loaded_model *model,
                   const struct training_settings *training, const struct method_signal_plan *plan,
                   struct trainer **out, struct error *err);
void trainer_destroy(struct trainer **trainer);

/* `pulse` is called before every micro-batch. */
void trainer_watch(struct trainer *trainer, void (*pulse)(void *context), void *context);

/* Bytes of device memory that trainer_create takes at most on each of `ranks` ranks, and what for. */
struct trainer_memory {
    double weights; /* float32 */
    double copies;  /* of what products are taken with: weights, the validation gradient, old weights; 0 for
                       float32 */
    double gradient;
    double moments;     /* the optimizer's */
    double direction;   /* the validation gradient */
    double old_weights; /* for an exact lookahead */
    double activations;
    double workspace;
    double total;
};
/* `backend` NULL: one that computes in float32, without its workspace. */
struct trainer_memory trainer_memory(struct backend *backend, const struct loaded_model *model,
                                     const struct training_settings *training,
                                     const struct method_signal_plan *plan, int ranks);
/* Such as "weights 1.2, gradient 1.2, ... GiB" (or MiB), without what is nothing. */
void trainer_memory_describe(const struct trainer_memory *memory, char *text, size_t size);

/* What a step did. Arrays are the trainer's, [tasks], valid until the next step. */
struct trainer_step {
    double loss;                      /* the weighted mean that was minimised */
    double gradient_norm;             /* before clipping */
    const double *task_loss;          /* mean by task; NaN: no example of it in this step */
    const int64_t *task_tokens;       /* supervised tokens by task */
    const double *validation_loss;    /* of update steps, else NULL */
    const double *alignment;          /* of update steps, else NULL */
    const int64_t *validation_tokens; /* spent on the signal, by task; NULL for plain steps */
};

/* One plain step on the drawn examples at learning rate `rate`. */
int trainer_plain_step(struct trainer *trainer, const struct draw_list *draws, double rate,
                       struct trainer_step *out, struct error *err);

/* One update step: `token_share` is the mixture in shares of supervised tokens, `worst_case` the objective
 * with its reference, `update` the number of the update (0, 1, ...), which chooses the validation examples.
 * Every task must be among the draws. */
int trainer_update_step(struct trainer *trainer, const struct draw_list *draws, const struct sampler *sampler,
                        const double *token_share, const struct worst_case *worst_case, int64_t update,
                        double rate, struct trainer_step *out, struct error *err);

/* Supervised validation tokens that update number `update` would spend. */
int64_t trainer_update_cost(struct trainer *trainer, const struct sampler *sampler, int64_t update);

/* Mean loss of every task over its whole validation pool, into loss[tasks]. */
int trainer_validate(struct trainer *trainer, double *loss, struct error *err);

/* The weights; borrowed. */
struct view trainer_parameters(const struct trainer *trainer);

/* What goes on from step to step, on the device: the weights and the optimizer's state, of which this rank
 * may hold a part. */
struct trainer_state {
    struct view parameters;
    struct optimizer_state optimizer;
};
struct trainer_state trainer_state(const struct trainer *trainer);
/* After the state's vectors were uploaded: goes on as if `steps` steps had been taken. */
void trainer_set_steps(struct trainer *trainer, int64_t steps);

/* Frees what only training needs (gradients, moments, activations); afterwards only the weights are left. */
void trainer_release_training(struct trainer *trainer);

/* Seconds spent by phase since the last call, [PHASE_COUNT]. Not collective. */
void trainer_take_phases(struct trainer *trainer, double *seconds);
/* How far the sums of training gradients over the group went on beside the backward passes since the last
 * call. What of their time is not overlapped is PHASE_REDUCE of the above. Not collective. */
struct reduction_counters trainer_take_overlap(struct trainer *trainer);

#endif

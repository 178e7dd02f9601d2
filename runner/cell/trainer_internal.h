/* What the files of the trainer share: trainer.c (its life and the plain step), trainer_signal.c (the update
 * step) and trainer_memory.c (what it holds). */
#ifndef ADAPT_RUNNER_TRAINER_INTERNAL_H
#define ADAPT_RUNNER_TRAINER_INTERNAL_H

#include "base/deal.h"
#include "runner/cell/trainer.h"
#include "runner/shards.h"

struct trainer {
    struct backend *backend;          /* borrowed */
    const struct group *group;        /* borrowed */
    const struct loaded_model *model; /* borrowed */
    struct method_signal_plan plan;
    int tasks;
    size_t elements; /* of every flat vector */

    struct buffer *parameters, *gradient;
    struct buffer *direction;      /* G, where alignments are asked for */
    struct buffer *old_parameters; /* theta before the step, for an exact lookahead */
    struct reduction *reduction;
    struct reduction_counters overlap; /* of the training gradients' sums, since they were asked for */
    struct shards *shards;             /* NULL: every rank's optimizer holds everything */
    double *squares;                   /* [ranks] of the gradient, by shard */
    struct optimizer *optimizer;
    struct pass *pass;

    struct pass_item *items; /* [item_capacity] of the step, or of a pass over the validation pools */
    int item_capacity;
    struct pass_item *validation_items; /* [item_capacity] of this rank's tasks */
    struct pass_sums sums;              /* [tasks] */
    double *task_weight;           /* [tasks] of one supervised token of the task in the step's objective */
    double *task_loss;             /* [tasks] */
    int64_t *task_tokens;          /* [tasks] */
    double *validation_loss;       /* [tasks] */
    int64_t *validation_tokens;    /* [tasks] */
    double *alignment;             /* [tasks] */
    double *reduced;               /* [tasks + 1] */
    const struct example **chosen; /* [validation_batch] */
    int64_t *cost;                 /* [tasks] */
    int *owner;                    /* [tasks] */
    struct deal_item *deal;        /* [tasks] */
    int64_t *load;                 /* [ranks] */
    double phase_seconds[PHASE_COUNT];
};

/* Whether the method asks for alignments; whether it takes them at the weights after the step. */
bool trainer_wants_alignment(const struct method_signal_plan *plan);
bool trainer_looks_ahead(const struct method_signal_plan *plan);
/* Of the passes that a trainer makes; the type of their activations is the backend's to say. */
struct pass_limits trainer_limits(const struct loaded_model *model, const struct training_settings *training,
                                  const struct method_signal_plan *plan);
/* Whether each of `ranks` ranks holds a part of the optimizer's state only, and which elements rank number
 * `rank` holds. */
bool trainer_shards_optimizer(const struct training_settings *training, int ranks);
struct parameter_range trainer_held_range(size_t elements, const struct training_settings *training,
                                          int ranks, int rank);
/* ERROR_MEMORY, with the numbers, where the device has no room for all that the trainer will take. */
int trainer_check_room(const struct trainer *trainer, const struct training_settings *training,
                       struct error *err);

/* The flat vector in a buffer. */
struct view trainer_vector(struct buffer *buffer);
/* Adds the time since *mark to a phase and moves the mark. */
void trainer_lap(struct trainer *trainer, enum archive_phase phase, double *mark);
/* As trainer_lap for a pass that sums a gradient: waiting for the sums is a phase of its own. */
void trainer_lap_pass(struct trainer *trainer, enum archive_phase phase, double *mark);
/* Copies draws to the trainer's items with a weight per task: token_weight[task]. */
int trainer_take_draws(struct trainer *trainer, const struct draw_list *draws, const double *token_weight,
                       struct error *err);
/* Means by task, tokens by task, and the weighted loss from trainer->sums. */
void trainer_describe(struct trainer *trainer, const double *token_weight, struct trainer_step *out);
/* Where the optimizer is shared out: every rank has written its shard, and gets the others'. */
int trainer_gather(struct trainer *trainer, struct view vector, struct error *err);
/* Takes the optimizer's step along the reduced gradient. */
int trainer_descend(struct trainer *trainer, double rate, struct trainer_step *out, struct error *err);

#endif

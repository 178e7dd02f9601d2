/* What the columns of steps/ and validation/ are. */
#include "io/archive/archive_table.h"

#define STEP(field)       offsetof(struct archive_step_row, step.field)
#define VALIDATION(field) offsetof(struct archive_validation_row, validation.field)

/* "s", not "seconds": xarray would make time spans of the latter. "1": a number without a unit. */
const struct archive_column archive_step_columns[] = {
    {"step", COLUMN_COUNT, STEP(step), "1", "optimizer step, from 0"},
    {"time", COLUMN_REAL, offsetof(struct archive_step_row, time), "seconds since 1970-01-01T00:00:00Z",
     "time of day at which the step ended"},
    {"supervised_tokens", COLUMN_COUNT, STEP(supervised_tokens), "tokens",
     "supervised tokens trained on so far, this step included"},
    {"validation_tokens", COLUMN_COUNT, STEP(validation_tokens), "tokens",
     "supervised tokens that the method's validation batches have taken so far"},
    {"probe_tokens", COLUMN_COUNT, STEP(probe_tokens), "tokens",
     "supervised tokens that the method has looked at without training on them so far"},
    {"charged_tokens", COLUMN_COUNT, STEP(charged_tokens), "tokens",
     "tokens counted against the budget so far"},
    {"total_tokens", COLUMN_COUNT, STEP(total_tokens), "tokens",
     "all tokens fed to the model so far, prompts included"},
    {"learning_rate", COLUMN_REAL, STEP(learning_rate), "1", "learning rate of the step"},
    {"loss", COLUMN_REAL, STEP(loss), "nat", "mean training loss of the step's supervised tokens"},
    {"grad_norm", COLUMN_REAL, STEP(gradient_norm), "1", "Euclidean norm of the gradient before clipping"},
    {"seconds", COLUMN_REAL, STEP(seconds), "s", "wall-clock time of the step"},
    {"seconds_train", COLUMN_REAL, STEP(phase_seconds[PHASE_TRAIN]), "s",
     "of that: forward and backward passes of training"},
    {"seconds_validation", COLUMN_REAL, STEP(phase_seconds[PHASE_VALIDATION]), "s",
     "of that: the method's validation passes"},
    {"seconds_mixture", COLUMN_REAL, STEP(phase_seconds[PHASE_MIXTURE]), "s",
     "of that: the update of the mixture"},
    {"seconds_reduce", COLUMN_REAL, STEP(phase_seconds[PHASE_REDUCE]), "s", "of that: sums over the ranks"},
    {"seconds_optimizer", COLUMN_REAL, STEP(phase_seconds[PHASE_OPTIMIZER]), "s", "of that: the optimizer"},
    {"seconds_other", COLUMN_REAL, STEP(phase_seconds[PHASE_OTHER]), "s", "of that: everything else"},
    {"objective", COLUMN_REAL, STEP(objective), "nat", "the method's outer objective at its last update"},
    {"entropy", COLUMN_REAL, STEP(entropy), "nat", "entropy of the mixture"},
    {"signal_age", COLUMN_COUNT, STEP(signal_age), "1",
     "steps since the alignments were measured; -1: never"},
    {"mixture", COLUMN_REAL_BY_TASK, STEP(mixture), "1", "share of each task in the step's training stream"},
    {"logits", COLUMN_REAL_BY_TASK, STEP(logits), "1", "the mixture's logits; NaN where the method has none"},
    {"alignment", COLUMN_REAL_BY_TASK, STEP(alignment), "1",
     "inner product of the task's training gradient and the aggregated validation gradient, averaged"},
    {"meta_gradient", COLUMN_REAL_BY_TASK, STEP(meta_gradient), "1",
     "gradient of the outer objective that the last update used"},
    {"train_loss", COLUMN_REAL_BY_TASK, STEP(train_loss), "nat",
     "mean training loss of the task in this step"},
    {"validation_loss", COLUMN_REAL_BY_TASK, STEP(validation_loss), "nat",
     "loss on the task's validation batch of this step's update; NaN where there was none"},
    {"task_tokens", COLUMN_COUNT_BY_TASK, STEP(task_tokens), "tokens",
     "supervised tokens of the task trained on so far"},
    {"task_validation_tokens", COLUMN_COUNT_BY_TASK, STEP(task_validation_tokens), "tokens",
     "supervised tokens of the task in the method's validation batches so far"},
    {.name = NULL}};

const struct archive_column archive_validation_columns[] = {
    {"step", COLUMN_COUNT, VALIDATION(step), "1", "optimizer steps done at this set point"},
    {"time", COLUMN_REAL, offsetof(struct archive_validation_row, time), "seconds since 1970-01-01T00:00:00Z",
     "time of day of the set point"},
    {"supervised_tokens", COLUMN_COUNT, VALIDATION(supervised_tokens), "tokens",
     "supervised tokens trained on at this set point"},
    {"loss", COLUMN_REAL_BY_TASK, VALIDATION(loss), "nat", "mean loss on each task's whole validation pool"},
    {"worst", COLUMN_REAL, VALIDATION(worst), "nat", "the largest of the tasks' losses"},
    {"mean", COLUMN_REAL, VALIDATION(mean), "nat", "the mean of the tasks' losses"},
    {.name = NULL}};

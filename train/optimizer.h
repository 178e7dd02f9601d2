/* AdamW (or plain SGD) over a flat parameter vector, learning-rate schedules by the share of the budget,
 * clipping. */
#ifndef ADAPT_TRAIN_OPTIMIZER_H
#define ADAPT_TRAIN_OPTIMIZER_H

#include "base/setting.h"
#include "train/parameters.h"
#include <stdint.h>

enum optimizer_kind { OPTIMIZER_ADAMW, OPTIMIZER_SGD };
enum schedule { SCHEDULE_COSINE, SCHEDULE_LINEAR, SCHEDULE_CONSTANT };

/* The optimizer's part of "training" in an experiment file; rows in optimizer_settings_table. */
struct optimizer_settings {
    int kind;             /* enum optimizer_kind; JSON key "optimizer" */
    double learning_rate; /* peak */
    int schedule;         /* enum schedule */
    double warmup;        /* share of the budget over which the rate rises linearly from 0 */
    double final_rate;    /* share of the peak that cosine and linear end at */
    double beta1, beta2, epsilon, weight_decay;
    double clip; /* largest global gradient norm; 0: no clipping */
};
extern const struct setting optimizer_settings_table[];

/* The learning rate at `progress` in [0, 1], the share of the budget spent (the middle of the step). */
double optimizer_rate(const struct optimizer_settings *settings, double progress);

struct optimizer;
int optimizer_create(struct backend *backend, const struct parameter_layout *layout,
                     const struct optimizer_settings *settings, struct optimizer **out, struct error *err);
/* The same for one of several ranks that share the work: it holds AdamW's moments of `range` alone (bounds
 * that are multiples of PARAMETER_ALIGNMENT, so that elements go through the same arithmetic whatever the
 * range), and updates only that part. */
int optimizer_create_part(struct backend *backend, const struct parameter_layout *layout,
                          const struct optimizer_settings *settings, struct parameter_range range,
                          struct optimizer **out, struct error *err);
void optimizer_destroy(struct optimizer **optimizer);

/* One update of `parameters` from `gradient` (both flat) by an optimizer that holds everything, at learning
 * rate `rate`. Decay spares norms. *norm (may be NULL) gets the global gradient norm before clipping; a norm
 * that is not finite is ERROR_NUMERIC and leaves the parameters as they were. */
int optimizer_step(struct optimizer *optimizer, double rate, struct view gradient, struct view parameters,
                   double *norm, struct error *err);

/* The two halves of a step, for an optimizer that holds a part: the sum of squares of any range of the
 * gradient, and the update of what it holds, given the sum over the whole gradient. */
int optimizer_squares(struct optimizer *optimizer, struct view gradient, struct parameter_range range,
                      double *squares, struct error *err);
int optimizer_apply(struct optimizer *optimizer, double rate, double squares, struct view gradient,
                    struct view parameters, double *norm, struct error *err);

/* Which step's update optimizer_precondition differentiates. */
enum optimizer_moment { OPTIMIZER_NEXT_STEP, OPTIMIZER_LAST_STEP };

/* Turns a flat vector G (of an optimizer that holds a part: that part of it) into P * G, P the elementwise
 * derivative, per unit of learning rate, of a step's update by its gradient: for AdamW with its second
 * moments frozen as they stand now, for SGD the identity. It is the identity, too, while AdamW has taken
 * fewer than OPTIMIZER_SETTLED steps: 1 / sqrt(v) of one or two gradients has so heavy a tail that a few
 * coordinates near zero, and their rounding, would decide every inner product with P * G. */
enum { OPTIMIZER_SETTLED = 3 };
int optimizer_precondition(struct optimizer *optimizer, enum optimizer_moment moment, struct view vector,
                           struct error *err);

/* What a checkpoint must hold beside the parameters: AdamW's moments (absent for SGD), which may be uploaded
 * and downloaded, and the number of steps taken. The moments are those of `held` alone: element i of `first`
 * is the moment of element held.first + i of the flat vector. */
struct optimizer_state {
    struct parameter_range held;
    struct view first, second; /* [held.count] */
    int64_t steps;
};
struct optimizer_state optimizer_state(const struct optimizer *optimizer);
/* Goes on as if `steps` steps had been taken; the moments are uploaded through optimizer_state's views. */
void optimizer_set_steps(struct optimizer *optimizer, int64_t steps);

#endif

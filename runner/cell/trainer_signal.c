/* The update step: the training step that also measures what an online method learns from. */
#include "runner/cell/trainer_internal.h"

#include "base/clock.h"
#include <math.h>
#include <string.h>

int64_t trainer_update_cost(struct trainer *trainer, const struct sampler *sampler, int64_t update) {
    int64_t supervised = 0;
    for (int k = 0; k < trainer->tasks; k++) {
        int count =
            sampler_validation(sampler, k, update, (int)trainer->plan.validation_batch, trainer->chosen);
        for (int i = 0; i < count; i++) supervised += trainer->chosen[i]->length - trainer->chosen[i]->prompt;
    }
    return supervised;
}

/* The online softmax over tasks, as pass_weighed_gradient asks for a task's weight. */
struct weighing {
    const struct task_set *tasks;
    const struct worst_case *worst_case;
    struct worst_case_sum sum;
};

static int weigh(void *context, int task, double loss, double *weight, double *rescale, struct error *err) {
    struct weighing *w = context;
    if (!isfinite(loss))
        return error_set(err, ERROR_NUMERIC, "the validation loss of task \"%s\" is %g",
                         w->tasks->tasks[task].name, loss);
    double slope, value = worst_case_value(w->worst_case, task, loss, &slope);
    *weight = slope * worst_case_sum_add(&w->sum, w->worst_case->temperature, value, rescale);
    return 0;
}

/* This rank's tasks: their losses into validation_loss, their weighted gradients into G. */
static int validate_own_tasks(struct trainer *t, const struct sampler *sampler, struct weighing *w,
                              int64_t update, struct error *err) {
    struct pass_weigher weigher = {weigh, w};
    int count = 0;
    memset(t->validation_loss, 0, (size_t)t->tasks * sizeof(double));
    for (int k = 0; k < t->tasks; k++) {
        if (t->owner[k] != t->group->rank) continue;
        int chosen = sampler_validation(sampler, k, update, (int)t->plan.validation_batch, t->chosen);
        for (int i = 0; i < chosen; i++)
            t->validation_items[count++] = (struct pass_item){t->chosen[i], k, 1.0f};
    }
    return pass_weighed_gradient(t->pass, trainer_parameters(t), t->validation_items, count,
                                 trainer_vector(t->direction), &weigher, t->validation_loss, err);
}

/* G = sum_j w_j dv_j/dL_j grad L_j at the current parameters, and every L_j, in one pass over the tasks'
 * validation batches. */
static int validation_gradient(struct trainer *t, const struct sampler *sampler,
                               const struct worst_case *worst_case, int64_t update, struct error *err) {
    double mark = clock_seconds();
    struct view direction = trainer_vector(t->direction);
    for (int k = 0; k < t->tasks; k++) {
        int count = sampler_validation(sampler, k, update, (int)t->plan.validation_batch, t->chosen);
        t->cost[k] = t->validation_tokens[k] = 0;
        for (int i = 0; i < count; i++) {
            t->cost[k] += t->chosen[i]->length - 1;
            t->validation_tokens[k] += t->chosen[i]->length - t->chosen[i]->prompt;
        }
    }
    deal_balanced(t->cost, t->tasks, t->group->size, t->owner, t->deal, t->load);
    struct weighing w = {.tasks = t->model->tasks, .worst_case = worst_case, .sum = worst_case_sum_empty()};
    TRY(group_agree(t->group, validate_own_tasks(t, sampler, &w, update, err), err));
    trainer_lap(t, PHASE_VALIDATION, &mark);

    double maximum = w.sum.maximum;
    TRY(group_max(t->group, &maximum, 1, err));
    double factor = worst_case_sum_factor(&w.sum, worst_case->temperature, maximum);
    memcpy(t->reduced, t->validation_loss, (size_t)t->tasks * sizeof(double));
    t->reduced[t->tasks] = factor * w.sum.sum;
    TRY(group_sum(t->group, t->reduced, (size_t)t->tasks + 1, err));
    memcpy(t->validation_loss, t->reduced, (size_t)t->tasks * sizeof(double));
    t->backend->scale(t->backend, t->elements, (float)(factor / t->reduced[t->tasks]), direction);
    TRY(group_agree(t->group, reduction_sum(t->reduction, direction, err), err));
    trainer_lap(t, PHASE_REDUCE, &mark);
    return 0;
}

/* G as the inner optimizer would apply it, at the step to come or at the one just taken. */
static int precondition(struct trainer *t, enum optimizer_moment moment, struct error *err) {
    if (t->plan.precondition != PRECONDITION_ADAMW) return 0;
    double mark = clock_seconds();
    struct view direction = trainer_vector(t->direction);
    TRY(group_agree(t->group, optimizer_precondition(t->optimizer, moment, direction, err), err));
    trainer_lap(t, PHASE_MIXTURE, &mark);
    return trainer_gather(t, direction, err);
}

/* One pass over the step's `count` examples at `parameters`: their gradient (summed over the group), their
 * alignments, or both. */
static int training_pass(struct trainer *t, int count, struct view parameters, bool gradient, bool align,
                         struct error *err) {
    double mark = clock_seconds();
    struct view to = gradient ? trainer_vector(t->gradient) : view_none();
    struct view direction = align ? trainer_vector(t->direction) : view_none();
    if (gradient) t->backend->zero(t->backend, t->elements, to);
    TRY(pass_gradient(t->pass, parameters, t->items, count, to, direction, t->alignment, &t->sums, err));
    trainer_lap_pass(t, gradient ? PHASE_TRAIN : PHASE_MIXTURE, &mark);
    return 0;
}

/* The step and its signal, at the current parameters. */
struct update {
    int count; /* examples in trainer->items */
    const struct sampler *sampler;
    const struct worst_case *worst_case;
    int64_t number;
    double rate;
};

/* G at theta, then one training pass yields both the gradient and the alignments. */
static int step_here(struct trainer *t, const struct update *u, struct trainer_step *out, struct error *err) {
    TRY(validation_gradient(t, u->sampler, u->worst_case, u->number, err));
    TRY(precondition(t, OPTIMIZER_NEXT_STEP, err));
    TRY(training_pass(t, u->count, trainer_parameters(t), true, true, err));
    trainer_describe(t, t->task_weight, out);
    return trainer_descend(t, u->rate, out, err);
}

/* The step first, then G at theta', then the alignments of the old point's training gradients with it. */
static int step_ahead(struct trainer *t, const struct update *u, struct trainer_step *out,
                      struct error *err) {
    struct view parameters = trainer_parameters(t), old = trainer_vector(t->old_parameters);
    t->backend->copy(t->backend, t->elements, parameters, old);
    TRY(training_pass(t, u->count, parameters, true, false, err));
    trainer_describe(t, t->task_weight, out);
    TRY(trainer_descend(t, u->rate, out, err));
    TRY(validation_gradient(t, u->sampler, u->worst_case, u->number, err));
    TRY(precondition(t, OPTIMIZER_LAST_STEP, err));
    return training_pass(t, u->count, old, false, true, err);
}

int trainer_update_step(struct trainer *trainer, const struct draw_list *draws, const struct sampler *sampler,
                        const double *token_share, const struct worst_case *worst_case, int64_t update,
                        double rate, struct trainer_step *out, struct error *err) {
    *out = (struct trainer_step){0};
    struct trainer *t = trainer;
    double *weight = t->task_weight;
    memset(t->task_tokens, 0, (size_t)t->tasks * sizeof(int64_t));
    for (int i = 0; i < draws->count; i++) {
        const struct example *example = draws->draws[i].example;
        t->task_tokens[draws->draws[i].task] += example->length - example->prompt;
    }
    for (int k = 0; k < t->tasks; k++) {
        if (!t->task_tokens[k])
            return error_set(err, ERROR_INTERNAL, "an update step without an example of task \"%s\"",
                             t->model->tasks->tasks[k].name);
        weight[k] = token_share[k] / (double)t->task_tokens[k];
    }
    TRY(trainer_take_draws(t, draws, weight, err));
    struct update u = {draws->count, sampler, worst_case, update, rate};
    bool ahead = t->plan.lookahead == LOOKAHEAD_EXACT;
    TRY(ahead ? step_ahead(t, &u, out, err) : step_here(t, &u, out, err));
    for (int k = 0; k < t->tasks; k++) t->alignment[k] /= token_share[k];
    out->validation_loss = t->validation_loss;
    out->validation_tokens = t->validation_tokens;
    out->alignment = t->alignment;
    return 0;
}

#include "runner/cell/trainer_internal.h"

#include "base/clock.h"
#include "base/memory.h"
#include <math.h>
#include <string.h>

struct view trainer_vector(struct buffer *buffer) {
    return (struct view){buffer, 0, DTYPE_F32};
}

void trainer_lap(struct trainer *trainer, enum archive_phase phase, double *mark) {
    double now = clock_seconds();
    trainer->phase_seconds[phase] += now - *mark;
    *mark = now;
}

void trainer_lap_pass(struct trainer *trainer, enum archive_phase phase, double *mark) {
    struct reduction_counters sums = reduction_take_counters(trainer->reduction), *all = &trainer->overlap;
    trainer_lap(trainer, phase, mark);
    trainer->phase_seconds[phase] -= sums.waited;
    trainer->phase_seconds[PHASE_REDUCE] += sums.waited;
    *all = (struct reduction_counters){all->overlapped + sums.overlapped, all->waited + sums.waited,
                                       all->elements + sums.elements, all->early + sums.early};
}

static int allocate(struct trainer *t, const struct training_settings *training, struct error *err) {
    struct backend *backend = t->backend;
    size_t bytes = t->elements * sizeof(float), tasks = (size_t)t->tasks;
    struct pass_limits limits = trainer_limits(t->model, training, &t->plan);
    TRY(trainer_check_room(t, training, err));
    TRY(backend->buffer_create(backend, bytes, &t->parameters, err));
    TRY(backend->buffer_create(backend, bytes, &t->gradient, err));
    if (trainer_wants_alignment(&t->plan)) TRY(backend->buffer_create(backend, bytes, &t->direction, err));
    if (trainer_looks_ahead(&t->plan)) TRY(backend->buffer_create(backend, bytes, &t->old_parameters, err));
    TRY(reduction_create(t->group, backend, t->elements, 0, &t->reduction, err));
    struct parameter_range held = trainer_held_range(t->elements, training, t->group->size, t->group->rank);
    if (trainer_shards_optimizer(training, t->group->size))
        TRY(shards_create(t->group, backend, t->elements, &t->shards, err));
    TRY(memory_alloc(&t->squares, (size_t)t->group->size, sizeof(double), err));
    TRY(optimizer_create_part(backend, t->model->layout, &training->optimizer, held, &t->optimizer, err));
    TRY(pass_create(backend, &t->model->config, t->model->layout, t->group, &limits, t->reduction, &t->pass,
                    err));
    t->item_capacity = limits.items;
    TRY(memory_alloc(&t->items, (size_t)limits.items, sizeof *t->items, err));
    TRY(memory_alloc(&t->validation_items, (size_t)limits.items, sizeof *t->items, err));
    TRY(memory_alloc(&t->sums.loss, tasks, sizeof(double), err));
    TRY(memory_alloc(&t->sums.tokens, tasks, sizeof(double), err));
    TRY(memory_alloc(&t->task_weight, tasks, sizeof(double), err));
    TRY(memory_alloc(&t->task_loss, tasks, sizeof(double), err));
    TRY(memory_alloc(&t->task_tokens, tasks, sizeof(int64_t), err));
    TRY(memory_alloc(&t->validation_loss, tasks, sizeof(double), err));
    TRY(memory_alloc(&t->validation_tokens, tasks, sizeof(int64_t), err));
    TRY(memory_alloc(&t->alignment, tasks, sizeof(double), err));
    TRY(memory_alloc(&t->reduced, tasks + 1, sizeof(double), err));
    TRY(memory_alloc(&t->chosen, (size_t)t->plan.validation_batch, sizeof *t->chosen, err));
    TRY(memory_alloc(&t->cost, tasks, sizeof(int64_t), err));
    TRY(memory_alloc(&t->owner, tasks, sizeof(int), err));
    TRY(memory_alloc(&t->deal, tasks, sizeof(struct deal_item), err));
    return memory_alloc(&t->load, (size_t)t->group->size, sizeof(int64_t), err);
}

int trainer_create(struct backend *backend, const struct group *group, const struct loaded_model *model,
                   const struct training_settings *training, const struct method_signal_plan *plan,
                   struct trainer **out, struct error *err) {
    int code = memory_alloc(out, 1, sizeof **out, err);
    if (!code) {
        **out = (struct trainer){.backend = backend,
                                 .group = group,
                                 .model = model,
                                 .plan = *plan,
                                 .tasks = model->tasks->count,
                                 .elements = model->layout->elements};
        code = allocate(*out, training, err);
    }
    if (!code)
        code = parameters_load(model->entry->path, model->layout, backend, trainer_vector((*out)->parameters),
                               err);
    code = group_agree(group, code, err);
    if (code) trainer_destroy(out);
    return code;
}

void trainer_watch(struct trainer *trainer, void (*pulse)(void *context), void *context) {
    pass_watch(trainer->pass, pulse, context);
}

void trainer_release_training(struct trainer *trainer) {
    struct backend *backend = trainer->backend;
    backend->buffer_destroy(backend, &trainer->gradient);
    backend->buffer_destroy(backend, &trainer->direction);
    backend->buffer_destroy(backend, &trainer->old_parameters);
    optimizer_destroy(&trainer->optimizer);
    pass_destroy(&trainer->pass);
    reduction_destroy(&trainer->reduction);
    shards_destroy(&trainer->shards);
}

void trainer_destroy(struct trainer **trainer) {
    struct trainer *t = *trainer;
    if (!t) return;
    trainer_release_training(t);
    t->backend->buffer_destroy(t->backend, &t->parameters);
    memory_free(t->items);
    memory_free(t->validation_items);
    memory_free(t->sums.loss);
    memory_free(t->sums.tokens);
    memory_free(t->task_weight);
    memory_free(t->task_loss);
    memory_free(t->task_tokens);
    memory_free(t->validation_loss);
    memory_free(t->validation_tokens);
    memory_free(t->alignment);
    memory_free(t->reduced);
    memory_free(t->squares);
    memory_free(t->chosen);
    memory_free(t->cost);
    memory_free(t->owner);
    memory_free(t->deal);
    memory_free(t->load);
    memory_free(t);
    *trainer = NULL;
}

struct view trainer_parameters(const struct trainer *trainer) {
    return trainer_vector(trainer->parameters);
}

struct trainer_state trainer_state(const struct trainer *trainer) {
    struct trainer_state state = {.parameters = trainer_parameters(trainer)};
    if (trainer->optimizer) state.optimizer = optimizer_state(trainer->optimizer);
    return state;
}

void trainer_set_steps(struct trainer *trainer, int64_t steps) {
    optimizer_set_steps(trainer->optimizer, steps);
}

void trainer_take_phases(struct trainer *trainer, double *seconds) {
    memcpy(seconds, trainer->phase_seconds, sizeof trainer->phase_seconds);
    memset(trainer->phase_seconds, 0, sizeof trainer->phase_seconds);
}

struct reduction_counters trainer_take_overlap(struct trainer *trainer) {
    struct reduction_counters overlap = trainer->overlap;
    trainer->overlap = (struct reduction_counters){0};
    return overlap;
}

int trainer_take_draws(struct trainer *trainer, const struct draw_list *draws, const double *token_weight,
                       struct error *err) {
    if (draws->count > trainer->item_capacity)
        return error_set(err, ERROR_INTERNAL, "a step of %d examples exceeds the trainer's %d", draws->count,
                         trainer->item_capacity);
    /* Task by task: rows of one alignment slot that stand together are cheaper (train/backend.h,
     * linear_gradient). */
    for (int k = 0, count = 0; k < trainer->tasks; k++)
        for (int i = 0; i < draws->count; i++)
            if (draws->draws[i].task == k)
                trainer->items[count++] =
                    (struct pass_item){draws->draws[i].example, k, (float)token_weight[k]};
    return 0;
}

void trainer_describe(struct trainer *trainer, const double *token_weight, struct trainer_step *out) {
    double loss = 0.0;
    for (int k = 0; k < trainer->tasks; k++) {
        double tokens = trainer->sums.tokens[k];
        trainer->task_tokens[k] = (int64_t)tokens;
        trainer->task_loss[k] = tokens > 0 ? trainer->sums.loss[k] / tokens : NAN;
        if (tokens > 0) loss += token_weight[k] * trainer->sums.loss[k];
    }
    out->loss = loss;
    out->task_loss = trainer->task_loss;
    out->task_tokens = trainer->task_tokens;
}

int trainer_gather(struct trainer *trainer, struct view vector, struct error *err) {
    if (!trainer->shards) return 0;
    double mark = clock_seconds();
    TRY(group_agree(trainer->group, shards_gather(trainer->shards, vector, err), err));
    trainer_lap(trainer, PHASE_REDUCE, &mark);
    return 0;
}

/* Of the reduced gradient: summed by shard and then over the shards, in the ranks' order, so that the bits
 * are the same whether a rank looks at its own shard or at all of them. */
static int gradient_squares(struct trainer *t, double *squares, struct error *err) {
    int ranks = t->group->size, code = 0;
    for (int rank = 0; rank < ranks && !code; rank++) {
        struct parameter_range range = shards_range(t->elements, ranks, rank);
        t->squares[rank] = 0.0;
        if (!t->shards || rank == t->group->rank)
            code =
                optimizer_squares(t->optimizer, trainer_vector(t->gradient), range, &t->squares[rank], err);
    }
    TRY(group_agree(t->group, code, err));
    if (t->shards) TRY(group_sum(t->group, t->squares, (size_t)ranks, err));
    *squares = 0.0;
    for (int rank = 0; rank < ranks; rank++) *squares += t->squares[rank];
    return 0;
}

int trainer_descend(struct trainer *trainer, double rate, struct trainer_step *out, struct error *err) {
    double mark = clock_seconds(), squares;
    struct view parameters = trainer_parameters(trainer);
    /* The loss is the same on all ranks: no agreement is needed to stop together. */
    if (!isfinite(out->loss)) return error_set(err, ERROR_NUMERIC, "the training loss is %g", out->loss);
    TRY(gradient_squares(trainer, &squares, err));
    int code = optimizer_apply(trainer->optimizer, rate, squares, trainer_vector(trainer->gradient),
                               parameters, &out->gradient_norm, err);
    TRY(group_agree(trainer->group, code, err));
    trainer_lap(trainer, PHASE_OPTIMIZER, &mark);
    return trainer_gather(trainer, parameters, err);
}

int trainer_plain_step(struct trainer *trainer, const struct draw_list *draws, double rate,
                       struct trainer_step *out, struct error *err) {
    double mark = clock_seconds();
    *out = (struct trainer_step){0};
    double *weight = trainer->task_weight;
    for (int k = 0; k < trainer->tasks; k++) weight[k] = 1.0 / (double)draws->supervised;
    TRY(trainer_take_draws(trainer, draws, weight, err));
    struct view gradient = trainer_vector(trainer->gradient);
    trainer->backend->zero(trainer->backend, trainer->elements, gradient);
    TRY(pass_gradient(trainer->pass, trainer_parameters(trainer), trainer->items, draws->count, gradient,
                      view_none(), NULL, &trainer->sums, err));
    trainer_describe(trainer, weight, out);
    trainer_lap_pass(trainer, PHASE_TRAIN, &mark);
    return trainer_descend(trainer, rate, out, err);
}

int trainer_validate(struct trainer *trainer, double *loss, struct error *err) {
    int count = 0;
    for (int k = 0; k < trainer->tasks; k++) {
        const struct task *task = &trainer->model->tasks->tasks[k];
        for (int64_t i = 0; i < task->validation_count; i++)
            trainer->items[count++] = (struct pass_item){&task->validation[i], k, 0.0f};
    }
    TRY(pass_losses(trainer->pass, trainer_parameters(trainer), trainer->items, count, &trainer->sums, err));
    for (int k = 0; k < trainer->tasks; k++) {
        loss[k] = trainer->sums.loss[k] / trainer->sums.tokens[k];
        if (!isfinite(loss[k]))
            return error_set(err, ERROR_NUMERIC, "the validation loss of task \"%s\" is %g",
                             trainer->model->tasks->tasks[k].name, loss[k]);
    }
    return 0;
}

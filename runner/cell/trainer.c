#include "runner/cell/trainer_internal.h"

#include "base/clock.h"
#include "base/memory.h"
#include <math.h>
#include <stdio.h>
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

static bool wants_alignment(const struct method_signal_plan *plan) {
    return plan->needs & METHOD_NEEDS_ALIGNMENT;
}

static bool looks_ahead(const struct method_signal_plan *plan) {
    return wants_alignment(plan) && plan->lookahead == LOOKAHEAD_EXACT;
}

/* A step's rows are at most batch_tokens beyond its probes, an example needs a row at least. */
static int longest_list(const struct loaded_model *model, const struct training_settings *training,
                        const struct method_signal_plan *plan) {
    int64_t step = training->batch_tokens + plan->probe * model->tasks->count + 1;
    int64_t pool = 0;
    for (int k = 0; k < model->tasks->count; k++) pool += model->tasks->tasks[k].validation_count;
    return (int)(step > pool ? step : pool);
}

static struct pass_limits limits_of(const struct loaded_model *model, const struct training_settings *training,
                                    const struct method_signal_plan *plan) {
    return (struct pass_limits){.rows = (int)training->micro_batch_tokens,
                                .items = longest_list(model, training, plan),
                                .tasks = model->tasks->count,
                                .alignments = wants_alignment(plan),
                                .recompute = training->recompute};
}

/* Without moments there is nothing that sharing them out would save. */
static bool shards_optimizer(const struct training_settings *training, int ranks) {
    return training->shard_optimizer && training->optimizer.kind == OPTIMIZER_ADAMW && ranks > 1;
}

/* What the optimizer of a rank holds. */
static struct parameter_range held_range(size_t elements, const struct training_settings *training, int ranks,
                                         int rank) {
    if (!shards_optimizer(training, ranks)) return (struct parameter_range){0, elements};
    return shards_range(elements, ranks, rank);
}

struct trainer_memory trainer_memory(struct backend *backend, const struct loaded_model *model,
                                     const struct training_settings *training, const struct method_signal_plan *plan,
                                     int ranks) {
    struct pass_limits limits = limits_of(model, training, plan);
    double vector = (double)model->layout->elements * sizeof(float);
    bool halves = backend && backend->activations == DTYPE_BF16;
    size_t moments = 0; /* of the rank that has most */
    for (int rank = 0; rank < ranks && training->optimizer.kind == OPTIMIZER_ADAMW; rank++) {
        size_t held = held_range(model->layout->elements, training, ranks, rank).count;
        if (2 * held > moments) moments = 2 * held;
    }
    limits.activations = backend ? backend->activations : DTYPE_F32;
    struct trainer_memory m = {.weights = vector,
                               .copies = halves ? vector / 2 * (1 + wants_alignment(plan)) : 0.0,
                               .gradient = vector,
                               .moments = (double)(moments * sizeof(float)),
                               .direction = wants_alignment(plan) ? vector : 0.0,
                               .old_weights = looks_ahead(plan) ? vector : 0.0,
                               .activations = (double)pass_bytes(&model->config, &limits)};
    if (backend)
        m.workspace = (double)backend->scratch_bytes(backend, limits.rows, model->config.hidden, model->config.vocabulary,
                                                     limits.rows);
    m.total = m.weights + m.copies + m.gradient + m.moments + m.direction + m.old_weights + m.activations + m.workspace;
    return m;
}

void trainer_memory_describe(const struct trainer_memory *m, char *text, size_t size) {
    const struct {
        const char *name;
        double bytes;
    } parts[] = {{"weights", m->weights},
                 {"bfloat16 copies", m->copies},
                 {"gradient", m->gradient},
                 {"optimizer", m->moments},
                 {"validation gradient", m->direction},
                 {"weights before the step", m->old_weights},
                 {"activations", m->activations},
                 {"workspace", m->workspace}};
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof parts / sizeof *parts && used < size; i++)
        if (parts[i].bytes > 0.0)
            used += (size_t)snprintf(text + used, size - used, "%s%s %.2f", used ? ", " : "", parts[i].name,
                                     parts[i].bytes / (1 << 30));
    if (used < size) snprintf(text + used, size - used, " GiB");
}

/* Whether the device has room for it all: said before anything is taken, with the numbers. */
static int check_room(const struct trainer *t, const struct training_settings *training, struct error *err) {
    size_t left, total;
    char parts[512];
    struct trainer_memory memory = trainer_memory(t->backend, t->model, training, &t->plan, t->group->size);
    t->backend->memory(t->backend, &left, &total);
    if (!total || memory.total <= (double)left) return 0;
    trainer_memory_describe(&memory, parts, sizeof parts);
    return error_set(err, ERROR_MEMORY,
                     "training %s needs %.2f GiB of device memory (%s), and %.2f of %.2f GiB are free (a smaller "
                     "training.micro_batch_tokens or training.recompute \"layer\" needs less)",
                     t->model->entry->name, memory.total / (1 << 30), parts, (double)left / (1 << 30),
                     (double)total / (1 << 30));
}

static int allocate(struct trainer *t, const struct training_settings *training, struct error *err) {
    struct backend *backend = t->backend;
    size_t bytes = t->elements * sizeof(float), tasks = (size_t)t->tasks;
    struct pass_limits limits = limits_of(t->model, training, &t->plan);
    TRY(check_room(t, training, err));
    TRY(backend->buffer_create(backend, bytes, &t->parameters, err));
    TRY(backend->buffer_create(backend, bytes, &t->gradient, err));
    if (wants_alignment(&t->plan)) TRY(backend->buffer_create(backend, bytes, &t->direction, err));
    if (looks_ahead(&t->plan)) TRY(backend->buffer_create(backend, bytes, &t->old_parameters, err));
    TRY(reduction_create(t->group, backend, t->elements, 0, &t->reduction, err));
    struct parameter_range held = held_range(t->elements, training, t->group->size, t->group->rank);
    if (shards_optimizer(training, t->group->size))
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
        code = parameters_load(model->entry->path, model->layout, backend, trainer_vector((*out)->parameters), err);
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
    /* Task by task: rows of one alignment slot that stand together are cheaper (train/backend.h, linear_gradient). */
    for (int k = 0, count = 0; k < trainer->tasks; k++)
        for (int i = 0; i < draws->count; i++)
            if (draws->draws[i].task == k)
                trainer->items[count++] = (struct pass_item){draws->draws[i].example, k, (float)token_weight[k]};
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

int trainer_plain_step(struct trainer *trainer, const struct draw_list *draws, double rate, struct trainer_step *out,
                       struct error *err) {
    double mark = clock_seconds();
    *out = (struct trainer_step){0};
    double *weight = trainer->task_weight;
    for (int k = 0; k < trainer->tasks; k++) weight[k] = 1.0 / (double)draws->supervised;
    TRY(trainer_take_draws(trainer, draws, weight, err));
    struct view gradient = trainer_vector(trainer->gradient);
    trainer->backend->zero(trainer->backend, trainer->elements, gradient);
    TRY(pass_gradient(trainer->pass, trainer_parameters(trainer), trainer->items, draws->count, gradient, view_none(),
                      NULL, &trainer->sums, err));
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

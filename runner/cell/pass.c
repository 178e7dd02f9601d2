#include "runner/cell/pass_internal.h"

#include "base/memory.h"
#include <string.h>

static struct model_limits model_limits_of(const struct pass_limits *limits) {
    return (struct model_limits){.rows = limits->rows,
                                 .targets = limits->rows,
                                 .slots = limits->tasks,
                                 .training = true,
                                 .recompute = limits->recompute,
                                 .activations = limits->activations};
}

size_t pass_bytes(const struct model_config *config, const struct pass_limits *limits) {
    struct model_limits model = model_limits_of(limits);
    return model_bytes(config, &model);
}

int pass_create(struct backend *backend, const struct model_config *config,
                const struct parameter_layout *layout, const struct group *group,
                const struct pass_limits *limits, struct reduction *reduction, struct pass **out,
                struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    struct pass *pass = *out;
    *pass = (struct pass){.backend = backend,
                          .group = group,
                          .reduction = reduction,
                          .limits = *limits,
                          .elements = layout->elements};
    size_t items = (size_t)limits->items, rows = (size_t)limits->rows, tasks = (size_t)limits->tasks;
    struct model_limits model = model_limits_of(limits);
    int code = model_create(backend, config, layout, &model, &pass->model, err);
    if (!code) code = batch_create(limits->rows, limits->rows, limits->rows, &pass->batch, err);
    if (!code) code = memory_alloc(&pass->target_loss, rows, sizeof(float), err);
    if (!code) code = memory_alloc(&pass->sums, 3 * tasks, sizeof(double), err);
    if (!code) code = memory_alloc(&pass->cost, items, sizeof(int64_t), err);
    if (!code) code = memory_alloc(&pass->owner, items, sizeof(int), err);
    if (!code) code = memory_alloc(&pass->deal, items, sizeof(struct deal_item), err);
    if (!code) code = memory_alloc(&pass->load, (size_t)group->size, sizeof(int64_t), err);
    if (code) pass_destroy(out);
    return code;
}

void pass_destroy(struct pass **pass) {
    if (!*pass) return;
    model_destroy(&(*pass)->model);
    batch_destroy(&(*pass)->batch);
    memory_free((*pass)->target_loss);
    memory_free((*pass)->sums);
    memory_free((*pass)->cost);
    memory_free((*pass)->owner);
    memory_free((*pass)->deal);
    memory_free((*pass)->load);
    memory_free(*pass);
    *pass = NULL;
}

void pass_watch(struct pass *pass, void (*pulse)(void *context), void *context) {
    pass->pulse = pulse;
    pass->pulse_context = context;
}

static int run_batch(struct pass *pass, const struct pass_work *work, bool last, struct error *err) {
    const struct gradient_watcher watcher = {reduction_hand_over, pass->reduction};
    struct batch *batch = pass->batch;
    if (batch->rows == 0) return 0;
    pass_pulse(pass);
    TRY(model_forward(pass->model, work->parameters, batch, err));
    if (work->backward) {
        if (work->sum && last) model_watch_gradient(pass->model, &watcher);
        TRY(model_backward(pass->model, work->scale, work->gradient, work->direction, err));
    } else {
        TRY(model_add_losses(pass->model, err));
    }
    for (int n = 0; n < batch->targets; n++) pass->sums[pass->limits.tasks + batch->target_slot[n]] += 1.0;
    batch_clear(batch);
    return 0;
}

static int run_batches(struct pass *pass, const struct pass_work *work, const struct pass_item *items,
                       int count, int rank, struct error *err) {
    batch_clear(pass->batch);
    for (int i = 0; i < count; i++) {
        if (rank >= 0 && pass->owner[i] != rank) continue;
        if (!batch_fits(pass->batch, items[i].example)) TRY(run_batch(pass, work, false, err));
        if (!batch_fits(pass->batch, items[i].example))
            return error_set(err, ERROR_INTERNAL,
                             "an example of %d tokens does not fit into a micro-batch of %d rows",
                             items[i].example->length, pass->limits.rows);
        batch_add_example(pass->batch, items[i].example, items[i].task, items[i].weight);
    }
    return run_batch(pass, work, true, err);
}

int pass_run_items(struct pass *pass, const struct pass_work *work, const struct pass_item *items, int count,
                   int rank, struct error *err) {
    double *alignment = work->direction.buffer ? pass->sums + 2 * pass->limits.tasks : NULL;
    int code = run_batches(pass, work, items, count, rank, err);
    /* Also after a failure: nothing of this pass is left for the next. */
    int late = model_take_sums(pass->model, pass->sums, alignment, code ? NULL : err);
    return code ? code : late;
}

static int run_shared(struct pass *pass, const struct pass_work *work, const struct pass_item *items,
                      int count, double *alignment, struct pass_sums *sums, struct error *err) {
    int tasks = pass->limits.tasks;
    memset(pass->sums, 0, 3 * (size_t)tasks * sizeof(double));
    int code = 0;
    if (work->sum) reduction_begin(pass->reduction, work->gradient);
    if (count > pass->limits.items) {
        code = error_set(err, ERROR_INTERNAL, "a pass over %d examples exceeds its limit of %d", count,
                         pass->limits.items);
    } else {
        for (int i = 0; i < count; i++) pass->cost[i] = items[i].example->length - 1;
        deal_balanced(pass->cost, count, pass->group->size, pass->owner, pass->deal, pass->load);
        code = pass_run_items(pass, work, items, count, pass->group->rank, err);
    }
    if (work->sum) { /* whatever happened here, the others wait for this rank's buckets */
        int late = reduction_finish(pass->reduction, code ? NULL : err);
        if (!code || late == ERROR_PEER) code = late;
    }
    TRY(group_agree(pass->group, code, err));
    TRY(group_sum(pass->group, pass->sums, 3 * (size_t)tasks, err));
    memcpy(sums->loss, pass->sums, (size_t)tasks * sizeof(double));
    memcpy(sums->tokens, pass->sums + tasks, (size_t)tasks * sizeof(double));
    if (alignment) memcpy(alignment, pass->sums + 2 * tasks, (size_t)tasks * sizeof(double));
    return 0;
}

int pass_losses(struct pass *pass, struct view parameters, const struct pass_item *items, int count,
                struct pass_sums *sums, struct error *err) {
    struct pass_work work = {.parameters = parameters, .gradient = view_none(), .direction = view_none()};
    return run_shared(pass, &work, items, count, NULL, sums, err);
}

int pass_gradient(struct pass *pass, struct view parameters, const struct pass_item *items, int count,
                  struct view gradient, struct view direction, double *alignment, struct pass_sums *sums,
                  struct error *err) {
    struct pass_work work = {.parameters = parameters,
                             .gradient = gradient,
                             .direction = direction,
                             .backward = true,
                             .scale = 1.0f,
                             .sum = gradient.buffer && pass->reduction};
    return run_shared(pass, &work, items, count, direction.buffer ? alignment : NULL, sums, err);
}

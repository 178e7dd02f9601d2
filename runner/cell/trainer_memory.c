/* What a trainer holds, and how much memory that is. */
#include "runner/cell/trainer_internal.h"

#include <stdio.h>

bool trainer_wants_alignment(const struct method_signal_plan *plan) {
    return plan->needs & METHOD_NEEDS_ALIGNMENT;
}

bool trainer_looks_ahead(const struct method_signal_plan *plan) {
    return trainer_wants_alignment(plan) && plan->lookahead == LOOKAHEAD_EXACT;
}

/* A step's rows are at most batch_tokens beyond its probes, an example needs a row at least. */
static int longest_list(const struct loaded_model *model, const struct training_settings *training,
                        const struct method_signal_plan *plan) {
    int64_t step = training->batch_tokens + plan->probe * model->tasks->count + 1;
    int64_t pool = 0;
    for (int k = 0; k < model->tasks->count; k++) pool += model->tasks->tasks[k].validation_count;
    return (int)(step > pool ? step : pool);
}

struct pass_limits trainer_limits(const struct loaded_model *model, const struct training_settings *training,
                                  const struct method_signal_plan *plan) {
    return (struct pass_limits){.rows = (int)training->micro_batch_tokens,
                                .items = longest_list(model, training, plan),
                                .tasks = model->tasks->count,
                                .recompute = training->recompute};
}

bool trainer_shards_optimizer(const struct training_settings *training, int ranks) {
    /* Without moments there is nothing that sharing them out would save. */
    return training->shard_optimizer && training->optimizer.kind == OPTIMIZER_ADAMW && ranks > 1;
}

struct parameter_range trainer_held_range(size_t elements, const struct training_settings *training,
                                          int ranks, int rank) {
    if (!trainer_shards_optimizer(training, ranks)) return (struct parameter_range){0, elements};
    return shards_range(elements, ranks, rank);
}

struct trainer_memory trainer_memory(struct backend *backend, const struct loaded_model *model,
                                     const struct training_settings *training,
                                     const struct method_signal_plan *plan, int ranks) {
    struct pass_limits limits = trainer_limits(model, training, plan);
    double vector = (double)model->layout->elements * sizeof(float);
    bool halves = backend && backend->activations == DTYPE_BF16;
    size_t moments = 0; /* of the rank that has most */
    for (int rank = 0; rank < ranks && training->optimizer.kind == OPTIMIZER_ADAMW; rank++) {
        size_t held = trainer_held_range(model->layout->elements, training, ranks, rank).count;
        if (2 * held > moments) moments = 2 * held;
    }
    limits.activations = backend ? backend->activations : DTYPE_F32;
    /* Products are also taken with the validation gradient and, looking ahead, with the old weights. */
    int copies = 1 + trainer_wants_alignment(plan) + trainer_looks_ahead(plan);
    struct trainer_memory m = {.weights = vector,
                               .copies = halves ? vector / 2 * copies : 0.0,
                               .gradient = vector,
                               .moments = (double)(moments * sizeof(float)),
                               .direction = trainer_wants_alignment(plan) ? vector : 0.0,
                               .old_weights = trainer_looks_ahead(plan) ? vector : 0.0,
                               .activations = (double)pass_bytes(&model->config, &limits)};
    if (backend)
        m.workspace = (double)backend->scratch_bytes(backend, limits.rows, model->config.hidden,
                                                     model->config.vocabulary, limits.rows);
    m.total = m.weights + m.copies + m.gradient + m.moments + m.direction + m.old_weights + m.activations +
              m.workspace;
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
    const bool large = m->total >= (1 << 30) / 10;
    const double unit = large ? 1 << 30 : 1 << 20;
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof parts / sizeof *parts && used < size; i++)
        if (parts[i].bytes > 0.0)
            used += (size_t)snprintf(text + used, size - used, "%s%s %.2f", used ? ", " : "", parts[i].name,
                                     parts[i].bytes / unit);
    if (used < size) snprintf(text + used, size - used, large ? " GiB" : " MiB");
}

int trainer_check_room(const struct trainer *t, const struct training_settings *training, struct error *err) {
    size_t left, total;
    char parts[512];
    struct trainer_memory memory = trainer_memory(t->backend, t->model, training, &t->plan, t->group->size);
    int rows = trainer_limits(t->model, training, &t->plan).rows;
    const struct model_config *model = &t->model->config;
    t->backend->memory(t->backend, &left, &total);
    if (!total) return 0;
    /* Taken first: an earlier trainer's is there still. */
    if (!t->backend->reserve(t->backend, rows, model->hidden, model->vocabulary, rows, err)) {
        t->backend->memory(t->backend, &left, &total);
        left += (size_t)memory.workspace;
    }
    if (memory.total <= (double)left) return 0;
    trainer_memory_describe(&memory, parts, sizeof parts);
    return error_set(
        err, ERROR_MEMORY,
        "training %s needs %.2f GiB of device memory (%s), and %.2f of %.2f GiB are free (a smaller "
        "training.micro_batch_tokens or training.recompute \"layer\" needs less)",
        t->model->entry->name, memory.total / (1 << 30), parts, (double)left / (1 << 30),
        (double)total / (1 << 30));
}

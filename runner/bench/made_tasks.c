#include "runner/bench/made_tasks.h"

#include "base/memory.h"
#include "base/random.h"
#include <stdio.h>

enum { NAME_BYTES = 32 };

struct made_tasks {
    struct task_set set;
    struct arena *arena;
};

static int make_examples(struct made_tasks *made, const struct made_tasks_shape *shape, uint32_t stream,
                         int count, struct example **out, struct error *err) {
    size_t length = (size_t)shape->length;
    int32_t *ids;
    TRY(arena_alloc(made->arena, out, (size_t)count, sizeof **out, err));
    TRY(arena_alloc(made->arena, &ids, (size_t)count * length, sizeof *ids, err));
    struct random_key key = {.purpose = RANDOM_DATA, .stream = stream};
    int completion = (int)((double)shape->length * shape->supervised + 0.5);
    if (completion < 1) completion = 1;
    int prompt = shape->length - completion < 1 ? 1 : shape->length - completion;
    for (size_t i = 0; i < (size_t)count * length; i++)
        ids[i] = (int32_t)random_below(key, i, (uint64_t)shape->vocabulary);
    for (int i = 0; i < count; i++)
        (*out)[i] = (struct example){ids + (size_t)i * length, shape->length, prompt};
    return 0;
}

static int make_task(struct made_tasks *made, const struct made_tasks_shape *shape, int index,
                     struct error *err) {
    struct task *task = &made->set.tasks[index];
    char *name;
    TRY(arena_alloc(made->arena, &name, NAME_BYTES, 1, err));
    snprintf(name, NAME_BYTES, "task %d", index);
    *task = (struct task){.name = name, .category = name};
    TRY(make_examples(made, shape, 2 * (uint32_t)index, shape->training, &task->training, err));
    TRY(make_examples(made, shape, 2 * (uint32_t)index + 1, shape->validation, &task->validation, err));
    task->training_count = task->instances = shape->training;
    task->validation_count = shape->validation;
    task->training_supervised = (int64_t)shape->training * (shape->length - task->training->prompt);
    made->set.supervised += task->training_supervised;
    return 0;
}

int made_tasks_create(const struct made_tasks_shape *shape, struct made_tasks **out, struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    struct made_tasks *made = *out;
    int code = arena_create(&made->arena, err);
    if (!code)
        code = arena_alloc(made->arena, &made->set.tasks, (size_t)shape->tasks, sizeof(struct task), err);
    made->set.count = shape->tasks;
    for (int k = 0; k < shape->tasks && !code; k++) code = make_task(made, shape, k, err);
    if (code) made_tasks_destroy(out);
    return code;
}

void made_tasks_destroy(struct made_tasks **tasks) {
    if (!*tasks) return;
    arena_destroy(&(*tasks)->arena);
    memory_free(*tasks);
    *tasks = NULL;
}

struct task_set *made_tasks_set(struct made_tasks *tasks) {
    return &tasks->set;
}

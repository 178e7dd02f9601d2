#include "io/tasks/tasks_survey.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "io/file.h"
#include "io/tasks/natural_instructions.h"
#include <stdlib.h>
#include <string.h>

enum { SPLIT_FILE_BYTES = 16 << 20, VALIDATION_DIVISOR = 5 };
static const char suffix[] = ".json";

struct survey_owner {
    struct survey survey; /* first: what callers see */
    struct arena *arena;  /* names, paths and the task array */
    size_t capacity;      /* of survey.files */
};

/* ---- files */

static int copy_text(struct survey_owner *owner, const char *text, size_t length, const char **out,
                     struct error *err) {
    char *copy;
    TRY(arena_copy(owner->arena, text, length, &copy, err));
    *out = copy;
    return 0;
}

/* `name` without the suffix. */
static int add_file(struct survey_owner *owner, const char *folder, const char *name, size_t length,
                    struct error *err) {
    struct survey *survey = &owner->survey;
    TRY(memory_reserve(&survey->files, &owner->capacity, survey->file_count + 1, sizeof *survey->files, err));
    struct survey_file *file = &survey->files[survey->file_count++];
    TRY(copy_text(owner, name, length, &file->name, err));
    struct text path = {0};
    int code = text_printf(&path, err, "%s/%s%s", folder, file->name, suffix);
    if (!code) code = copy_text(owner, text_string(&path), path.length, &file->path, err);
    text_free(&path);
    return code;
}

static int add_folder(struct survey_owner *owner, const char *folder, struct error *err) {
    char **names;
    size_t count;
    TRY(file_list(folder, suffix, &names, &count, err));
    int code = 0;
    for (size_t i = 0; i < count && !code; i++) {
        code = add_file(owner, folder, names[i], strlen(names[i]) - strlen(suffix), err);
    }
    file_free_list(names, count);
    if (!code && !count) code = error_set(err, ERROR_INPUT, "%s: holds no *.json files", folder);
    return code;
}

static int compare_files(const void *left, const void *right) {
    return strcmp(((const struct survey_file *)left)->name, ((const struct survey_file *)right)->name);
}

static int add_lines(struct survey_owner *owner, const char *folder, const char *split, const char *text,
                     struct error *err) {
    static const char space[] = " \t\r";
    int line = 0;
    while (*text) {
        size_t length = strcspn(text, "\n");
        const char *next = text[length] ? text + length + 1 : text + length;
        size_t skipped = strspn(text, space);
        text += skipped < length ? skipped : length;
        length -= skipped < length ? skipped : length;
        while (length && strchr(space, text[length - 1])) length--;
        line++;
        if (length) {
            TRY(add_file(owner, folder, text, length, err));
            const struct survey_file *file = &owner->survey.files[owner->survey.file_count - 1];
            if (!file_exists(file->path)) {
                return error_set(err, ERROR_INPUT, "%s:%d: there is no task file %s", split, line,
                                 file->path);
            }
        }
        text = next;
    }
    return 0;
}

static int add_split(struct survey_owner *owner, const char *folder, const char *split, struct error *err) {
    struct text text = {0};
    int code = file_read(split, SPLIT_FILE_BYTES, &text, err);
    if (!code) code = add_lines(owner, folder, split, text_string(&text), err);
    text_free(&text);
    TRY(code);
    return owner->survey.file_count ? 0 : error_set(err, ERROR_INPUT, "%s: names no tasks", split);
}

static int sort_files(struct survey *survey, const char *split, struct error *err) {
    qsort(survey->files, survey->file_count, sizeof *survey->files, compare_files);
    for (size_t i = 1; i < survey->file_count; i++) {
        if (!strcmp(survey->files[i].name, survey->files[i - 1].name)) {
            return error_set(err, ERROR_INPUT, "%s: names \"%s\" more than once", split,
                             survey->files[i].name);
        }
    }
    return 0;
}

int survey_create(const struct tasks_settings *settings, struct survey **out, struct error *err) {
    *out = NULL;
    struct survey_owner *owner;
    TRY(memory_alloc(&owner, 1, sizeof *owner, err));
    struct survey *survey = &owner->survey;
    int code = arena_create(&owner->arena, err);
    if (!code) {
        code = settings->split ? add_split(owner, settings->path, settings->split, err)
                               : add_folder(owner, settings->path, err);
    }
    if (!code) code = sort_files(survey, settings->split, err);
    if (code) {
        survey_destroy(&survey);
    } else {
        *out = survey;
    }
    return code;
}

void survey_destroy(struct survey **out) {
    struct survey_owner *owner = (struct survey_owner *)*out;
    *out = NULL;
    if (!owner) return;
    for (size_t i = 0; i < owner->survey.file_count; i++) {
        memory_free(owner->survey.files[i].inputs);
        memory_free(owner->survey.files[i].pool);
        memory_free(owner->survey.files[i].sources);
    }
    memory_free(owner->survey.files);
    arena_destroy(&owner->arena);
    memory_free(owner);
}

/* ---- instances */

/* The seed of the split; another value would move every user's validation set. */
enum { SPLIT_SEED = 1 };

static int explain_bad(const struct instructions_file *open, struct error *err) {
    int code = instructions_explain(open, err);
    static const char hint[] = " (\"on_bad_instance\": \"skip\" would leave it out)";
    if (err && strlen(err->message) + sizeof hint < sizeof err->message) strcat(err->message, hint);
    return code;
}

/* What the instance just added repeats. */
static int look(struct survey_file *file, const struct instructions_instance *instance,
                const struct tasks_filter *filter, size_t *capacity, struct error *err) {
    TRY(memory_reserve(&file->sources, capacity, file->count, sizeof *file->sources, err));
    return filter->look(filter->context, instance->input, instance->output, &file->sources[file->count - 1],
                        err);
}

static int read_instances(struct survey_file *file, struct instructions_file *open, bool skip,
                          const struct tasks_filter *filter, struct error *err) {
    size_t capacity = 0, source_capacity = 0;
    for (;;) {
        struct instructions_instance instance;
        enum instructions_found found;
        TRY(instructions_next(open, &instance, &found, err));
        if (found == INSTRUCTIONS_END) break;
        if (found == INSTRUCTIONS_BAD) {
            if (!skip) return explain_bad(open, err);
            file->bad++;
            continue;
        }
        TRY(memory_reserve(&file->inputs, &capacity, file->count + 1, sizeof *file->inputs, err));
        file->inputs[file->count++] = hash_short(instance.input, strlen(instance.input), SPLIT_SEED);
        if (filter && filter->drop) TRY(look(file, &instance, filter, &source_capacity, err));
    }
    return memory_alloc(&file->pool, file->count, 1, err);
}

static int read_file(struct survey_owner *owner, struct survey_file *file, bool skip,
                     const struct tasks_filter *filter, struct error *err) {
    struct instructions_file *open;
    TRY(instructions_open(file->path, 0, &open, err));
    const char *category = instructions_category(open);
    if (!category) category = file->name;
    int code = copy_text(owner, category, strlen(category), &file->category, err);
    if (!code) code = read_instances(file, open, skip, filter, err);
    instructions_close(&open);
    return code;
}

/* ---- groups */

static int compare_tasks(const void *left, const void *right) {
    return strcmp(((const struct survey_task *)left)->name, ((const struct survey_task *)right)->name);
}

static int group(struct survey_owner *owner, bool by_category, struct error *err) {
    struct survey *survey = &owner->survey;
    TRY(arena_alloc(owner->arena, &survey->tasks, survey->file_count, sizeof *survey->tasks, err));
    for (size_t i = 0; i < survey->file_count; i++) {
        const struct survey_file *file = &survey->files[i];
        const char *name = by_category ? file->category : file->name;
        int at = 0;
        while (at < survey->task_count && strcmp(survey->tasks[at].name, name)) at++;
        if (at == survey->task_count)
            survey->tasks[survey->task_count++] = (struct survey_task){name, file->category};
    }
    qsort(survey->tasks, (size_t)survey->task_count, sizeof *survey->tasks, compare_tasks);
    for (size_t i = 0; i < survey->file_count; i++) {
        struct survey_file *file = &survey->files[i];
        const char *name = by_category ? file->category : file->name;
        while (strcmp(survey->tasks[file->task].name, name)) file->task++;
    }
    return 0;
}

/* ---- split */

struct keyed {
    uint64_t input;
    size_t index;
};

static int compare_keyed(const void *left, const void *right) {
    const struct keyed *a = left, *b = right;
    if (a->input != b->input) return a->input < b->input ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

int survey_split(const uint64_t *inputs, size_t count, size_t limit, size_t training, unsigned char *pool,
                 struct error *err) {
    if (limit > count / VALIDATION_DIVISOR) limit = count / VALIDATION_DIVISOR;
    struct keyed *order;
    TRY(memory_alloc(&order, count, sizeof *order, err));
    for (size_t i = 0; i < count; i++) order[i] = (struct keyed){inputs[i], i};
    qsort(order, count, sizeof *order, compare_keyed);
    size_t validated = 0, trained = 0, next;
    for (size_t first = 0; first < count; first = next) {
        for (next = first + 1; next < count && order[next].input == order[first].input;) next++;
        bool validation = validated + (next - first) <= limit;
        if (validation) validated += next - first;
        for (size_t i = first; i < next; i++) {
            bool use = validation || !training || trained++ < training;
            pool[order[i].index] = validation ? SURVEY_VALIDATION : use ? SURVEY_TRAINING : SURVEY_UNUSED;
        }
    }
    memory_free(order);
    return 0;
}

static bool is_dropped(const struct survey_file *file, size_t instance) {
    return file->sources && file->sources[instance];
}

/* The instances of a task may lie in several files: gather, split, scatter. */
static int split_task(struct survey *survey, int task, const struct tasks_settings *settings,
                      struct error *err) {
    size_t count = 0, at = 0;
    for (size_t i = 0; i < survey->file_count; i++) {
        if (survey->files[i].task == task) count += survey->files[i].count;
    }
    uint64_t *inputs = NULL;
    unsigned char *pool = NULL;
    int code = memory_alloc(&inputs, count, sizeof *inputs, err);
    if (!code) code = memory_alloc(&pool, count, 1, err);
    for (size_t i = 0; i < survey->file_count && !code; i++) {
        const struct survey_file *file = &survey->files[i];
        if (file->task != task) continue;
        for (size_t j = 0; j < file->count; j++) {
            if (!is_dropped(file, j)) inputs[at++] = file->inputs[j];
        }
    }
    if (!code) {
        code = survey_split(inputs, at, (size_t)settings->validation_examples, (size_t)settings->max_examples,
                            pool, err);
    }
    at = 0;
    for (size_t i = 0; i < survey->file_count && !code; i++) {
        struct survey_file *file = &survey->files[i];
        if (file->task != task) continue;
        for (size_t j = 0; j < file->count; j++)
            file->pool[j] = is_dropped(file, j) ? SURVEY_CONTAMINATED : pool[at++];
    }
    memory_free(inputs);
    memory_free(pool);
    return code;
}

int survey_read(struct survey *survey, const struct tasks_settings *settings,
                const struct tasks_filter *filter, struct error *err) {
    struct survey_owner *owner = (struct survey_owner *)survey;
    for (size_t i = 0; i < survey->file_count; i++) {
        TRY(read_file(owner, &survey->files[i], settings->on_bad_instance == TASKS_BAD_SKIP, filter, err));
    }
    TRY(group(owner, settings->group_by == TASKS_BY_CATEGORY, err));
    for (int task = 0; task < survey->task_count; task++) TRY(split_task(survey, task, settings, err));
    return 0;
}

/* What stands at the root of every archive file: who made it, from what, and the tasks. */
#include "io/archive/archive_internal.h"

#include "base/version.h"
#include <string.h>

int archive_string(struct arena *arena, const char *from, const char **out, struct error *err) {
    char *copy;
    const char *string = from ? from : "";
    TRY(arena_copy(arena, string, strlen(string), &copy, err));
    *out = copy;
    return 0;
}

int archive_write_root(hid_t file, const struct archive_run *run, struct error *err) {
    struct version version = version_get();
    char created[ARCHIVE_TIME_BYTES];
    archive_time_text(archive_now(), created);
    const struct {
        const char *name, *value;
    } texts[] = {{"schema", ARCHIVE_SCHEMA},
                 {"created", created},
                 {"adapt_version", version.version},
                 {"git_commit", version.commit},
                 {"compiler", version.compiler},
                 {"flags", version.flags},
                 {"experiment", run->experiment},
                 {"experiment_path", run->path},
                 {"config", run->config},
                 {"host", run->host},
                 {"backend", run->backend},
                 {"link", run->link}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        TRY(hdf5_set_text(file, texts[i].name, texts[i].value, err));
    }
    TRY(hdf5_set_count(file, "ranks", run->ranks, err));
    return hdf5_set_count(file, "threads", run->threads, err);
}

int archive_write_key(hid_t group, const struct archive_cell_key *key, double fraction, struct error *err) {
    TRY(hdf5_set_text(group, "model", key->model, err));
    TRY(hdf5_set_text(group, "budget", key->budget, err));
    TRY(hdf5_set_text(group, "method", key->method, err));
    TRY(hdf5_set_count(group, "seed", key->seed, err));
    return hdf5_set_real(group, "budget_fraction", fraction, err);
}

/* ---- /tasks */

static const struct {
    const char *name, *units, *description;
    size_t offset;
} task_counts[] = {
    {"n_train", "examples", "examples of the training pool", offsetof(struct archive_task, training_count)},
    {"n_validation", "examples", "examples of the validation pool",
     offsetof(struct archive_task, validation_count)},
    {"available_supervised_tokens", "tokens",
     "supervised tokens of the training pool, which budgets are shares of",
     offsetof(struct archive_task, available_supervised_tokens)},
    {"cut", "examples", "examples whose prompt was shortened", offsetof(struct archive_task, cut)},
    {"dropped", "examples", "examples left out because their completion was too long",
     offsetof(struct archive_task, dropped)},
    {"bad", "examples", "malformed instances that were skipped", offsetof(struct archive_task, bad)},
};

static int write_task_columns(hid_t group, const struct archive_task *tasks, int count, const char **texts,
                              int64_t *numbers, struct error *err) {
    HDF5_ID name = H5I_INVALID_HID, category = H5I_INVALID_HID;
    for (int i = 0; i < count; i++) texts[i] = tasks[i].name;
    TRY(hdf5_write_texts(group, "name", texts, count, "the task's name", &name, err));
    TRY(hdf5_make_scale(name, "name", err));
    for (int i = 0; i < count; i++) texts[i] = tasks[i].category;
    TRY(hdf5_write_texts(group, "category", texts, count, "category of the task", &category, err));
    TRY(hdf5_attach_scale(category, name, 0, err));
    for (size_t c = 0; c < sizeof task_counts / sizeof *task_counts; c++) {
        HDF5_ID dataset = H5I_INVALID_HID;
        hsize_t shape = (hsize_t)count;
        for (int i = 0; i < count; i++) {
            memcpy(&numbers[i], (const char *)&tasks[i] + task_counts[c].offset, sizeof *numbers);
        }
        TRY(hdf5_write_numbers(group, task_counts[c].name, H5T_NATIVE_INT64, 1, &shape, numbers,
                               task_counts[c].units, task_counts[c].description, &dataset, err));
        TRY(hdf5_attach_scale(dataset, name, 0, err));
    }
    return 0;
}

int archive_write_tasks(hid_t file, const struct archive_task *tasks, int count,
                        const struct archive_overlap *overlap, struct error *err) {
    HDF5_ID group = H5I_INVALID_HID;
    const char **texts = NULL;
    int64_t *numbers = NULL;
    TRY(hdf5_group_create(file, "tasks", &group, err));
    int code = memory_alloc(&texts, (size_t)count, sizeof *texts, err);
    if (!code) code = memory_alloc(&numbers, (size_t)count, sizeof *numbers, err);
    if (!code) code = write_task_columns(group, tasks, count, texts, numbers, err);
    if (!code && overlap) code = archive_write_overlap(group, overlap, count, err);
    memory_free(texts);
    memory_free(numbers);
    return code;
}

static int read_task_columns(hid_t group, struct arena *arena, struct archive_task **tasks, int *count,
                             struct error *err) {
    const char **names, **categories;
    int64_t rows, others;
    TRY(hdf5_read_texts(group, "name", ARCHIVE_TASKS_LIMIT, arena, &names, &rows, err));
    TRY(hdf5_read_texts(group, "category", rows, arena, &categories, &others, err));
    TRY(arena_alloc(arena, tasks, (size_t)rows, sizeof **tasks, err));
    for (int64_t i = 0; i < rows; i++) {
        (*tasks)[i].name = names[i];
        (*tasks)[i].category = i < others ? categories[i] : "";
    }
    for (size_t c = 0; c < sizeof task_counts / sizeof *task_counts; c++) {
        int64_t *numbers;
        TRY(hdf5_read_numbers(group, task_counts[c].name, H5T_NATIVE_INT64, rows, arena, &numbers, &others,
                              err));
        for (int64_t i = 0; i < others; i++) {
            memcpy((char *)&(*tasks)[i] + task_counts[c].offset, &numbers[i], sizeof *numbers);
        }
    }
    *count = (int)rows;
    return 0;
}

int archive_read_tasks(hid_t file, struct arena *arena, struct archive_task **tasks, int *count,
                       struct archive_overlap **overlap, struct error *err) {
    HDF5_ID group = H5Gopen2(file, "tasks", H5P_DEFAULT);
    *count = 0;
    if (group < 0) return hdf5_error(err, ERROR_INPUT, "cannot open group tasks");
    TRY(read_task_columns(group, arena, tasks, count, err));
    return archive_read_overlap(group, *count, arena, overlap, err);
}

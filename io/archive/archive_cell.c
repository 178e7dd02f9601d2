/* Writing a cell's file: created beside its final name, appended to in SWMR mode, finished in a copy. */
#include "io/archive/archive_internal.h"
#include "io/archive/archive_table.h"
#include "io/file.h"
#include "io/archive/hdf5_file.h"

#include "base/text.h"
#include <string.h>
#include <unistd.h>

enum { ROWS_IN_MEMORY = 1024 }; /* more are written without waiting for a flush */

struct archive_cell {
    char *path, *group; /* of the file; of the cell in it */
    struct hdf5_file *file;
    struct archive_table *steps, *validation;
    struct arena *arena; /* of the evaluations */
    struct archive_evaluation *evaluations;
    size_t evaluation_count, evaluation_capacity;
    int failed; /* code of the write that failed: nothing is written after it */
    char reason[1024];
};

/* "PATH.part": where a file is made before it takes its place. One process writes a cell, so the name needs
 * no number, and what a killed one left is replaced. */
static int part_path(const char *path, struct text *out, struct error *err) {
    return text_printf(out, err, "%s.part", path);
}

/* ---- creating */

static int write_cell_attributes(hid_t group, const struct archive_cell_plan *plan, double started,
                                 struct error *err) {
    char now[ARCHIVE_TIME_BYTES], then[ARCHIVE_TIME_BYTES];
    archive_time_text(archive_now(), now);
    archive_time_text(started, then);
    TRY(archive_write_key(group, &plan->key, plan->budget_fraction, err));
    TRY(hdf5_set_count(group, "budget_tokens", plan->budget_tokens, err));
    TRY(hdf5_set_text(group, "method_settings", plan->method_settings, err));
    TRY(hdf5_set_text(group, "data_hash", plan->data_hash, err));
    TRY(hdf5_set_text(group, "tokenizer_hash", plan->tokenizer_hash, err));
    TRY(hdf5_set_text(group, "state", archive_state_name(ARCHIVE_RUNNING), err));
    TRY(hdf5_set_text(group, "message", "", err));
    TRY(hdf5_set_text(group, "started", then, err));
    return hdf5_set_text(group, "updated", now, err);
}

static int write_tables(struct archive_cell *cell, hid_t group, const struct archive_cell_plan *plan,
                        struct error *err) {
    const char **names;
    TRY(memory_alloc(&names, (size_t)plan->tasks, sizeof *names, err));
    for (int i = 0; i < plan->tasks; i++) names[i] = plan->task[i].name;
    int code =
        archive_table_create(group, "steps", archive_step_columns, plan->tasks, names, &cell->steps, err);
    if (!code) {
        code = archive_table_create(group, "validation", archive_validation_columns, plan->tasks, names,
                                    &cell->validation, err);
    }
    memory_free(names);
    return code;
}

/* Everything that the file holds before the first row. */
static int write_head(struct archive_cell *cell, const struct archive_run *run,
                      const struct archive_cell_plan *plan, double started, struct error *err) {
    HDF5_ID group = H5I_INVALID_HID, evaluations = H5I_INVALID_HID;
    TRY(archive_write_root(cell->file->id, run, err));
    TRY(hdf5_set_text(cell->file->id, "cell", cell->group, err));
    TRY(archive_write_tasks(cell->file->id, plan->task, plan->tasks, plan->overlap, err));
    TRY(hdf5_group_create(cell->file->id, cell->group, &group, err));
    TRY(write_cell_attributes(group, plan, started, err));
    TRY(hdf5_group_create(group, "eval", &evaluations, err));
    return write_tables(cell, group, plan, err);
}

/* A finished cell is a result: it is never replaced by accident. What cannot be read is no result. */
static int refuse_finished(const char *path, struct error *err) {
    struct archive_reader *reader;
    struct archive_cell_summary summary;
    struct error ignored;
    if (!file_exists(path) || archive_reader_open(path, &reader, &ignored)) return 0;
    bool done = !archive_reader_summary(reader, &summary, &ignored) && summary.state == ARCHIVE_DONE;
    archive_reader_close(&reader);
    return done ? error_set(err, ERROR_INPUT,
                            "%s: holds a finished cell (remove the file to run the cell again)", path)
                : 0;
}

static void cell_destroy(struct archive_cell **cell) {
    archive_table_destroy(&(*cell)->steps);
    archive_table_destroy(&(*cell)->validation);
    hdf5_file_abandon(&(*cell)->file);
    arena_destroy(&(*cell)->arena);
    memory_free((*cell)->evaluations);
    memory_free((*cell)->group);
    memory_free((*cell)->path);
    memory_free(*cell);
    *cell = NULL;
}

static int make_folder_of(const char *path, struct error *err) {
    char *folder;
    TRY(file_folder_of(path, &folder, err));
    int code = file_make_folder(folder, err);
    memory_free(folder);
    return code;
}

static int write_rows(struct archive_cell *cell, struct error *err);

static int write_carried(struct archive_cell *cell, const struct archive_carried *carried,
                         struct error *err) {
    for (int64_t i = 0; i < carried->step_count; i++) {
        TRY(archive_table_append(cell->steps, &carried->steps[i], err));
        if (archive_table_pending(cell->steps) == ROWS_IN_MEMORY) TRY(write_rows(cell, err));
    }
    for (int64_t i = 0; i < carried->validation_count; i++) {
        TRY(archive_table_append(cell->validation, &carried->validations[i], err));
    }
    return write_rows(cell, err);
}

/* `carried` may be NULL. */
static int fill_file(struct archive_cell *cell, const struct archive_run *run,
                     const struct archive_cell_plan *plan, const struct archive_carried *carried,
                     struct error *err) {
    TRY(write_head(cell, run, plan, carried ? carried->started : archive_now(), err));
    TRY(hdf5_file_flush(cell->file, err));
    TRY(hdf5_file_start_swmr(cell->file, err));
    TRY(hdf5_file_unmark(cell->file, err));
    return carried ? write_carried(cell, carried, err) : 0;
}

static int create_file(struct archive_cell *cell, const struct archive_run *run,
                       const struct archive_cell_plan *plan, const struct archive_carried *carried,
                       struct error *err) {
    struct text part = {0};
    TRY(make_folder_of(cell->path, err));
    int code = part_path(cell->path, &part, err);
    if (!code) code = hdf5_file_create(text_string(&part), &cell->file, err);
    if (!code) {
        code = fill_file(cell, run, plan, carried, err);
        if (code) error_context(err, "%s", cell->path);
        if (!code) code = hdf5_file_replace(text_string(&part), cell->path, err);
        if (code) {
            hdf5_file_give_up(cell->file);
            unlink(text_string(&part));
        }
    }
    text_free(&part);
    return code;
}

static int create_cell(const char *path, const struct archive_run *run, const struct archive_cell_plan *plan,
                       const struct archive_carried *carried, struct archive_cell **out, struct error *err) {
    if (plan->tasks < 1 || plan->tasks > ARCHIVE_TASKS_LIMIT) {
        return error_set(err, ERROR_INTERNAL, "%s: %d tasks", path, plan->tasks);
    }
    struct archive_cell *cell;
    TRY(memory_alloc(&cell, 1, sizeof *cell, err));
    size_t length = strlen(path);
    int code = memory_alloc(&cell->path, length + 1, 1, err);
    if (!code) memcpy(cell->path, path, length);
    if (!code) code = arena_create(&cell->arena, err);
    if (!code) code = archive_cell_group(&plan->key, &cell->group, err);
    if (!code) code = create_file(cell, run, plan, carried, err);
    if (code) {
        cell_destroy(&cell);
    } else {
        *out = cell;
    }
    return code;
}

int archive_cell_create(const char *path, const struct archive_run *run, const struct archive_cell_plan *plan,
                        struct archive_cell **out, struct error *err) {
    hdf5_silence();
    *out = NULL;
    TRY(refuse_finished(path, err));
    return create_cell(path, run, plan, NULL, out, err);
}

int archive_cell_resume(const char *path, const struct archive_run *run, const struct archive_cell_plan *plan,
                        int64_t steps, int64_t validations, struct archive_cell **out, struct error *err) {
    hdf5_silence();
    *out = NULL;
    TRY(refuse_finished(path, err));
    struct archive_carried carried;
    int code = archive_carried_read(path, plan, steps, validations, &carried, err);
    if (!code) code = create_cell(path, run, plan, &carried, out, err);
    archive_carried_release(&carried);
    return code;
}

/* ---- rows */

static int still_writable(const struct archive_cell *cell, struct error *err) {
    if (!cell->failed) return 0;
    return error_set(err, cell->failed, "%s: an earlier write failed: %s", cell->path, cell->reason);
}

/* Two flushes: rows first, then `step`, which says that they are there. A kill between any two instructions
 * leaves whole rows. */
static int write_rows(struct archive_cell *cell, struct error *err) {
    TRY(archive_table_write(cell->steps, err));
    TRY(archive_table_write(cell->validation, err));
    TRY(hdf5_file_flush(cell->file, err));
    TRY(hdf5_file_unmark(cell->file, err));
    TRY(archive_table_commit(cell->steps, err));
    TRY(archive_table_commit(cell->validation, err));
    TRY(hdf5_file_flush(cell->file, err));
    TRY(hdf5_file_unmark(cell->file, err));
    return hdf5_file_sync(cell->file, err);
}

static int flush_rows(struct archive_cell *cell, struct error *err) {
    struct error local;
    TRY(still_writable(cell, err));
    if (!archive_table_pending(cell->steps) && !archive_table_pending(cell->validation)) return 0;
    int64_t kept = archive_table_committed(cell->steps);
    int code = write_rows(cell, &local);
    if (!code) return 0;
    cell->failed = code;
    memcpy(cell->reason, local.message, sizeof cell->reason - 1);
    cell->reason[sizeof cell->reason - 1] = '\0';
    hdf5_file_give_up(cell->file);
    return error_set(err, code, "%s: %s (the rows of the first %lld steps are kept)", cell->path,
                     cell->reason, (long long)kept);
}

int archive_cell_append_step(struct archive_cell *cell, const struct archive_step *row, struct error *err) {
    hdf5_silence();
    struct archive_step_row timed = {.step = *row, .time = archive_now()};
    TRY(still_writable(cell, err));
    TRY(archive_table_append(cell->steps, &timed, err));
    return archive_table_pending(cell->steps) < ROWS_IN_MEMORY ? 0 : flush_rows(cell, err);
}

int archive_cell_append_validation(struct archive_cell *cell, const struct archive_validation *row,
                                   struct error *err) {
    hdf5_silence();
    struct archive_validation_row timed = {.validation = *row, .time = archive_now()};
    TRY(still_writable(cell, err));
    TRY(archive_table_append(cell->validation, &timed, err));
    return archive_table_pending(cell->validation) < ROWS_IN_MEMORY ? 0 : flush_rows(cell, err);
}

int archive_cell_flush(struct archive_cell *cell, struct error *err) {
    hdf5_silence();
    return flush_rows(cell, err);
}

/* ---- the end */

int archive_cell_add_evaluation(struct archive_cell *cell, const struct archive_evaluation *evaluation,
                                struct error *err) {
    TRY(memory_reserve(&cell->evaluations, &cell->evaluation_capacity, cell->evaluation_count + 1,
                       sizeof *cell->evaluations, err));
    TRY(archive_evaluation_copy(evaluation, cell->arena, &cell->evaluations[cell->evaluation_count], err));
    cell->evaluation_count++;
    return 0;
}

/* Flushes what is left and closes the file, which stays a valid archive of a running cell. */
static int close_rows(struct archive_cell *cell, struct error *err) {
    int code = flush_rows(cell, err);
    archive_table_destroy(&cell->steps);
    archive_table_destroy(&cell->validation);
    if (code) {
        hdf5_file_abandon(&cell->file);
        return code;
    }
    code = hdf5_file_close(&cell->file, err);
    return code ? error_context(err, "%s", cell->path) : code;
}

static int write_end(const struct archive_cell *cell, hid_t file, enum archive_state state,
                     const char *message, const char *model_folder, struct error *err) {
    char now[ARCHIVE_TIME_BYTES];
    archive_time_text(archive_now(), now);
    HDF5_ID group = H5Gopen2(file, cell->group, H5P_DEFAULT);
    if (group < 0) return hdf5_error(err, ERROR_IO, "cannot open group %s", cell->group);
    for (size_t i = 0; i < cell->evaluation_count; i++) {
        TRY(archive_evaluation_write(group, &cell->evaluations[i], err));
    }
    TRY(hdf5_set_text(group, "message", message, err));
    if (model_folder) TRY(hdf5_set_text(group, "model_folder", model_folder, err));
    TRY(hdf5_set_text(group, "ended", now, err));
    TRY(hdf5_set_text(group, "updated", now, err));
    return hdf5_set_text(group, "state", archive_state_name(state), err);
}

static int finish_in_copy(const struct archive_cell *cell, const char *part, enum archive_state state,
                          const char *message, const char *model_folder, struct error *err) {
    struct hdf5_file *file = NULL;
    TRY(file_copy(cell->path, part, err));
    int code = hdf5_file_open(part, true, &file, err);
    if (!code) {
        code = write_end(cell, file->id, state, message, model_folder, err);
        if (code) {
            hdf5_file_abandon(&file);
        } else {
            code = hdf5_file_close(&file, err);
        }
        if (code) error_context(err, "%s", cell->path);
    }
    if (!code) code = hdf5_file_replace(part, cell->path, err);
    if (code) unlink(part);
    return code;
}

int archive_cell_finish(struct archive_cell **out, enum archive_state state, const char *message,
                        const char *model_folder, struct error *err) {
    hdf5_silence();
    struct archive_cell *cell = *out;
    *out = NULL;
    struct text part = {0};
    int code = close_rows(cell, err);
    /* Rows that could not be written do not keep a failure from being recorded, should there be room again.
     */
    if (!code || state == ARCHIVE_FAILED) {
        code = part_path(cell->path, &part, err);
        if (!code) code = finish_in_copy(cell, text_string(&part), state, message, model_folder, err);
        if (code) error_context(err, "the end of the cell cannot be recorded");
    }
    text_free(&part);
    cell_destroy(&cell);
    return code;
}

void archive_cell_close(struct archive_cell **cell) {
    hdf5_silence();
    if (!*cell) return;
    close_rows(*cell, NULL);
    cell_destroy(cell);
}

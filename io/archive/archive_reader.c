/* Reading a cell's file: finished, being written, or left by a killed writer. */
#include "io/archive/archive_internal.h"
#include "io/archive/archive_table.h"
#include "io/archive/hdf5_file.h"
#include "io/file.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* A table as it was when the file was opened. */
struct reader_table {
    const char *name;
    const struct archive_column *columns;
    hid_t group;
    int64_t rows; /* committed */
};

struct archive_reader {
    const char *path;
    struct hdf5_file *file;
    struct arena *arena;
    hid_t cell, evaluations;
    struct reader_table steps, validation;
    struct archive_cell_summary summary;
    const char **task_names;
    const char **evaluation_names; /* link names */
};

/* ---- columns */

/* Opens a column of a table, after checks of its type and shape; *columns is 1 or the number of tasks. */
static int open_column(const struct archive_reader *reader, const struct reader_table *table,
                       const char *name, hid_t *dataset, int64_t *rows, int64_t *columns, struct error *err) {
    *dataset = strchr(name, '/') || !name[0] ? H5I_INVALID_HID : H5Dopen2(table->group, name, H5P_DEFAULT);
    if (*dataset < 0) {
        return hdf5_error(err, ERROR_INPUT, "%s: cannot open column %s/%s", reader->path, table->name, name);
    }
    HDF5_ID type = H5Dget_type(*dataset);
    HDF5_ID space = H5Dget_space(*dataset);
    int rank = H5Sget_simple_extent_ndims(space);
    H5T_class_t class = H5Tget_class(type);
    if ((class != H5T_INTEGER && class != H5T_FLOAT) || rank < 1 || rank > 2) {
        return error_set(err, ERROR_INPUT, "%s: %s/%s is not a column of numbers", reader->path, table->name,
                         name);
    }
    hsize_t shape[2] = {0, 1};
    H5Sget_simple_extent_dims(space, shape, NULL);
    if (shape[0] > ARCHIVE_ROWS_LIMIT || (rank == 2 && shape[1] != (hsize_t)reader->summary.tasks)) {
        return error_set(err, ERROR_INPUT, "%s: %s/%s has the shape %llu x %llu (expected rows x %d tasks)",
                         reader->path, table->name, name, (unsigned long long)shape[0],
                         (unsigned long long)shape[1], reader->summary.tasks);
    }
    *rows = (int64_t)shape[0];
    *columns = (int64_t)shape[1];
    return 0;
}

/* The first `rows` rows as doubles, freshly allocated. */
static int read_rows(const struct archive_reader *reader, const struct reader_table *table, const char *name,
                     hid_t dataset, int64_t rows, int64_t columns, double **out, struct error *err) {
    /* Committed rows are stored uncompressed: a file cannot have more of them than it has room for, whatever
     * it claims. */
    struct stat status;
    if (fstat(hdf5_driver_descriptor(reader->file->driver), &status))
        return error_set_errno(err, "%s: cannot inspect", reader->path);
    if (rows > status.st_size / 8 / columns) {
        return error_set(err, ERROR_INPUT, "%s: %s/%s claims more rows than the file can hold", reader->path,
                         table->name, name);
    }
    TRY(memory_alloc(out, (size_t)(rows * columns), sizeof **out, err));
    if (!rows) return 0;
    HDF5_ID file = H5Dget_space(dataset);
    int rank = H5Sget_simple_extent_ndims(file);
    hsize_t start[2] = {0, 0}, count[2] = {(hsize_t)rows, (hsize_t)columns};
    HDF5_ID memory = H5Screate_simple(rank, count, NULL);
    if (H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
        H5Dread(dataset, H5T_NATIVE_DOUBLE, memory, file, H5P_DEFAULT, *out) < 0) {
        memory_free(*out);
        *out = NULL;
        return hdf5_error(err, ERROR_INPUT, "%s: cannot read column %s/%s", reader->path, table->name, name);
    }
    return 0;
}

/* Rows that count: as many as `step` has, and no more than any other column. */
static int count_rows(const struct archive_reader *reader, struct reader_table *table, struct error *err) {
    int64_t rows = ARCHIVE_ROWS_LIMIT;
    for (const struct archive_column *column = table->columns; column->name; column++) {
        HDF5_ID dataset = H5I_INVALID_HID;
        int64_t has = 0, columns = 0;
        TRY(open_column(reader, table, column->name, &dataset, &has, &columns, err));
        if (has < rows) rows = has;
    }
    HDF5_ID step = H5I_INVALID_HID;
    int64_t has = 0, columns = 0;
    double *steps;
    TRY(open_column(reader, table, "step", &step, &has, &columns, err));
    if (columns != 1)
        return error_set(err, ERROR_INPUT, "%s: %s/step is not one column", reader->path, table->name);
    TRY(read_rows(reader, table, "step", step, rows, columns, &steps, err));
    table->rows = 0;
    while (table->rows < rows && steps[table->rows] >= 0) table->rows++; /* -1: extended, but never written */
    memory_free(steps);
    return 0;
}

static int read_column(const struct archive_reader *reader, const struct reader_table *table,
                       const char *name, double **out, int64_t *rows, int64_t *columns, struct error *err) {
    HDF5_ID dataset = H5I_INVALID_HID;
    int64_t has;
    *out = NULL;
    TRY(open_column(reader, table, name, &dataset, &has, columns, err));
    *rows = table->rows;
    if (has < *rows) {
        return error_set(err, ERROR_INPUT, "%s: %s/%s has %lld rows (expected %lld)", reader->path,
                         table->name, name, (long long)has, (long long)*rows);
    }
    return read_rows(reader, table, name, dataset, *rows, *columns, out, err);
}

int archive_reader_steps(struct archive_reader *reader, const char *column, double **out, int64_t *rows,
                         int64_t *columns, struct error *err) {
    hdf5_silence();
    return read_column(reader, &reader->steps, column, out, rows, columns, err);
}

int archive_reader_validation(struct archive_reader *reader, const char *column, double **out, int64_t *rows,
                              int64_t *columns, struct error *err) {
    hdf5_silence();
    return read_column(reader, &reader->validation, column, out, rows, columns, err);
}

/* ---- the cell */

static int read_time(const struct archive_reader *reader, const char *name, double *out, struct error *err) {
    const char *text;
    TRY(hdf5_get_text(reader->cell, name, "", reader->arena, &text, err));
    *out = archive_time_parse(text);
    return 0;
}

static int read_attributes(struct archive_reader *reader, struct error *err) {
    struct archive_cell_summary *s = &reader->summary;
    struct arena *arena = reader->arena;
    const char *state;
    int64_t seed;
    TRY(hdf5_get_text(reader->cell, "model", "", arena, &s->key.model, err));
    TRY(hdf5_get_text(reader->cell, "budget", "", arena, &s->key.budget, err));
    TRY(hdf5_get_text(reader->cell, "method", "", arena, &s->key.method, err));
    TRY(hdf5_get_count(reader->cell, "seed", 0, &seed, err));
    s->key.seed = seed;
    TRY(hdf5_get_real(reader->cell, "budget_fraction", NAN, &s->budget_fraction, err));
    TRY(hdf5_get_count(reader->cell, "budget_tokens", 0, &s->budget_tokens, err));
    TRY(hdf5_get_text(reader->cell, "message", "", arena, &s->message, err));
    TRY(hdf5_get_text(reader->cell, "model_folder", "", arena, &s->model_folder, err));
    TRY(hdf5_get_text(reader->file->id, "host", "", arena, &s->host, err));
    TRY(hdf5_get_text(reader->file->id, "config", "", arena, &s->config, err));
    TRY(hdf5_get_text(reader->file->id, "experiment_path", "", arena, &s->experiment_path, err));
    TRY(read_time(reader, "started", &s->started, err));
    TRY(read_time(reader, "ended", &s->ended, err));
    TRY(read_time(reader, "updated", &s->updated, err));
    TRY(hdf5_get_text(reader->cell, "state", "", arena, &state, err));
    int known = archive_state_parse(state);
    if (known < 0) return error_set(err, ERROR_INPUT, "the state of its cell, \"%.40s\", is unknown", state);
    s->state = (enum archive_state)known;
    return 0;
}

static int open_group(hid_t at, const char *name, hid_t *out, struct error *err) {
    *out = H5Gopen2(at, name, H5P_DEFAULT);
    return *out < 0 ? hdf5_error(err, ERROR_INPUT, "cannot open group %s", name) : 0;
}

static int list_evaluations(struct archive_reader *reader, struct error *err) {
    H5G_info_t info;
    if (H5Gget_info(reader->evaluations, &info) < 0 || info.nlinks > ARCHIVE_NAMES_LIMIT) {
        return hdf5_error(err, ERROR_INPUT, "cannot list the evaluations");
    }
    TRY(arena_alloc(reader->arena, &reader->evaluation_names, info.nlinks, sizeof(char *), err));
    for (hsize_t i = 0; i < info.nlinks; i++) {
        ssize_t length =
            H5Lget_name_by_idx(reader->evaluations, ".", H5_INDEX_NAME, H5_ITER_INC, i, NULL, 0, H5P_DEFAULT);
        char *name;
        if (length < 0) return hdf5_error(err, ERROR_INPUT, "cannot list the evaluations");
        TRY(arena_alloc(reader->arena, &name, (size_t)length + 1, 1, err));
        H5Lget_name_by_idx(reader->evaluations, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, (size_t)length + 1,
                           H5P_DEFAULT);
        reader->evaluation_names[i] = name;
    }
    reader->summary.evaluations = (int)info.nlinks;
    return 0;
}

/* Finds the cell that the root names, and what it holds; errors without the path. */
static int open_cell(struct archive_reader *reader, struct error *err) {
    const char *schema, *group;
    int64_t tasks;
    TRY(hdf5_get_text(reader->file->id, "schema", "", reader->arena, &schema, err));
    if (strcmp(schema, ARCHIVE_SCHEMA) != 0) {
        return error_set(err, ERROR_INPUT, "is not an archive of schema %s (attribute schema: \"%.40s\")",
                         ARCHIVE_SCHEMA, schema);
    }
    TRY(hdf5_get_text(reader->file->id, "cell", "", reader->arena, &group, err));
    if (!group[0]) return error_set(err, ERROR_INPUT, "is not the file of one cell (no attribute cell)");
    TRY(open_group(reader->file->id, group, &reader->cell, err));
    TRY(read_attributes(reader, err));
    TRY(open_group(reader->cell, "steps", &reader->steps.group, err));
    TRY(open_group(reader->cell, "validation", &reader->validation.group, err));
    TRY(open_group(reader->cell, "eval", &reader->evaluations, err));
    TRY(hdf5_read_texts(reader->steps.group, "task", ARCHIVE_TASKS_LIMIT, reader->arena, &reader->task_names,
                        &tasks, err));
    if (tasks < 1) return error_set(err, ERROR_INPUT, "has no tasks");
    reader->summary.tasks = (int)tasks;
    return list_evaluations(reader, err);
}

/* The last time in a table, if it is later than `updated`. */
static int last_time(const struct archive_reader *reader, const struct reader_table *table, double *updated,
                     struct error *err) {
    double *times;
    int64_t rows, columns;
    TRY(read_column(reader, table, "time", &times, &rows, &columns, err));
    if (rows && times[rows - 1] > *updated) *updated = times[rows - 1];
    memory_free(times);
    return 0;
}

static int read_tables(struct archive_reader *reader, struct error *err) {
    TRY(count_rows(reader, &reader->steps, err));
    TRY(count_rows(reader, &reader->validation, err));
    reader->summary.steps = reader->steps.rows;
    reader->summary.validations = reader->validation.rows;
    TRY(last_time(reader, &reader->steps, &reader->summary.updated, err));
    return last_time(reader, &reader->validation, &reader->summary.updated, err);
}

static int open_once(const char *path, struct archive_reader **out, struct error *err) {
    struct archive_reader *reader;
    *out = NULL;
    TRY(memory_alloc(&reader, 1, sizeof *reader, err));
    reader->cell = reader->evaluations = H5I_INVALID_HID;
    reader->steps = (struct reader_table){"steps", archive_step_columns, H5I_INVALID_HID, 0};
    reader->validation = (struct reader_table){"validation", archive_validation_columns, H5I_INVALID_HID, 0};
    int code = arena_create(&reader->arena, err);
    if (!code) code = archive_string(reader->arena, path, &reader->path, err);
    if (!code) code = hdf5_file_open(path, false, &reader->file, err);
    if (!code) {
        code = open_cell(reader, err);
        if (code) error_context(err, "%s", path);
    }
    if (!code) code = read_tables(reader, err);
    if (code) {
        archive_reader_close(&reader);
    } else {
        *out = reader;
    }
    return code;
}

/* A writer's flush is several writes: between two of them the file's length and its superblock may disagree
 * for some milliseconds. What is damaged for good is told after a few looks. */
enum { LOOKS = 6 };

int archive_reader_open(const char *path, struct archive_reader **out, struct error *err) {
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    hdf5_silence();
    for (int look = 1;; look++) {
        int code = open_once(path, out, err);
        if (!code || code == ERROR_MEMORY || look == LOOKS || !file_exists(path)) return code;
        nanosleep(&pause, NULL);
    }
}

void archive_reader_close(struct archive_reader **out) {
    hdf5_silence();
    struct archive_reader *reader = *out;
    *out = NULL;
    if (!reader) return;
    hdf5_release(&reader->steps.group);
    hdf5_release(&reader->validation.group);
    hdf5_release(&reader->evaluations);
    hdf5_release(&reader->cell);
    hdf5_file_close(&reader->file, NULL);
    arena_destroy(&reader->arena);
    memory_free(reader);
}

int archive_reader_summary(struct archive_reader *reader, struct archive_cell_summary *out,
                           struct error *err) {
    (void)err;
    *out = reader->summary;
    return 0;
}

hid_t archive_reader_file(struct archive_reader *reader) {
    return reader->file->id;
}

const char *archive_reader_task_name(struct archive_reader *reader, int task) {
    return reader->task_names[task];
}

/* ---- evaluations */

/* Rows of samples/, which an evaluation of no records does not have. */
static int count_samples(hid_t group, int64_t *out, struct error *err) {
    *out = 0;
    if (H5Lexists(group, "samples", H5P_DEFAULT) <= 0) return 0;
    HDF5_ID score = H5Dopen2(group, "samples/score", H5P_DEFAULT);
    if (score < 0) return hdf5_error(err, ERROR_INPUT, "cannot open samples/score");
    HDF5_ID space = H5Dget_space(score);
    *out = (int64_t)H5Sget_simple_extent_npoints(space);
    return *out < 0 ? hdf5_error(err, ERROR_INPUT, "samples/score has no shape") : 0;
}

static int read_evaluation(struct archive_reader *reader, const char *name, struct archive_evaluation *out,
                           struct error *err) {
    HDF5_ID group = H5I_INVALID_HID;
    struct arena *arena = reader->arena;
    TRY(open_group(reader->evaluations, name, &group, err));
    TRY(hdf5_get_text(group, "benchmark", name, arena, &out->benchmark, err));
    TRY(hdf5_get_text(group, "category", "", arena, &out->category, err));
    TRY(hdf5_get_text(group, "metric", "", arena, &out->metric, err));
    TRY(hdf5_get_text(group, "data_hash", "", arena, &out->data_hash, err));
    TRY(hdf5_get_text(group, "prompt_hash", "", arena, &out->prompt_hash, err));
    TRY(hdf5_get_real(group, "score", NAN, &out->score, err));
    TRY(hdf5_get_real(group, "stderr", NAN, &out->standard_error, err));
    TRY(hdf5_get_count(group, "n", 0, &out->n, err));
    TRY(count_samples(group, &out->sample_count, err));
    return hdf5_get_count(group, "step", 0, &out->step, err);
}

int archive_reader_evaluation(struct archive_reader *reader, int index, struct archive_evaluation *out,
                              struct error *err) {
    hdf5_silence();
    *out = (struct archive_evaluation){0};
    if (index < 0 || index >= reader->summary.evaluations) {
        return error_set(err, ERROR_INTERNAL, "%s: evaluation %d of %d", reader->path, index,
                         reader->summary.evaluations);
    }
    const char *name = reader->evaluation_names[index];
    int code = read_evaluation(reader, name, out, err);
    return code ? error_context(err, "%s: eval/%s", reader->path, name) : code;
}

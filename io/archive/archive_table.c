#include "io/archive/archive_table.h"

#include <math.h>
#include <string.h>

/* Of a chunk: small enough that a short cell makes a small file and a flush rewrites little. */
enum { SCALAR_ROWS = 128, CHUNK_BYTES = 32768, LEAST_ROWS = 8 };

struct column {
    const struct archive_column *about;
    hid_t dataset;
};

struct archive_table {
    struct column *columns;
    int count, tasks;
    int64_t committed, pending;
    unsigned char *rows; /* [pending][row_bytes]: the columns' values one after the other */
    size_t row_bytes, capacity;
};

static bool by_task(const struct archive_column *about) {
    return about->kind == COLUMN_COUNT_BY_TASK || about->kind == COLUMN_REAL_BY_TASK;
}

static bool real(const struct archive_column *about) {
    return about->kind == COLUMN_REAL || about->kind == COLUMN_REAL_BY_TASK;
}

static size_t values(const struct archive_table *table, const struct archive_column *about) {
    return by_task(about) ? (size_t)table->tasks : 1;
}

/* ---- making it */

static int create_column(hid_t group, const struct archive_column *about, int tasks, hid_t *out,
                         struct error *err) {
    int rank = by_task(about) ? 2 : 1;
    hsize_t shape[2] = {0, (hsize_t)tasks}, most[2] = {H5S_UNLIMITED, (hsize_t)tasks};
    hsize_t chunk[2] = {SCALAR_ROWS, (hsize_t)tasks};
    if (rank == 2) {
        hsize_t rows = CHUNK_BYTES / (sizeof(double) * (size_t)tasks);
        chunk[0] = rows > SCALAR_ROWS ? SCALAR_ROWS : rows < LEAST_ROWS ? LEAST_ROWS : rows;
    }
    HDF5_ID space = H5Screate_simple(rank, shape, most);
    HDF5_ID properties = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(properties, rank, chunk);
    static const double no_real = NAN;
    static const int64_t no_count = -1;
    hid_t stored = real(about) ? H5T_IEEE_F64LE : H5T_STD_I64LE;
    H5Pset_fill_value(properties, real(about) ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64,
                      real(about) ? (const void *)&no_real : &no_count);
    *out = H5Dcreate2(group, about->name, stored, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    if (*out < 0) return hdf5_error(err, ERROR_IO, "cannot make dataset %s", about->name);
    return hdf5_describe(*out, about->units, about->description, err);
}

static int create_columns(struct archive_table *table, hid_t group, const struct archive_column *columns,
                          const char *const *task_names, struct error *err) {
    HDF5_ID task = H5I_INVALID_HID;
    TRY(hdf5_write_texts(group, "task", task_names, table->tasks, "the task's name", &task, err));
    TRY(hdf5_make_scale(task, "task", err));
    for (int i = 0; i < table->count; i++) {
        struct column *column = &table->columns[i];
        column->about = &columns[i];
        TRY(create_column(group, column->about, table->tasks, &column->dataset, err));
        if (i == 0) {
            TRY(hdf5_make_scale(column->dataset, "step", err));
            continue;
        }
        TRY(hdf5_attach_scale(column->dataset, table->columns[0].dataset, 0, err));
        if (by_task(column->about)) TRY(hdf5_attach_scale(column->dataset, task, 1, err));
    }
    return 0;
}

int archive_table_create(hid_t at, const char *name, const struct archive_column *columns, int tasks,
                         const char *const *task_names, struct archive_table **out, struct error *err) {
    struct archive_table *table;
    *out = NULL;
    TRY(memory_alloc(&table, 1, sizeof *table, err));
    table->tasks = tasks;
    while (columns[table->count].name) table->row_bytes += 8 * values(table, &columns[table->count++]);
    int code = memory_alloc(&table->columns, (size_t)table->count, sizeof *table->columns, err);
    for (int i = 0; i < table->count && !code; i++) table->columns[i].dataset = H5I_INVALID_HID;
    HDF5_ID group = H5I_INVALID_HID;
    if (!code) code = hdf5_group_create(at, name, &group, err);
    if (!code) code = create_columns(table, group, columns, task_names, err);
    if (code) {
        archive_table_destroy(&table);
        return err ? error_context(err, "%s", name) : code;
    }
    *out = table;
    return 0;
}

void archive_table_destroy(struct archive_table **out) {
    struct archive_table *table = *out;
    *out = NULL;
    if (!table) return;
    for (int i = 0; i < table->count && table->columns; i++) hdf5_release(&table->columns[i].dataset);
    memory_free(table->columns);
    memory_free(table->rows);
    memory_free(table);
}

/* ---- rows */

static void pack_values(const struct archive_column *about, size_t count, const void *row,
                        unsigned char *to) {
    const unsigned char *field = (const unsigned char *)row + about->offset;
    if (!by_task(about)) {
        memcpy(to, field, 8);
        return;
    }
    const void *array;
    memcpy(&array, field, sizeof array);
    if (array) {
        memcpy(to, array, 8 * count);
        return;
    }
    static const double no_real = NAN;
    static const int64_t no_count = -1;
    for (size_t i = 0; i < count; i++)
        memcpy(to + 8 * i, real(about) ? (const void *)&no_real : &no_count, 8);
}

int archive_table_append(struct archive_table *table, const void *row, struct error *err) {
    size_t used = (size_t)table->pending * table->row_bytes;
    TRY(memory_reserve(&table->rows, &table->capacity, used + table->row_bytes, 1, err));
    unsigned char *to = table->rows + used;
    for (int i = 0; i < table->count; i++) {
        const struct archive_column *about = table->columns[i].about;
        pack_values(about, values(table, about), row, to);
        to += 8 * values(table, about);
    }
    table->pending++;
    return 0;
}

int64_t archive_table_pending(const struct archive_table *table) {
    return table->pending;
}

int64_t archive_table_committed(const struct archive_table *table) {
    return table->committed;
}

/* ---- writing */

/* Writes the pending rows of one column, whose values start at `at` in a row. */
static int write_column(struct archive_table *table, struct column *column, size_t at,
                        unsigned char *gathered, struct error *err) {
    size_t width = values(table, column->about), bytes = 8 * width;
    for (int64_t i = 0; i < table->pending; i++) {
        memcpy(gathered + (size_t)i * bytes, table->rows + (size_t)i * table->row_bytes + at, bytes);
    }
    hsize_t start[2] = {(hsize_t)table->committed, 0}, count[2] = {(hsize_t)table->pending, width};
    hsize_t shape[2] = {start[0] + count[0], width};
    int rank = by_task(column->about) ? 2 : 1;
    hid_t given = real(column->about) ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64;
    HDF5_ID memory = H5Screate_simple(rank, count, NULL);
    if (H5Dset_extent(column->dataset, shape) < 0) {
        return hdf5_error(err, ERROR_IO, "cannot extend dataset %s", column->about->name);
    }
    HDF5_ID file = H5Dget_space(column->dataset);
    if (H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
        H5Dwrite(column->dataset, given, memory, file, H5P_DEFAULT, gathered) < 0) {
        return hdf5_error(err, ERROR_IO, "cannot write dataset %s", column->about->name);
    }
    return 0;
}

/* Columns first .. last - 1. */
static int write_columns(struct archive_table *table, int first, int last, struct error *err) {
    if (!table->pending) return 0;
    unsigned char *gathered;
    size_t widest = table->tasks > 1 ? (size_t)table->tasks : 1, at = 0;
    TRY(memory_alloc(&gathered, (size_t)table->pending * widest, 8, err));
    int code = 0;
    for (int i = 0; i < last && !code; i++) {
        if (i >= first) code = write_column(table, &table->columns[i], at, gathered, err);
        at += 8 * values(table, table->columns[i].about);
    }
    memory_free(gathered);
    return code;
}

int archive_table_write(struct archive_table *table, struct error *err) {
    return write_columns(table, 1, table->count, err);
}

int archive_table_commit(struct archive_table *table, struct error *err) {
    TRY(write_columns(table, 0, 1, err));
    table->committed += table->pending;
    table->pending = 0;
    return 0;
}

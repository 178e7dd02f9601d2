/* Rows carried over from an unfinished file of a cell into the file that goes on with it. */
#include "io/archive/archive_internal.h"

#include <string.h>

/* The place of a column's value or array pointer in a row struct. */
static unsigned char *field_of(void *rows, size_t row_bytes, int64_t row,
                               const struct archive_column *column) {
    return (unsigned char *)rows + (size_t)row * row_bytes + column->offset;
}

static bool is_count(const struct archive_column *column) {
    return column->kind == COLUMN_COUNT || column->kind == COLUMN_COUNT_BY_TASK;
}

/* Counts come back as doubles, exact below 2^53. */
static void store(const struct archive_column *column, const double *from, int64_t count, void *to) {
    for (int64_t i = 0; i < count; i++) {
        int64_t whole = is_count(column) ? (int64_t)from[i] : 0;
        memcpy((unsigned char *)to + 8 * i, is_count(column) ? (const void *)&whole : &from[i], 8);
    }
}

typedef int read_column(struct archive_reader *reader, const char *column, double **out, int64_t *rows,
                        int64_t *columns, struct error *err);

static int carry_column(struct archive_reader *reader, read_column *read, const struct archive_column *column,
                        void *rows, size_t row_bytes, int64_t count, struct arena *arena, struct error *err) {
    double *values;
    int64_t has, width;
    TRY(read(reader, column->name, &values, &has, &width, err));
    bool by_task = column->kind == COLUMN_COUNT_BY_TASK || column->kind == COLUMN_REAL_BY_TASK;
    int code = 0;
    for (int64_t i = 0; i < count && !code; i++) {
        void *array = NULL;
        unsigned char *field = field_of(rows, row_bytes, i, column);
        if (by_task) code = arena_alloc(arena, &array, (size_t)width, 8, err);
        if (code) break;
        store(column, values + i * width, width, by_task ? array : field);
        if (by_task) memcpy(field, &array, sizeof array);
    }
    memory_free(values);
    return code;
}

static int carry_table(struct archive_reader *reader, read_column *read, const struct archive_column *columns,
                       void *rows, size_t row_bytes, int64_t count, struct arena *arena, struct error *err) {
    for (; columns->name; columns++)
        TRY(carry_column(reader, read, columns, rows, row_bytes, count, arena, err));
    return 0;
}

static int check_same_cell(const char *path, struct archive_reader *reader,
                           const struct archive_cell_plan *plan, struct error *err) {
    struct archive_cell_summary has;
    TRY(archive_reader_summary(reader, &has, err));
    bool same = !strcmp(has.key.model, plan->key.model) && !strcmp(has.key.budget, plan->key.budget) &&
                !strcmp(has.key.method, plan->key.method) && has.key.seed == plan->key.seed &&
                has.tasks == plan->tasks;
    for (int i = 0; same && i < plan->tasks; i++) {
        same = !strcmp(archive_reader_task_name(reader, i), plan->task[i].name);
    }
    return same ? 0 : error_set(err, ERROR_INPUT, "%s: is the file of another cell or of other tasks", path);
}

static int carry(const char *path, struct archive_reader *reader, const struct archive_cell_plan *plan,
                 struct archive_carried *out, struct error *err) {
    struct archive_cell_summary has;
    TRY(check_same_cell(path, reader, plan, err));
    TRY(archive_reader_summary(reader, &has, err));
    out->started = has.started;
    if (has.steps < out->step_count || has.validations < out->validation_count) {
        return error_set(err, ERROR_INPUT,
                         "%s: has %lld steps and %lld set points (the checkpoint needs %lld and %lld)", path,
                         (long long)has.steps, (long long)has.validations, (long long)out->step_count,
                         (long long)out->validation_count);
    }
    TRY(arena_alloc(out->arena, &out->steps, (size_t)out->step_count, sizeof *out->steps, err));
    TRY(arena_alloc(out->arena, &out->validations, (size_t)out->validation_count, sizeof *out->validations,
                    err));
    TRY(carry_table(reader, archive_reader_steps, archive_step_columns, out->steps, sizeof *out->steps,
                    out->step_count, out->arena, err));
    return carry_table(reader, archive_reader_validation, archive_validation_columns, out->validations,
                       sizeof *out->validations, out->validation_count, out->arena, err);
}

int archive_carried_read(const char *path, const struct archive_cell_plan *plan, int64_t steps,
                         int64_t validations, struct archive_carried *out, struct error *err) {
    *out = (struct archive_carried){.step_count = steps, .validation_count = validations};
    struct archive_reader *reader;
    TRY(arena_create(&out->arena, err));
    TRY(archive_reader_open(path, &reader, err));
    int code = carry(path, reader, plan, out, err);
    archive_reader_close(&reader);
    return code;
}

void archive_carried_release(struct archive_carried *carried) {
    arena_destroy(&carried->arena);
}

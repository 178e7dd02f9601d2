#include "tests/support/archive_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/memory.h"
#include "io/file.h"
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void archive_folder_make(char folder[ARCHIVE_PATH_BYTES]) {
    const char *base = getenv("TMPDIR");
    snprintf(folder, ARCHIVE_PATH_BYTES, "%s/adapt-archive-XXXXXX", base && base[0] ? base : "/tmp");
    assert_non_null(mkdtemp(folder));
}

void archive_folder_make_in_memory(char folder[ARCHIVE_PATH_BYTES]) {
    snprintf(folder, ARCHIVE_PATH_BYTES, "/dev/shm/adapt-archive-XXXXXX");
    if (!mkdtemp(folder)) archive_folder_make(folder);
}

void archive_folder_remove(const char *folder) {
    assert_int_equal(file_remove_tree(folder, NULL), 0);
}

void archive_path(const char *folder, const char *name, char path[ARCHIVE_PATH_BYTES]) {
    snprintf(path, ARCHIVE_PATH_BYTES, "%.400s/%.100s", folder, name);
}

void archive_check_same(double found, double expected, const char *what, long long where) {
    if ((isnan(found) && isnan(expected)) || found == expected) return;
    fail_msg("%s[%lld] is %.17g, expected %.17g", what, where, found, expected);
}

typedef double value_at(struct synthetic_cell cell, int step, int task);

static double step_of(struct synthetic_cell cell, int step, int task) {
    (void)cell, (void)task;
    return step;
}
static double tokens_of(struct synthetic_cell cell, int step, int task) {
    (void)task;
    return (double)synthetic_tokens(cell, step);
}
static double loss_of(struct synthetic_cell cell, int step, int task) {
    (void)cell, (void)task;
    return 2.0 - 0.01 * step;
}
static double age_of(struct synthetic_cell cell, int step, int task) {
    (void)task;
    return cell.method == 2 ? step % 10 : -1;
}
static double seconds_of(struct synthetic_cell cell, int step, int task) {
    (void)step, (void)task;
    return synthetic_seconds(cell);
}
static double phase_of(struct synthetic_cell cell, int step, int task) {
    (void)step, (void)task;
    return synthetic_seconds(cell) - 0.5;
}
static double missing(struct synthetic_cell cell, int step, int task) {
    (void)cell, (void)step, (void)task;
    return NAN;
}
static double task_tokens_of(struct synthetic_cell cell, int step, int task) {
    return (double)synthetic_task_tokens(cell, step, task);
}
static double train_loss_of(struct synthetic_cell cell, int step, int task) {
    (void)cell;
    return 2.0 - 0.01 * step + task;
}

static const struct {
    const char *name;
    value_at *value;
    int by_task;
} step_columns[] = {
    {"step", step_of, 0},
    {"supervised_tokens", tokens_of, 0},
    {"charged_tokens", tokens_of, 0},
    {"loss", loss_of, 0},
    {"signal_age", age_of, 0},
    {"seconds", seconds_of, 0},
    {"objective", missing, 0},
    {"seconds_validation", phase_of, 0},
    {"mixture", synthetic_share, 1},
    {"logits", missing, 1},
    {"meta_gradient", missing, 1},
    {"validation_loss", missing, 1},
    {"train_loss", train_loss_of, 1},
    {"task_tokens", task_tokens_of, 1},
};

static void check_steps(struct archive_reader *reader, struct synthetic_cell cell, int64_t steps) {
    struct error err;
    for (size_t c = 0; c < sizeof step_columns / sizeof *step_columns; c++) {
        double *values;
        int64_t rows, columns;
        if (archive_reader_steps(reader, step_columns[c].name, &values, &rows, &columns, &err))
            fail_msg("%s", err.message);
        assert_int_equal(rows, steps);
        assert_int_equal(columns, step_columns[c].by_task ? SYNTHETIC_TASKS : 1);
        for (int64_t i = 0; i < rows * columns; i++) {
            double expected = step_columns[c].value(cell, (int)(i / columns), (int)(i % columns));
            archive_check_same(values[i], expected, step_columns[c].name, i);
        }
        memory_free(values);
    }
}

static void check_points(struct archive_reader *reader, struct synthetic_cell cell, int64_t points) {
    struct error err;
    static const char *const names[] = {"step", "worst", "mean", "loss"};
    for (int c = 0; c < 4; c++) {
        double *values;
        int64_t rows, columns;
        if (archive_reader_validation(reader, names[c], &values, &rows, &columns, &err))
            fail_msg("%s", err.message);
        assert_int_equal(rows, points);
        assert_int_equal(columns, c == 3 ? SYNTHETIC_TASKS : 1);
        for (int64_t i = 0; i < rows * columns; i++) {
            int point = (int)(i / columns);
            double expected = c == 0   ? point * (SYNTHETIC_STEPS / (SYNTHETIC_POINTS - 1))
                              : c == 1 ? synthetic_worst(cell, point)
                              : c == 2 ? synthetic_mean(cell, point)
                                       : synthetic_loss(cell, point, (int)(i % columns));
            archive_check_same(values[i], expected, names[c], i);
        }
        memory_free(values);
    }
}

struct archive_cell_summary archive_check_cell(const char *path, struct synthetic_cell cell) {
    struct error err;
    struct archive_reader *reader;
    struct archive_cell_summary summary;
    if (archive_reader_open(path, &reader, &err)) fail_msg("%s", err.message);
    assert_int_equal(archive_reader_summary(reader, &summary, &err), 0);
    struct archive_cell_key key = synthetic_key(cell);
    assert_string_equal(summary.key.model, key.model);
    assert_string_equal(summary.key.budget, key.budget);
    assert_string_equal(summary.key.method, key.method);
    assert_int_equal(summary.key.seed, key.seed);
    assert_int_equal(summary.tasks, SYNTHETIC_TASKS);
    for (int k = 0; k < SYNTHETIC_TASKS; k++) {
        assert_string_equal(archive_reader_task_name(reader, k), synthetic_tasks[k].name);
    }
    check_steps(reader, cell, summary.steps);
    check_points(reader, cell, summary.validations);
    archive_reader_close(&reader);
    return summary;
}

int archive_opens_plainly(const char *path) {
    H5E_auto2_t function;
    void *data;
    H5Eget_auto2(H5E_DEFAULT, &function, &data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file >= 0) H5Fclose(file);
    H5Eset_auto2(H5E_DEFAULT, function, data);
    return file >= 0;
}

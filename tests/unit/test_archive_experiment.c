/* experiment.h5: links, placeholders, the grid of results, and what is read back from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "io/file.h"
#include "tests/support/archive_check.h"
#include <hdf5.h>
#include <hdf5_hl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char folder[ARCHIVE_PATH_BYTES];
enum { FAILED_CELL = 3, RUNNING_CELL = 10, PLANNED_CELL = 35, DAMAGED_CELL = 20 };

static void succeed(int code, const struct error *err) {
    if (code) fail_msg("%s", err->message);
}

static int make_archive(void **state) {
    (void)state;
    struct error err;
    char *path;
    enum archive_state states[SYNTHETIC_CELLS];
    struct archive_cell_key key = synthetic_key(synthetic_cell_at(DAMAGED_CELL));
    for (int i = 0; i < SYNTHETIC_CELLS; i++) states[i] = ARCHIVE_DONE;
    states[FAILED_CELL] = ARCHIVE_FAILED;
    states[RUNNING_CELL] = ARCHIVE_RUNNING;
    states[PLANNED_CELL] = ARCHIVE_PLANNED;
    archive_folder_make_in_memory(folder);
    succeed(synthetic_archive_write(folder, states, &err), &err);
    succeed(archive_cell_path(folder, &key, &path, &err), &err);
    succeed(file_write(path, "garbage", 7, &err), &err);
    memory_free(path);
    return archive_experiment_write(folder, &synthetic_run, &synthetic_axes, &err);
}

static int remove_archive(void **state) {
    (void)state;
    archive_folder_remove(folder);
    return 0;
}

static hid_t open_experiment(void) {
    char path[ARCHIVE_PATH_BYTES];
    archive_path(folder, "experiment.h5", path);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    return file;
}

static void group_of(int index, char out[ARCHIVE_PATH_BYTES]) {
    static const char *const models[] = {"tiny-llama", "org%2Ftiny-qwen"};
    struct synthetic_cell cell = synthetic_cell_at(index);
    struct archive_cell_key key = synthetic_key(cell);
    snprintf(out, ARCHIVE_PATH_BYTES, "/cells/%s/%s/%s/seed%lld", models[cell.model], key.budget, key.method,
             key.seed);
}

static void check_text(hid_t file, const char *object, const char *attribute, const char *expected) {
    /* Not H5Aopen_by_name: HDF5 1.10 then looks for the text of an object behind an external link in the
     * wrong file. */
    hid_t opened = H5Oopen(file, object, H5P_DEFAULT), at = H5Aopen(opened, attribute, H5P_DEFAULT),
          type = H5Aget_type(at);
    char *value = NULL;
    assert_true(at >= 0 && H5Tis_variable_str(type) > 0 && H5Tget_cset(type) == H5T_CSET_UTF8);
    assert_true(H5Aread(at, type, &value) >= 0);
    assert_string_equal(value, expected);
    H5free_memory(value);
    H5Tclose(type);
    H5Aclose(at);
    H5Oclose(opened);
}

static void test_links_and_placeholders(void **state) {
    (void)state;
    hid_t file = open_experiment();
    check_text(file, "/", "schema", "adapt-archive/1");
    check_text(file, "/", "experiment", "synthetic");
    check_text(file, "/", "config", "{\"name\": \"synthetic\"}");
    for (int i = 0; i < SYNTHETIC_CELLS; i++) {
        char group[ARCHIVE_PATH_BYTES];
        H5L_info_t link;
        struct archive_cell_key key = synthetic_key(synthetic_cell_at(i));
        bool own = i == PLANNED_CELL || i == DAMAGED_CELL;
        group_of(i, group);
        assert_true(H5Lget_info(file, group, &link, H5P_DEFAULT) >= 0);
        assert_int_equal(link.type, own ? H5L_TYPE_HARD : H5L_TYPE_EXTERNAL);
        check_text(file, group, "model", key.model); /* through the link, into the cell's file */
        check_text(file, group, "method", key.method);
        check_text(file, group, "budget", key.budget);
        check_text(file, group, "state",
                   i == PLANNED_CELL                       ? "planned"
                   : i == RUNNING_CELL                     ? "running"
                   : i == FAILED_CELL || i == DAMAGED_CELL ? "failed"
                                                           : "done");
    }
    H5Fclose(file);
}

/* The links are relative: the folder may move. */
static void test_folder_moves(void **state) {
    (void)state;
    char moved[ARCHIVE_PATH_BYTES + 8], group[ARCHIVE_PATH_BYTES];
    snprintf(moved, sizeof moved, "%s-moved", folder);
    assert_int_equal(rename(folder, moved), 0);
    char path[ARCHIVE_PATH_BYTES];
    archive_path(moved, "experiment.h5", path);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    group_of(0, group);
    check_text(file, group, "state", "done");
    H5Fclose(file);
    assert_int_equal(rename(moved, folder), 0);
}

static void check_scales(hid_t dataset, const char *const *names, int rank) {
    hid_t space = H5Dget_space(dataset);
    assert_int_equal(H5Sget_simple_extent_ndims(space), rank);
    H5Sclose(space);
    hid_t grid = H5Iget_file_id(dataset);
    for (int i = 0; i < rank; i++) {
        char path[64], found[64] = "";
        snprintf(path, sizeof path, "/grid/%s", names[i]);
        hid_t scale = H5Dopen2(grid, path, H5P_DEFAULT);
        assert_true(H5DSis_scale(scale) > 0);
        assert_true(H5DSis_attached(dataset, scale, (unsigned)i) > 0);
        assert_true(H5DSget_scale_name(scale, found, sizeof found) > 0);
        assert_string_equal(found, names[i]);
        H5Dclose(scale);
    }
    H5Fclose(grid);
}

static void test_grid(void **state) {
    (void)state;
    static const char *const axes[] = {"model", "budget", "method", "seed", "benchmark"};
    static const char *const columns[] = {"score", "standard_error", "validation_worst", "validation_mean",
                                          "state"};
    hid_t file = open_experiment();
    double values[5][SYNTHETIC_CELLS * SYNTHETIC_BENCHMARKS];
    for (int c = 0; c < 5; c++) {
        char path[64];
        snprintf(path, sizeof path, "/grid/%s", columns[c]);
        hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
        check_scales(dataset, axes, c < 2 ? 5 : 4);
        assert_true(H5Aexists(dataset, "units") > 0 && H5Aexists(dataset, "description") > 0);
        assert_true(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values[c]) >= 0);
        H5Dclose(dataset);
    }
    for (int i = 0; i < SYNTHETIC_CELLS; i++) {
        struct synthetic_cell cell = synthetic_cell_at(i);
        int kind = i == PLANNED_CELL                       ? ARCHIVE_PLANNED
                   : i == RUNNING_CELL                     ? ARCHIVE_RUNNING
                   : i == FAILED_CELL || i == DAMAGED_CELL ? ARCHIVE_FAILED
                                                           : ARCHIVE_DONE;
        bool done = kind == ARCHIVE_DONE;
        for (int b = 0; b < SYNTHETIC_BENCHMARKS; b++) {
            archive_check_same(values[0][i * SYNTHETIC_BENCHMARKS + b], done ? synthetic_score(cell, b) : NAN,
                               "score", i);
            archive_check_same(values[1][i * SYNTHETIC_BENCHMARKS + b], done ? 0.02 : NAN, "standard_error",
                               i);
        }
        archive_check_same(values[2][i], done ? synthetic_worst(cell, SYNTHETIC_POINTS - 1) : NAN, "worst",
                           i);
        archive_check_same(values[3][i], done ? synthetic_mean(cell, SYNTHETIC_POINTS - 1) : NAN, "mean", i);
        archive_check_same(values[4][i], kind, "state", i);
    }
    H5Fclose(file);
}

static void test_tasks(void **state) {
    (void)state;
    hid_t file = open_experiment();
    int64_t tokens[SYNTHETIC_TASKS];
    char *names[SYNTHETIC_TASKS];
    hid_t dataset = H5Dopen2(file, "/tasks/available_supervised_tokens", H5P_DEFAULT);
    assert_true(H5Dread(dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, tokens) >= 0);
    H5Dclose(dataset);
    dataset = H5Dopen2(file, "/tasks/name", H5P_DEFAULT);
    hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
    assert_true(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, names) >= 0);
    for (int k = 0; k < SYNTHETIC_TASKS; k++) {
        assert_int_equal(tokens[k], synthetic_tasks[k].available_supervised_tokens);
        assert_string_equal(names[k], synthetic_tasks[k].name);
    }
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, names);
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(dataset);
    H5Fclose(file);
}

static void test_reading_back(void **state) {
    (void)state;
    struct error err;
    struct archive_experiment *experiment;
    char *config;
    succeed(archive_experiment_config(folder, &config, &err), &err);
    assert_string_equal(config, synthetic_run.config);
    memory_free(config);
    succeed(archive_experiment_read(folder, &experiment, &err), &err);
    const struct archive_grid_axes *axes = &experiment->axes;
    assert_string_equal(experiment->name, "synthetic");
    assert_string_equal(experiment->path, "experiments/synthetic.json");
    assert_true(axes->models == SYNTHETIC_MODELS && axes->budgets == SYNTHETIC_BUDGETS &&
                axes->methods == SYNTHETIC_METHODS && axes->seeds == SYNTHETIC_SEEDS &&
                axes->benchmarks == SYNTHETIC_BENCHMARKS);
    for (int i = 0; i < axes->models; i++) assert_string_equal(axes->model[i], synthetic_axes.model[i]);
    for (int i = 0; i < axes->methods; i++) assert_string_equal(axes->method[i], synthetic_axes.method[i]);
    for (int i = 0; i < axes->seeds; i++) assert_int_equal(axes->seed[i], synthetic_axes.seed[i]);
    for (int i = 0; i < axes->budgets; i++) {
        assert_string_equal(axes->budget[i], synthetic_axes.budget[i]);
        archive_check_same(axes->fraction[i], synthetic_axes.fraction[i], "fraction", i);
    }
    for (int i = 0; i < axes->benchmarks; i++) {
        assert_string_equal(axes->benchmark[i], synthetic_axes.benchmark[i]);
        assert_string_equal(axes->benchmark_category[i], synthetic_axes.benchmark_category[i]);
        assert_string_equal(axes->benchmark_metric[i], synthetic_axes.benchmark_metric[i]);
    }
    archive_experiment_destroy(&experiment);
    assert_null(experiment);
}

static void test_absent_empty_and_damaged(void **state) {
    (void)state;
    struct error err;
    struct archive_experiment *experiment;
    char other[ARCHIVE_PATH_BYTES], path[ARCHIVE_PATH_BYTES], *config;
    archive_folder_make_in_memory(other);
    succeed(archive_experiment_read(other, &experiment, &err), &err);
    assert_null(experiment);
    succeed(archive_experiment_config(other, &config, &err), &err);
    assert_null(config);

    /* Before any cell has run, without benchmarks, in a folder that does not exist yet. */
    struct archive_grid_axes axes = synthetic_axes;
    axes.benchmarks = 0;
    archive_path(other, "new/folder", path);
    succeed(archive_experiment_write(path, &synthetic_run, &axes, &err), &err);
    succeed(archive_experiment_read(path, &experiment, &err), &err);
    assert_int_equal(experiment->axes.benchmarks, 0);
    archive_experiment_destroy(&experiment);

    archive_path(other, "experiment.h5", path);
    succeed(file_write(path, "garbage", 7, &err), &err);
    assert_int_equal(archive_experiment_read(other, &experiment, &err), ERROR_INPUT);
    assert_null(experiment);
    assert_non_null(strstr(err.message, path));

    /* A cell's file is not an experiment's, and the other way round. */
    char *cell;
    struct archive_cell_key key = synthetic_key(synthetic_cell_at(0));
    struct archive_reader *reader;
    succeed(archive_cell_path(folder, &key, &cell, &err), &err);
    succeed(file_copy(cell, path, &err), &err);
    memory_free(cell);
    assert_int_equal(archive_experiment_read(other, &experiment, &err), ERROR_INPUT);
    archive_path(folder, "experiment.h5", path);
    assert_int_equal(archive_reader_open(path, &reader, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "not the file of one cell"));
    archive_folder_remove(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_links_and_placeholders),
        cmocka_unit_test(test_folder_moves),
        cmocka_unit_test(test_grid),
        cmocka_unit_test(test_tasks),
        cmocka_unit_test(test_reading_back),
        cmocka_unit_test(test_absent_empty_and_damaged),
    };
    return cmocka_run_group_tests(tests, make_archive, remove_archive);
}

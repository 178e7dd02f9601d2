/* The archive: what is written comes back, under awkward names, beside readers, and after an interruption
 * that was planned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "io/file.h"
#include "io/archive/hdf5_file.h"
#include "io/archive/hdf5_superblock.h"
#include "tests/support/archive_check.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct synthetic_cell adapt_cell = {1, 1, 2, 2};
static const struct synthetic_cell uniform_cell = {0, 0, 0, 0};

static int make_folder(void **state) {
    static char folder[ARCHIVE_PATH_BYTES];
    archive_folder_make(folder);
    *state = folder;
    return 0;
}

static int remove_folder(void **state) {
    archive_folder_remove(*state);
    return 0;
}

static struct archive_cell *create(const char *path, struct synthetic_cell cell) {
    struct error err;
    struct archive_cell *archive;
    struct archive_cell_plan plan = synthetic_plan(cell);
    if (archive_cell_create(path, &synthetic_run, &plan, &archive, &err)) fail_msg("%s", err.message);
    return archive;
}

static void succeed(int code, const struct error *err) {
    if (code) fail_msg("%s", err->message);
}

/* ---- one cell */

static void test_round_trip(void **state) {
    struct error err;
    char path[ARCHIVE_PATH_BYTES];
    archive_path(*state, "deep/er/cell.h5", path);
    double before = (double)time(NULL) - 1;
    struct archive_cell *archive = create(path, adapt_cell);
    succeed(synthetic_append(archive, adapt_cell, 0, SYNTHETIC_STEPS, &err), &err);
    succeed(synthetic_evaluate(archive, adapt_cell, &err), &err);
    succeed(archive_cell_finish(&archive, ARCHIVE_DONE, "fine", "models/cell", &err), &err);
    assert_null(archive);

    archive_check_cell(path, adapt_cell);
    struct archive_reader *reader;
    struct archive_cell_summary s;
    succeed(archive_reader_open(path, &reader, &err), &err);
    succeed(archive_reader_summary(reader, &s, &err), &err);
    assert_int_equal(s.state, ARCHIVE_DONE);
    assert_int_equal(s.steps, SYNTHETIC_STEPS);
    assert_int_equal(s.validations, SYNTHETIC_POINTS);
    assert_int_equal(s.budget_tokens, synthetic_budget(adapt_cell));
    archive_check_same(s.budget_fraction, 0.05, "budget_fraction", 0);
    assert_string_equal(s.message, "fine");
    assert_string_equal(s.host, "node1");
    assert_string_equal(s.model_folder, "models/cell");
    assert_true(s.started >= before && s.ended >= s.started && s.updated >= s.started &&
                s.ended < before + 300);
    assert_int_equal(s.evaluations, SYNTHETIC_BENCHMARKS);
    for (int i = 0; i < s.evaluations; i++) {
        struct archive_evaluation evaluation;
        succeed(archive_reader_evaluation(reader, i, &evaluation, &err), &err);
        assert_string_equal(evaluation.benchmark,
                            synthetic_axes.benchmark[i]); /* both are in the order of names */
        assert_string_equal(evaluation.metric, synthetic_axes.benchmark_metric[i]);
        assert_string_equal(evaluation.category, synthetic_axes.benchmark_category[i]);
        archive_check_same(evaluation.score, synthetic_score(adapt_cell, i), "score", i);
        archive_check_same(evaluation.standard_error, 0.02, "stderr", i);
        assert_int_equal(evaluation.n, 4);
        assert_int_equal(evaluation.step, SYNTHETIC_STEPS);
    }
    struct archive_evaluation none;
    assert_int_equal(archive_reader_evaluation(reader, s.evaluations, &none, &err), ERROR_INTERNAL);
    double *values;
    int64_t rows, columns;
    assert_int_equal(archive_reader_steps(reader, "no_such", &values, &rows, &columns, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "steps/no_such"));
    assert_int_equal(archive_reader_steps(reader, "../eval", &values, &rows, &columns, &err), ERROR_INPUT);
    archive_reader_close(&reader);
    assert_true(archive_opens_plainly(path));
}

static void test_many_rows_and_none(void **state) {
    struct error err;
    char path[ARCHIVE_PATH_BYTES];
    enum { ROWS = 2500 };
    archive_path(*state, "many.h5", path);
    struct archive_cell *archive = create(path, uniform_cell);
    assert_int_equal(archive_check_cell(path, uniform_cell).steps, 0);
    succeed(synthetic_append(archive, uniform_cell, 0, ROWS, &err), &err);
    succeed(archive_cell_flush(archive, &err), &err);
    struct archive_cell_summary s = archive_check_cell(path, uniform_cell);
    assert_int_equal(s.steps, ROWS);
    assert_int_equal(s.state, ARCHIVE_RUNNING);
    archive_cell_close(&archive);
    assert_null(archive);
    assert_int_equal(archive_check_cell(path, uniform_cell).steps, ROWS);
}

/* A reader in this process, a writer in another one: whatever the reader sees is whole, and it sees the end.
 */
static void test_reading_while_writing(void **state) {
    char path[ARCHIVE_PATH_BYTES];
    enum { ROWS = 400, EVERY = 4 };
    archive_path(*state, "live.h5", path);
    pid_t writer = fork();
    assert_true(writer >= 0);
    if (!writer) {
        struct error err;
        struct archive_cell *archive;
        struct archive_cell_plan plan = synthetic_plan(adapt_cell);
        int code = archive_cell_create(path, &synthetic_run, &plan, &archive, &err);
        for (int i = 0; i < ROWS && !code; i += EVERY) {
            code = synthetic_append(archive, adapt_cell, i, i + EVERY, &err);
            if (!code) code = archive_cell_flush(archive, &err);
        }
        if (!code) code = archive_cell_finish(&archive, ARCHIVE_DONE, "", NULL, &err);
        _exit(code ? 1 : 0);
    }
    while (!file_exists(path)) usleep(1000);
    int64_t seen = 0;
    int looks = 0, partial = 0, status;
    do {
        struct archive_cell_summary s = archive_check_cell(path, adapt_cell);
        assert_true(s.steps >= seen);
        assert_true(s.state == ARCHIVE_RUNNING || s.steps == ROWS);
        seen = s.steps;
        looks++;
        partial += seen > 0 && seen < ROWS;
    } while (!waitpid(writer, &status, WNOHANG));
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(archive_check_cell(path, adapt_cell).steps, ROWS);
    assert_true(partial > 0);
    print_message("read %d times while it was written, %d of them with some of the rows\n", looks, partial);
}

static void test_unfinished_is_replaced_finished_is_not(void **state) {
    struct error err;
    char path[ARCHIVE_PATH_BYTES];
    struct archive_cell *archive = NULL;
    struct archive_cell_plan plan = synthetic_plan(adapt_cell);
    archive_path(*state, "again.h5", path);
    archive = create(path, adapt_cell);
    succeed(synthetic_append(archive, adapt_cell, 0, 20, &err), &err);
    archive_cell_close(&archive);
    archive = create(path, adapt_cell);
    assert_int_equal(archive_check_cell(path, adapt_cell).steps, 0);
    succeed(synthetic_append(archive, adapt_cell, 0, 3, &err), &err);
    succeed(archive_cell_finish(&archive, ARCHIVE_FAILED, "it broke", NULL, &err), &err);
    struct archive_cell_summary s = archive_check_cell(path, adapt_cell);
    assert_int_equal(s.state, ARCHIVE_FAILED);
    assert_int_equal(s.steps, 3);
    archive = create(path, adapt_cell); /* a failed one is not a result */
    succeed(archive_cell_finish(&archive, ARCHIVE_DONE, NULL, NULL, &err), &err);
    assert_int_equal(archive_cell_create(path, &synthetic_run, &plan, &archive, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, "finished"));
    assert_null(archive);
    assert_int_equal(archive_cell_resume(path, &synthetic_run, &plan, 0, 0, &archive, &err), ERROR_INPUT);
}

static void test_resume(void **state) {
    struct error err;
    char path[ARCHIVE_PATH_BYTES];
    struct archive_cell_plan plan = synthetic_plan(adapt_cell);
    archive_path(*state, "resumed.h5", path);
    struct archive_cell *archive = create(path, adapt_cell);
    succeed(synthetic_append(archive, adapt_cell, 0, 27, &err), &err);
    archive_cell_close(&archive);
    double started = archive_check_cell(path, adapt_cell).started;

    assert_int_equal(archive_cell_resume(path, &synthetic_run, &plan, 28, 3, &archive, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "has 27 steps and 3 set points"));
    assert_int_equal(archive_check_cell(path, adapt_cell).steps, 27); /* nothing was lost by that */
    struct archive_cell_plan other = synthetic_plan(uniform_cell);
    assert_int_equal(archive_cell_resume(path, &synthetic_run, &other, 1, 1, &archive, &err), ERROR_INPUT);

    succeed(archive_cell_resume(path, &synthetic_run, &plan, 20, 3, &archive, &err), &err);
    struct archive_cell_summary s = archive_check_cell(path, adapt_cell);
    assert_int_equal(s.steps, 20);
    assert_int_equal(s.validations, 3);
    archive_check_same(s.started, started, "started", 0);
    succeed(synthetic_append(archive, adapt_cell, 20, SYNTHETIC_STEPS, &err), &err);
    succeed(archive_cell_finish(&archive, ARCHIVE_DONE, "", NULL, &err), &err);
    s = archive_check_cell(path, adapt_cell);
    assert_int_equal(s.steps, SYNTHETIC_STEPS);
    assert_int_equal(s.validations, SYNTHETIC_POINTS);
}

/* ---- names and bytes */

static void test_paths_are_distinct_and_plain(void **state) {
    (void)state;
    static const struct archive_cell_key keys[] = {
        {"a", "b", "0.1", 0},
        {"a", "b", "0.1", 1},
        {"a__0.1", "b", "c", 0},
        {"a", "b", "0.1__c", 0},
        {"a/b", "m", "0.1", 0},
        {"a_b", "m", "0.1", 0},
        {"a b", "m", "0.1", 0},
        {".", "m", "0.1", 0},
        {"..", "m", "0.1", 0},
        {"", "m", "0.1", 0},
        {"\xC3\xA9", "m", "0.1", 0},
        {"-rf", "m", "0.1", 0},
        {"a\nb", "m", "0.1", 0},
        {"a", "b__", "0.1", 0},
        {"a", "b", "0.1", -1},
        {"a very long name, longer than any that fits into a file's name with two more beside it, number 1",
         "m", "0.1", 0},
        {"a very long name, longer than any that fits into a file's name with two more beside it, number 2",
         "m", "0.1", 0},
    };
    enum { KEYS = sizeof keys / sizeof *keys };
    struct error err;
    char *paths[KEYS];
    for (int i = 0; i < KEYS; i++) {
        succeed(archive_cell_path("out", &keys[i], &paths[i], &err), &err);
        assert_memory_equal(paths[i], "out/cells/", 10);
        const char *name = paths[i] + 10;
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"),
                         strlen(name));
        assert_true(name[0] != '.' && name[0] != '-' && strlen(name) < 240);
        for (int k = 0; k < i; k++) assert_string_not_equal(paths[i], paths[k]);
    }
    assert_string_equal(paths[0], "out/cells/a__0.1__b__seed0.h5");
    for (int i = 0; i < KEYS; i++) memory_free(paths[i]);
}

static void test_awkward_labels_come_back(void **state) {
    static const char *const labels[] = {"org/model", ".",      "..",           "",      "50%",
                                         "%",         "a b\tc", "\xE2\x98\x83", "q\"'\\"};
    struct error err;
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        struct archive_cell_plan plan = synthetic_plan(uniform_cell);
        plan.key = (struct archive_cell_key){labels[i], labels[i], labels[i], -5};
        char *path;
        struct archive_cell *archive;
        struct archive_reader *reader;
        struct archive_cell_summary s;
        succeed(archive_cell_path(*state, &plan.key, &path, &err), &err);
        succeed(archive_cell_create(path, &synthetic_run, &plan, &archive, &err), &err);
        succeed(archive_cell_finish(&archive, ARCHIVE_DONE, "not UTF-8: \xFF\xC3.", NULL, &err), &err);
        succeed(archive_reader_open(path, &reader, &err), &err);
        succeed(archive_reader_summary(reader, &s, &err), &err);
        assert_string_equal(s.key.model, labels[i]);
        assert_string_equal(s.key.method, labels[i]);
        assert_string_equal(s.key.budget, labels[i]);
        assert_int_equal(s.key.seed, -5);
        assert_string_equal(s.message, "not UTF-8: \xEF\xBF\xBD\xEF\xBF\xBD.");
        archive_reader_close(&reader);
        memory_free(path);
    }
}

/* The published test vectors of lookup3 (hashlittle with initial value 0). */
static void test_checksum(void **state) {
    (void)state;
    static const char text[] = "Four score and seven years ago";
    assert_int_equal(hdf5_checksum((const unsigned char *)text, sizeof text - 1), 0x17770551);
    assert_int_equal(hdf5_checksum((const unsigned char *)"", 0), 0xdeadbeef);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_many_rows_and_none, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_reading_while_writing, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_unfinished_is_replaced_finished_is_not, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(test_resume, make_folder, remove_folder),
        cmocka_unit_test(test_paths_are_distinct_and_plain),
        cmocka_unit_test_setup_teardown(test_awkward_labels_come_back, make_folder, remove_folder),
        cmocka_unit_test(test_checksum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

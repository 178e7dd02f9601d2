/* The collection: sound archives pass, every kind of damage is found and told with its place, places are
 * merged, and the commands that are told are the right ones. */
#include "runner/collect/collect.h"

#include "base/memory.h"
#include "io/archive/archive.h"
#include "io/file.h"
#include "runner/claim/claim.h"
#include "runner/experiment/experiment.h"
#include <hdf5.h>
#include <hdf5_hl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* Cells 0 (adapt, seed 0), 1 (adapt, seed 1), 2 and 3 (uniform); adapt compares with uniform. */
static const char config[] =
    "{\"name\": \"col\", \"models\": [{\"name\": \"m\", \"path\": \"m\"}], \"tasks\": {\"path\": \"d\"}, "
    "\"budgets\": [0.1], "
    "\"methods\": [{\"name\": \"adapt\"}, {\"name\": \"uniform\"}], \"seeds\": [0, 1], "
    "\"evaluation\": {\"validation_at\": [0, 1], \"benchmarks\": {\"boolq\": \"b.jsonl\"}}}";
enum { CELLS = 4, STEPS = 6, TASKS = 2, BUDGET = 60, SAMPLES = 3 };

/* What is written wrongly. */
enum flaw {
    NOTHING,
    STEP_SKIPPED,
    TOKENS_FALL,
    CHARGE_WRONG,
    TASKS_WRONG,
    OVER_BUDGET,
    WORST_WRONG,
    MEAN_WRONG,
    POINTS_MISSING,
    BENCHMARK_MISSING,
    SAMPLES_MISSING,
    CONFIG_OTHER,
    CELL_OTHER,
    FLAWS
};

static char folder[64], site[2][96];

static void succeed(int code, const struct error *err) {
    if (code) fail_msg("%s", err->message);
}

static struct archive_cell_key key_of(int cell) {
    return (struct archive_cell_key){
        .model = "m", .budget = "0.1", .method = cell < 2 ? "adapt" : "uniform", .seed = cell % 2};
}

static char *path_of(const char *place, int cell) {
    struct archive_cell_key key = key_of(cell);
    char *path;
    assert_int_equal(archive_cell_path(place, &key, &path, NULL), 0);
    return path;
}

static void append_steps(struct archive_cell *archive, enum flaw flaw, int steps, double loss) {
    struct error err;
    for (int i = 0; i < steps; i++) {
        int64_t tokens = 10 * (i + 1), task[TASKS] = {tokens / 2, tokens - tokens / 2}, none[TASKS] = {0, 0};
        struct archive_step row = {.step = i,
                                   .supervised_tokens = tokens,
                                   .charged_tokens = tokens,
                                   .total_tokens = 3 * tokens,
                                   .loss = loss,
                                   .seconds = 0.5,
                                   .task_tokens = task,
                                   .task_validation_tokens = none};
        if (flaw == STEP_SKIPPED && i == 4) row.step = 5;
        if (flaw == TOKENS_FALL && i == 3) row.total_tokens = 1;
        if (flaw == CHARGE_WRONG && i == 2) row.charged_tokens--;
        if (flaw == TASKS_WRONG && i == 5) task[1]++;
        if (flaw == OVER_BUDGET && i == 5) {
            row.supervised_tokens = row.charged_tokens = BUDGET + 1;
            task[1]++;
        }
        succeed(archive_cell_append_step(archive, &row, &err), &err);
    }
}

static void append_points(struct archive_cell *archive, enum flaw flaw, int points) {
    struct error err;
    for (int i = 0; i < points; i++) {
        double loss[TASKS] = {1.5, 2.5};
        struct archive_validation row = {.step = i * STEPS, .loss = loss, .worst = 2.5, .mean = 2.0};
        if (flaw == WORST_WRONG && i == 1) row.worst = 1.5;
        if (flaw == MEAN_WRONG && i == 1) row.mean = 2.25;
        succeed(archive_cell_append_validation(archive, &row, &err), &err);
    }
}

static void evaluate(struct archive_cell *archive, enum flaw flaw, double score) {
    struct error err;
    struct archive_sample samples[SAMPLES] = {{0}};
    for (int i = 0; i < SAMPLES; i++)
        samples[i] = (struct archive_sample){.id = "i", .prediction = "p", .target = "t", .response = "r"};
    struct archive_metric metric = {"acc", "none", score, 0.1};
    struct archive_evaluation evaluation = {.benchmark = "boolq",
                                            .category = "c",
                                            .version = "1",
                                            .metric = "acc",
                                            .score = score,
                                            .n = SAMPLES,
                                            .share = 1,
                                            .chat_template = "none",
                                            .data_hash = "h",
                                            .prompt_hash = "h",
                                            .metrics = &metric,
                                            .metric_count = 1,
                                            .samples = samples,
                                            .sample_count = flaw == SAMPLES_MISSING ? SAMPLES - 1 : SAMPLES};
    succeed(archive_cell_add_evaluation(archive, &evaluation, &err), &err);
}

/* A cell's file in a place; `state` RUNNING leaves it half done. */
static void write_cell(const char *place, int cell, enum flaw flaw, enum archive_state state, double loss) {
    static const struct archive_task tasks[TASKS] = {{.name = "a", .category = "c"},
                                                     {.name = "b", .category = "c"}};
    char other[sizeof config + 64], *path = path_of(place, cell);
    struct error err;
    struct archive_cell *archive;
    snprintf(other, sizeof other, "{\"training\": {\"learning_rate\": 0.5}, %s", config + 1);
    struct archive_run run = {.experiment = "col",
                              .path = "/x/e.json",
                              .backend = "cpu",
                              .host = "h",
                              .ranks = 1,
                              .config = flaw == CONFIG_OTHER ? other : config};
    struct archive_cell_plan plan = {.key = key_of(flaw == CELL_OTHER ? 3 - cell : cell),
                                     .budget_fraction = 0.1,
                                     .budget_tokens = BUDGET,
                                     .method_settings = "{}",
                                     .tasks = TASKS,
                                     .task = tasks,
                                     .data_hash = "d",
                                     .tokenizer_hash = "t"};
    unlink(path);
    succeed(archive_cell_create(path, &run, &plan, &archive, &err), &err);
    bool whole = state != ARCHIVE_RUNNING;
    append_steps(archive, flaw, whole ? STEPS : STEPS / 2, loss);
    append_points(archive, flaw, whole && flaw != POINTS_MISSING ? 2 : flaw == POINTS_MISSING ? 0 : 1);
    if (whole && flaw != BENCHMARK_MISSING) evaluate(archive, flaw, 0.5);
    succeed(archive_cell_flush(archive, &err), &err);
    if (whole)
        succeed(archive_cell_finish(&archive, state, state == ARCHIVE_FAILED ? "it broke" : "", NULL, &err),
                &err);
    else
        archive_cell_close(&archive);
    memory_free(path);
}

static int set_up(void **state) {
    (void)state;
    strcpy(folder, "/tmp/adapt-collect-XXXXXX");
    if (!mkdtemp(folder)) return 1;
    for (int i = 0; i < 2; i++) {
        char cells[256];
        snprintf(site[i], sizeof site[i], "%s/it's $(site) %d", folder, i);
        snprintf(cells, sizeof cells, "%s/cells", site[i]);
        if (file_make_folder(cells, NULL)) return 1;
    }
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    return file_remove_tree(folder, NULL);
}

/* Collects so many sites and returns the report; *complete as told. */
static struct text run(int sites, const char *out, bool copy, bool *complete) {
    const char *folders[2] = {site[0], site[1]};
    struct collect_options options = {folders, sites, out, copy};
    struct text report = {0};
    struct error err;
    succeed(collect(&options, &report, complete, &err), &err);
    return report;
}

static void expect(struct text report, const char *const *parts) {
    for (; *parts; parts++)
        if (!strstr(text_string(&report), *parts))
            fail_msg("this does not say \"%s\":\n%s", *parts, text_string(&report));
    text_free(&report);
}
#define EXPECT(report, ...) expect(report, (const char *const[]){__VA_ARGS__, NULL})

/* What /grid holds of a cell in site 0. */
static void expect_grid(int cell, int64_t state, bool scored) {
    char path[512];
    int64_t states[CELLS];
    double score[CELLS];
    snprintf(path, sizeof path, "%s/experiment.h5", site[0]);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    assert_true(H5LTread_dataset(file, "grid/state", H5T_NATIVE_INT64, states) >= 0);
    assert_true(H5LTread_dataset_double(file, "grid/score", score) >= 0);
    H5Fclose(file);
    assert_int_equal(states[cell], state);
    assert_int_equal(!isnan(score[cell]), scored);
}

static void test_complete(void **state) {
    (void)state;
    bool complete;
    for (int i = 0; i < CELLS; i++) write_cell(site[0], i, NOTHING, ARCHIVE_DONE, 1);
    struct text report = run(1, NULL, false, &complete);
    assert_true(complete);
    assert_null(strstr(text_string(&report), "adapt run"));
    EXPECT(report, "col: 4 cells: 4 done, 0 running, 0 stopped or failed, 0 not started, 0 damaged\n");
    struct archive_experiment *experiment;
    assert_int_equal(archive_experiment_read(site[0], &experiment, NULL), 0);
    assert_non_null(experiment);
    assert_string_equal(experiment->config, config);
    archive_experiment_destroy(&experiment);
}

static void test_missing(void **state) {
    (void)state;
    bool complete;
    char command[256];
    write_cell(site[0], 2, NOTHING, ARCHIVE_DONE, 1);
    write_cell(site[0], 1, NOTHING, ARCHIVE_FAILED, 1);
    write_cell(site[0], 3, NOTHING, ARCHIVE_RUNNING, 1);
    snprintf(command, sizeof command, "  adapt run /x/e.json --out '%s/it'\\''s $(site) 0' --cells 0-1,3\n",
             folder);
    struct text report = run(1, NULL, false, &complete);
    assert_false(complete);
    EXPECT(report, "4 cells: 1 done, 0 running, 2 stopped or failed, 1 not started, 0 damaged\n",
           "cell 1 (m / 0.1 / adapt / seed 1): failed: it broke\n",
           "cell 3 (m / 0.1 / uniform / seed 1): stopped before its end\n", command);
}

/* What somebody runs is left alone, and so is what waits for it. */
static void test_running(void **state) {
    (void)state;
    bool complete;
    char *path = path_of(site[0], 3), *claimed;
    struct claim *claim;
    struct error err;
    write_cell(site[0], 3, NOTHING, ARCHIVE_RUNNING, 1);
    succeed(claim_path(path, &claimed, &err), &err);
    succeed(claim_take(claimed, &claim, NULL, NULL, &err), &err);
    assert_non_null(claim);
    write_cell(site[0], 2, NOTHING, ARCHIVE_DONE, 1);
    struct text report = run(1, NULL, false, &complete);
    assert_false(complete);
    EXPECT(report, "1 done, 1 running,", "cell 3 (m / 0.1 / uniform / seed 1): runs on ", " --cells 0\n");
    /* Also where it is finished elsewhere. */
    write_cell(site[1], 3, NOTHING, ARCHIVE_DONE, 1);
    report = run(2, NULL, false, &complete);
    assert_false(complete);
    EXPECT(report, "2 done", "but being run in ");
    claim_release(&claim);
    memory_free(claimed);
    memory_free(path);
}

static void test_flaws(void **state) {
    (void)state;
    static const char *const told[FLAWS] = {
        [STEP_SKIPPED] = "steps/step: row 4 is step 5",
        [TOKENS_FALL] = "steps/total_tokens: row 3 has 1 after 90",
        [CHARGE_WRONG] = "steps/charged_tokens: row 2 has 29 (its tokens add up to 30)",
        [TASKS_WRONG] = "steps/task_tokens: row 5 adds up to 61 (supervised_tokens has 60)",
        [OVER_BUDGET] = "steps/charged_tokens: 61 tokens of a budget of 60",
        [WORST_WRONG] = "validation/worst: row 1 has 1.5 (the largest loss is 2.5)",
        [MEAN_WRONG] = "validation/mean: row 1 has 2.25 (the losses' mean is 2)",
        [POINTS_MISSING] = "validation: 0 rows (evaluation.validation_at has 2)",
        [BENCHMARK_MISSING] = "eval: no boolq",
        [SAMPLES_MISSING] = "eval/boolq: 3 records, and 2 rows of samples",
        [CONFIG_OTHER] = "training.learning_rate: 0.5 in the archive",
        [CELL_OTHER] = "holds another cell: m / 0.1 / adapt / seed 0",
    };
    for (int i = 0; i < CELLS; i++) write_cell(site[0], i, NOTHING, ARCHIVE_DONE, 1);
    bool complete;
    struct text report = run(1, NULL, false, &complete);
    text_free(&report);
    for (int flaw = NOTHING + 1; flaw < FLAWS; flaw++) {
        write_cell(site[0], 3, (enum flaw)flaw, ARCHIVE_DONE, 1);
        report = run(1, NULL, false, &complete);
        assert_false(complete);
        expect_grid(2, ARCHIVE_DONE, true);
        expect_grid(3, ARCHIVE_FAILED, false);
        EXPECT(report, "3 done", "1 damaged", "cell 3 (m / 0.1 / uniform / seed 1): damaged: ", told[flaw],
               "  rm -- '/tmp/", " --cells 3\n");
    }
    write_cell(site[0], 3, NOTHING, ARCHIVE_DONE, 1);
    report = run(1, NULL, false, &complete);
    assert_true(complete);
    expect_grid(3, ARCHIVE_DONE, true);
    text_free(&report);
}

/* Files that were cut short or overwritten: told, whatever is left of them. */
static void test_damaged_files(void **state) {
    (void)state;
    char *path = path_of(site[0], 0);
    bool complete;
    for (int i = 0; i < CELLS; i++) write_cell(site[0], i, NOTHING, ARCHIVE_DONE, 1);
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    for (int part = 0; part < 4; part++) {
        write_cell(site[0], 0, NOTHING, ARCHIVE_DONE, 1);
        assert_int_equal(truncate(path, about.st_size * part / 4), 0);
        struct text report = run(1, NULL, false, &complete);
        assert_false(complete);
        EXPECT(report, "3 done", "cell 0 (m / 0.1 / adapt / seed 0): ", " --cells 0\n");
    }
    memory_free(path);
}

static void test_merge(void **state) {
    (void)state;
    bool complete;
    char *path;
    struct stat about;
    write_cell(site[0], 0, NOTHING, ARCHIVE_RUNNING, 1); /* gives way to the finished one */
    write_cell(site[0], 1, NOTHING, ARCHIVE_DONE, 1);
    write_cell(site[0], 2, NOTHING, ARCHIVE_DONE, 1);
    write_cell(site[1], 0, NOTHING, ARCHIVE_DONE, 1);
    write_cell(site[1], 2, NOTHING, ARCHIVE_DONE, 1); /* the same */
    write_cell(site[1], 3, NOTHING, ARCHIVE_DONE, 1);
    struct text report = run(2, NULL, false, &complete);
    assert_true(complete);
    EXPECT(report, "4 done", "2 files linked into ");
    path = path_of(site[0], 3);
    assert_int_equal(lstat(path, &about), 0);
    assert_true(S_ISLNK(about.st_mode));
    memory_free(path);
    report = run(2, NULL, false, &complete); /* again: nothing to do */
    assert_true(complete);
    assert_null(strstr(text_string(&report), "linked"));
    text_free(&report);

    char out[128];
    snprintf(out, sizeof out, "%s/whole", folder);
    report = run(2, out, true, &complete);
    assert_true(complete);
    EXPECT(report, "4 files copied into ", "/whole/experiment.h5\n");
    for (int i = 0; i < CELLS; i++) {
        path = path_of(out, i);
        assert_int_equal(lstat(path, &about), 0);
        assert_true(S_ISREG(about.st_mode));
        memory_free(path);
    }
}

static void test_conflict(void **state) {
    (void)state;
    bool complete;
    for (int i = 0; i < CELLS; i++) write_cell(site[0], i, NOTHING, ARCHIVE_DONE, 1);
    write_cell(site[1], 1, NOTHING, ARCHIVE_DONE, 1.0000001);
    struct text report = run(2, NULL, false, &complete);
    assert_false(complete);
    EXPECT(report, "4 done",
           "cell 1 (m / 0.1 / adapt / seed 1): conflict: ", "differ: steps/loss: row 0 has 1 and 1.00000",
           "; the first is taken\n");
}

static void test_other_experiment(void **state) {
    (void)state;
    const char *folders[2] = {site[0], site[1]};
    struct collect_options options = {folders, 2, NULL, false};
    struct text report = {0};
    struct error err;
    bool complete;
    assert_int_equal(collect(&options, &report, &complete, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "holds no archive"));
    write_cell(site[0], 1, NOTHING, ARCHIVE_DONE, 1);
    write_cell(site[1], 1, CONFIG_OTHER, ARCHIVE_DONE, 1);
    assert_int_equal(collect(&options, &report, &complete, &err), ERROR_INPUT);
    if (!strstr(err.message, "training.learning_rate: 0.5 in the archive")) fail_msg("%s", err.message);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_complete, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_missing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_running, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_flaws, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_merge, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_conflict, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_experiment, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

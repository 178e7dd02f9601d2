/* The text of job scripts, against those in tests/golden/slurm/ (written by this program when its argument is
 * --record), and what bash makes of data in them. */
#include "slurm/job_script.h"

#include "io/file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static bool recording;

static void check_golden(const char *name, struct text *script) {
    char path[512];
    struct text golden = {0};
    struct error err;
    snprintf(path, sizeof path, TEST_SOURCE_DIR "/golden/slurm/%s", name);
    if (recording) assert_int_equal(file_write(path, script->data, script->length, &err), 0);
    if (file_read(path, 1 << 20, &golden, &err)) fail_msg("%s", err.message);
    if (strcmp(text_string(&golden), text_string(script)))
        fail_msg("the script is not that of %s, but:\n%s", path, text_string(script));
    text_free(&golden);
    text_free(script);
}

static struct slurm_settings defaults(void) {
    struct slurm_settings settings = {0};
    setting_defaults(slurm_settings_table, &settings);
    return settings;
}

static void test_plain_array(void **state) {
    (void)state;
    static const char *const cells[] = {"0-1", "2", "3,7-9"};
    struct slurm_settings settings = defaults();
    struct job_script job = {.name = "small",
                             .experiment = "/home/u/small.json",
                             .folder = "/home/u",
                             .out = "/scratch/u/runs/small",
                             .program = "/home/u/adapt/build/adapt",
                             .cells = cells,
                             .count = 3,
                             .tasks_per_node = 1,
                             .settings = &settings};
    struct text script = {0};
    struct error err;
    assert_int_equal(job_script_sweep(&job, &script, &err), 0);
    check_golden("array.sh", &script);
    assert_int_equal(job_script_collect(&job, &script, &err), 0);
    check_golden("array_collect.sh", &script);
}

/* Every setting, and names that would be commands if they were shell. */
static void test_everything(void **state) {
    (void)state;
    static const char *const cells[] = {"0-107"};
    static const char *setup[] = {"module purge", "module load openmpi/5 hdf5", "export FOO=\"$(date)\""};
    static const char *extra[] = {"--qos=long", "--constraint=\"a100&nvlink\""};
    struct slurm_settings settings = {.partition = "gpu,gpu-long",
                                      .account = "p_1234",
                                      .time = "1-12:00:00",
                                      .nodes = 4,
                                      .cpus_per_task = 8,
                                      .gpus_per_node = 4,
                                      .throttle = 6,
                                      .mode = SLURM_MODE_JOB,
                                      .launch = SLURM_LAUNCH_SRUN,
                                      .max_requeues = 7,
                                      .signal_seconds = 300,
                                      .setup = setup,
                                      .setup_count = 3,
                                      .extra = extra,
                                      .extra_count = 2};
    struct job_script job = {.name = "everything",
                             .experiment = "/data/it's \"here\"/$(touch owned)/a\nb `id`.json",
                             .folder = "/data/it's \"here\"/$(touch owned)",
                             .out = "/data/-rf *;&|",
                             .program = "/opt/my tools/adapt",
                             .cells = cells,
                             .count = 1,
                             .tasks_per_node = 4,
                             .settings = &settings};
    struct text script = {0};
    struct error err;
    assert_int_equal(job_script_sweep(&job, &script, &err), 0);
    check_golden("job.sh", &script);
    assert_int_equal(job_script_collect(&job, &script, &err), 0);
    check_golden("job_collect.sh", &script);
    settings.mode = SLURM_MODE_ARRAY;
    settings.launch = SLURM_LAUNCH_MPIRUN;
    assert_int_equal(job_script_sweep(&job, &script, &err), 0);
    check_golden("array_mpirun.sh", &script);
}

/* ---- settings */

struct noted {
    int count;
    char keys[256];
};

static void note(void *context, const char *key, const char *problem) {
    struct noted *noted = context;
    assert_true(problem[0]);
    noted->count++;
    strcat(strcat(noted->keys, key), " ");
}

static void expect_problem(struct slurm_settings settings, const char *keys) {
    struct noted noted = {0};
    slurm_settings_check(&settings, note, &noted);
    assert_string_equal(noted.keys, keys);
}

static void test_settings(void **state) {
    (void)state;
    static const char *good_times[] = {"10", "90:30", "4:00:00", "1-0", "1-12:30", "2-00:00:00", "UNLIMITED"};
    static const char *bad_times[] = {
        "", "x", "1h", "-1", "1-", "1:", ":1", "1:2:3:4", "1-2-3", "1:2-3", "10 ", "10\n"};
    static const char *bad_words[] = {"",    "-p", "a b", "a\nb", "a#b",     "a\"b",
                                      "a'b", "$x", "a;b", "a\\b", "\xc3\xa4"};
    for (size_t i = 0; i < sizeof good_times / sizeof *good_times; i++)
        expect_problem((struct slurm_settings){.time = good_times[i]}, "");
    for (size_t i = 0; i < sizeof bad_times / sizeof *bad_times; i++)
        expect_problem((struct slurm_settings){.time = bad_times[i]}, "time ");
    for (size_t i = 0; i < sizeof bad_words / sizeof *bad_words; i++)
        expect_problem((struct slurm_settings){.partition = bad_words[i], .account = bad_words[i]},
                       "partition account ");
    expect_problem((struct slurm_settings){.partition = "gpu,cpu", .account = "a.b_c@d"}, "");
    const char *extra[] = {"--qos=a", "-C x", "--comment=\"a # b\"", "qos", "-", "- x", "--a\nrm -rf",
                           "--a\r",   ""};
    expect_problem((struct slurm_settings){.extra = extra, .extra_count = 9},
                   "extra[3] extra[4] extra[5] extra[6] extra[7] extra[8] ");
}

int main(int argc, char **argv) {
    recording = argc > 1 && !strcmp(argv[1], "--record");
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_plain_array), cmocka_unit_test(test_everything),
                                       cmocka_unit_test(test_settings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The grid as jobs: which cells share an array task, what is left out, where ranks come from, and the
 * experiment file's "slurm". */
#include "runner/sweep/sweep.h"

#include "io/file.h"
#include "runner/experiment/experiment.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static struct experiment *parse(const char *middle) {
    char text[2048];
    struct error err;
    struct experiment *experiment;
    snprintf(
        text, sizeof text,
        "{\"name\": \"s\", \"models\": [{\"name\": \"m\", \"path\": \"m\"}], \"tasks\": {\"path\": \"d\"}, "
        "\"budgets\": [0.1, 0.2], \"methods\": [{\"name\": \"adapt\"}, {\"name\": \"uniform\"}, "
        "{\"name\": \"adapt\", \"label\": \"late\", \"reference\": \"adapt\"}, {\"name\": "
        "\"proportional\"}], "
        "\"out\": \"/tmp/adapt-sweep-none\", %s}",
        middle);
    if (experiment_parse("some/e.json", text, strlen(text), &experiment, &err)) fail_msg("%s", err.message);
    return experiment;
}

/* The script of a selection; NULL in *script where nothing is to be run. */
static int make(const struct experiment *experiment, const char *cells, struct sweep *sweep,
                struct error *err) {
    struct grid *grid;
    *sweep = (struct sweep){0};
    int code = grid_create(experiment, cells, &grid, err);
    if (code) return code;
    code = sweep_make(experiment, grid, "/bin/adapt", sweep, err);
    grid_destroy(&grid);
    return code;
}

static void contains(const struct sweep *sweep, const char *part) {
    if (!strstr(text_string(&sweep->script), part))
        fail_msg("no \"%s\" in:\n%s", part, text_string(&sweep->script));
}

/* uniform, adapt after it and late after that are one task; the other budget has its own. */
static void test_chains(void **state) {
    (void)state;
    struct error err;
    struct sweep sweep;
    struct experiment *experiment = parse("\"seeds\": [0]");
    if (make(experiment, NULL, &sweep, &err)) fail_msg("%s", err.message);
    assert_int_equal(sweep.cells, 8);
    assert_int_equal(sweep.jobs, 4);
    contains(&sweep, "#SBATCH --array=0-3\n");
    contains(&sweep, "all_cells=( # of array task 0, 1, ...\n  0-2\n  3\n  4-6\n  7\n)\n");
    contains(&sweep, "#SBATCH --nodes=1\n#SBATCH --ntasks-per-node=1\n");
    contains(&sweep, "\nadapt=/bin/adapt\n");
    contains(&sweep, "/some/e.json\n"); /* absolute */
    sweep_free(&sweep);
    if (make(experiment, "1,3,5,7", &sweep, &err)) fail_msg("%s", err.message);
    contains(&sweep, "  1\n  3\n  5\n  7\n)\n");
    sweep_free(&sweep);
    assert_int_equal(make(experiment, "0", &sweep, &err), ERROR_INPUT);
    experiment_destroy(&experiment);
}

static void test_one_job(void **state) {
    (void)state;
    struct error err;
    struct sweep sweep;
    struct experiment *experiment = parse("\"seeds\": [0], \"ranks_per_cell\": 5, \"slurm\": {\"mode\": "
                                          "\"job\", \"nodes\": 2, \"throttle\": 3}");
    if (make(experiment, NULL, &sweep, &err)) fail_msg("%s", err.message);
    assert_int_equal(sweep.jobs, 1);
    contains(&sweep, "\ncells=0-7\n");
    contains(&sweep, "#SBATCH --nodes=2\n#SBATCH --ntasks-per-node=3\n");
    assert_null(strstr(text_string(&sweep.script), "--array"));
    sweep_free(&sweep);
    experiment->slurm.tasks_per_node = 2;
    assert_int_equal(make(experiment, NULL, &sweep, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "2 nodes of 2 ranks do not hold"));
    experiment->slurm.tasks_per_node = 0;
    assert_int_equal(experiment_set_out(experiment, "/tmp/100%", &err), 0);
    assert_int_equal(make(experiment, NULL, &sweep, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "Slurm cannot write logs"));
    experiment_destroy(&experiment);
}

static void test_mistakes(void **state) {
    (void)state;
    static const char text[] = "{\"name\": \"s\", \"models\": [{\"name\": \"m\", \"path\": \"m\"}], "
                               "\"tasks\": {\"path\": \"d\"}, \"budgets\": [1], "
                               "\"methods\": [{\"name\": \"uniform\"}], \"slurm\": {\"partition\": \"a b\", "
                               "\"time\": \"soon\", \"nodes\": 0, "
                               "\"gpus\": 1, \"mode\": \"arry\", \"setup\": \"module load x\", \"extra\": "
                               "[1, \"qos\", \"--a\\nrm\"]}}";
    static const char *const told[] = {"slurm.partition: ",
                                       "slurm.time: not a time limit",
                                       "slurm.nodes: ",
                                       "slurm.gpus: unknown key",
                                       "slurm.mode: ",
                                       "slurm.setup: not a list",
                                       "slurm.extra[0]: not a text",
                                       "slurm.extra[1]: ",
                                       "slurm.extra[2]: "};
    struct experiment *experiment;
    struct error err;
    assert_int_equal(experiment_parse("e.json", text, strlen(text), &experiment, &err), ERROR_INPUT);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        if (!strstr(err.message, told[i])) fail_msg("no \"%s\" in:\n%s", told[i], err.message);
}

/* Another cluster is not another experiment. */
static void test_compare(void **state) {
    (void)state;
    struct error err;
    struct experiment *one = parse("\"slurm\": {\"nodes\": 4, \"partition\": \"gpu\"}"),
                      *other = parse("\"seeds\": [0]");
    assert_int_equal(experiment_compare(one, other->text, &err), 0);
    assert_int_equal(experiment_compare(other, one->text, &err), 0);
    assert_int_equal(one->slurm.nodes, 4);
    assert_string_equal(one->slurm.partition, "gpu");
    assert_int_equal(other->slurm.max_requeues, 50);
    experiment_destroy(&one);
    experiment_destroy(&other);
}

/* A sbatch that records its arguments in the place of Slurm's. */
static void test_submit(void **state) {
    (void)state;
    char folder[] = "/tmp/adapt-sweep-XXXXXX", path[256], *old = strdup(getenv("PATH"));
    struct error err;
    struct sweep sweep;
    struct sweep_ids ids;
    struct text said = {0};
    assert_non_null(mkdtemp(folder));
    struct experiment *experiment = parse("\"seeds\": [0]");
    snprintf(path, sizeof path, "%s/out put", folder);
    assert_int_equal(experiment_set_out(experiment, path, &err), 0);
    if (make(experiment, NULL, &sweep, &err)) fail_msg("%s", err.message);

    setenv("PATH", folder, 1); /* no sbatch */
    assert_int_equal(sweep_submit(experiment, &sweep, &ids, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "no sbatch in PATH"));

    static const char refuses[] = "#!/bin/sh\necho 'sbatch: error: Invalid account' >&2\nexit 1\n";
    static const char takes[] =
        "#!/bin/sh\nfor a; do echo \"[$a]\"; done >>\"${0%/*}/said\"\n"
        "echo 'sbatch: warning: 3 things' >&2\nn=4$(/usr/bin/wc -l <\"${0%/*}/said\")\necho \"$n;cluster\"\n";
    snprintf(path, sizeof path, "%s/sbatch", folder);
    assert_int_equal(file_write(path, refuses, strlen(refuses), &err), 0);
    assert_int_equal(chmod(path, 0755), 0);
    assert_int_equal(sweep_submit(experiment, &sweep, &ids, &err), ERROR_IO);
    assert_non_null(strstr(err.message, "sbatch: error: Invalid account"));
    assert_string_equal(ids.sweep, "");

    assert_int_equal(file_write(path, takes, strlen(takes), &err), 0);
    assert_int_equal(chmod(path, 0755), 0);
    if (sweep_submit(experiment, &sweep, &ids, &err)) fail_msg("%s", err.message);
    assert_string_equal(ids.sweep, "43");
    assert_string_equal(ids.collect, "47");
    snprintf(path, sizeof path, "%s/said", folder);
    assert_int_equal(file_read(path, 4096, &said, &err), 0);
    char expected[1024];
    snprintf(expected, sizeof expected,
             "[--parsable]\n[--chdir=%s/out put/slurm]\n[%s/out put/slurm/sweep.sh]\n"
             "[--parsable]\n[--chdir=%s/out put/slurm]\n[--dependency=afterany:43]\n[%s/out "
             "put/slurm/collect.sh]\n",
             folder, folder, folder, folder);
    assert_string_equal(text_string(&said), expected);
    text_clear(&said);
    assert_int_equal(sweep_read_jobs(experiment->out, &said, &err), 0);
    assert_string_equal(text_string(&said), "43 sweep\n47 collect\n");
    assert_true(sweep_has_job(text_string(&said), 47));

    setenv("PATH", old, 1);
    free(old);
    text_free(&said);
    sweep_free(&sweep);
    experiment_destroy(&experiment);
    assert_int_equal(file_remove_tree(folder, &err), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_chains), cmocka_unit_test(test_one_job),
                                       cmocka_unit_test(test_mistakes), cmocka_unit_test(test_compare),
                                       cmocka_unit_test(test_submit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

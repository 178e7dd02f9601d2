/* Estimates of rows, steps and arithmetic against sums written out; reference losses from files; what the
 * machine has. */
#include "runner/check/estimate.h"
#include "base/machine.h"
#include "runner/check/matmul_rate.h"
#include "runner/cell/reference_file.h"

#include "io/file.h"
#include "solver/adapt.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { FIRST = 300, SECOND = 500, VALIDATION = 3 };

/* Task one: examples of 11 tokens, 5 of them supervised; task two: 21 tokens, 2 supervised. */
static struct example first[FIRST], second[SECOND];
static struct task tasks[2] = {
    {.name = "one",
     .training = first,
     .validation = first,
     .training_count = FIRST,
     .validation_count = VALIDATION,
     .training_supervised = 5 * FIRST},
    {.name = "two",
     .training = second,
     .validation = second,
     .training_count = SECOND,
     .validation_count = VALIDATION,
     .training_supervised = 2 * SECOND},
};
static struct task_set set = {.tasks = tasks, .count = 2, .supervised = 5 * FIRST + 2 * SECOND};
static struct parameter_layout layout = {.numbers = 5000};
static struct loaded_model model = {
    .config = {.vocabulary = 100, .hidden = 16, .layers = 2, .heads = 4, .head_dim = 4, .tied = true},
    .layout = &layout,
    .tasks = &set,
};
static struct experiment experiment = {.training = {.batch_tokens = 500, .unit = SAMPLER_TOKEN}};

static int set_up(void **state) {
    (void)state;
    for (int i = 0; i < FIRST; i++) first[i] = (struct example){NULL, 11, 6};
    for (int i = 0; i < SECOND; i++) second[i] = (struct example){NULL, 21, 19};
    return 0;
}

static void assert_near(double actual, double expected) {
    if (!(fabs(actual - expected) <= 1e-12 * fabs(expected)))
        fail_msg("%.17g, expected %.17g", actual, expected);
}

static struct estimate estimate(const char *name, void *settings, double fraction) {
    struct experiment_method method = {.name = name, .method = method_find(name), .settings = settings};
    struct estimate out;
    assert_int_equal(estimate_cell(&experiment, &model, &method, fraction, &out, NULL), 0);
    return out;
}

static void rows_follow_the_mixture(void **state) {
    (void)state;
    char none;
    struct estimate out = estimate("uniform", &none, 0.2);
    assert_int_equal(out.budget, 500);
    assert_near(out.rows, 250.0 / 5 * 10 + 250.0 / 2 * 20);
    assert_near(out.steps, 6.0);
    assert_true(out.updates == 0.0 && out.probe_rows == 0.0);
    out = estimate("proportional", &none, 1.0);
    assert_int_equal(out.budget, 2500);
    assert_near(out.rows, 10.0 * FIRST + 20.0 * SECOND);
    assert_near(out.steps, 26.0);

    experiment.training.unit = SAMPLER_EXAMPLE;
    out = estimate("uniform", &none, 0.2); /* 3.5 supervised tokens and 15 rows an example */
    assert_near(out.rows, 500.0 / 3.5 * 15);
    out = estimate("proportional", &none, 1.0);
    assert_near(out.rows, 10.0 * FIRST + 20.0 * SECOND);
    experiment.training.unit = SAMPLER_TOKEN;
    out = estimate("uniform", &none, 0.0004);
    assert_int_equal(out.budget, 1);
    assert_near(out.steps, 1.0);
}

/* 2 operations a weight and row and 4 a weight and row backwards; the head for supervised rows; attention to
 * half the rows. */
static double operations(double rows, double supervised, double length) {
    double weights = 5000 - 100 * 16, attention = 2 * (4.0 * 4 * 4) * length / 2; /* 2 layers, 4 heads of 4 */
    return 3.0 * (rows * (2 * weights + attention) + supervised * 2 * 100 * 16);
}

static void operations_of_training_and_updates(void **state) {
    (void)state;
    char none;
    double examples = 250.0 / 5 + 250.0 / 2, rows = 250.0 / 5 * 10 + 250.0 / 2 * 20, length = rows / examples;
    struct estimate out = estimate("uniform", &none, 0.2);
    assert_near(out.operations, operations(rows, 500, length));

    struct adapt_settings settings;
    setting_defaults(method_adapt.settings, &settings);
    settings.interval = 4;
    settings.probe = 3;
    settings.validation_batch = 2;
    struct estimate learned = estimate("adapt", &settings, 0.2);
    assert_near(learned.rows, out.rows);
    assert_near(learned.updates, 2.0); /* at steps 0 and 4 of 6 */
    assert_near(learned.probe_rows, 3 * 10 + 3 * 20);
    double validation = operations(2 * 10, 2 * 5, 10) + operations(2 * 20, 2 * 2, 20);
    double step = operations(500, 500 * 500 / rows, length);
    assert_near(learned.operations, out.operations + 2 * (validation + 0.2 * step / 3));
    settings.validation_batch = 50; /* the pools hold 3 */
    settings.lookahead = LOOKAHEAD_EXACT;
    learned = estimate("adapt", &settings, 0.2);
    validation = operations(3 * 10, 3 * 5, 10) + operations(3 * 20, 3 * 2, 20);
    assert_near(learned.operations, out.operations + 2 * (validation + step * 3.2 / 3));
}

/* The first of the two layers runs again, without its last product, or with it where a norm follows. */
static void operations_of_recomputation(void **state) {
    (void)state;
    char none;
    struct estimate keeps = estimate("uniform", &none, 0.2);
    double rows = keeps.rows, length = rows / (250.0 / 5 + 250.0 / 2);
    double attention = 4.0 * 4 * 4 * length / 2, layer = 2 * (5000 - 100 * 16) / 2 + attention;
    experiment.training.recompute = RECOMPUTE_LAYER;
    model.config.feed_forward = 30;
    assert_near(estimate("uniform", &none, 0.2).operations, keeps.operations + rows * (layer - 2 * 30 * 16));
    model.config.norm_after_blocks = true;
    assert_near(estimate("uniform", &none, 0.2).operations, keeps.operations + rows * layer);

    struct adapt_settings settings;
    setting_defaults(method_adapt.settings, &settings);
    struct estimate again = estimate("adapt", &settings, 0.2);
    experiment.training.recompute = RECOMPUTE_NONE;
    keeps = estimate("adapt", &settings, 0.2);
    double validation = VALIDATION * (10 * (layer - attention + 4.0 * 4 * 4 * 10 / 2) +
                                      20 * (layer - attention + 4.0 * 4 * 4 * 20 / 2));
    assert_true(keeps.updates >= 1 && settings.validation_batch >= VALIDATION);
    assert_near(again.operations, keeps.operations + rows * layer + keeps.updates * validation);
    model.config.norm_after_blocks = false;
    model.config.feed_forward = 0;
}

static void reference_losses_by_name(void **state) {
    (void)state;
    char folder[] = "/tmp/adapt-estimate-XXXXXX", path[64], message[256];
    static const char *const names[] = {"two", "one"};
    static const char good[] = "{\"one\": 1.5, \"other\": \"x\", \"two\": -2}",
                      bad[] = "{\"two\": 1, \"one\": null}";
    double loss[2];
    struct error err = {0};
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/r.json", folder);
    assert_int_equal(file_write(path, good, strlen(good), NULL), 0);
    assert_int_equal(reference_file_read(path, 2, names, loss, &err), 0);
    assert_true(loss[0] == -2.0 && loss[1] == 1.5);
    assert_int_equal(file_write(path, bad, strlen(bad), NULL), 0);
    assert_int_equal(reference_file_read(path, 2, names, loss, &err), ERROR_INPUT);
    snprintf(message, sizeof message,
             "%s: no reference loss for task \"one\" (a number under that name is expected)", path);
    assert_string_equal(err.message, message);
    assert_int_equal(file_remove_tree(folder, NULL), 0);
    assert_int_equal(reference_file_read(path, 2, names, loss, &err), ERROR_IO);
}

static void the_machine_has_something(void **state) {
    (void)state;
    struct backend *backend;
    double rate = 0.0;
    assert_in_range(machine_memory_free(), 1 << 20, machine_memory());
    assert_int_equal(backend_create("cpu", 1, &backend, NULL), 0);
    assert_int_equal(matmul_rate_measure(backend, 0.0, &rate, NULL), 0);
    assert_true(rate > 1e6 && rate < 1e15);
    backend_destroy(&backend);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_follow_the_mixture),     cmocka_unit_test(operations_of_training_and_updates),
        cmocka_unit_test(operations_of_recomputation), cmocka_unit_test(reference_losses_by_name),
        cmocka_unit_test(the_machine_has_something),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}

/* Something goes wrong on one rank in the middle of a step: every rank ends it with the same error, and none
 * hangs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "io/file.h"
#include "runner/cell/trainer.h"
#include "tests/support/demo_experiment.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TASKS_MAX = 64 };

/* A backend whose device breaks: its operations go on, the next look at its state fails. */
static struct {
    int (*check)(struct backend *b, struct error *err);
    int looks_left; /* -1: it holds */
} device;

static int breaking_check(struct backend *b, struct error *err) {
    if (device.looks_left == 0) return error_set(err, ERROR_DEVICE, "the device broke");
    if (device.looks_left > 0) device.looks_left--;
    return device.check(b, err);
}

struct world {
    struct group group;
    struct experiment *experiment;
    struct loaded_model *model;
    struct backend *backend;
    struct sampler *sampler;
    struct trainer *trainer;
    struct draw_list draws;
    struct method_signal_plan plan;
    double share[TASKS_MAX];
    bool last; /* this is the rank that things happen to */
};

static int open_world(struct world *w, const char *folder, const char *backend, struct error *err) {
    *w = (struct world){0};
    device.looks_left = -1;
    TRY(group_whole(MPI_COMM_WORLD, &w->group, err));
    w->last = w->group.rank == w->group.size - 1;
    TRY(demo_experiment(
        folder, DEMO_FOLDER, "tiny-llama", "\"batch_tokens\": 1024, \"micro_batch_tokens\": 256",
        "\"name\": \"adapt\", \"objective\": \"loss\", \"validation_batch\": 1", &w->experiment, err));
    TRY(loaded_model_open(w->experiment, 0, NULL, &w->model, err));
    TRY(backend_create(backend, 1, &w->backend, err));
    device.check = w->backend->check;
    w->backend->check = breaking_check;
    const struct experiment_method *method = &w->experiment->methods[0];
    w->plan = method->method->plan(method->settings);
    int tasks = w->model->tasks->count;
    for (int k = 0; k < tasks; k++) w->share[k] = 1.0 / tasks;
    TRY(sampler_create(w->model->tasks, 1, SAMPLER_TOKEN, SAMPLER_RANDOM, &w->sampler, err));
    TRY(sampler_step(w->sampler, w->share, 1, w->experiment->training.batch_tokens, INT64_MAX, &w->draws,
                     err));
    return trainer_create(w->backend, &w->group, w->model, &w->experiment->training, &w->plan, &w->trainer,
                          err);
}

static void close_world(struct world *w) {
    trainer_destroy(&w->trainer);
    sampler_destroy(&w->sampler);
    w->backend->check = device.check;
    backend_destroy(&w->backend);
    loaded_model_close(&w->model);
    experiment_destroy(&w->experiment);
    group_release(&w->group);
}

static int step(struct world *w, bool update, struct error *err) {
    struct trainer_step result;
    if (!update) return trainer_plain_step(w->trainer, &w->draws, 1e-3, &result, err);
    return trainer_update_step(w->trainer, &w->draws, w->sampler, w->share, &w->plan.worst_case, 0, 1e-3,
                               &result, err);
}

static void with_world(const char *backend, void (*test)(struct world *w)) {
    struct world w;
    struct error err = {0};
    char folder[256];
    assert_int_equal(demo_folder(folder, &err), 0);
    if (open_world(&w, folder, backend, &err)) fail_msg("%s", err.message);
    test(&w);
    close_world(&w);
    assert_int_equal(file_remove_tree(folder, &err), 0);
}

/* At every look at the device in turn, until a step has fewer of them; a step after each failure is whole
 * again. */
static void break_everywhere(struct world *w, bool update) {
    int failures = 0;
    for (int looks = 0;; looks++) {
        struct error err = {0};
        device.looks_left = w->last ? looks : -1;
        int code = step(w, update, &err);
        double left = w->last ? device.looks_left : 0;
        device.looks_left = -1;
        assert_int_equal(group_sum(&w->group, &left, 1, &(struct error){0}), 0);
        if (left > 0) { /* it was not looked at so often */
            assert_int_equal(code, 0);
            break;
        }
        if (code != 0) {
            failures++;
            assert_int_equal(code, ERROR_DEVICE);
            assert_non_null(strstr(err.message, "the device broke"));
            char rank[32];
            snprintf(rank, sizeof rank, "rank %d", w->group.size - 1);
            assert_true(w->group.size == 1 || strstr(err.message, rank));
        }
        assert_in_range(looks, 0, 1000);
    }
    assert_in_range(failures, 3, 1000);
    if (w->group.rank == 0) printf("%s: %d failures\n", update ? "update step" : "plain step", failures);
}

static void plain_step_breaks(struct world *w) {
    break_everywhere(w, false);
}

static void update_step_breaks(struct world *w) {
    break_everywhere(w, true);
}

static void test_the_device_breaks(void **state) {
    (void)state;
    with_world("cpu", plain_step_breaks);
    with_world("cpu", update_step_breaks);
    with_world("memcheck", plain_step_breaks);
}

/* A weight of one rank is not a number. */
static void not_a_number(struct world *w) {
    const float nan = NAN;
    for (int update = 0; update < 2; update++) {
        struct error err = {0};
        assert_int_equal(step(w, update, &err), 0);
    }
    /* the final norm: every loss of this rank */
    if (w->last) {
        struct view at = view_at(trainer_parameters(w->trainer), w->model->layout->final_norm);
        w->backend->upload(w->backend, at, &nan, 1);
    }
    for (int update = 0; update < 2; update++) {
        struct error err = {0};
        assert_int_equal(step(w, update, &err), ERROR_NUMERIC);
        assert_non_null(strstr(err.message, "loss"));
    }
}

static void test_not_a_number(void **state) {
    (void)state;
    with_world("cpu", not_a_number);
}

int main(int argc, char **argv) {
    int provided;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_device_breaks),
        cmocka_unit_test(test_not_a_number),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    MPI_Finalize();
    return failed;
}

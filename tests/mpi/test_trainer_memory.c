/* What training takes of a device's memory is what trainer_memory says, and is taken once. (DEVICE-ARGUMENT)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "io/file.h"
#include "runner/cell/trainer.h"
#include "tests/support/demo_experiment.h"
#include "tests/support/linked_group.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TASKS_MAX = 64, SMALL = 64 /* single numbers */ };

static const struct linked_case *cases;

static const struct variant {
    const char *model, *training, *method;
    enum dtype activations;
} variants[] = {
    {"tiny-qwen3", "\"recompute\": \"none\"", "\"lookahead\": \"none\"", DTYPE_BF16},
    {"tiny-llama", "\"recompute\": \"layer\", \"shard_optimizer\": true", "\"lookahead\": \"exact\"",
     DTYPE_BF16},
    {"tiny-gemma3", "\"optimizer\": \"sgd\"", "\"lookahead\": \"none\"", DTYPE_F32},
};

struct world {
    struct group group;
    struct backend *backend;
    struct experiment *experiment;
    struct loaded_model *model;
    struct sampler *sampler;
    struct trainer *trainer;
    struct method_signal_plan plan;
};

static size_t left_of(const struct world *w) {
    size_t left, total;
    w->backend->memory(w->backend, &left, &total);
    return left;
}

static void must(int code, const struct error *err) {
    if (code) fail_msg("%s", err->message);
}

static void open_world(struct world *w, const struct variant *variant, const char *folder) {
    struct error err = {0};
    char training[256], method[256];
    *w = (struct world){0};
    linked_group_open(&cases[0], &w->group, &w->backend);
    w->backend->activations = variant->activations;
    snprintf(training, sizeof training, "\"batch_tokens\": 256, \"micro_batch_tokens\": 128, %s",
             variant->training);
    snprintf(method, sizeof method,
             "\"name\": \"adapt\", \"objective\": \"loss\", \"validation_batch\": 1, %s", variant->method);
    must(demo_experiment(folder, DEMO_FOLDER, variant->model, training, method, &w->experiment, &err), &err);
    must(loaded_model_open(w->experiment, 0, NULL, &w->model, &err), &err);
    must(sampler_create(w->model->tasks, 1, SAMPLER_TOKEN, SAMPLER_RANDOM, &w->sampler, &err), &err);
    w->plan = w->experiment->methods[0].method->plan(w->experiment->methods[0].settings);
}

static void close_world(struct world *w) {
    sampler_destroy(&w->sampler);
    loaded_model_close(&w->model);
    experiment_destroy(&w->experiment);
    linked_group_close(&w->group, &w->backend);
}

static void step(struct world *w, bool update) {
    struct error err = {0};
    struct draw_list draws;
    struct trainer_step result;
    double share[TASKS_MAX];
    int tasks = w->model->tasks->count;
    assert_in_range(tasks, 2, TASKS_MAX);
    for (int k = 0; k < tasks; k++) share[k] = 1.0 / tasks;
    must(sampler_step(w->sampler, share, update, w->experiment->training.batch_tokens, INT64_MAX, &draws,
                      &err),
         &err);
    if (update)
        must(trainer_update_step(w->trainer, &draws, w->sampler, share, &w->plan.worst_case, 0, 1e-3, &result,
                                 &err),
             &err);
    else
        must(trainer_plain_step(w->trainer, &draws, 1e-3, &result, &err), &err);
}

static void create(struct world *w) {
    struct error err = {0};
    must(trainer_create(w->backend, &w->group, w->model, &w->experiment->training, &w->plan, &w->trainer,
                        &err),
         &err);
}

static void train(struct world *w) {
    step(w, true);
    step(w, false);
    size_t left = left_of(w);
    step(w, true);
    step(w, false);
    assert_int_equal(left_of(w), left); /* the first steps took what there is to take */
}

static void allow(size_t bytes) {
    char text[32];
    snprintf(text, sizeof text, "%zu", bytes);
    setenv("ADAPT_EMULATION_MEMORY", text, 1);
}

static void test_as_planned(void **state) {
    (void)state;
    struct error err = {0};
    char folder[256];
    if (strcmp(cases[0].device, "cuda") || !linked_emulated()) skip(); /* others share a real device */
    assert_int_equal(demo_folder(folder, &err), 0);
    for (size_t v = 0; v < sizeof variants / sizeof *variants; v++) {
        struct world w;
        open_world(&w, &variants[v], folder);
        struct trainer_memory plan =
            trainer_memory(w.backend, w.model, &w.experiment->training, &w.plan, w.group.size);
        size_t total, before, planned = (size_t)plan.total;
        w.backend->memory(w.backend, &before, &total);
        create(&w);
        train(&w);
        size_t taken = before - left_of(&w);
        print_message("%s: %zu bytes are planned, %zu taken\n", variants[v].model, planned, taken);
        assert_in_range(taken, planned / 10 * 9, planned + SMALL);
        trainer_destroy(&w.trainer);
        /* Where one trainer had room its successor has. */
        allow(total - before + planned + SMALL);
        create(&w);
        step(&w, true);
        trainer_destroy(&w.trainer);
        allow(total - before + planned - 1);
        assert_int_equal(
            trainer_create(w.backend, &w.group, w.model, &w.experiment->training, &w.plan, &w.trainer, &err),
            ERROR_MEMORY);
        assert_non_null(strstr(err.message, "of device memory (weights"));
        unsetenv("ADAPT_EMULATION_MEMORY");
        close_world(&w);
    }
    assert_int_equal(file_remove_tree(folder, &err), 0);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    cases = linked_cases(argc > 1 ? argv[1] : NULL);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_as_planned)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    MPI_Finalize();
    return failed;
}

/* A run gives the same mixture path on any number of ranks: every rank first runs alone, then all run
 * together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "io/file.h"
#include "runner/cell/trainer.h"
#include "tests/support/demo_experiment.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { STEPS = 24, TASKS_MAX = 64 };

struct path {
    double share[STEPS][TASKS_MAX];
    double loss[STEPS];
};

/* Steps of adapt on `group`, with an update every third step. */
static int walk(const struct experiment *experiment, const struct loaded_model *model,
                const struct group *group, struct path *path, struct error *err) {
    const struct experiment_method *method = &experiment->methods[0];
    struct backend *backend;
    struct trainer *trainer;
    struct sampler *sampler;
    struct mixture *mixture;
    int tasks = model->tasks->count;
    double size[TASKS_MAX], share[TASKS_MAX];
    for (int k = 0; k < tasks; k++) size[k] = (double)model->tasks->tasks[k].training_supervised;
    struct method_problem problem = {tasks, size};
    TRY(backend_create("cpu", 1, &backend, err));
    TRY(mixture_create(method->method, method->settings, &problem, &mixture, err));
    TRY(sampler_create(model->tasks, 1, SAMPLER_TOKEN, SAMPLER_RANDOM, &sampler, err));
    TRY(trainer_create(backend, group, model, &experiment->training, mixture_plan(mixture), &trainer, err));
    memcpy(share, mixture_shares(mixture), (size_t)tasks * sizeof(double));
    int64_t updates = 0;
    for (int step = 0; step < STEPS; step++) {
        struct draw_list draws;
        struct trainer_step result;
        bool update = mixture_due(mixture, step);
        TRY(sampler_step(sampler, share, update ? 2 : 0, experiment->training.batch_tokens, INT64_MAX, &draws,
                         err));
        if (update) {
            TRY(trainer_update_step(trainer, &draws, sampler, share, &mixture_plan(mixture)->worst_case,
                                    updates++, 2e-3, &result, err));
            struct method_signal signal = {2e-3, result.validation_loss, result.alignment};
            TRY(mixture_update(mixture, &signal, err));
            memcpy(share, mixture_shares(mixture), (size_t)tasks * sizeof(double));
        } else {
            TRY(trainer_plain_step(trainer, &draws, 2e-3, &result, err));
        }
        memcpy(path->share[step], share, (size_t)tasks * sizeof(double));
        path->loss[step] = result.loss;
    }
    trainer_destroy(&trainer);
    sampler_destroy(&sampler);
    mixture_destroy(&mixture);
    backend_destroy(&backend);
    return 0;
}

static void test_same_path_on_any_ranks(void **state) {
    (void)state;
    static struct path alone, together;
    struct error err = {0};
    struct group world, self;
    struct experiment *experiment;
    struct loaded_model *model;
    char folder[256];
    assert_int_equal(group_whole(MPI_COMM_WORLD, &world, &err), 0);
    assert_int_equal(group_whole(MPI_COMM_SELF, &self, &err), 0);
    assert_int_equal(demo_folder(folder, &err), 0);
    int code = demo_experiment(
        folder, DEMO_FOLDER, "tiny-llama", "\"batch_tokens\": 1024, \"micro_batch_tokens\": 512",
        "\"name\": \"adapt\", \"interval\": 3, \"rate\": 0.3, \"objective\": \"loss\"", &experiment, &err);
    if (code) fail_msg("%s", err.message);
    code = loaded_model_open(experiment, 0, NULL, &model, &err);
    if (code) fail_msg("%s", err.message);
    assert_in_range(model->tasks->count, 2, TASKS_MAX);
    code = walk(experiment, model, &self, &alone, &err);
    if (!code) code = walk(experiment, model, &world, &together, &err);
    if (code) fail_msg("%s", err.message);

    double largest = 0, moved = 0, largest_loss = 0;
    for (int step = 0; step < STEPS; step++) {
        double loss = fabs(alone.loss[step] - together.loss[step]);
        if (!(loss <= largest_loss)) largest_loss = loss;
        for (int k = 0; k < model->tasks->count; k++) {
            double difference = fabs(alone.share[step][k] - together.share[step][k]);
            if (!(difference <= largest)) largest = difference;
            moved = fmax(moved, fabs(alone.share[step][k] - alone.share[0][k]));
        }
    }
    if (world.rank == 0)
        printf(
            "%d ranks: largest difference of the mixture %.3g, of the loss %.3g; the mixture moved by %.3g\n",
            world.size, largest, largest_loss, moved);
    assert_true(moved > 1e-3); /* else agreeing would mean nothing */
    const double share_tolerance = 1e-5, loss_tolerance = 1e-4;
    assert_true(largest <= share_tolerance);
    assert_true(largest_loss <= loss_tolerance);
    loaded_model_close(&model);
    experiment_destroy(&experiment);
    assert_int_equal(file_remove_tree(folder, &err), 0);
    group_release(&self);
    group_release(&world);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_path_on_any_ranks)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    MPI_Finalize();
    return failed;
}

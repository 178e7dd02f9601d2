/* The meta-gradient against central finite differences of J(phi) through a real training step: the step is
 * taken again from the same weights and examples with a slightly different phi, and J is measured at the
 * weights it leads to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "io/file.h"
#include "runner/cell/trainer.h"
#include "solver/adapt.h"
#include "solver/simplex.h"
#include "tests/support/demo_experiment.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TASKS_MAX = 64 };

struct variant {
    const char *name, *model, *training, *method;
    double rate; /* of the inner step: large enough that J moves by more than float32's noise */
};

static const struct variant variants[] = {
    {"loss, tau 1", "tiny-llama", "\"optimizer\": \"sgd\", \"clip\": 0", "\"objective\": \"loss\"", 0.3},
    {"sharp worst case, softmax", "tiny-qwen3", "\"optimizer\": \"sgd\", \"clip\": 0",
     "\"objective\": \"loss\", \"temperature\": 0.1, \"update\": \"softmax\"", 0.3},
    {"mean, no floor", "tiny-gemma3", "\"optimizer\": \"sgd\", \"clip\": 0",
     "\"objective\": \"loss\", \"temperature\": 1000, \"floor\": 0", 0.1},
    {"excess", "tiny-llama", "\"optimizer\": \"sgd\", \"clip\": 0",
     "\"objective\": \"excess\", \"reference\": \"start\"", 0.3},
    {"ratio", "tiny-llama", "\"optimizer\": \"sgd\", \"clip\": 0",
     "\"objective\": \"ratio\", \"reference\": \"start\"", 0.3},
    /* A large epsilon makes AdamW's second moment, which the derivative holds fixed, irrelevant to the step.
     */
    {"adamw", "tiny-llama", "\"optimizer\": \"adamw\", \"clip\": 0, \"epsilon\": 1",
     "\"objective\": \"loss\", \"precondition\": \"adamw\"", 0.3},
};

struct world {
    struct group group;
    struct experiment *experiment;
    struct loaded_model *model;
    struct backend *backend;
    struct sampler *sampler;
    struct draw_list draws;
    struct adapt_settings settings;
    struct method_signal_plan plan;
    double reference[TASKS_MAX];
    int tasks;
    double rate;
};

/* One real step with the mixture of `logits`, from where a few plain steps lead (AdamW's preconditioner wants
 * second moments of several gradients); leaves what it measured and returns J. */
static int step_from_start(struct world *w, const double *logits, double *objective, double *alignment,
                           struct error *err) {
    double share[TASKS_MAX];
    struct trainer *trainer;
    struct trainer_step result;
    simplex_floored(w->tasks, logits, w->settings.floor, share);
    TRY(trainer_create(w->backend, &w->group, w->model, &w->experiment->training, &w->plan, &trainer, err));
    int code = 0;
    for (int i = 0; i < OPTIMIZER_SETTLED && !code; i++)
        code = trainer_plain_step(trainer, &w->draws, 0.05, &result, err);
    if (!code)
        code = trainer_update_step(trainer, &w->draws, w->sampler, share, &w->plan.worst_case, 0, w->rate,
                                   &result, err);
    if (!code) {
        *objective =
            adapt_objective(&w->settings, &w->plan.worst_case, w->tasks, result.validation_loss, share);
        if (alignment) memcpy(alignment, result.alignment, (size_t)w->tasks * sizeof(double));
    }
    trainer_destroy(&trainer);
    return code;
}

static int open_world(const struct variant *variant, const char *folder, struct world *w, struct error *err) {
    char training[512], method[512];
    snprintf(training, sizeof training, "%s, \"batch_tokens\": 2048, \"micro_batch_tokens\": 512",
             variant->training);
    bool adamw = strstr(variant->method, "adamw");
    snprintf(method, sizeof method,
             "\"name\": \"adapt\", \"lookahead\": \"exact\", \"normalise\": \"none\", \"validation_batch\": 2, %s%s",
             adamw ? "" : "\"precondition\": \"none\", ", variant->method);
    TRY(demo_experiment(folder, DEMO_FOLDER, variant->model, training, method, &w->experiment, err));
    TRY(loaded_model_open(w->experiment, 0, NULL, &w->model, err));
    w->tasks = w->model->tasks->count;
    w->rate = variant->rate;
    w->settings = *(const struct adapt_settings *)w->experiment->methods[0].settings;
    w->plan = w->experiment->methods[0].method->plan(&w->settings);
    for (int k = 0; k < w->tasks; k++)
        w->reference[k] = 2.0 + 0.1 * k; /* any numbers near the losses will do */
    w->plan.worst_case.reference = w->settings.objective == OBJECTIVE_LOSS ? NULL : w->reference;
    TRY(backend_create("cpu", 1, &w->backend, err));
    TRY(sampler_create(w->model->tasks, 1, SAMPLER_TOKEN, SAMPLER_RANDOM, &w->sampler, err));
    double uniform[TASKS_MAX];
    for (int k = 0; k < w->tasks; k++) uniform[k] = 1.0 / w->tasks;
    return sampler_step(w->sampler, uniform, 2, w->experiment->training.batch_tokens, INT64_MAX, &w->draws,
                        err);
}

static void close_world(struct world *w) {
    sampler_destroy(&w->sampler);
    backend_destroy(&w->backend);
    loaded_model_close(&w->model);
    experiment_destroy(&w->experiment);
}

/* Largest error of dJ/dphi over the compared coordinates, relative to the largest component of the learned
 * part. */
static int compare(struct world *w, double *relative, struct error *err) {
    const double h = 0.3; /* on phi: J's curvature in phi is small, its noise in float32 is not */
    const int coordinates[] = {0, w->tasks / 3, w->tasks / 2, w->tasks - 1};
    double logits[TASKS_MAX], alignment[TASKS_MAX], analytic[TASKS_MAX], at, up, down, largest = 0, scale = 0;
    struct adapt_settings without_entropy = w->settings;
    without_entropy.entropy = w->settings.entropy =
        0.0; /* the entropy's part is exact and would hide the rest */
    for (int k = 0; k < w->tasks; k++)
        logits[k] = 0.5 * random_normal((struct random_key){7, RANDOM_TEST, 0}, (uint64_t)k);
    TRY(step_from_start(w, logits, &at, alignment, err));
    adapt_logit_gradient(&without_entropy, w->tasks, w->rate, alignment, logits, analytic);
    for (int k = 0; k < w->tasks; k++) scale = fmax(scale, fabs(analytic[k]));
    for (int i = 0; i < 4; i++) {
        double moved[TASKS_MAX];
        memcpy(moved, logits, sizeof moved);
        /* Four-point central difference: the error is of order h^4. */
        double difference = 0;
        const double weight[2] = {8.0 / 12, -1.0 / 12};
        for (int j = 0; j < 2; j++) {
            moved[coordinates[i]] = logits[coordinates[i]] + (j + 1) * h;
            TRY(step_from_start(w, moved, &up, NULL, err));
            moved[coordinates[i]] = logits[coordinates[i]] - (j + 1) * h;
            TRY(step_from_start(w, moved, &down, NULL, err));
            difference += weight[j] * (up - down) / h;
        }
        double error = fabs(difference - analytic[coordinates[i]]) / scale;
        if (!(error <= largest)) largest = error;
    }
    *relative = largest;
    return 0;
}

static void test_against_finite_differences(void **state) {
    (void)state;
    const double tolerance =
        0.01; /* float32 losses: J is known to about 1e-6, its differences here are about 1e-3 */
    struct error err = {0};
    char folder[256];
    assert_int_equal(demo_folder(folder, &err), 0);
    for (size_t v = 0; v < sizeof variants / sizeof *variants; v++) {
        struct world w = {0};
        double relative = NAN;
        assert_int_equal(group_whole(MPI_COMM_WORLD, &w.group, &err), 0);
        int code = open_world(&variants[v], folder, &w, &err);
        if (!code) code = compare(&w, &relative, &err);
        if (code) fail_msg("%s: %s", variants[v].name, err.message);
        if (w.group.rank == 0)
            printf("%s: largest error of dJ/dphi, relative to its largest component: %.2g\n",
                   variants[v].name, relative);
        assert_true(relative <= tolerance);
        close_world(&w);
        group_release(&w.group);
    }
    assert_int_equal(file_remove_tree(folder, &err), 0);
}

/* Without lookahead, the alignments are those that an exact lookahead would measure for a vanishing step. */
static void test_no_lookahead_is_the_limit_of_a_small_step(void **state) {
    (void)state;
    struct error err = {0};
    struct world w = {0};
    char folder[256];
    double logits[TASKS_MAX] = {0}, exact[TASKS_MAX], here[TASKS_MAX], objective, difference = 0, size = 0;
    assert_int_equal(demo_folder(folder, &err), 0);
    assert_int_equal(group_whole(MPI_COMM_WORLD, &w.group, &err), 0);
    int code = open_world(&variants[0], folder, &w, &err);
    w.rate = 1e-6;
    if (!code) code = step_from_start(&w, logits, &objective, exact, &err);
    w.plan.lookahead = LOOKAHEAD_NONE;
    if (!code) code = step_from_start(&w, logits, &objective, here, &err);
    if (code) fail_msg("%s", err.message);
    for (int k = 0; k < w.tasks; k++) {
        difference += (exact[k] - here[k]) * (exact[k] - here[k]);
        size += here[k] * here[k];
    }
    assert_true(size > 0);
    assert_true(sqrt(difference / size) <= 1e-3);
    close_world(&w);
    group_release(&w.group);
    assert_int_equal(file_remove_tree(folder, &err), 0);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_finite_differences),
        cmocka_unit_test(test_no_lookahead_is_the_limit_of_a_small_step),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    MPI_Finalize();
    return failed;
}

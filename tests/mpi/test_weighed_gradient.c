/* The gradient of a weighted sum of tasks' losses whose weights depend on the losses, against the plain way:
 * every task's loss and gradient alone, weighted when all are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "io/file.h"
#include "runner/cell/pass.h"
#include "solver/worst_case.h"
#include "tests/support/demo_experiment.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TASKS_MAX = 64, EXAMPLES = 3, ITEMS_MAX = TASKS_MAX * EXAMPLES };
static const double TOLERANCE =
    1e-5; /* of float32 sums in another order, relative to the gradient's length */

struct world {
    struct group self;
    struct experiment *experiment;
    struct loaded_model *model;
    struct backend *backend;
    struct buffer *parameters, *gradient, *plain, *single, *number;
    struct pass_item items[ITEMS_MAX];
    int count, tasks;
    double reference[TASKS_MAX];
};

static struct view flat(struct buffer *buffer) {
    return (struct view){buffer, 0, DTYPE_F32};
}

/* Every task has examples, but not all of them as many. */
static void choose_items(struct world *w) {
    w->tasks = w->model->tasks->count;
    assert_in_range(w->tasks, 3, TASKS_MAX);
    for (int k = 0; k < w->tasks; k++) {
        w->reference[k] = 1.0 + 0.2 * k;
        for (int i = 0; i < 1 + k % EXAMPLES; i++)
            w->items[w->count++] = (struct pass_item){&w->model->tasks->tasks[k].validation[i], k, 1.0f};
    }
}

static int open_world(struct world *w, const char *folder, const char *backend, struct error *err) {
    TRY(group_whole(MPI_COMM_SELF, &w->self, err));
    TRY(demo_experiment(folder, DEMO_FOLDER, "tiny-qwen3", "\"batch_tokens\": 1024", "\"name\": \"uniform\"",
                        &w->experiment, err));
    TRY(loaded_model_open(w->experiment, 0, NULL, &w->model, err));
    TRY(backend_create(backend, 1, &w->backend, err));
    choose_items(w);
    size_t bytes = w->model->layout->elements * sizeof(float);
    TRY(w->backend->buffer_create(w->backend, bytes, &w->parameters, err));
    TRY(w->backend->buffer_create(w->backend, bytes, &w->gradient, err));
    TRY(w->backend->buffer_create(w->backend, bytes, &w->plain, err));
    TRY(w->backend->buffer_create(w->backend, bytes, &w->single, err));
    TRY(w->backend->buffer_create(w->backend, sizeof(double), &w->number, err));
    return parameters_load(w->model->entry->path, w->model->layout, w->backend, flat(w->parameters), err);
}

static void close_world(struct world *w) {
    struct backend *b = w->backend;
    b->buffer_destroy(b, &w->parameters);
    b->buffer_destroy(b, &w->gradient);
    b->buffer_destroy(b, &w->plain);
    b->buffer_destroy(b, &w->single);
    b->buffer_destroy(b, &w->number);
    backend_destroy(&w->backend);
    loaded_model_close(&w->model);
    experiment_destroy(&w->experiment);
    group_release(&w->self);
}

static int make_pass(struct world *w, int rows, struct pass **out, struct error *err) {
    struct pass_limits limits = {.rows = rows, .items = ITEMS_MAX, .tasks = w->tasks};
    return pass_create(w->backend, &w->model->config, w->model->layout, &w->self, &limits, NULL, out, err);
}

static double length_of(struct world *w, struct buffer *vector) {
    double squares = 0;
    struct view result = {w->number, 0, DTYPE_F64};
    w->backend->zero(w->backend, 1, result);
    w->backend->dot(w->backend, w->model->layout->elements, flat(vector), flat(vector), result);
    w->backend->download(w->backend, result, &squares, 1);
    return sqrt(squares);
}

/* Into w->plain, and the mean losses. */
static int plain_gradient(struct world *w, const struct worst_case *worst_case, double *loss,
                          struct error *err) {
    struct backend *b = w->backend;
    struct pass *pass;
    double sums[2 * TASKS_MAX], weight[TASKS_MAX], slope;
    struct pass_sums out = {sums, sums + TASKS_MAX};
    TRY(make_pass(w, 4096, &pass, err));
    TRY(pass_losses(pass, flat(w->parameters), w->items, w->count, &out, err));
    for (int k = 0; k < w->tasks; k++) loss[k] = out.loss[k] / out.tokens[k];
    worst_case_objective(worst_case, w->tasks, loss, weight);
    b->zero(b, w->model->layout->elements, flat(w->plain));
    for (int k = 0, first = 0; k < w->tasks; k++) {
        int n = 1 + k % EXAMPLES;
        b->zero(b, w->model->layout->elements, flat(w->single));
        TRY(pass_gradient(pass, flat(w->parameters), w->items + first, n, flat(w->single), view_none(), NULL,
                          &out, err));
        worst_case_value(worst_case, k, loss[k], &slope);
        b->add(b, w->model->layout->elements, (float)(weight[k] * slope / out.tokens[k]), flat(w->single),
               flat(w->plain));
        first += n;
    }
    pass_destroy(&pass);
    return b->check(b, err);
}

struct weighing {
    const struct worst_case *worst_case;
    struct worst_case_sum sum;
    int calls, fail_at;
};

static int weigh(void *context, int task, double loss, double *weight, double *rescale, struct error *err) {
    struct weighing *w = context;
    if (w->calls++ == w->fail_at) return error_set(err, ERROR_NUMERIC, "task %d is refused", task);
    double slope, value = worst_case_value(w->worst_case, task, loss, &slope);
    *weight = slope * worst_case_sum_add(&w->sum, w->worst_case->temperature, value, rescale);
    return 0;
}

/* Micro-batches of `rows`, against w->plain. */
static void compare(struct world *w, const struct worst_case *worst_case, int rows,
                    const double *plain_loss) {
    struct error err = {0};
    struct pass *pass;
    struct weighing weighing = {.worst_case = worst_case, .sum = worst_case_sum_empty(), .fail_at = -1};
    struct pass_weigher weigher = {weigh, &weighing};
    double loss[TASKS_MAX];
    struct backend *b = w->backend;
    size_t n = w->model->layout->elements;
    assert_int_equal(make_pass(w, rows, &pass, &err), 0);
    /* What is in the vector before does not matter. */
    b->copy(b, n, flat(w->plain), flat(w->gradient));
    if (pass_weighed_gradient(pass, flat(w->parameters), w->items, w->count, flat(w->gradient), &weigher,
                              loss, &err))
        fail_msg("%s", err.message);
    assert_int_equal(weighing.calls, w->tasks);
    for (int k = 0; k < w->tasks; k++)
        assert_true(fabs(loss[k] - plain_loss[k]) <= TOLERANCE * plain_loss[k]);
    double length = length_of(w, w->plain);
    b->scale(b, n, (float)(1.0 / weighing.sum.sum), flat(w->gradient));
    b->add(b, n, -1.0f, flat(w->plain), flat(w->gradient));
    double error = length_of(w, w->gradient) / length;
    assert_int_equal(b->check(b, &err), 0);
    printf("%s, objective %d, temperature %g, %d rows: %.2g\n", b->name, worst_case->objective,
           worst_case->temperature, rows, error);
    assert_true(length > 0);
    assert_true(error <= TOLERANCE);
    pass_destroy(&pass);
}

static void test_equals_the_plain_way(void **state) {
    (void)state;
    static const char *const backends[] = {"cpu", "memcheck"};
    /* All tasks in one micro-batch, several in each, most of them larger than one. */
    static const int rows[] = {8192, 512, 128};
    struct error err = {0};
    char folder[256];
    for (int i = 0; i < 2; i++) {
        static struct world w;
        w = (struct world){0};
        assert_int_equal(demo_folder(folder, &err), 0);
        if (open_world(&w, folder, backends[i], &err)) fail_msg("%s", err.message);
        const struct worst_case cases[] = {{0.05, OBJECTIVE_LOSS, NULL},
                                           {0.0, OBJECTIVE_LOSS, NULL},
                                           {1000, OBJECTIVE_LOSS, NULL},
                                           {1, OBJECTIVE_RATIO, w.reference},
                                           {0.1, OBJECTIVE_EXCESS, w.reference}};
        /* memcheck looks at one of them, several tasks a micro-batch: its walls make it slow. */
        for (size_t c = 0; c < (i == 0 ? sizeof cases / sizeof *cases : 1); c++) {
            double loss[TASKS_MAX];
            if (plain_gradient(&w, &cases[c], loss, &err)) fail_msg("%s", err.message);
            for (int r = i; r < 3 - i; r++) compare(&w, &cases[c], rows[r], loss);
        }
        close_world(&w);
        assert_int_equal(file_remove_tree(folder, &err), 0);
    }
}

/* A weigher's failure ends the pass, in a packed batch and in a long task. */
static void test_a_refusal_ends_it(void **state) {
    (void)state;
    static struct world w;
    struct error err = {0};
    char folder[256];
    double loss[TASKS_MAX];
    w = (struct world){0};
    assert_int_equal(demo_folder(folder, &err), 0);
    if (open_world(&w, folder, "cpu", &err)) fail_msg("%s", err.message);
    const struct worst_case worst_case = {1, OBJECTIVE_LOSS, NULL};
    for (int rows = 128; rows <= 8192; rows *= 64) {
        struct pass *pass;
        struct weighing weighing = {.worst_case = &worst_case, .sum = worst_case_sum_empty(), .fail_at = 1};
        struct pass_weigher weigher = {weigh, &weighing};
        assert_int_equal(make_pass(&w, rows, &pass, &err), 0);
        assert_int_equal(pass_weighed_gradient(pass, flat(w.parameters), w.items, w.count, flat(w.gradient),
                                               &weigher, loss, &err),
                         ERROR_NUMERIC);
        assert_non_null(strstr(err.message, "is refused"));
        assert_int_equal(weighing.calls, 2);
        pass_destroy(&pass);
    }
    close_world(&w);
    assert_int_equal(file_remove_tree(folder, &err), 0);
}

/* Nothing here is collective: one rank is as good as several. */
int main(int argc, char **argv) {
    int rank;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_the_plain_way),
        cmocka_unit_test(test_a_refusal_ends_it),
    };
    int failed = rank ? 0 : cmocka_run_group_tests(tests, NULL, NULL);
    MPI_Finalize();
    return failed;
}

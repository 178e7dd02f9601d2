/* Steps of the optimizers, on the backend of BACKEND-ARGUMENT. */
#include "tests/support/op_draw.h"
#include "tests/support/op_test.h"
#include "tests/support/reference_ops.h"

#include <math.h>

static const double ROUNDED = 5e-7; /* relative: a handful of roundings */
static const double STEP_ERROR = 1e-6;

static const size_t lengths[] = {0, 1, 15, 17, 1000, 16384, 16385, 50000};
static const struct adamw_step steps[] = {
    {1e-3f, 0.9f, 0.999f, 1e-8f, 0.0f, 0.1f, 0.001f, {NULL, 0, DTYPE_F32}},
    {0.1f, 0.9f, 0.95f, 1e-8f, 0.1f, 0.9f, 0.8f, {NULL, 0, DTYPE_F32}},
    {0.5f, 0.0f, 0.5f, 0.05f, 0.01f, 1.0f, 0.5f, {NULL, 0, DTYPE_F32}},
};
enum { LENGTHS = sizeof lengths / sizeof *lengths, STEPS = sizeof steps / sizeof *steps };

/* Half of the cases scale the gradient by a number on the device. */
static struct adamw_step step_of(struct op_case *c, int index, size_t *n, double *scale) {
    struct adamw_step step = steps[index % STEPS];
    bool scaled = index / STEPS % 2;
    int length = index / STEPS / 2;
    *n = length < LENGTHS ? lengths[length] : (size_t)op_size(c, 0, 60000);
    if (length >= LENGTHS) op_draw_shifts(c);
    *scale = scaled ? 0.25 : 1.0;
    op_describe(c, "n %zu, settings %d, gradient scale %g", *n, index % STEPS, *scale);
    if (scaled) step.gradient_scale = array_filled(c, DTYPE_F32, 1, *scale)->view;
    return step;
}

static struct array *squares(struct op_case *c, size_t n) {
    struct array *v = array_random(c, n, 1.0);
    double *values = op_copy(c, v->value, n);
    for (size_t i = 0; i < n; i++) values[i] *= values[i];
    array_write(c, v, values);
    return v;
}

static void run_adamw(struct op_case *c, int index) {
    size_t n;
    double scale;
    struct adamw_step step = step_of(c, index, &n, &scale);
    struct array *g = array_random(c, n, 1.0), *m = array_random(c, n, 0.1), *v = squares(c, n),
                 *w = array_random(c, n, 1.0);
    double *want_m = op_copy(c, m->value, n), *want_v = op_copy(c, v->value, n),
           *want_w = op_copy(c, w->value, n);
    for (int repeat = 0; repeat < 3; repeat++) {
        reference_adamw(n, &step, scale, g->value, want_m, want_v, want_w);
        c->backend->adamw(c->backend, n, &step, g->view, m->view, v->view, w->view);
    }
    expect_close(c, "m", m, want_m, STEP_ERROR, ROUNDED);
    expect_close(c, "v", v, want_v, STEP_ERROR, ROUNDED);
    /* a tiny v gives a step of rate / sqrt(v), whose error is relative to it */
    for (size_t i = 0; i < n; i++) {
        double size = fabs(want_m[i]) / sqrt(want_v[i] / (double)step.correction2) / (double)step.correction1;
        if (size > 100.0) want_w[i] = w->value[i] = NAN;
    }
    double *hidden = op_copy(c, want_w, n);
    array_read(c, w);
    for (size_t i = 0; i < n; i++)
        if (isnan(hidden[i])) hidden[i] = w->value[i];
    expect_close(c, "w", w, hidden, 40 * STEP_ERROR, ROUNDED);
    expect_unchanged(c, "g", g);
}

static void run_sgd(struct op_case *c, int index) {
    size_t n;
    double scale;
    struct adamw_step step = step_of(c, index, &n, &scale);
    struct array *g = array_random(c, n, 1.0), *w = array_random(c, n, 1.0);
    double *want = op_copy(c, w->value, n);
    reference_sgd(n, &step, scale, g->value, want);
    c->backend->sgd(c->backend, n, &step, g->view, w->view);
    expect_close(c, "w", w, want, STEP_ERROR, ROUNDED);
    expect_unchanged(c, "g", g);
}

static void run_precondition(struct op_case *c, int index) {
    size_t n;
    double scale;
    struct adamw_step step = step_of(c, index, &n, &scale);
    struct array *g = array_random(c, n, 1.0), *v = squares(c, n);
    double *want = op_copy(c, g->value, n);
    reference_precondition(n, &step, v->value, want);
    c->backend->precondition(c->backend, n, &step, v->view, g->view);
    expect_close(c, "g", g, want, 0.0, 2 * ROUNDED);
    expect_unchanged(c, "v", v);
}

/* The same with lengths drawn at random: those of cases behind the last of them. */
static void run_random(struct op_case *c, int index) {
    static void (*const runs[])(struct op_case * c, int index) = {run_adamw, run_sgd, run_precondition};
    runs[index % 3](c, 2 * LENGTHS * STEPS + index / 3);
}

/* precondition is minus the derivative of what adamw does to w by g, over the learning rate, with v held
 * (beta2 = 1). */
static void run_derivative(struct op_case *c, int index) {
    enum { N = 64 };
    struct adamw_step step = steps[index];
    op_describe(c, "settings %d", index);
    step.learning_rate = 1.0f;
    step.weight_decay = 0.0f;
    step.beta2 = 1.0f; /* v stays */
    double moved[2][N], ones[N];
    struct array *v = array_filled(c, DTYPE_F32, N, 0.5), *g = array_random(c, N, 1.0);
    for (int side = 0; side < 2; side++) {
        struct array *m = array_filled(c, DTYPE_F32, N, 0.0), *w = array_filled(c, DTYPE_F32, N, 0.0);
        struct array *x = array_filled(c, DTYPE_F32, N, side ? 0.5 : -0.5);
        c->backend->adamw(c->backend, N, &step, x->view, m->view, v->view, w->view);
        array_read(c, w);
        for (int i = 0; i < N; i++) moved[side][i] = w->value[i];
    }
    for (int i = 0; i < N; i++) ones[i] = 1.0;
    array_write(c, g, ones);
    c->backend->precondition(c->backend, N, &step, v->view, g->view);
    double *want = op_numbers(c, N);
    for (int i = 0; i < N; i++) want[i] = moved[0][i] - moved[1][i];
    expect_close(c, "derivative", g, want, 0.0, ROUNDED);
}

/* Moments below the smallest normal number become 0 and stay there: they would slow every later step down. */
static void run_vanishing(struct op_case *c, int index) {
    enum { N = 100 };
    op_describe(c, "%d", index);
    struct adamw_step step = steps[0];
    struct array *g = array_filled(c, DTYPE_F32, N, index ? 1e-18 : 0.0),
                 *w = array_filled(c, DTYPE_F32, N, 1.0);
    struct array *m = array_filled(c, DTYPE_F32, N, index ? 0.0 : 1.2e-38),
                 *v = array_filled(c, DTYPE_F32, N, 0.0);
    double ones[N], zeros[N] = {0};
    for (int i = 0; i < N; i++) ones[i] = 1.0;
    c->backend->adamw(c->backend, N, &step, g->view, m->view, v->view, w->view);
    if (!index) expect_close(c, "m", m, zeros, 0.0, 0.0);
    expect_close(c, "v", v, zeros, 0.0, 0.0);
    expect_close(c, "w", w, ones, 1e-6, 0.0);
}

int main(int argc, char **argv) {
    static const struct op_suite suites[] = {{"adamw", 2 * LENGTHS * STEPS, run_adamw},
                                             {"sgd", 2 * LENGTHS * STEPS, run_sgd},
                                             {"precondition", 2 * LENGTHS * STEPS, run_precondition},
                                             {"random", 36, run_random},
                                             {"derivative", STEPS, run_derivative},
                                             {"vanishing", 2, run_vanishing},
                                             {NULL, 0, NULL}};
    return op_test_main(argc, argv, suites);
}

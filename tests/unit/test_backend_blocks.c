/* RMSNorm and the gate of the feed-forward block, on the backend of BACKEND-ARGUMENT. */
#include "tests/support/op_draw.h"
#include "tests/support/op_test.h"
#include "tests/support/reference_ops.h"

#include <math.h>

static const double ROUNDED = 6e-7;        /* relative: a handful of roundings */
static const double GRADIENT_ERROR = 3e-6; /* sums of a row or of a column in float, of numbers of size 1 */
static const double DIFFERENCE_STEP = 0.03, DIFFERENCE_ERROR = 5e-4;
static const double EPSILON = 1e-5;

struct shape {
    int rows, columns;
};
static const struct shape shapes[] = {{0, 8},   {1, 1},     {1, 16},   {5, 17},   {31, 64},
                                      {33, 96}, {200, 256}, {70, 576}, {300, 130}};
enum { SHAPES = sizeof shapes / sizeof *shapes, NARROW = 8 };

static struct shape shape_drawn(struct op_case *c) {
    struct shape s;
    do {
        s = (struct shape){op_size(c, 0, 3000), op_size(c, 1, 9000)};
    } while (s.rows * s.columns > 1 << 17);
    op_draw_shifts(c);
    return s;
}

struct norm {
    int rows, columns;
    float offset;
    struct array *x, *w, *y, *rstd;
    const double *weights;
};

static struct norm norm_of(struct op_case *c, struct shape s, int offset) {
    struct norm n = {.rows = s.rows, .columns = s.columns, .offset = (float)offset};
    size_t area = (size_t)s.rows * (size_t)s.columns;
    op_describe(c, "%d rows of %d, offset %d", n.rows, n.columns, offset);
    n.x = array_random(c, area, 1.0);
    n.w = array_random(c, (size_t)n.columns, 1.0);
    n.y = array_output(c, DTYPE_F32, area);
    n.rstd = array_output(c, DTYPE_F32, (size_t)n.rows);
    return n;
}

static double normalise(struct op_case *c, void *context) {
    struct norm *n = context;
    c->backend->rmsnorm(c->backend, n->rows, n->columns, (float)EPSILON, n->offset, n->x->view, n->w->view,
                        n->y->view, n->rstd->view);
    return n->weights ? array_weighted(c, n->y, n->weights) : 0.0;
}

static void check_rmsnorm(struct op_case *c, struct norm n) {
    double *y = op_numbers(c, n.y->count), *rstd = op_numbers(c, n.rstd->count);
    reference_rmsnorm(n.rows, n.columns, (double)(float)EPSILON, (double)n.offset, n.x->value, n.w->value, y,
                      rstd);
    normalise(c, &n);
    expect_close(c, "y", n.y, y, 0.0, ROUNDED);
    expect_close(c, "rstd", n.rstd, rstd, 0.0, ROUNDED);
    expect_unchanged(c, "x", n.x);
    expect_unchanged(c, "w", n.w);
    struct view x = n.x->view; /* and in place */
    c->backend->rmsnorm(c->backend, n.rows, n.columns, (float)EPSILON, n.offset, x, n.w->view, x,
                        n.rstd->view);
    expect_close(c, "y in place", n.x, y, 0.0, ROUNDED);
}

static void run_rmsnorm(struct op_case *c, int index) {
    check_rmsnorm(c, norm_of(c, shapes[index / 2], index % 2));
}

static void run_random_rmsnorm(struct op_case *c, int index) {
    check_rmsnorm(c, norm_of(c, shape_drawn(c), index % 2));
}

/* Gradients by x overwritten, accumulated, or in place of dy; with and without those by w. */
enum variant { OVERWRITE, ACCUMULATE, IN_PLACE, WITHOUT_WEIGHT, VARIANTS };

static void check_rmsnorm_backward(struct op_case *c, struct norm n, enum variant variant) {
    normalise(c, &n);
    array_read(c, n.rstd);
    struct array *dy = array_random(c, n.x->count, 1.0), *dw = array_random(c, n.w->count, 1.0), *dx = dy;
    if (variant != IN_PLACE)
        dx =
            variant == ACCUMULATE ? array_random(c, n.x->count, 1.0) : array_output(c, DTYPE_F32, n.x->count);
    double *want_x = op_numbers(c, n.x->count), *want_w = op_copy(c, dw->value, dw->count);
    if (variant == ACCUMULATE) want_x = op_copy(c, dx->value, dx->count);
    reference_rmsnorm_backward(n.rows, n.columns, (double)(float)EPSILON, (double)n.offset, n.x->value,
                               n.w->value, dy->value, want_x, variant == WITHOUT_WEIGHT ? NULL : want_w);
    size_t left = op_memory_left(c);
    c->backend->rmsnorm_backward(c->backend, n.rows, n.columns, n.offset, n.x->view, n.w->view, n.rstd->view,
                                 dy->view, variant == ACCUMULATE, dx->view,
                                 variant == WITHOUT_WEIGHT ? view_none() : dw->view);
    expect_reserved(c, left, 1, n.columns, 1, 0);
    /* Differences of numbers of the size of dy w / |x|, where |x| is about 1 unless rows are narrow. */
    double *allowed = op_copy(c, want_x, n.x->count);
    for (size_t i = 0; i < n.x->count; i++) {
        size_t row = i / (size_t)n.columns, column = i % (size_t)n.columns;
        double term = fabs(dy->value[i] * ((double)n.offset + n.w->value[column])) * n.rstd->value[row];
        double size = n.columns < NARROW ? term : n.rstd->value[row];
        allowed[i] = GRADIENT_ERROR * (fabs(allowed[i]) + fmax(1.0, size));
    }
    expect_within(c, "dx", dx, want_x, allowed);
    expect_close(c, "dw", dw, want_w, GRADIENT_ERROR * sqrt(n.rows + 1.0), GRADIENT_ERROR);
    expect_unchanged(c, "x", n.x);
    expect_unchanged(c, "w", n.w);
    expect_unchanged(c, "rstd", n.rstd);
    if (dx != dy) expect_unchanged(c, "dy", dy);
}

static void run_rmsnorm_backward(struct op_case *c, int index) {
    struct norm n = norm_of(c, shapes[index / VARIANTS / 2], index / VARIANTS % 2);
    check_rmsnorm_backward(c, n, index % VARIANTS);
}

static void run_random_rmsnorm_backward(struct op_case *c, int index) {
    check_rmsnorm_backward(c, norm_of(c, shape_drawn(c), index / VARIANTS % 2), index % VARIANTS);
}

static void run_rmsnorm_differences(struct op_case *c, int index) {
    struct norm n = norm_of(c, shapes[index / 2], index % 2);
    normalise(c, &n);
    struct array *dy = array_random(c, n.x->count, 1.0), *dx = array_output(c, DTYPE_F32, n.x->count);
    struct array *dw = array_filled(c, DTYPE_F32, n.w->count, 0.0);
    c->backend->rmsnorm_backward(c->backend, n.rows, n.columns, n.offset, n.x->view, n.w->view, n.rstd->view,
                                 dy->view, false, dx->view, dw->view);
    n.weights = dy->value;
    expect_gradient(c, "x", normalise, &n, n.x, array_read(c, dx), DIFFERENCE_STEP, DIFFERENCE_ERROR);
    expect_gradient(c, "w", normalise, &n, n.w, array_read(c, dw), DIFFERENCE_STEP, DIFFERENCE_ERROR);
}

static void run_norm_of_zeros(struct op_case *c, int index) {
    op_describe(c, "rows of zeros and of tiny numbers, offset %d", index);
    struct array *x = array_filled(c, DTYPE_F32, 64, 0.0), *w = array_filled(c, DTYPE_F32, 32, 1.0);
    double *tiny = op_numbers(c, 64), *y = op_numbers(c, 64), *rstd = op_numbers(c, 2);
    for (int i = 32; i < 64; i++) tiny[i] = 1e-30;
    array_write(c, x, tiny);
    struct array *out = array_output(c, DTYPE_F32, 64), *scale = array_output(c, DTYPE_F32, 2);
    reference_rmsnorm(2, 32, (double)1e-6f, index, x->value, w->value, y, rstd);
    c->backend->rmsnorm(c->backend, 2, 32, 1e-6f, (float)index, x->view, w->view, out->view, scale->view);
    expect_close(c, "y", out, y, 0.0, ROUNDED);
    expect_close(c, "rstd", scale, rstd, 0.0, ROUNDED);
}

/* ---- the gate */

static const size_t lengths[] = {0, 1, 15, 16, 33, 1000, 8192, 8193, 50001};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

/* Near zero, a GELU is x / 2 and its relative error that of x; far below, both activations vanish like e^x,
 * where the argument's own rounding is multiplied by its size. */
static const double GATE_ERROR = 1e-6, GATE_RELATIVE = 1e-6;

struct gate {
    size_t n;
    enum activation activation;
    struct array *gate, *up, *out;
    const double *weights;
};

static struct gate gate_with(struct op_case *c, size_t n, enum activation activation, double spread) {
    struct gate g = {.n = n, .activation = activation};
    op_describe(c, "n %zu, %s", g.n, g.activation == ACTIVATION_SILU ? "SiLU" : "GELU");
    g.gate = array_random(c, g.n, spread);
    g.up = array_random(c, g.n, 1.0);
    g.out = array_output(c, DTYPE_F32, g.n);
    return g;
}

static struct gate gate_of(struct op_case *c, int index, double spread) {
    return gate_with(c, lengths[index % LENGTHS], index >= LENGTHS ? ACTIVATION_GELU_TANH : ACTIVATION_SILU,
                     spread);
}

static double apply_gate(struct op_case *c, void *context) {
    struct gate *g = context;
    c->backend->gated(c->backend, g->n, g->activation, g->gate->view, g->up->view, g->out->view);
    return g->weights ? array_weighted(c, g->out, g->weights) : 0.0;
}

static void check_gated(struct op_case *c, struct gate g) {
    double *want = op_numbers(c, g.n);
    reference_gated(g.n, g.activation, g.gate->value, g.up->value, want);
    apply_gate(c, &g);
    expect_close(c, "out", g.out, want, GATE_ERROR, GATE_RELATIVE);
    expect_unchanged(c, "gate", g.gate);
    expect_unchanged(c, "up", g.up);
}

static void run_gated(struct op_case *c, int index) {
    check_gated(c, gate_of(c, index, 4.0));
}

static void check_gated_backward(struct op_case *c, struct gate g, bool in_place) {
    struct array *dout = array_random(c, g.n, 1.0);
    struct array *dgate = in_place ? g.gate : array_output(c, DTYPE_F32, g.n);
    struct array *dup = in_place ? g.up : array_output(c, DTYPE_F32, g.n);
    double *want_gate = op_numbers(c, g.n), *want_up = op_numbers(c, g.n);
    reference_gated_backward(g.n, g.activation, g.gate->value, g.up->value, dout->value, want_gate, want_up);
    c->backend->gated_backward(c->backend, g.n, g.activation, g.gate->view, g.up->view, dout->view,
                               dgate->view, dup->view);
    expect_close(c, "dgate", dgate, want_gate, 4 * GATE_ERROR, 4 * GATE_RELATIVE);
    expect_close(c, "dup", dup, want_up, GATE_ERROR, GATE_RELATIVE);
    expect_unchanged(c, "dout", dout);
}

static void run_gated_backward(struct op_case *c, int index) {
    check_gated_backward(c, gate_of(c, index % (2 * LENGTHS), 4.0), index >= 2 * LENGTHS);
}

static void run_random_gated(struct op_case *c, int index) {
    size_t n = (size_t)op_size(c, 0, 1 << 17);
    op_draw_shifts(c);
    struct gate g = gate_with(c, n, index % 2 ? ACTIVATION_GELU_TANH : ACTIVATION_SILU, 4.0);
    check_gated(c, g);
    check_gated_backward(c, g, index / 2 % 2);
}

static void run_gated_differences(struct op_case *c, int index) {
    struct gate g = gate_of(c, index, 1.0);
    struct array *dout = array_random(c, g.n, 1.0);
    struct array *dgate = array_output(c, DTYPE_F32, g.n), *dup = array_output(c, DTYPE_F32, g.n);
    c->backend->gated_backward(c->backend, g.n, g.activation, g.gate->view, g.up->view, dout->view,
                               dgate->view, dup->view);
    g.weights = dout->value;
    expect_gradient(c, "gate", apply_gate, &g, g.gate, array_read(c, dgate), DIFFERENCE_STEP,
                    DIFFERENCE_ERROR);
    expect_gradient(c, "up", apply_gate, &g, g.up, array_read(c, dup), DIFFERENCE_STEP, DIFFERENCE_ERROR);
}

/* Gates far from zero, infinite or not a number: limits, and no surprises. */
static void run_extreme(struct op_case *c, int index) {
    enum { N = 16 };
    static const double gates[N] = {0,   -0.0, 1e-30, -1e-30, 30,   -30,   90,   -90,
                                    200, -200, 1e10,  -1e10,  1e30, -1e30, 3e38, NAN};
    enum activation activation = index ? ACTIVATION_GELU_TANH : ACTIVATION_SILU;
    op_describe(c, "%s", index ? "GELU" : "SiLU");
    struct array *gate = array_given(c, DTYPE_F32, N, gates), *up = array_filled(c, DTYPE_F32, N, 1.0);
    struct array *out = array_output(c, DTYPE_F32, N);
    double *want = op_numbers(c, N);
    for (int i = 0; i < N; i++) want[i] = isnan(gates[i]) ? NAN : gates[i] > 100 ? gate->value[i] : 0.0;
    reference_gated(8, activation, gate->value, up->value, want);
    c->backend->gated(c->backend, N, activation, gate->view, up->view, out->view);
    expect_close(c, "out", out, want, GATE_ERROR, GATE_RELATIVE);
}

static void run_unknown(struct op_case *c, int index) {
    op_describe(c, "an unknown activation, %d", index);
    struct array *x = array_random(c, 8, 1.0), *y = array_random(c, 8, 1.0), *z = array_random(c, 8, 1.0);
    struct view v = x->view;
    if (index) c->backend->gated_backward(c->backend, 8, (enum activation)7, v, v, v, y->view, z->view);
    if (!index) c->backend->gated(c->backend, 8, (enum activation)7, v, v, y->view);
    expect_failure(c, ERROR_UNSUPPORTED, "activation");
    expect_unchanged(c, "out", y);
}

int main(int argc, char **argv) {
    static const struct op_suite suites[] = {
        {"rmsnorm", 2 * SHAPES, run_rmsnorm},
        {"random_rmsnorm", 20, run_random_rmsnorm},
        {"rmsnorm_backward", 2 * VARIANTS * SHAPES, run_rmsnorm_backward},
        {"random_rmsnorm_backward", 40, run_random_rmsnorm_backward},
        {"rmsnorm_differences", 2 * SHAPES, run_rmsnorm_differences},
        {"norm_of_zeros", 2, run_norm_of_zeros},
        {"gated", 2 * LENGTHS, run_gated},
        {"gated_backward", 4 * LENGTHS, run_gated_backward},
        {"random_gated", 20, run_random_gated},
        {"gated_differences", 2 * LENGTHS, run_gated_differences},
        {"extreme", 2, run_extreme},
        {"unknown", 2, run_unknown},
        {NULL, 0, NULL}};
    return op_test_main(argc, argv, suites);
}

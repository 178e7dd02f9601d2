/* Matrix products, on the backend of BACKEND-ARGUMENT. */
#include "tests/support/op_draw.h"
#include "tests/support/op_test.h"
#include "tests/support/reference_ops.h"

#include <math.h>
#include <string.h>

/* Six times the root of sum_i i 2^-48 / 3, which is how far roundings take a float sum of n numbers of size 1
 * with random signs on average, over n. */
static const double WALK_ERROR = 1.5e-7;
static const double PRODUCT_ERROR =
    4e-7; /* relative to |A| |B|: roundings of float sums, which grow as a random walk */

struct product {
    int m, n, k, extra; /* columns beyond the matrix in every stored row */
    float alpha, beta;
};
static const struct product shapes[] = {
    {1, 1, 1, 0, 1, 0},      {3, 5, 7, 0, 1, 0},      {3, 5, 7, 2, -0.5f, 1},   {0, 4, 4, 0, 1, 0},
    {4, 0, 4, 0, 1, 0},      {4, 3, 0, 0, 1, 0},      {4, 3, 0, 1, 1, 0.5f},    {4, 3, 5, 1, 0, 2},
    {16, 16, 16, 0, 1, 1},   {17, 33, 65, 0, 1, 1},   {64, 64, 64, 3, 2, -1},   {1, 100, 300, 0, 1, 0},
    {100, 1, 300, 0, 1, 1},  {129, 200, 77, 5, 1, 0}, {256, 255, 130, 0, 1, 1}, {50, 60, 1, 0, 1, 0.25f},
    {300, 31, 257, 1, 1, 0}, {5, 500, 40, 0, 1, 0},   {63, 97, 33, 2, 2, 0.5f}, {64, 576, 100, 0, 1, 0},
    {65, 100, 90, 0, 1, 0},  {33, 48, 16, 1, -1, 1},  {16, 700, 576, 0, 1, 0}};
enum { SHAPES = sizeof shapes / sizeof *shapes, MOST_PRODUCTS = 1 << 20 };

/* Numbers from the first to the last of a matrix. */
static size_t stored(int rows, int columns, int leading) {
    return rows && columns ? (size_t)(rows - 1) * (size_t)leading + (size_t)columns : 0;
}

static void multiply(struct op_case *c, struct product s, bool ta, bool tb) {
    int m = s.m, n = s.n, k = s.k, lda = (ta ? m : k) + s.extra, ldb = (tb ? k : n) + s.extra,
        ldc = n + s.extra;
    op_describe(c, "m %d, n %d, k %d, transposes %d %d, alpha %g, beta %g, rows %d apart more", m, n, k, ta,
                tb, (double)s.alpha, (double)s.beta, s.extra);
    struct array *a = array_random(c, ta ? stored(k, m, lda) : stored(m, k, lda), 1.0);
    struct array *b = array_random(c, tb ? stored(n, k, ldb) : stored(k, n, ldb), 1.0);
    struct array *out = array_random(c, stored(m, n, ldc), 1.0);
    double *want = op_copy(c, out->value, out->count), *old = op_copy(c, out->value, out->count);
    reference_matmul(ta, tb, m, n, k, (double)s.alpha, a->value, lda, b->value, ldb, (double)s.beta, want,
                     ldc);
    if (s.beta == 0.0f) { /* what was there must not be read */
        for (int i = 0; i < m; i++)
            for (int j = 0; j < n; j++) old[i * ldc + j] = NAN;
        array_write(c, out, old);
    }
    c->backend->matmul(c->backend, ta, tb, m, n, k, s.alpha, a->view, lda, b->view, ldb, s.beta, out->view,
                       ldc);
    double size = fabs((double)s.alpha) * k + fabs((double)s.beta);
    expect_close(c, "c", out, want, PRODUCT_ERROR * size, PRODUCT_ERROR);
    expect_unchanged(c, "a", a);
    expect_unchanged(c, "b", b);
}

static void run_matmul(struct op_case *c, int index) {
    multiply(c, shapes[index / 4], index & 1, index & 2);
}

static void run_random_matmul(struct op_case *c, int index) {
    static const float factors[] = {1.0f, 1.0f, 0.0f, -0.5f, 2.0f};
    struct product s = {.extra = op_draw(c, 2) * op_draw(c, 9)};
    s.alpha = factors[op_draw(c, 5)];
    s.beta = factors[op_draw(c, 5)];
    do {
        s.m = op_size(c, 0, 600);
        s.n = op_size(c, 0, 1500);
        s.k = op_size(c, 0, 2100);
    } while ((size_t)s.m * (size_t)s.n * (size_t)s.k > MOST_PRODUCTS);
    op_draw_shifts(c);
    multiply(c, s, index & 1, index & 2);
}

/* Products of many shapes on one backend, some of them again: what it keeps of earlier ones (plans, scratch)
 * does not get into later ones. */
static void run_random_many(struct op_case *c, int index) {
    enum { MANY = 120 };
    struct product before[MANY];
    (void)index;
    op_draw_shifts(c);
    for (int i = 0; i < MANY; i++) {
        before[i] = (struct product){.m = op_size(c, 1, 300),
                                     .n = op_size(c, 1, 40),
                                     .k = op_size(c, 1, 40),
                                     .extra = op_draw(c, 2),
                                     .alpha = 1,
                                     .beta = (float)op_draw(c, 2)};
        if (i && !op_draw(c, 3)) before[i] = before[op_draw(c, i)];
        multiply(c, before[i], false, op_draw(c, 4) > 0);
    }
}

/* With few rows, a row of the product is to the bit what it is alone and among others: what a text decodes to
 * does not hang on its neighbours. Other rows' NaN stay with them. */
static void run_alone(struct op_case *c, int index) {
    static const int counts[] = {1, 2, 15, 16, 17, 63, 65, 127, 128};
    enum { N = 130, K = 75, MOST = 128 };
    int m = counts[index], row = m / 2;
    op_describe(c, "row %d of %d", row, m);
    struct array *a = array_random(c, MOST * K, 1.0), *b = array_random(c, N * K, 1.0);
    struct array *alone = array_output(c, DTYPE_F32, N), *out = array_output(c, DTYPE_F32, (size_t)m * N);
    double *rows = op_copy(c, a->value, a->count), *want = op_numbers(c, (size_t)m * N);
    for (int i = 0; i < m * K; i++)
        if (i / K != row) rows[i] = NAN;
    array_write(c, a, rows);
    c->backend->matmul(c->backend, false, true, 1, N, K, 1.0f, view_at(a->view, (size_t)(row * K)), K,
                       b->view, K, 0.0f, alone->view, N);
    c->backend->matmul(c->backend, false, true, m, N, K, 1.0f, a->view, K, b->view, K, 0.0f, out->view, N);
    array_read(c, alone);
    for (int i = 0; i < m * N; i++) want[i] = i / N == row ? alone->value[i % N] : NAN;
    expect_good(c);
    expect_close(c, "rows", out, want, 0.0, 0.0);
}

enum slots { SORTED, MIXED, ONE };
struct layer {
    int rows, out, in, slots;
    enum slots order;
};
static const struct layer layers[] = {
    {1, 1, 1, 1, ONE},       {5, 3, 7, 2, SORTED},       {0, 4, 4, 2, SORTED},       {40, 96, 17, 40, SORTED},
    {130, 97, 33, 5, MIXED}, {200, 200, 769, 7, SORTED}, {64, 100, 1600, 3, SORTED}, {77, 500, 48, 4, ONE}};
enum { LAYERS = sizeof layers / sizeof *layers, WANTS = 3 }; /* gradient, alignments, both */

static struct array *slots_of(struct op_case *c, struct layer s) {
    double *slot = op_numbers(c, (size_t)s.rows);
    struct array *random = array_indices(c, (size_t)s.rows, (size_t)s.slots);
    for (int t = 0; t < s.rows; t++) {
        if (s.order == MIXED) slot[t] = random->value[t];
        if (s.order == SORTED) slot[t] = t * s.slots / s.rows;
        if (s.order == ONE) slot[t] = s.slots - 1;
    }
    return array_given(c, DTYPE_I32, (size_t)s.rows, slot);
}

/* Terms of size 1 with random signs. */
static double terms(struct layer s) {
    return sqrt((double)s.rows * s.out * s.in);
}

/* `allowed` for the alignments. */
static void differentiate(struct op_case *c, struct layer s, struct array *slot, int wants, double allowed) {
    bool want_gradient = wants != 1, want_alignment = wants != 0;
    int rows = s.rows, out = s.out, in = s.in;
    size_t weights = (size_t)(out * in);
    op_describe(c, "%d rows, weight %d x %d, %d slots, gradient %d, alignments %d", rows, out, in, s.slots,
                want_gradient, want_alignment);
    struct array *x = array_random(c, (size_t)(rows * in), 1.0),
                 *dy = array_random(c, (size_t)(rows * out), 1.0);
    struct array *gradient = array_random(c, weights, 1.0), *direction = array_random(c, weights, 1.0);
    struct array *alignment = array_filled(c, DTYPE_F64, (size_t)s.slots, 2.0);
    double *sum = op_copy(c, gradient->value, weights),
           *inner = op_copy(c, alignment->value, alignment->count);
    double *products = op_numbers(c, (size_t)(rows * out));
    struct linear_gradient args = {
        .rows = rows, .out = out, .in = in, .input = x->view, .output_gradient = dy->view};
    if (want_gradient) {
        reference_matmul(true, false, out, in, rows, 1.0, dy->value, out, x->value, in, 1.0, sum, in);
        args.gradient = gradient->view;
    }
    if (want_alignment) { /* the other way: <dy_t, G x_t> */
        reference_matmul(false, true, rows, out, in, 1.0, x->value, in, direction->value, in, 0.0, products,
                         out);
        reference_row_dot(rows, out, products, dy->value, slot->value, inner);
        args.direction = direction->view;
        args.slot = slot->view;
        args.alignment = alignment->view;
    }
    size_t left = op_memory_left(c);
    c->backend->linear_gradient(c->backend, &args);
    expect_good(c);
    expect_reserved(c, left, rows, 1, 1, 0);
    expect_close(c, "gradient", gradient, sum, PRODUCT_ERROR * (rows + 1), PRODUCT_ERROR);
    expect_close(c, "alignment", alignment, inner, allowed, PRODUCT_ERROR);
    expect_unchanged(c, "input", x);
    expect_unchanged(c, "output gradient", dy);
    expect_unchanged(c, "direction", direction);
}

static void run_linear_gradient(struct op_case *c, int index) {
    struct layer s = layers[index / WANTS];
    /* Each term with the error of its factor dy^T x. */
    differentiate(c, s, slots_of(c, s), index % WANTS, PRODUCT_ERROR * terms(s));
}

static void run_random_linear_gradient(struct op_case *c, int index) {
    struct layer s = {.slots = op_size(c, 1, 3000)};
    do {
        s.rows = op_size(c, 0, 1100);
        s.out = op_size(c, 0, 1100);
        s.in = op_size(c, 0, 1600);
    } while ((size_t)s.rows * (size_t)s.out * (size_t)s.in > MOST_PRODUCTS);
    op_draw_shifts(c);
    double longest = s.rows > s.in ? s.rows : s.in; /* sums in float are no longer */
    differentiate(c, s, array_drawn_indices(c, (size_t)s.rows, (size_t)s.slots), index % WANTS,
                  WALK_ERROR * sqrt(longest) * terms(s));
}

static void run_linear_gradient_failures(struct op_case *c, int index) {
    static const double wrong[] = {0, 1, 1e6, 1};
    struct array *x = array_random(c, 16, 1.0), *gradient = array_random(c, 16, 1.0);
    struct array *slot = array_given(c, DTYPE_I32, 4, wrong), *alignment = array_filled(c, DTYPE_F64, 2, 0.0);
    struct linear_gradient args = {.rows = index == 0 ? -4 : 4,
                                   .out = 4,
                                   .in = 4,
                                   .input = x->view,
                                   .output_gradient = x->view,
                                   .gradient = gradient->view};
    op_describe(c, "%s",
                index == 0   ? "negative rows"
                : index == 1 ? "a slot out of range"
                             : "an absent direction");
    if (index == 1) args.direction = x->view;
    if (index) args.slot = slot->view;
    if (index) args.alignment = view_at(alignment->view, 0);
    c->backend->linear_gradient(c->backend, &args);
    expect_failure(c, ERROR_INTERNAL, "linear_gradient");
    /* A GPU meets a wrong index while it computes. */
    bool late = index == 1 && !strncmp(c->backend->name, "cuda", 4);
    if (!late) expect_unchanged(c, "gradient", gradient);
}

static void run_failures(struct op_case *c, int index) {
    static const struct {
        int m, n, k, lda, ldb, ldc;
        const char *words;
    } cases[] = {{4, 4, 4, 3, 4, 4, "leading"}, {4, 4, 4, 4, 3, 4, "leading"},
                 {4, 4, 4, 4, 4, 3, "leading"}, {-1, 4, 4, 4, 4, 4, "negative"},
                 {5, 4, 4, 40, 4, 4, "buffer"}, {4, 4, 4, 4, 4, 80, "buffer"}};
    struct array *a = array_random(c, 16, 1.0), *b = array_random(c, 16, 1.0),
                 *out = array_random(c, 16, 1.0);
    op_describe(c, "m %d, leading dimensions %d %d %d", cases[index].m, cases[index].lda, cases[index].ldb,
                cases[index].ldc);
    c->backend->matmul(c->backend, false, false, cases[index].m, cases[index].n, cases[index].k, 1.0f,
                       a->view, cases[index].lda, b->view, cases[index].ldb, 0.0f, out->view,
                       cases[index].ldc);
    expect_failure(c, ERROR_INTERNAL, "matmul");
    expect_unchanged(c, "c", out);
}

int main(int argc, char **argv) {
    static const struct op_suite suites[] = {{"matmul", 4 * SHAPES, run_matmul},
                                             {"random_matmul", 40, run_random_matmul},
                                             {"random_many", 2, run_random_many},
                                             {"alone", 9, run_alone},
                                             {"failures", 6, run_failures},
                                             {"linear_gradient", WANTS * LAYERS, run_linear_gradient},
                                             {"random_linear_gradient", 40, run_random_linear_gradient},
                                             {"linear_gradient failures", 3, run_linear_gradient_failures},
                                             {NULL, 0, NULL}};
    return op_test_main(argc, argv, suites);
}

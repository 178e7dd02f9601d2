/* Operations at sizes at which a GPU cuts them into pieces: more logits than exist at a time, more products
 * of an alignment than stay in the cache, more rows than threads. On the backend of BACKEND-ARGUMENT. */
#include "tests/support/op_test.h"
#include "tests/support/reference_ops.h"

#include <math.h>

static const double ERROR = 2e-5, LOSS_ERROR = 1e-5;
/* Of float32 sums over the vocabulary, in which one term is as large as all others. */
static const double LONG_SUM_ERROR = 3e-4;

/* The vocabulary of Llama 3: 268 million bytes hold the logits of 523 rows. */
static void run_loss(struct op_case *c, int index) {
    enum { ROWS = 530, HIDDEN = 2, VOCABULARY = 128256, SLOTS = 5, TABLE = VOCABULARY * HIDDEN };
    (void)index;
    op_describe(c, "%d rows, hidden %d, vocabulary %d", ROWS, HIDDEN, VOCABULARY);
    struct backend *b = c->backend;
    struct array *states = array_random(c, ROWS * HIDDEN, 2.0), *weight = array_random(c, TABLE, 1.0),
                 *direction = array_random(c, TABLE, 1.0), *row_weight = array_random(c, ROWS, 1.0),
                 *target = array_indices(c, ROWS, VOCABULARY), *slot = array_indices(c, ROWS, SLOTS);
    struct array *loss = array_output(c, DTYPE_F32, ROWS), *best = array_output(c, DTYPE_I32, ROWS),
                 *hidden_gradient = array_output(c, DTYPE_F32, ROWS * HIDDEN),
                 *weight_gradient = array_random(c, TABLE, 1.0),
                 *alignment = array_filled(c, DTYPE_F64, SLOTS, 0.0);
    struct reference_cross_entropy want = {.rows = ROWS,
                                           .hidden = HIDDEN,
                                           .vocabulary = VOCABULARY,
                                           .hidden_states = states->value,
                                           .weight = weight->value,
                                           .target = target->value,
                                           .row_weight = row_weight->value,
                                           .direction = direction->value,
                                           .slot = slot->value,
                                           .loss = op_numbers(c, ROWS),
                                           .hidden_gradient = op_numbers(c, ROWS * HIDDEN),
                                           .weight_gradient = op_copy(c, weight_gradient->value, TABLE),
                                           .alignment = op_numbers(c, SLOTS)};
    reference_linear_cross_entropy(&want);
    struct linear_cross_entropy args = {.rows = ROWS,
                                        .hidden = HIDDEN,
                                        .vocabulary = VOCABULARY,
                                        .hidden_states = states->view,
                                        .weight = weight->view,
                                        .target = target->view,
                                        .loss = loss->view,
                                        .row_weight = row_weight->view,
                                        .hidden_gradient = hidden_gradient->view,
                                        .weight_gradient = weight_gradient->view,
                                        .direction = direction->view,
                                        .slot = slot->view,
                                        .alignment = alignment->view};
    b->linear_cross_entropy(b, &args);
    expect_good(c);
    expect_close(c, "loss", loss, want.loss, LOSS_ERROR, 0.0);
    expect_close(c, "hidden_gradient", hidden_gradient, want.hidden_gradient, LONG_SUM_ERROR, ERROR);
    expect_close(c, "weight_gradient", weight_gradient, want.weight_gradient, ERROR, ERROR);
    expect_close(c, "alignment", alignment, want.alignment, ERROR * sqrt(ROWS), ERROR);
    double *likeliest = op_numbers(c, ROWS);
    reference_linear_argmax(ROWS, HIDDEN, VOCABULARY, states->value, weight->value, likeliest);
    b->linear_argmax(b, ROWS, HIDDEN, VOCABULARY, states->view, weight->view, best->view);
    array_read(c, best);
    for (int i = 0; i < ROWS; i++) { /* or another one that is as likely but for rounding */
        bool there = best->value[i] >= 0 && best->value[i] < VOCABULARY;
        expect_true(c, there, "row %d: the likeliest token is %g", i, best->value[i]);
        if (!there) continue;
        const double *h = &states->value[i * HIDDEN], *other = &weight->value[(int)best->value[i] * HIDDEN],
                     *w = &weight->value[(int)likeliest[i] * HIDDEN];
        double less = h[0] * w[0] + h[1] * w[1] - h[0] * other[0] - h[1] * other[1];
        expect_true(c, fabs(less) <= 1e-5, "row %d: %g is not the likeliest, by %g", i, best->value[i], less);
    }
}

static void run_linear_gradient(struct op_case *c, int index) {
    enum { ROWS = 290, OUT = 30001, IN = 3, SLOTS = 40 };
    (void)index;
    op_describe(c, "%d rows, %d to %d", ROWS, IN, OUT);
    struct backend *b = c->backend;
    struct array *x = array_random(c, ROWS * IN, 1.0), *dy = array_random(c, ROWS * OUT, 1.0),
                 *direction = array_random(c, OUT * IN, 1.0), *slot = array_indices(c, ROWS, SLOTS),
                 *gradient = array_filled(c, DTYPE_F32, OUT * IN, 0.0),
                 *alignment = array_filled(c, DTYPE_F64, SLOTS, 0.0);
    double *want = op_numbers(c, OUT * IN), *sums = op_numbers(c, SLOTS);
    reference_matmul(true, false, OUT, IN, ROWS, 1, dy->value, OUT, x->value, IN, 0, want, IN);
    for (int t = 0; t < ROWS; t++)
        for (int o = 0; o < OUT; o++)
            for (int i = 0; i < IN; i++)
                sums[(int)slot->value[t]] +=
                    dy->value[t * OUT + o] * x->value[t * IN + i] * direction->value[o * IN + i];
    struct linear_gradient args = {.rows = ROWS,
                                   .out = OUT,
                                   .in = IN,
                                   .input = x->view,
                                   .output_gradient = dy->view,
                                   .gradient = gradient->view,
                                   .direction = direction->view,
                                   .slot = slot->view,
                                   .alignment = alignment->view};
    b->linear_gradient(b, &args);
    expect_good(c);
    expect_close(c, "gradient", gradient, want, ERROR * sqrt(ROWS), ERROR);
    expect_close(c, "alignment", alignment, sums, 1e-6 * sqrt((double)ROWS * OUT * IN), ERROR);
}

static void run_norm(struct op_case *c, int index) {
    const int rows = index ? 3001 : 1100, columns = index ? 64 : 600;
    size_t all = (size_t)(rows * columns);
    op_describe(c, "%d rows of %d", rows, columns);
    struct backend *b = c->backend;
    struct array *x = array_random(c, all, 1.0), *w = array_random(c, (size_t)columns, 1.0),
                 *y = array_output(c, DTYPE_F32, all), *rstd = array_output(c, DTYPE_F32, (size_t)rows),
                 *dy = array_random(c, all, 1.0), *dx = array_output(c, DTYPE_F32, all),
                 *dw = array_filled(c, DTYPE_F32, (size_t)columns, 0.0);
    double *want = op_numbers(c, all), *want_rstd = op_numbers(c, (size_t)rows),
           *want_dx = op_numbers(c, all), *want_dw = op_numbers(c, (size_t)columns);
    reference_rmsnorm(rows, columns, (double)1e-6f, 1, x->value, w->value, want, want_rstd);
    reference_rmsnorm_backward(rows, columns, (double)1e-6f, 1, x->value, w->value, dy->value, want_dx,
                               want_dw);
    b->rmsnorm(b, rows, columns, 1e-6f, 1, x->view, w->view, y->view, rstd->view);
    b->rmsnorm_backward(b, rows, columns, 1, x->view, w->view, rstd->view, dy->view, false, dx->view,
                        dw->view);
    expect_good(c);
    expect_close(c, "y", y, want, ERROR, ERROR);
    expect_close(c, "dx", dx, want_dx, ERROR, ERROR);
    expect_close(c, "dw", dw, want_dw, ERROR * sqrt(rows), ERROR);
}

static void run_rows(struct op_case *c, int index) {
    enum { ROWS = 1500, HIDDEN = 300, IDS = 40, SLOTS = 70 };
    (void)index;
    op_describe(c, "%d rows of %d", ROWS, HIDDEN);
    struct backend *b = c->backend;
    struct array *id = array_indices(c, ROWS, IDS), *dout = array_random(c, ROWS * HIDDEN, 1.0),
                 *y = array_random(c, ROWS * HIDDEN, 1.0), *slot = array_indices(c, ROWS, SLOTS),
                 *table = array_filled(c, DTYPE_F32, IDS * HIDDEN, 0.0),
                 *sums = array_filled(c, DTYPE_F64, SLOTS, 0.0);
    double *want = op_numbers(c, IDS * HIDDEN), *want_sums = op_numbers(c, SLOTS);
    reference_embed_backward(ROWS, HIDDEN, 1, id->value, dout->value, want);
    reference_row_dot(ROWS, HIDDEN, dout->value, y->value, slot->value, want_sums);
    b->embed_backward(b, ROWS, HIDDEN, 1, id->view, dout->view, table->view);
    b->row_dot(b, ROWS, HIDDEN, dout->view, y->view, slot->view, sums->view);
    expect_good(c);
    expect_close(c, "table", table, want, ERROR * sqrt(ROWS), ERROR);
    expect_close(c, "sums", sums, want_sums, 1e-9, 1e-9);
}

/* Numbers go through pinned memory in pieces, of which several are on their way at a time. */
static void run_transfers(struct op_case *c, int index) {
    enum { COUNT = (5 << 20) + 77 };
    (void)index;
    op_describe(c, "%d numbers", COUNT);
    struct backend *b = c->backend;
    struct array *x = array_random(c, COUNT, 1.0), *sum = array_filled(c, DTYPE_F64, 1, 0.0);
    double *sent = op_copy(c, x->value, COUNT), squares = 0;
    for (int i = 0; i < COUNT; i++) squares += sent[i] * sent[i];
    b->dot(b, COUNT, x->view, x->view, sum->view);
    expect_close(c, "there and back", x, sent, 0, 0);
    expect_close(c, "squares", sum, &squares, 0, 1e-10);
}

int main(int argc, char **argv) {
    static const struct op_suite suites[] = {
        {"transfers", 1, run_transfers}, {"norm", 2, run_norm},
        {"rows", 1, run_rows},           {"linear_gradient", 1, run_linear_gradient},
        {"loss", 1, run_loss},           {NULL, 0, NULL}};
    return op_test_main(argc, argv, suites);
}

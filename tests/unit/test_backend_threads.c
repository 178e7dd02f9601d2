/* Results on 1, 2 and 5 threads, and on as many twice, on the backend of BACKEND-ARGUMENT. Only the GEMM
 * library may round differently on another number of threads; twice the same must give the same bits
 * everywhere. */
#include "tests/support/backend_test.h"
#include "tests/support/op_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double GEMM_ERROR =
    2e-5; /* of sums of some hundred products of size 1, and of what is made from them */

enum { OUTPUTS = 3 };

struct outputs {
    struct array *array[OUTPUTS];
};

static struct outputs run_dot(struct op_case *c) {
    size_t n = 100003;
    struct array *x = array_random(c, n, 1.0), *y = array_random(c, n, 1.0),
                 *sum = array_filled(c, DTYPE_F64, 1, 0.5);
    c->backend->dot(c->backend, n, x->view, y->view, sum->view);
    return (struct outputs){{sum}};
}

static struct outputs run_add(struct op_case *c) {
    size_t n = 100003;
    struct array *x = array_random(c, n, 1.0), *y = array_random(c, n, 1.0);
    c->backend->scale(c->backend, n, 0.3f, x->view);
    c->backend->add(c->backend, n, 0.7f, x->view, y->view);
    return (struct outputs){{x, y}};
}

static struct outputs run_adamw(struct op_case *c) {
    size_t n = 100003;
    struct adamw_step step = {1e-3f, 0.9f, 0.999f, 1e-8f, 0.1f, 0.1f, 0.001f, {NULL, 0, DTYPE_F32}};
    struct array *g = array_random(c, n, 1.0), *m = array_random(c, n, 0.1),
                 *v = array_filled(c, DTYPE_F32, n, 0.3);
    struct array *w = array_random(c, n, 1.0);
    c->backend->adamw(c->backend, n, &step, g->view, m->view, v->view, w->view);
    return (struct outputs){{m, v, w}};
}

static struct outputs run_embed_backward(struct op_case *c) {
    struct array *ids = array_indices(c, 3000, 40), *dout = array_random(c, 3000 * 32, 1.0);
    struct array *table = array_random(c, 40 * 32, 1.0);
    c->backend->embed_backward(c->backend, 3000, 32, 1.5f, ids->view, dout->view, table->view);
    return (struct outputs){{table}};
}

static struct outputs run_row_dot(struct op_case *c) {
    struct array *x = array_random(c, 3000 * 48, 1.0), *y = array_random(c, 3000 * 48, 1.0);
    struct array *slot = array_indices(c, 3000, 4), *alignment = array_filled(c, DTYPE_F64, 4, 0.1);
    c->backend->row_dot(c->backend, 3000, 48, x->view, y->view, slot->view, alignment->view);
    return (struct outputs){{alignment}};
}

static struct outputs run_rmsnorm(struct op_case *c) {
    enum { ROWS = 777, COLUMNS = 96 };
    struct array *x = array_random(c, ROWS * COLUMNS, 1.0), *w = array_random(c, COLUMNS, 1.0);
    struct array *y = array_output(c, DTYPE_F32, ROWS * COLUMNS), *rstd = array_output(c, DTYPE_F32, ROWS);
    struct array *dx = array_output(c, DTYPE_F32, ROWS * COLUMNS), *dw = array_random(c, COLUMNS, 1.0);
    c->backend->rmsnorm(c->backend, ROWS, COLUMNS, 1e-5f, 1.0f, x->view, w->view, y->view, rstd->view);
    c->backend->rmsnorm_backward(c->backend, ROWS, COLUMNS, 1.0f, x->view, w->view, rstd->view, y->view,
                                 false, dx->view, dw->view);
    return (struct outputs){{y, dx, dw}};
}

static struct outputs run_gated(struct op_case *c) {
    size_t n = 50001;
    struct array *gate = array_random(c, n, 2.0), *up = array_random(c, n, 1.0),
                 *out = array_output(c, DTYPE_F32, n);
    c->backend->gated(c->backend, n, ACTIVATION_SILU, gate->view, up->view, out->view);
    c->backend->gated_backward(c->backend, n, ACTIVATION_GELU_TANH, gate->view, up->view, out->view,
                               gate->view, up->view);
    return (struct outputs){{out, gate, up}};
}

/* Of one segment, where threads share blocks, or of several, where they share segments. */
static struct outputs attention(struct op_case *c, int segments) {
    enum { ROWS = 300, HEADS = 4, KV_HEADS = 1, WIDTH = 32 };
    static const struct segment one[] = {{0, ROWS, 0, 0}};
    static const struct segment six[] = {{0, 50, 0, 0},   {50, 70, 0, 0},  {120, 1, 0, 0},
                                         {121, 69, 0, 0}, {190, 60, 0, 0}, {250, 50, 0, 0}};
    struct attention_shape shape = {ROWS, HEADS, KV_HEADS, WIDTH,
                                    100,  0.2f,  segments, segments == 1 ? one : six};
    size_t queries = ROWS * HEADS * WIDTH, keys = ROWS * KV_HEADS * WIDTH;
    struct array *q = array_random(c, queries, 1.0), *k = array_random(c, keys, 1.0),
                 *v = array_random(c, keys, 1.0);
    struct array *out = array_output(c, DTYPE_F32, queries), *lse = array_output(c, DTYPE_F32, ROWS * HEADS);
    struct array *dq = array_output(c, DTYPE_F32, queries), *dk = array_output(c, DTYPE_F32, keys);
    struct array *dv = array_output(c, DTYPE_F32, keys);
    c->backend->attention(c->backend, &shape, q->view, k->view, v->view, out->view, lse->view);
    c->backend->attention_backward(c->backend, &shape, q->view, k->view, v->view, out->view, lse->view,
                                   out->view, dq->view, dk->view, dv->view);
    return (struct outputs){{dq, dk, dv}};
}

static struct outputs run_attention_of_one(struct op_case *c) {
    return attention(c, 1);
}

static struct outputs run_attention_of_six(struct op_case *c) {
    return attention(c, 6);
}

static struct outputs run_cached_attention(struct op_case *c) {
    enum { ROWS = 93, HEADS = 6, KV_HEADS = 2, WIDTH = 32, PAGE = 16, PAGES = 20 };
    static const int32_t page[] = {3, 1, 4, 15, 9, 2, 6, 5, 8, 7};
    static const struct cached_segment segments[] = {
        {0, 1, 130, page}, {1, 1, 17, page}, {2, 90, 50, page}, {92, 1, 99, page}};
    struct cached_attention_shape shape = {ROWS, HEADS, KV_HEADS, WIDTH, 0, 0.2f, PAGE, 4, segments};
    struct array *q = array_random(c, ROWS * HEADS * WIDTH, 1.0),
                 *out = array_output(c, DTYPE_F32, ROWS * HEADS * WIDTH);
    struct array *k = array_random(c, PAGES * PAGE * KV_HEADS * WIDTH, 1.0),
                 *v = array_random(c, PAGES * PAGE * KV_HEADS * WIDTH, 1.0);
    c->backend->cached_attention(c->backend, &shape, q->view, k->view, v->view, out->view);
    return (struct outputs){{out}};
}

static struct outputs run_argmax(struct op_case *c) {
    struct array *states = array_random(c, 70 * 32, 1.0), *weight = array_random(c, 700 * 32, 1.0);
    struct array *best = array_output(c, DTYPE_I32, 70);
    c->backend->linear_argmax(c->backend, 70, 32, 700, states->view, weight->view, best->view);
    return (struct outputs){{best}};
}

static struct outputs run_few(struct op_case *c) {
    struct array *a = array_random(c, 40 * 300, 1.0), *b = array_random(c, 230 * 300, 1.0);
    struct array *out = array_output(c, DTYPE_F32, 40 * 230);
    c->backend->matmul(c->backend, false, true, 40, 230, 300, 1.0f, a->view, 300, b->view, 300, 0.0f,
                       out->view, 230);
    return (struct outputs){{out}};
}

static struct outputs run_matmul(struct op_case *c) {
    struct array *a = array_random(c, 200 * 300, 1.0), *b = array_random(c, 130 * 300, 1.0);
    struct array *out = array_output(c, DTYPE_F32, 200 * 130);
    c->backend->matmul(c->backend, false, true, 200, 130, 300, 1.0f, a->view, 300, b->view, 300, 0.0f,
                       out->view, 130);
    return (struct outputs){{out}};
}

static struct outputs run_linear_gradient(struct op_case *c) {
    struct array *x = array_random(c, 60 * 900, 1.0), *dy = array_random(c, 60 * 210, 1.0);
    struct array *gradient = array_random(c, 210 * 900, 1.0), *direction = array_random(c, 210 * 900, 1.0);
    struct array *slot = array_indices(c, 60, 4), *alignment = array_filled(c, DTYPE_F64, 4, 0.1);
    struct linear_gradient args = {
        60, 210, 900, x->view, dy->view, gradient->view, direction->view, slot->view, alignment->view};
    c->backend->linear_gradient(c->backend, &args);
    return (struct outputs){{gradient, alignment}};
}

static struct outputs run_cross_entropy(struct op_case *c) {
    enum { ROWS = 150, HIDDEN = 32, VOCABULARY = 500 };
    struct array *states = array_random(c, ROWS * HIDDEN, 0.3),
                 *weight = array_random(c, VOCABULARY * HIDDEN, 1.0);
    struct array *target = array_indices(c, ROWS, VOCABULARY), *loss = array_output(c, DTYPE_F32, ROWS);
    struct array *row_weight = array_random(c, ROWS, 1.0), *slot = array_indices(c, ROWS, 4);
    struct array *hidden_gradient = array_output(c, DTYPE_F32, ROWS * HIDDEN);
    struct array *alignment = array_filled(c, DTYPE_F64, 4, 0.0);
    struct linear_cross_entropy args = {.rows = ROWS,
                                        .hidden = HIDDEN,
                                        .vocabulary = VOCABULARY,
                                        .hidden_states = states->view,
                                        .weight = weight->view,
                                        .target = target->view,
                                        .loss = loss->view,
                                        .row_weight = row_weight->view,
                                        .hidden_gradient = hidden_gradient->view,
                                        .direction = weight->view,
                                        .slot = slot->view,
                                        .alignment = alignment->view};
    c->backend->linear_cross_entropy(c->backend, &args);
    return (struct outputs){{loss, hidden_gradient, alignment}};
}

static const struct {
    const char *name;
    struct outputs (*run)(struct op_case *c);
    bool uses_gemm;
} operations[] = {{"dot", run_dot, false},
                  {"add", run_add, false},
                  {"adamw", run_adamw, false},
                  {"embed_backward", run_embed_backward, false},
                  {"row_dot", run_row_dot, false},
                  {"linear_gradient", run_linear_gradient, false},
                  {"rmsnorm", run_rmsnorm, false},
                  {"gated", run_gated, false},
                  {"attention, one segment", run_attention_of_one, false},
                  {"attention, six segments", run_attention_of_six, false},
                  {"cached_attention", run_cached_attention, false},
                  {"linear_argmax", run_argmax, false},
                  {"matmul, few rows", run_few, false},
                  {"matmul", run_matmul, true},
                  {"linear_cross_entropy", run_cross_entropy, true}};
enum { OPERATIONS = sizeof operations / sizeof *operations };

static void run_operation(struct op_case *c, int index) {
    static const int threads[] = {2, 2, 1, 5};
    struct outputs first = {{NULL}};
    op_describe(c, "%s", operations[index].name);
    for (int r = 0; r < 4; r++) {
        struct error err = {0};
        struct op_case run = {.suite = c->suite, .index = index, .rerun = c->rerun};
        if (test_backend_create(c->backend->name, threads[r], &run.backend, &err)) {
            expect_true(c, false, "%s", err.message);
            return;
        }
        op_describe(&run, "%s on %d threads", operations[index].name, threads[r]);
        struct outputs outputs = operations[index].run(&run);
        double error = operations[index].uses_gemm && r > 1 ? GEMM_ERROR : 0.0;
        for (int o = 0; o < OUTPUTS && outputs.array[o]; o++) {
            const double *values = array_read(&run, outputs.array[o]);
            if (r == 0)
                first.array[o] = array_given(c, DTYPE_F64, outputs.array[o]->count, values);
            else
                expect_close(&run, "output", outputs.array[o], first.array[o]->value, error, error);
        }
        expect_good(&run);
        c->failures += run.failures;
        op_release(&run);
        backend_destroy(&run.backend);
    }
}

int main(int argc, char **argv) {
    static const struct op_suite suites[] = {{"threads", OPERATIONS, run_operation}, {NULL, 0, NULL}};
    return op_test_main(argc, argv, suites);
}

/* Attention forward and backward, on the backend of BACKEND-ARGUMENT, and with bfloat16 activations:
 * HALVES-ARGUMENT. */
#include "tests/support/op_test.h"
#include "tests/support/reference_ops.h"

#include <limits.h>
#include <math.h>

/* Times sqrt(head dimension): values are of size 1 and scores of a few units, which are sums of that many
 * products. */
static const double FORWARD_ERROR = 1e-6, BACKWARD_ERROR = 4e-6;
static const double EXTREME_ERROR = 1e-3; /* scores of 1600 have roundings of 1e-4 */
static const double CUT_ERROR = 1e-2; /* and where tensor cores cut off sums of thousands, sixteen of 2^-23 */
/* Of a number that becomes bfloat16, relative to itself, and a little for products of two. Outputs are
 * rounded; so may weights and their gradients be for the products with them. */
static const double HALF_ROUNDING = 1.01 / 256;
static const double DIFFERENCE_STEP = 0.05, DIFFERENCE_ERROR = 3e-4;

enum { MOST_SEGMENTS = 24, MOST_ROWS = 280, MOST_NUMBERS = 60000 /* of random shapes */ };

struct layout {
    int segments;
    struct segment segment[MOST_SEGMENTS];
};

static const struct layout layouts[] = {
    {0, {{0}}},
    {1, {{0, 1, 0, 0}}},
    {1, {{0, 5, 0, 0}}},
    {3, {{0, 7, 0, 0}, {7, 1, 0, 0}, {8, 13, 0, 0}}},
    {1, {{0, 64, 0, 0}}},
    {2, {{0, 65, 0, 0}, {65, 63, 0, 0}}},
    {1, {{0, 200, 0, 0}}},
    {4, {{0, 3, 0, 0}, {3, 0, 0, 0}, {3, 130, 0, 0}, {133, 17, 0, 0}}},
    /* Around what tiles may have of tokens, whose heads share keys. */
    {14,
     {{0, 1, 0, 0},
      {1, 7, 0, 0},
      {8, 8, 0, 0},
      {16, 9, 0, 0},
      {25, 15, 0, 0},
      {40, 16, 0, 0},
      {56, 17, 0, 0},
      {73, 20, 0, 0},
      {93, 21, 0, 0},
      {114, 22, 0, 0},
      {136, 31, 0, 0},
      {167, 32, 0, 0},
      {199, 33, 0, 0},
      {232, 48, 0, 0}}},
    {20,
     {{0, 1, 0, 0},  {1, 2, 0, 0},  {3, 1, 0, 0},  {4, 3, 0, 0},  {7, 1, 0, 0},  {8, 1, 0, 0},  {9, 2, 0, 0},
      {11, 4, 0, 0}, {15, 1, 0, 0}, {16, 1, 0, 0}, {17, 1, 0, 0}, {18, 5, 0, 0}, {23, 1, 0, 0}, {24, 2, 0, 0},
      {26, 1, 0, 0}, {27, 1, 0, 0}, {28, 1, 0, 0}, {29, 3, 0, 0}, {32, 1, 0, 0}, {33, 6, 0, 0}}},
};
static const struct layout prefixed[] = {
    {2, {{0, 10, 0, 0}, {10, 4, 0, 10}}},
    {4, {{0, 70, 0, 0}, {70, 1, 0, 70}, {71, 9, 0, 70}, {80, 66, 0, 70}}},
    {5, {{0, 20, 0, 0}, {20, 5, 0, 20}, {25, 130, 0, 0}, {155, 3, 25, 130}, {158, 65, 25, 64}}},
    {3, {{0, 9, 0, 0}, {9, 6, 2, 5}, {15, 7, 9, 6}}},
};
static const struct {
    int heads, kv_heads, head_dim;
} heads[] = {{1, 1, 16}, {4, 2, 16}, {3, 1, 64}, {8, 2, 32}, {4, 4, 128}, {4, 1, 256}, {2, 1, 6},
             {3, 3, 17}, {8, 1, 64}, {3, 1, 48}, {2, 1, 80}, {6, 2, 96},  {2, 2, 192}};
static const int windows[] = {0, 1, 3, 64, 100, 1000, 33};
enum {
    LAYOUTS = sizeof layouts / sizeof *layouts,
    PREFIXED = sizeof prefixed / sizeof *prefixed,
    HEADS = sizeof heads / sizeof *heads,
    WINDOWS = sizeof windows / sizeof *windows,
    LAYOUT_CASES = 2 * HEADS /* each head count with two windows; all windows, over the head counts */
};

static struct attention_shape shape_of(struct op_case *c, const struct layout *all, int index) {
    int number = index / LAYOUT_CASES, head = index % HEADS;
    const struct layout *layout = &all[number];
    struct attention_shape shape = {.heads = heads[head].heads,
                                    .kv_heads = heads[head].kv_heads,
                                    .head_dim = heads[head].head_dim,
                                    .window = windows[(index % LAYOUT_CASES * 7 / 2 + number) % WINDOWS],
                                    .segments = layout->segments,
                                    .segment = layout->segment};
    for (int s = 0; s < layout->segments; s++) shape.rows += layout->segment[s].length;
    shape.scale = (float)(1.0 / sqrt(shape.head_dim));
    op_describe(c, "layout %d of %d rows, %d/%d heads of %d, window %d", number, shape.rows, shape.heads,
                shape.kv_heads, shape.head_dim, shape.window);
    return shape;
}

struct tensors {
    struct attention_shape shape;
    size_t queries, keys; /* elements */
    struct array *q, *k, *v, *out, *lse;
    const double *weights; /* of out, for differences */
};

static bool halves(const struct op_case *c) {
    return c->backend->activations == DTYPE_BF16;
}

static double *sizes_of(struct op_case *c, const double *numbers, size_t count) {
    double *sizes = op_numbers(c, count);
    for (size_t i = 0; i < count; i++) sizes[i] = fabs(numbers[i]);
    return sizes;
}

/* How far numbers of about these sizes may be off; `roundings`: and by what was rounded before. */
static const double *allowed(struct op_case *c, double error, double relative, const double *want,
                             const double *roundings, size_t count) {
    double *sum = op_numbers(c, count);
    for (size_t i = 0; i < count; i++) {
        sum[i] = error + relative * fabs(want[i]);
        if (halves(c)) sum[i] += HALF_ROUNDING * (fabs(want[i]) + roundings[i]);
    }
    return sum;
}

static struct tensors forward(struct op_case *c, const struct attention_shape *shape, double spread) {
    struct tensors t = {.shape = *shape};
    t.queries = (size_t)(shape->rows * shape->heads * shape->head_dim);
    t.keys = (size_t)(shape->rows * shape->kv_heads * shape->head_dim);
    t.q = activations_random(c, t.queries, spread);
    t.k = activations_random(c, t.keys, spread);
    t.v = activations_random(c, t.keys, 1.0);
    t.out = activations_output(c, t.queries);
    t.lse = array_output(c, DTYPE_F32, (size_t)(shape->rows * shape->heads));
    c->backend->attention(c->backend, shape, t.q->view, t.k->view, t.v->view, t.out->view, t.lse->view);
    return t;
}

static void compare_forward(struct op_case *c, const struct attention_shape *shape, double spread,
                            double error, double relative) {
    struct tensors t = forward(c, shape, spread);
    double *out = op_numbers(c, t.queries), *lse = op_numbers(c, t.lse->count),
           *roundings = op_numbers(c, t.queries);
    reference_attention(shape, t.q->value, t.k->value, sizes_of(c, t.v->value, t.keys), roundings, lse);
    reference_attention(shape, t.q->value, t.k->value, t.v->value, out, lse);
    expect_good(c);
    expect_within(c, "out", t.out, out, allowed(c, error, relative, out, roundings, t.queries));
    expect_close(c, "lse", t.lse, lse, error, relative);
    expect_unchanged(c, "q", t.q);
    expect_unchanged(c, "k", t.k);
    expect_unchanged(c, "v", t.v);
}

static void compare_usual(struct op_case *c, const struct attention_shape *shape) {
    const double error = FORWARD_ERROR * sqrt(shape->head_dim);
    compare_forward(c, shape, 1.5, error, error);
}

static void run_forward(struct op_case *c, int index) {
    struct attention_shape shape = shape_of(c, layouts, index);
    compare_usual(c, &shape);
}

static void run_prefix(struct op_case *c, int index) {
    struct attention_shape shape = shape_of(c, prefixed, index);
    compare_usual(c, &shape);
}

/* More heads share a key than a device takes at a time. */
static void run_many_heads(struct op_case *c, int index) {
    struct attention_shape shape = shape_of(c, layouts, index * LAYOUT_CASES);
    shape.heads = 70;
    shape.kv_heads = 1;
    op_describe(c, "layout %d, 70 heads of %d to a key, window %d", index, shape.head_dim, shape.window);
    compare_usual(c, &shape);
}

static void compare_backward(struct op_case *c, const struct attention_shape *given) {
    struct attention_shape shape = *given;
    struct tensors t = forward(c, &shape, 1.5);
    array_read(c, t.out);
    array_read(c, t.lse);
    struct array *dout = activations_random(c, t.queries, 1.0);
    struct array *dq = activations_output(c, t.queries), *dk = activations_output(c, t.keys);
    struct array *dv = activations_output(c, t.keys);
    double *want_q = op_numbers(c, t.queries), *want_k = op_numbers(c, t.keys),
           *want_v = op_numbers(c, t.keys), *off_q = op_numbers(c, t.queries), *off_k = op_numbers(c, t.keys),
           *off_v = op_numbers(c, t.keys);
    reference_attention_backward(&shape, t.q->value, t.k->value, t.v->value, dout->value, want_q, want_k,
                                 want_v);
    if (halves(c))
        reference_attention_roundings(&shape, t.q->value, t.k->value, t.v->value, dout->value, off_q, off_k,
                                      off_v);
    c->backend->attention_backward(c->backend, &shape, t.q->view, t.k->view, t.v->view, t.out->view,
                                   t.lse->view, dout->view, dq->view, dk->view, dv->view);
    expect_good(c);
    double error = BACKWARD_ERROR * sqrt(shape.head_dim);
    expect_within(c, "dq", dq, want_q, allowed(c, error, error, want_q, off_q, t.queries));
    expect_within(c, "dk", dk, want_k, allowed(c, error, error, want_k, off_k, t.keys));
    expect_within(c, "dv", dv, want_v, allowed(c, error, error, want_v, off_v, t.keys));
    expect_unchanged(c, "out", t.out);
    expect_unchanged(c, "lse", t.lse);
    expect_unchanged(c, "dout", dout);
}

static void run_backward(struct op_case *c, int index) {
    struct attention_shape shape = shape_of(c, layouts, index);
    compare_backward(c, &shape);
}

/* Operands at places that no instruction loads at once from. */
static void run_unaligned(struct op_case *c, int index) {
    struct attention_shape shape = shape_of(c, layouts, 3 * LAYOUT_CASES + index);
    c->shift = 1 + (size_t)index % 7;
    compare_usual(c, &shape);
    compare_backward(c, &shape);
}

/* Segments of all lengths, many of them of one row, some of them behind a prefix. */
static struct layout random_layout(struct op_case *c, bool with_prefixes) {
    static const int lengths[] = {1, 1, 2, 8, 20, 40, 70, 140};
    struct layout layout = {.segments = 1 + op_draw(c, op_happens(c, 20) ? MOST_SEGMENTS : 4)};
    int rows = 0, most = OP_DRAW_OF(c, lengths);
    for (int s = 0; s < layout.segments; s++) {
        struct segment *g = &layout.segment[s];
        *g = (struct segment){.start = rows, .length = op_draw(c, most + 1)};
        if (op_happens(c, 20)) g->length = 1;
        if (rows + g->length > MOST_ROWS) g->length = MOST_ROWS - rows;
        if (with_prefixes && rows > 0 && op_happens(c, 60)) {
            g->prefix_start = op_draw(c, rows);
            g->prefix_length = op_draw(c, rows - g->prefix_start + 1);
        }
        rows += g->length;
    }
    return layout;
}

static void run_random(struct op_case *c, int index) {
    static const int groups[] = {1, 1, 2, 3, 4, 5, 6, 7, 8, 16, 17, 33};
    static const int few[] = {1, 2, 5, 20}, many[] = {40, 64, 65, 128, 200, INT_MAX};
    static const double scales[] = {1.0, 1.0, 1.0, 1.0, 2.0, 0.1, 0.0, -1.0};
    const bool with_prefixes = index % 2;
    struct layout layout = random_layout(c, with_prefixes);
    struct attention_shape shape = {.segments = layout.segments, .segment = layout.segment};
    for (int s = 0; s < layout.segments; s++) shape.rows += layout.segment[s].length;
    shape.head_dim = op_happens(c, 80) ? 16 * (1 + op_draw(c, 16)) : 1 + op_draw(c, 256);
    shape.kv_heads = 1 + op_draw(c, 3);
    shape.heads = shape.kv_heads * OP_DRAW_OF(c, groups);
    while (shape.rows * shape.heads * shape.head_dim > MOST_NUMBERS && shape.heads > shape.kv_heads)
        shape.heads -= shape.kv_heads;
    if (op_happens(c, 60)) shape.window = op_happens(c, 50) ? OP_DRAW_OF(c, few) : OP_DRAW_OF(c, many);
    shape.scale = (float)(OP_DRAW_OF(c, scales) / sqrt(shape.head_dim));
    c->shift = op_happens(c, 10) ? 1 + (size_t)op_draw(c, 15) : 8 * (size_t)op_draw(c, 3);
    op_describe(c, "%d segments of %d rows%s, %d/%d heads of %d, window %d, scale %g, shift %zu",
                shape.segments, shape.rows, with_prefixes ? " with prefixes" : "", shape.heads,
                shape.kv_heads, shape.head_dim, shape.window, (double)shape.scale, c->shift);
    with_prefixes ? compare_usual(c, &shape) : compare_backward(c, &shape);
}

static double weighted_output(struct op_case *c, void *context) {
    struct tensors *t = context;
    c->backend->attention(c->backend, &t->shape, t->q->view, t->k->view, t->v->view, t->out->view,
                          t->lse->view);
    return array_weighted(c, t->out, t->weights);
}

/* The backward operation against differences of the forward one, without the reference. Of rounded outputs
 * there are none. */
static void run_differences(struct op_case *c, int index) {
    if (halves(c)) return;
    struct attention_shape shape = shape_of(c, layouts, index);
    struct tensors t = forward(c, &shape, 0.7);
    struct array *dout = array_random(c, t.queries, 1.0);
    struct array *dq = array_output(c, DTYPE_F32, t.queries), *dk = array_output(c, DTYPE_F32, t.keys);
    struct array *dv = array_output(c, DTYPE_F32, t.keys);
    c->backend->attention_backward(c->backend, &shape, t.q->view, t.k->view, t.v->view, t.out->view,
                                   t.lse->view, dout->view, dq->view, dk->view, dv->view);
    t.weights = dout->value;
    expect_gradient(c, "q", weighted_output, &t, t.q, array_read(c, dq), DIFFERENCE_STEP, DIFFERENCE_ERROR);
    expect_gradient(c, "k", weighted_output, &t, t.k, array_read(c, dk), DIFFERENCE_STEP, DIFFERENCE_ERROR);
    expect_gradient(c, "v", weighted_output, &t, t.v, array_read(c, dv), DIFFERENCE_STEP, DIFFERENCE_ERROR);
}

/* Scores of hundreds: the softmax must neither overflow nor lose its largest entries. */
static void run_extreme(struct op_case *c, int index) {
    struct attention_shape shape = shape_of(c, layouts, 6 * LAYOUT_CASES + index);
    compare_forward(c, &shape, 20.0, halves(c) ? CUT_ERROR : EXTREME_ERROR, 0.0);
}

/* A NaN reaches what attends to it and nothing else. */
static void run_nan(struct op_case *c, int index) {
    struct attention_shape shape = shape_of(c, layouts, 3 * LAYOUT_CASES + index);
    struct tensors t = forward(c, &shape, 1.0);
    double *clean = op_copy(c, array_read(c, t.out), t.queries), *keys = op_copy(c, t.k->value, t.keys);
    int width = shape.head_dim, row = 10; /* the third row of the segment 8..20 */
    int group = shape.heads / shape.kv_heads, head = shape.kv_heads - 1;
    keys[(row * shape.kv_heads + head) * width] = NAN;
    array_write(c, t.k, keys);
    c->backend->attention(c->backend, &shape, t.q->view, t.k->view, t.v->view, t.out->view, t.lse->view);
    for (int r = row; r < 21 && (shape.window == 0 || r < row + shape.window); r++)
        for (int h = head * group; h < shape.heads; h++)
            for (int e = 0; e < width; e++) clean[(r * shape.heads + h) * width + e] = NAN;
    expect_close(c, "out", t.out, clean, 0.0, 0.0);
}

static void run_failures(struct op_case *c, int index) {
    static const struct {
        struct segment second;
        int rows, heads, code;
        const char *words;
    } cases[] = {{{10, 10, 0, 0}, 21, 2, ERROR_INTERNAL, "cover"},
                 {{11, 9, 0, 0}, 20, 2, ERROR_INTERNAL, "segment 1"},
                 {{10, 10, 5, 6}, 20, 2, ERROR_INTERNAL, "segment 1"},
                 {{10, 10, -1, 6}, 20, 2, ERROR_INTERNAL, "segment 1"},
                 {{10, 11, 0, 0}, 20, 2, ERROR_INTERNAL, "segment 1"},
                 {{10, 10, 0, 0}, 20, 3, ERROR_INTERNAL, "heads"},
                 {{10, 10, 0, 10}, 20, 2, ERROR_UNSUPPORTED, "prefix"}};
    op_describe(c, "%d", index);
    struct array *x = array_random(c, 21 * 3 * 16, 1.0), *y = array_random(c, 21 * 3 * 16, 1.0);
    struct array *lse = array_random(c, 21 * 3, 1.0);
    struct segment segments[2] = {{0, 10, 0, 0}, cases[index].second};
    struct attention_shape shape = {cases[index].rows, cases[index].heads, 2, 16, 0, 0.25f, 2, segments};
    struct view v = x->view;
    if (cases[index].code == ERROR_INTERNAL) {
        c->backend->attention(c->backend, &shape, v, v, v, y->view, lse->view);
        expect_failure(c, cases[index].code, cases[index].words);
    }
    struct array *dq = array_random(c, y->count, 1.0), *dk = array_random(c, y->count, 1.0);
    struct array *dv = array_random(c, y->count, 1.0);
    c->backend->attention_backward(c->backend, &shape, v, v, v, v, v, v, dq->view, dk->view, dv->view);
    expect_failure(c, cases[index].code, cases[index].words);
    expect_unchanged(c, "out", y);
    expect_unchanged(c, "dq", dq);
}

int main(int argc, char **argv) {
    static const struct op_suite suites[] = {{"attention", LAYOUTS * LAYOUT_CASES, run_forward},
                                             {"many heads", LAYOUTS, run_many_heads},
                                             {"prefix", PREFIXED * LAYOUT_CASES, run_prefix},
                                             {"attention_backward", LAYOUTS * LAYOUT_CASES, run_backward},
                                             {"unaligned", LAYOUT_CASES, run_unaligned},
                                             {"differences", 5 * LAYOUT_CASES, run_differences},
                                             {"extreme", HEADS, run_extreme},
                                             {"nan", LAYOUT_CASES, run_nan},
                                             {"failures", 7, run_failures},
                                             {"random", 120, run_random},
                                             {NULL, 0, NULL}};
    return op_test_main(argc, argv, suites);
}

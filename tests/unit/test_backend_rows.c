/* Rows chosen by indices, and rotations, on the backend of BACKEND-ARGUMENT. */
#include "tests/support/op_draw.h"
#include "tests/support/op_test.h"
#include "tests/support/reference_ops.h"

#include <math.h>

static const double ROUNDED = 1.2e-7;  /* relative: one rounding, and a little */
static const double SUM_ERROR = 1e-6;  /* sums of a few numbers of size 1 */
static const double DOT_ERROR = 1e-12; /* sums in double */
static const double DIFFERENCE_STEP = 0.1, DIFFERENCE_ERROR = 1e-4;

struct shape {
    int rows, hidden, table;
};
static const struct shape shapes[] = {{0, 8, 4},    {1, 1, 1},       {1, 16, 3},     {7, 5, 4},
                                      {33, 64, 10}, {100, 17, 1000}, {1500, 48, 50}, {64, 576, 200}};
enum { SHAPES = sizeof shapes / sizeof *shapes, MOST_NUMBERS = 1 << 17 };

static size_t area(int a, int b) {
    return (size_t)a * (size_t)b;
}

/* At random: many rows of a few numbers, many numbers of a few rows, or between. */
static struct shape shape_drawn(struct op_case *c) {
    struct shape s;
    do {
        s.rows = op_size(c, 0, 3000);
        s.hidden = op_size(c, 1, 5000);
        s.table = op_size(c, 1, 3000);
    } while (area(s.rows, s.hidden) > MOST_NUMBERS || area(s.table, s.hidden) > MOST_NUMBERS);
    op_draw_shifts(c);
    return s;
}

static void check_embed(struct op_case *c, struct shape s, struct array *id) {
    int rows = s.rows, hidden = s.hidden, ids = s.table;
    op_describe(c, "%d rows of %d, %d ids", rows, hidden, ids);
    struct array *table = array_random(c, area(ids, hidden), 1.0);
    struct array *out = array_output(c, DTYPE_F32, area(rows, hidden));
    double *want = op_numbers(c, out->count);
    reference_embed(rows, hidden, (double)25.3f, id->value, table->value, want);
    c->backend->embed(c->backend, rows, hidden, 25.3f, id->view, table->view, out->view);
    expect_close(c, "embed", out, want, 0.0, ROUNDED);
    reference_embed(rows, hidden, 1.0, id->value, table->value, want);
    c->backend->gather_rows(c->backend, rows, hidden, id->view, table->view, out->view);
    expect_close(c, "gather_rows", out, want, 0.0, 0.0);
    expect_unchanged(c, "table", table);
    expect_unchanged(c, "ids", id);
}

/* How often the most frequent id stands there. */
static double most_equal(struct op_case *c, int ids, const struct array *id) {
    double *times = op_numbers(c, (size_t)ids), most = 0;
    for (size_t t = 0; t < id->count; t++) most = fmax(most, ++times[(int)id->value[t]]);
    return most;
}

static void check_embed_backward(struct op_case *c, struct shape s, struct array *id) {
    int rows = s.rows, hidden = s.hidden, ids = s.table;
    op_describe(c, "%d rows of %d, %d ids", rows, hidden, ids);
    struct array *dout = array_random(c, area(rows, hidden), 1.0);
    struct array *gradient = array_random(c, area(ids, hidden), 1.0);
    double *want = op_copy(c, gradient->value, gradient->count);
    reference_embed_backward(rows, hidden, (double)0.7f, id->value, dout->value, want);
    c->backend->embed_backward(c->backend, rows, hidden, 0.7f, id->view, dout->view, gradient->view);
    expect_close(c, "gradient", gradient, want, SUM_ERROR * most_equal(c, ids, id), ROUNDED);
    expect_unchanged(c, "dout", dout);
}

/* To a table with more rows than that. */
static void check_scatter(struct op_case *c, struct shape s, struct array *id) {
    int rows = s.rows, hidden = s.hidden, all = s.table;
    op_describe(c, "%d rows of %d to %d", rows, hidden, all);
    struct array *from = array_random(c, area(rows, hidden), 1.0),
                 *to = array_random(c, area(all, hidden), 1.0);
    double *want = op_copy(c, to->value, to->count);
    reference_embed_backward(rows, hidden, 1.0, id->value, from->value, want);
    c->backend->scatter_add_rows(c->backend, rows, hidden, id->view, from->view, to->view);
    expect_close(c, "to", to, want, SUM_ERROR, ROUNDED);
    expect_unchanged(c, "from", from);
}

static void check_scatter_over(struct op_case *c, struct shape s, struct array *id) {
    int rows = s.rows, hidden = s.hidden, all = s.table;
    op_describe(c, "%d rows of %d to %d", rows, hidden, all);
    struct array *from = array_random(c, area(rows, hidden), 1.0),
                 *to = array_random(c, area(all, hidden), 1.0);
    double *want = op_copy(c, to->value, to->count);
    reference_scatter_rows(rows, hidden, id->value, from->value, want);
    c->backend->scatter_rows(c->backend, rows, hidden, id->view, from->view, to->view);
    expect_good(c);
    expect_close(c, "to", to, want, 0.0, 0.0);
    expect_unchanged(c, "from", from);
    expect_unchanged(c, "index", id);
}

static void check_row_dot(struct op_case *c, struct shape s, struct array *slot) {
    int rows = s.rows, columns = s.hidden, slots = s.table;
    op_describe(c, "%d rows of %d, %d slots", rows, columns, slots);
    struct array *x = array_random(c, area(rows, columns), 1.0),
                 *y = array_random(c, area(rows, columns), 1.0);
    struct array *alignment = array_filled(c, DTYPE_F64, (size_t)slots, 2.0);
    double *want = op_copy(c, alignment->value, (size_t)slots);
    reference_row_dot(rows, columns, x->value, y->value, slot->value, want);
    size_t left = op_memory_left(c);
    c->backend->row_dot(c->backend, rows, columns, x->view, y->view, slot->view, alignment->view);
    expect_reserved(c, left, rows, 1, 1, 0);
    expect_close(c, "alignment", alignment, want, DOT_ERROR * (double)area(rows, columns), DOT_ERROR);
}

/* Operations that take any indices, and those that take distinct ones. */
static void (*const any_checks[])(struct op_case *c, struct shape s,
                                  struct array *index) = {check_embed, check_embed_backward, check_row_dot};
static void (*const distinct_checks[])(struct op_case *c, struct shape s,
                                       struct array *index) = {check_scatter, check_scatter_over};

static void run_any(struct op_case *c, int index) {
    struct shape s = shapes[index % SHAPES];
    any_checks[index / SHAPES](c, s, array_indices(c, (size_t)s.rows, (size_t)s.table));
}

static void run_random_any(struct op_case *c, int index) {
    struct shape s = shape_drawn(c);
    any_checks[index % 3](c, s, array_drawn_indices(c, (size_t)s.rows, (size_t)s.table));
}

static void run_distinct(struct op_case *c, int index) {
    struct shape s = shapes[index % SHAPES];
    s.table = 2 * s.rows + 3;
    double *distinct = op_numbers(c, (size_t)s.rows);
    for (int r = 0; r < s.rows; r++) distinct[r] = (r * 2 + 5) % s.table; /* odd: no two are the same */
    distinct_checks[index / SHAPES](c, s, array_given(c, DTYPE_I32, (size_t)s.rows, distinct));
}

static void run_random_distinct(struct op_case *c, int index) {
    struct shape s = shape_drawn(c);
    s.rows = s.rows < s.table ? s.rows : s.table;
    distinct_checks[index % 2](c, s, array_drawn_distinct(c, (size_t)s.rows, (size_t)s.table));
}

struct turn {
    int rows, heads, head_dim;
};
static const struct turn rotations[] = {{0, 2, 16}, {1, 1, 2},     {5, 3, 16},   {40, 2, 64},
                                        {7, 9, 32}, {130, 4, 128}, {33, 1, 256}, {9, 2, 6}};
enum { ROTATIONS = sizeof rotations / sizeof *rotations, POSITIONS = 50 };

/* Cosines and sines [POSITIONS, C] as a model would make them. */
static struct array *angles(struct op_case *c, int head_dim) {
    double *values = op_numbers(c, area(POSITIONS, head_dim));
    for (int p = 0; p < POSITIONS; p++)
        for (int i = 0; i < head_dim / 2; i++) {
            double angle = p * pow(1e4, -2.0 * i / head_dim);
            values[p * head_dim + i] = cos(angle);
            values[p * head_dim + i + head_dim / 2] = sin(angle);
        }
    return array_given(c, DTYPE_F32, area(POSITIONS, head_dim), values);
}

static void check_rope(struct op_case *c, struct turn s, bool inverse) {
    int rows = s.rows, heads = s.heads, width = s.head_dim;
    op_describe(c, "%d rows, %d heads of %d, inverse %d", rows, heads, width, inverse);
    struct array *position = array_indices(c, (size_t)rows, POSITIONS), *table = angles(c, width);
    struct array *x = array_random(c, area(rows, heads * width), 1.0);
    double *want = op_copy(c, x->value, x->count), *before = op_copy(c, x->value, x->count);
    reference_rope(rows, heads, width, inverse, position->value, table->value, want);
    c->backend->rope(c->backend, rows, heads, width, inverse, position->view, table->view, x->view);
    expect_close(c, "x", x, want, SUM_ERROR, 0.0);
    c->backend->rope(c->backend, rows, heads, width, !inverse, position->view, table->view, x->view);
    expect_close(c, "rotated back", x, before, 2 * SUM_ERROR, 0.0);
    expect_unchanged(c, "table", table);
}

static void run_rope(struct op_case *c, int index) {
    check_rope(c, rotations[index / 2], index % 2);
}

static void run_random_rope(struct op_case *c, int index) {
    struct turn s;
    do {
        s = (struct turn){op_size(c, 0, 3000), op_size(c, 1, 64), 2 * op_size(c, 1, 128)};
    } while (area(s.rows, s.heads * s.head_dim) > MOST_NUMBERS);
    op_draw_shifts(c);
    check_rope(c, s, index % 2);
}

struct rotation {
    int index;
    struct array *x, *work, *position, *table;
    const double *weights;
};

static double rotated(struct op_case *c, void *context) {
    struct rotation *r = context;
    c->backend->copy(c->backend, r->x->count, r->x->view, r->work->view);
    c->backend->rope(c->backend, rotations[r->index].rows, rotations[r->index].heads,
                     rotations[r->index].head_dim, false, r->position->view, r->table->view, r->work->view);
    return array_weighted(c, r->work, r->weights);
}

static void run_rope_differences(struct op_case *c, int index) {
    int rows = rotations[index].rows, heads = rotations[index].heads, width = rotations[index].head_dim;
    op_describe(c, "%d rows, %d heads of %d", rows, heads, width);
    size_t count = area(rows, heads * width);
    struct rotation r = {index,
                         array_random(c, count, 1.0),
                         array_output(c, DTYPE_F32, count),
                         array_indices(c, (size_t)rows, POSITIONS),
                         angles(c, width),
                         NULL};
    struct array *gradient = array_random(c, count, 1.0);
    r.weights = op_copy(c, gradient->value, count);
    c->backend->rope(c->backend, rows, heads, width, true, r.position->view, r.table->view, gradient->view);
    expect_gradient(c, "x", rotated, &r, r.x, array_read(c, gradient), DIFFERENCE_STEP, DIFFERENCE_ERROR);
}

struct lookup {
    int index;
    struct array *ids, *table, *out;
    const double *weights;
};

static double looked_up(struct op_case *c, void *context) {
    struct lookup *l = context;
    c->backend->embed(c->backend, shapes[l->index].rows, shapes[l->index].hidden, 3.0f, l->ids->view,
                      l->table->view, l->out->view);
    return array_weighted(c, l->out, l->weights);
}

static void run_embed_differences(struct op_case *c, int index) {
    int rows = shapes[index].rows, hidden = shapes[index].hidden, ids = shapes[index].table;
    op_describe(c, "%d rows of %d, %d ids", rows, hidden, ids);
    struct lookup l = {index, array_indices(c, (size_t)rows, (size_t)ids),
                       array_random(c, area(ids, hidden), 1.0),
                       array_output(c, DTYPE_F32, area(rows, hidden)), NULL};
    struct array *dout = array_random(c, area(rows, hidden), 1.0);
    struct array *gradient = array_filled(c, DTYPE_F32, area(ids, hidden), 0.0);
    l.weights = dout->value;
    c->backend->embed_backward(c->backend, rows, hidden, 3.0f, l.ids->view, dout->view, gradient->view);
    expect_gradient(c, "table", looked_up, &l, l.table, array_read(c, gradient), DIFFERENCE_STEP,
                    DIFFERENCE_ERROR);
}

static void run_failures(struct op_case *c, int index) {
    struct backend *b = c->backend;
    struct array *x = array_random(c, 64, 1.0), *bad = array_filled(c, DTYPE_I32, 2, index == 5 ? 0 : 500);
    struct array *other = array_random(c, 64, 1.0), *sums = array_filled(c, DTYPE_F64, 4, 1.0);
    static const char *const names[] = {
        "gather_rows", "scatter_add_rows", "embed_backward", "row_dot", "rope", "rope", "scatter_rows"};
    op_describe(c, "%s", names[index]);
    if (index == 0) b->gather_rows(b, 2, 8, bad->view, other->view, x->view);
    if (index == 1) b->scatter_add_rows(b, 2, 8, bad->view, other->view, x->view);
    if (index == 2) b->embed_backward(b, 2, 8, 1.0f, bad->view, other->view, x->view);
    if (index == 3) b->row_dot(b, 2, 8, other->view, other->view, bad->view, sums->view);
    if (index == 4) b->rope(b, 2, 2, 8, false, bad->view, other->view, x->view);
    if (index == 5) b->rope(b, 2, 2, 7, false, bad->view, other->view, x->view);
    if (index == 6) b->scatter_rows(b, 2, 8, bad->view, other->view, x->view);
    expect_failure(c, index == 5 ? ERROR_UNSUPPORTED : ERROR_INTERNAL, index == 5 ? "odd" : names[index]);
    expect_unchanged(c, "x", x);
    expect_unchanged(c, "sums", sums);
}

int main(int argc, char **argv) {
    static const struct op_suite suites[] = {{"any_indices", 3 * SHAPES, run_any},
                                             {"random_any_indices", 45, run_random_any},
                                             {"embed_differences", SHAPES - 2, run_embed_differences},
                                             {"distinct_indices", 2 * SHAPES, run_distinct},
                                             {"random_distinct_indices", 30, run_random_distinct},
                                             {"rope", 2 * ROTATIONS, run_rope},
                                             {"random_rope", 20, run_random_rope},
                                             {"rope_differences", ROTATIONS, run_rope_differences},
                                             {"failures", 7, run_failures},
                                             {NULL, 0, NULL}};
    return op_test_main(argc, argv, suites);
}

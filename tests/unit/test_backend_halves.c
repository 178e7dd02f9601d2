/* Operations on bfloat16 but for products (test_backend_halves_products.c) and attention
 * (test_backend_attention.c, _cached.c), each beside itself on float32 with the same numbers: they compute in
 * float32 either way and differ by the rounding of what they write. HALVES-ARGUMENT */
#include "tests/support/op_draw.h"
#include "tests/support/op_pair.h"

#include <math.h>

enum { MOST_NUMBERS = 1 << 16 }; /* of an array whose shape is drawn */

static void check_vectors(struct op_case *c, size_t n) {
    struct backend *b = c->backend;
    op_describe(c, "n %zu", n);
    struct pair x = pair_random(c, n, 1), y = pair_random(c, n, 1);
    b->add(b, n, 1.5f, x.single->view, y.single->view);
    b->add(b, n, 1.5f, x.half->view, y.half->view);
    expect_pair(c, "add", y, HALF_ROUNDING);
    b->scale(b, n, -0.3f, x.single->view);
    b->scale(b, n, -0.3f, x.half->view);
    expect_pair(c, "scale", x, HALF_ROUNDING);
}

static void run_vectors(struct op_case *c, int index) {
    check_vectors(c, index ? 1000 : 1);
}

static void run_random_vectors(struct op_case *c, int index) {
    (void)index;
    size_t n = (size_t)op_size(c, 0, 1 << 17);
    op_draw_shifts(c);
    check_vectors(c, n);
}

/* `any` has indices below `used`, `own` distinct ones below `all`, not less than that; `slot` some below
 * `slots`. */
static void check_rows(struct op_case *c, int rows, int width, int used, struct array *any, int all,
                       struct array *own, int slots, struct array *slot) {
    size_t count = (size_t)(rows * width);
    struct backend *b = c->backend;
    op_describe(c, "%d rows of %d, %d of %d, %d slots", rows, width, used, all, slots);
    struct pair table = pair_random(c, (size_t)(all * width), 1), out = pair_output(c, count),
                x = pair_random(c, count, 1);
    b->embed(b, rows, width, 2.5f, any->view, table.single->view, out.single->view);
    b->embed(b, rows, width, 2.5f, any->view, table.single->view, out.half->view);
    expect_pair(c, "embed", out, HALF_ROUNDING);
    b->gather_rows(b, rows, width, any->view, table.single->view, out.single->view);
    b->gather_rows(b, rows, width, any->view, table.half->view, out.half->view);
    expect_pair(c, "gather_rows", out, 0);
    b->scatter_add_rows(b, rows, width, own->view, x.single->view, table.single->view);
    b->scatter_add_rows(b, rows, width, own->view, x.half->view, table.half->view);
    expect_pair(c, "scatter_add_rows", table, HALF_ROUNDING);
    b->scatter_rows(b, rows, width, own->view, x.single->view, table.single->view);
    b->scatter_rows(b, rows, width, own->view, x.half->view, table.half->view);
    expect_pair(c, "scatter_rows", table, HALF_ROUNDING); /* rows of before are rounded */
    struct array *one = array_filled(c, DTYPE_F32, (size_t)(used * width), 1),
                 *two = array_filled(c, DTYPE_F32, (size_t)(used * width), 1);
    b->embed_backward(b, rows, width, 0.5f, any->view, x.single->view, one->view);
    b->embed_backward(b, rows, width, 0.5f, any->view, x.half->view, two->view);
    expect_single(c, "embed_backward", two, one, 0);
    struct array *sums = array_filled(c, DTYPE_F64, (size_t)slots, 1),
                 *others = array_filled(c, DTYPE_F64, (size_t)slots, 1);
    struct pair y = pair_random(c, count, 1);
    b->row_dot(b, rows, width, x.single->view, y.single->view, slot->view, sums->view);
    b->row_dot(b, rows, width, x.half->view, y.half->view, slot->view, others->view);
    expect_close(c, "row_dot", others, array_read(c, sums), 1e-12 * (double)count, 1e-12);
}

static void run_rows(struct op_case *c, int index) {
    enum { ROWS = 37, SLOTS = 4, TABLE = 50, USED = 9 };
    double *distinct = op_numbers(c, ROWS);
    for (int i = 0; i < ROWS; i++) distinct[i] = (i * 7 + 3) % TABLE;
    struct array *any = array_indices(c, ROWS, USED), *own = array_given(c, DTYPE_I32, ROWS, distinct);
    check_rows(c, ROWS, index ? 65 : 8, USED, any, TABLE, own, SLOTS, array_indices(c, ROWS, SLOTS));
}

static void run_random_rows(struct op_case *c, int index) {
    (void)index;
    int rows, width, used, all, slots = op_size(c, 1, 2000);
    do {
        rows = op_size(c, 0, 2000);
        width = op_size(c, 1, 3000);
        all = op_size(c, rows > 1 ? rows : 1, 3000);
        used = op_size(c, 1, all);
    } while (all * width > MOST_NUMBERS);
    op_draw_shifts(c);
    struct array *any = array_drawn_indices(c, (size_t)rows, (size_t)used);
    struct array *own = array_drawn_distinct(c, (size_t)rows, (size_t)all);
    check_rows(c, rows, width, used, any, all, own, slots,
               array_drawn_indices(c, (size_t)rows, (size_t)slots));
}

static void check_norm(struct op_case *c, int rows, int width) {
    size_t count = (size_t)(rows * width);
    struct backend *b = c->backend;
    op_describe(c, "%d rows of %d", rows, width);
    struct pair x = pair_random(c, count, 1), y = pair_output(c, count), dy = pair_random(c, count, 1),
                dx = pair_random(c, count, 1);
    struct array *w = array_random(c, (size_t)width, 1), *rstd = array_output(c, DTYPE_F32, (size_t)rows);
    struct array *one = array_filled(c, DTYPE_F32, (size_t)width, 1),
                 *two = array_filled(c, DTYPE_F32, (size_t)width, 1);
    b->rmsnorm(b, rows, width, 1e-5f, 1, x.single->view, w->view, y.single->view, rstd->view);
    b->rmsnorm(b, rows, width, 1e-5f, 1, x.half->view, w->view, y.half->view, rstd->view);
    expect_pair(c, "rmsnorm", y, HALF_ROUNDING);
    b->rmsnorm_backward(b, rows, width, 1, x.single->view, w->view, rstd->view, dy.single->view, true,
                        dx.single->view, one->view);
    b->rmsnorm_backward(b, rows, width, 1, x.half->view, w->view, rstd->view, dy.half->view, true,
                        dx.half->view, two->view);
    expect_pair(c, "dx", dx, HALF_ROUNDING);
    expect_single(c, "dw", two, one, 0);
}

static void run_norm(struct op_case *c, int index) {
    static const int widths[] = {5, 64, 600};
    check_norm(c, 21, widths[index]);
}

static void run_random_norm(struct op_case *c, int index) {
    int rows, width;
    (void)index;
    do {
        rows = op_size(c, 0, 2000);
        width = op_size(c, 5, 5000);
    } while (rows * width > MOST_NUMBERS);
    op_draw_shifts(c);
    check_norm(c, rows, width);
}

static void check_gated(struct op_case *c, size_t n, enum activation activation) {
    struct backend *b = c->backend;
    op_describe(c, "n %zu, activation %d", n, (int)activation);
    struct pair gate = pair_random(c, n, 2), up = pair_random(c, n, 1), out = pair_output(c, n),
                d = pair_random(c, n, 1);
    b->gated(b, n, activation, gate.single->view, up.single->view, out.single->view);
    b->gated(b, n, activation, gate.half->view, up.half->view, out.half->view);
    expect_pair(c, "out", out, HALF_ROUNDING);
    b->gated_backward(b, n, activation, gate.single->view, up.single->view, d.single->view, gate.single->view,
                      up.single->view);
    b->gated_backward(b, n, activation, gate.half->view, up.half->view, d.half->view, gate.half->view,
                      up.half->view);
    expect_pair(c, "dgate", gate, HALF_ROUNDING);
    expect_pair(c, "dup", up, HALF_ROUNDING);
}

static void run_gated(struct op_case *c, int index) {
    check_gated(c, 500, index ? ACTIVATION_GELU_TANH : ACTIVATION_SILU);
}

static void run_random_gated(struct op_case *c, int index) {
    size_t n = (size_t)op_size(c, 0, 1 << 16);
    op_draw_shifts(c);
    check_gated(c, n, index % 2 ? ACTIVATION_GELU_TANH : ACTIVATION_SILU);
}

static void check_rope(struct op_case *c, int rows, int heads, int width) {
    enum { POSITIONS = 30 };
    struct backend *b = c->backend;
    op_describe(c, "%d rows, %d heads of %d", rows, heads, width);
    struct pair x = pair_random(c, (size_t)(rows * heads * width), 1);
    struct array *position = array_indices(c, (size_t)rows, POSITIONS),
                 *table = array_random(c, (size_t)(POSITIONS * width), 0.5);
    b->rope(b, rows, heads, width, false, position->view, table->view, x.single->view);
    b->rope(b, rows, heads, width, false, position->view, table->view, x.half->view);
    expect_pair(c, "rope", x, HALF_ROUNDING);
}

static void run_rope(struct op_case *c, int index) {
    check_rope(c, 46, 4, index ? 64 : 16);
}

static void run_random_rope(struct op_case *c, int index) {
    int rows, heads, width;
    (void)index;
    do {
        rows = op_size(c, 0, 2000);
        heads = op_size(c, 1, 64);
        width = 2 * op_size(c, 1, 128);
    } while (rows * heads * width > MOST_NUMBERS);
    op_draw_shifts(c);
    check_rope(c, rows, heads, width);
}
int main(int argc, char **argv) {
    static const struct op_suite suites[] = {{"vectors", 2, run_vectors},
                                             {"random_vectors", 20, run_random_vectors},
                                             {"rows", 2, run_rows},
                                             {"random_rows", 20, run_random_rows},
                                             {"norm", 3, run_norm},
                                             {"random_norm", 20, run_random_norm},
                                             {"gated", 2, run_gated},
                                             {"random_gated", 20, run_random_gated},
                                             {"rope", 2, run_rope},
                                             {"random_rope", 20, run_random_rope},
                                             {NULL, 0, NULL}};
    return op_test_main(argc, argv, suites);
}

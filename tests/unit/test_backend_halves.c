/* Operations on bfloat16 but for attention (test_backend_attention.c, _cached.c), each beside itself on
 * float32 with the same numbers: they compute in float32 either way and differ by the rounding of what they
 * write. HALVES-ARGUMENT */
#include "tests/support/op_draw.h"
#include "tests/support/op_test.h"

#include <math.h>

/* A result is rounded once, by half of 2^-8 of itself; sums in another order may tip that to the other side.
 */
static const double HALF_ROUNDING = 1.0 / 256, SMALL_ERROR = 2e-5;
/* Sums of products of which one factor was rounded before, as gradients by logits are: relative to the
 * largest sum. */
static const double ROUNDED_SUM = 1.0 / 512;

enum { MOST_NUMBERS = 1 << 16 }; /* of an array whose shape is drawn */

/* The same numbers in float32 and in bfloat16. */
struct pair {
    struct array *single, *half;
};

static struct pair pair_given(struct op_case *c, size_t count, const double *values) {
    struct array *half = activations_given(c, count, values); /* rounded */
    return (struct pair){array_given(c, DTYPE_F32, count, half->value), half};
}

static struct pair pair_random(struct op_case *c, size_t count, double spread) {
    struct array *any = array_random(c, count, spread);
    return pair_given(c, count, any->value);
}

static struct pair pair_output(struct op_case *c, size_t count) {
    return (struct pair){array_output(c, DTYPE_F32, count), activations_output(c, count)};
}

/* `absolute` is relative to 1 and the largest number. */
static void expect_pair_within(struct op_case *c, const char *what, struct pair pair, double relative,
                               double absolute) {
    array_read(c, pair.single);
    array_read(c, pair.half);
    double largest = 0;
    for (size_t i = 0; i < pair.single->count; i++) largest = fmax(largest, fabs(pair.single->value[i]));
    for (size_t i = 0; i < pair.single->count; i++) {
        double want = pair.single->value[i], got = pair.half->value[i];
        bool good = fabs(got - want) <= relative * fabs(want) + (SMALL_ERROR + absolute) * (1 + largest);
        expect_true(c, good, "%s: [%zu] is %.9g, expected %.9g", what, i, got, want);
        if (!good) return;
    }
}

static void expect_pair(struct op_case *c, const char *what, struct pair pair, double relative) {
    expect_pair_within(c, what, pair, relative, 0);
}

static void expect_same(struct op_case *c, const char *what, struct array *half, struct array *single,
                        double relative) {
    array_read(c, single);
    double largest = 0;
    for (size_t i = 0; i < single->count; i++) largest = fmax(largest, fabs(single->value[i]));
    expect_close(c, what, half, op_copy(c, single->value, single->count),
                 (SMALL_ERROR + relative) * (1 + largest), relative);
}

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
    expect_same(c, "embed_backward", two, one, 0);
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
    expect_same(c, "dw", two, one, 0);
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

/* Products with weights that are float32: their copy must follow what is written to them, by whatever
 * operation. */
static void check_matmul(struct op_case *c, bool ta, bool tb, int m, int n, int k) {
    struct backend *b = c->backend;
    op_describe(c, "m %d, n %d, k %d, transposes %d %d", m, n, k, ta, tb);
    struct pair x = pair_random(c, (size_t)(m * k), 1), w = pair_random(c, (size_t)(n * k), 1),
                y = pair_random(c, (size_t)(m * n), 1);
    struct array *sum = array_output(c, DTYPE_F32, (size_t)(m * n));
    for (int round = 0; round < 3; round++) {
        float beta = round ? 0 : 1; /* what is added to is rounded already the second time */
        b->matmul(b, ta, tb, m, n, k, 1, x.single->view, ta ? m : k, w.single->view, tb ? k : n, beta,
                  y.single->view, n);
        b->matmul(b, ta, tb, m, n, k, 1, x.half->view, ta ? m : k, w.single->view, tb ? k : n, beta,
                  y.half->view, n);
        expect_pair(c, "y", y, HALF_ROUNDING);
        b->matmul(b, ta, tb, m, n, k, 1, x.half->view, ta ? m : k, w.half->view, tb ? k : n, 0, sum->view, n);
        if (round) expect_same(c, "sum", sum, y.single, 0);
        b->scale(b, (size_t)(n * k), -0.5f, w.single->view); /* exactly */
        b->scale(b, (size_t)(n * k), -0.5f, w.half->view);
    }
}

static void run_matmul(struct op_case *c, int index) {
    check_matmul(c, index & 1, index & 2, 9, 20, 33);
}

static void run_random_matmul(struct op_case *c, int index) {
    int m, n, k;
    do {
        m = op_size(c, 0, 300);
        n = op_size(c, 0, 600);
        k = op_size(c, 0, 1100);
    } while (m * n > MOST_NUMBERS || (size_t)m * (size_t)n * (size_t)k > 1 << 18);
    op_draw_shifts(c);
    check_matmul(c, index & 1, index & 2, m, n, k);
}

/* Long sums, of which a library may add up parts beside each other, are rounded when they are whole. */
static void run_long_sums(struct op_case *c, int index) {
    enum { M = 150, N = 24, K = 1536 };
    struct backend *b = c->backend;
    bool ta = index & 1, tb = index & 2;
    op_describe(c, "transposes %d %d", ta, tb);
    struct pair x = pair_random(c, M * K, 1), w = pair_random(c, N * K, 1), y = pair_output(c, M * N);
    b->matmul(b, ta, tb, M, N, K, 1, x.single->view, ta ? M : K, w.single->view, tb ? K : N, 0,
              y.single->view, N);
    b->matmul(b, ta, tb, M, N, K, 1, x.half->view, ta ? M : K, w.single->view, tb ? K : N, 0, y.half->view,
              N);
    expect_pair(c, "y", y, HALF_ROUNDING);
}

/* Float32 weights as activations in bfloat16 meet them: some distance above (`share` of that to the next
 * number) what bfloat16 can hold, so many of them are the next number, and all others that one. */
static void run_weights(struct op_case *c, int index) {
    enum { ROWS = 64, WIDTH = 512, COUNT = ROWS * WIDTH };
    static const double shares[] = {0, 0.02, 0.25, 0.5, 0.9};
    static double value[COUNT];
    double share = shares[index / 2], sign = index % 2 ? -1 : 1, ids[ROWS], moved = 0;
    struct backend *b = c->backend;
    op_describe(c, "%.2f of the distance, sign %.0f", share, sign);
    struct array *random = array_random(c, COUNT, 1);
    const double step = ldexp(1, -9), part = floor(share * 65536) / 65536; /* of numbers from 1/4 to 1/2 */
    for (int i = 0; i < COUNT; i++)
        value[i] = sign * (0.25 + step * (floor(fmin(fabs(random->value[i]), 1.9) * 64) + part));
    for (int i = 0; i < ROWS; i++) ids[i] = i;
    struct array *table = array_given(c, DTYPE_F32, COUNT, value), *out = activations_output(c, COUNT);
    struct array *row = array_given(c, DTYPE_I32, ROWS, ids), *again = activations_output(c, COUNT);
    b->embed(b, ROWS, WIDTH, 1, row->view, table->view, out->view);
    array_read(c, out);
    for (int i = 0; i < COUNT; i++) {
        double steps = sign * (out->value[i] - value[i]) / step;
        bool up = steps > 0;
        expect_true(c, steps == (up ? 1 - part : -part), "%.9g becomes %.9g", value[i], out->value[i]);
        moved += up;
    }
    double spread = sqrt(share * (1 - share) / COUNT);
    expect_true(c, fabs(moved / COUNT - part) <= 4 * spread + 1e-9, "%.4f of them are moved", moved / COUNT);
    b->scale(b, COUNT, 1, table->view); /* written again: the same numbers */
    b->embed(b, ROWS, WIDTH, 1, row->view, table->view, again->view);
    expect_close(c, "again", again, out->value, 0, 0);
    /* And products see these, too. */
    double one[ROWS * ROWS] = {0};
    for (int i = 0; i < ROWS; i++) one[i * ROWS + i] = 1;
    struct array *unit = activations_given(c, ROWS * ROWS, one), *product = array_output(c, DTYPE_F32, COUNT);
    b->matmul(b, false, false, ROWS, WIDTH, ROWS, 1, unit->view, ROWS, table->view, WIDTH, 0, product->view,
              WIDTH);
    expect_close(c, "product", product, out->value, 0, 0);
}

/* What is not finite stays so, and the largest numbers may become infinite. */
static void run_extreme_weights(struct op_case *c, int index) {
    (void)index;
    static const double value[] = {INFINITY, -INFINITY, NAN, -NAN, 0, -0.0, 0x1p-140, 0x1.fep127};
    enum { COUNT = sizeof value / sizeof *value };
    static const double zero[1] = {0};
    struct backend *b = c->backend;
    struct array *table = array_given(c, DTYPE_F32, COUNT, value), *out = activations_output(c, COUNT);
    struct array *row = array_given(c, DTYPE_I32, 1, zero);
    b->embed(b, 1, COUNT, 1, row->view, table->view, out->view);
    array_read(c, out);
    expect_true(c, out->value[0] == INFINITY && out->value[1] == -INFINITY, "infinite ones");
    expect_true(c, isnan(out->value[2]) && isnan(out->value[3]), "not numbers");
    expect_true(c, out->value[4] == 0 && out->value[5] == 0 && signbit(out->value[5]), "zeros");
    expect_true(c, out->value[6] >= 0 && out->value[6] <= 0x1p-133, "a small one is %g", out->value[6]);
    expect_true(c, out->value[7] == value[7], "a large one is %g", out->value[7]);
}

/* An output layer, as doubles. */
struct output_layer {
    int rows, hidden, vocabulary;
    const double *states, *weight, *direction, *target, *row_weight, *slot;
};

/* The terms of each sum over gradients by logits, by magnitude; added to. */
static void add_terms(const struct output_layer *l, double *hidden_gradient, double *weight_gradient,
                      double *alignment, double *logits) {
    for (int n = 0; n < l->rows; n++) {
        const double *h = l->states + n * l->hidden;
        double sum = 0, largest = -INFINITY;
        for (int v = 0; v < l->vocabulary; v++) {
            logits[v] = 0;
            for (int d = 0; d < l->hidden; d++) logits[v] += h[d] * l->weight[v * l->hidden + d];
            largest = fmax(largest, logits[v]);
        }
        for (int v = 0; v < l->vocabulary; v++) sum += exp(logits[v] - largest);
        for (int v = 0; v < l->vocabulary; v++) {
            double p = exp(logits[v] - largest) / sum, aligned = 0;
            double slope = fabs(l->row_weight[n] * (v == (int)l->target[n] ? p - 1 : p));
            for (int d = 0; d < l->hidden; d++) {
                hidden_gradient[n * l->hidden + d] += slope * fabs(l->weight[v * l->hidden + d]);
                weight_gradient[v * l->hidden + d] += slope * fabs(h[d]);
                aligned += h[d] * l->direction[v * l->hidden + d];
            }
            alignment[(int)l->slot[n]] += slope * fabs(aligned);
        }
    }
}

/* A sum of which every term was rounded to bfloat16, as its result may be, beside one of which none was. */
static void expect_rounded_terms(struct op_case *c, const char *what, struct array *half,
                                 struct array *single, const double *terms) {
    double *allowed = op_numbers(c, single->count);
    array_read(c, single);
    for (size_t i = 0; i < single->count; i++)
        allowed[i] = HALF_ROUNDING * (terms[i] + fabs(single->value[i])) + SMALL_ERROR * (1 + terms[i]);
    expect_within(c, what, half, op_copy(c, single->value, single->count), allowed);
}

/* `drawn`: sums may be of large terms that cancel. */
static void check_loss(struct op_case *c, int rows, int hidden, int vocabulary, int slots, struct array *slot,
                       bool drawn) {
    size_t count = (size_t)rows, states = count * (size_t)hidden, table = (size_t)vocabulary * (size_t)hidden;
    struct backend *b = c->backend;
    op_describe(c, "%d rows, hidden %d, vocabulary %d, %d slots", rows, hidden, vocabulary, slots);
    struct pair h = pair_random(c, states, 3 / sqrt(hidden)), dh = pair_output(c, states),
                w = pair_random(c, table, 1);
    struct pair direction = pair_random(c, table, 1);
    struct array *target = array_indices(c, count, (size_t)vocabulary);
    struct array *weight = array_random(c, count, 1), *loss[2], *dw[2], *sums[2], *greedy[2], *best[2];
    for (int i = 0; i < 2; i++) {
        loss[i] = array_output(c, DTYPE_F32, count);
        greedy[i] = array_output(c, DTYPE_I32, count);
        best[i] = array_output(c, DTYPE_I32, count);
        dw[i] = array_filled(c, DTYPE_F32, table, 0);
        sums[i] = array_filled(c, DTYPE_F64, (size_t)slots, 0);
        struct linear_cross_entropy args = {.rows = rows,
                                            .hidden = hidden,
                                            .vocabulary = vocabulary,
                                            .hidden_states = i ? h.half->view : h.single->view,
                                            .weight = w.single->view,
                                            .target = target->view,
                                            .loss = loss[i]->view,
                                            .greedy = greedy[i]->view,
                                            .row_weight = weight->view,
                                            .hidden_gradient = i ? dh.half->view : dh.single->view,
                                            .weight_gradient = dw[i]->view,
                                            .direction = direction.single->view,
                                            .slot = slot->view,
                                            .alignment = sums[i]->view};
        b->linear_cross_entropy(b, &args);
        b->linear_argmax(b, rows, hidden, vocabulary, args.hidden_states, w.single->view, best[i]->view);
    }
    expect_same(c, "loss", loss[1], loss[0], 0);
    expect_same(c, "greedy", greedy[1], greedy[0], 0);
    expect_same(c, "best", best[1], best[0], 0);
    if (!drawn) {
        expect_pair_within(c, "hidden_gradient", dh, HALF_ROUNDING, ROUNDED_SUM);
        expect_same(c, "weight_gradient", dw[1], dw[0], ROUNDED_SUM);
        expect_same(c, "alignment", sums[1], sums[0], ROUNDED_SUM);
        return;
    }
    struct output_layer layer = {
        rows,          hidden,        vocabulary, h.single->value, w.single->value, direction.single->value,
        target->value, weight->value, slot->value};
    double *for_states = op_numbers(c, states), *for_weight = op_numbers(c, table),
           *for_slots = op_numbers(c, (size_t)slots);
    add_terms(&layer, for_states, for_weight, for_slots, op_numbers(c, (size_t)vocabulary));
    expect_rounded_terms(c, "hidden_gradient", dh.half, dh.single, for_states);
    expect_rounded_terms(c, "weight_gradient", dw[1], dw[0], for_weight);
    expect_rounded_terms(c, "alignment", sums[1], sums[0], for_slots);
}

static void run_loss(struct op_case *c, int index) {
    check_loss(c, 12, index ? 40 : 8, index ? 333 : 10, 3, array_indices(c, 12, 3), false);
}

static void run_random_loss(struct op_case *c, int index) {
    int rows, hidden, vocabulary, slots = op_size(c, 1, 2000);
    (void)index;
    do {
        rows = op_size(c, 0, 300);
        hidden = op_size(c, 1, 600);
        vocabulary = op_size(c, 1, 5000);
    } while (hidden * vocabulary > MOST_NUMBERS ||
             (size_t)rows * (size_t)hidden * (size_t)vocabulary > 1 << 18);
    op_draw_shifts(c);
    check_loss(c, rows, hidden, vocabulary, slots, array_drawn_indices(c, (size_t)rows, (size_t)slots), true);
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
                                             {"matmul", 4, run_matmul},
                                             {"random_matmul", 40, run_random_matmul},
                                             {"long_sums", 4, run_long_sums},
                                             {"loss", 2, run_loss},
                                             {"random_loss", 30, run_random_loss},
                                             {"weights", 10, run_weights},
                                             {"extreme_weights", 1, run_extreme_weights},
                                             {NULL, 0, NULL}};
    return op_test_main(argc, argv, suites);
}

/* Products and the output layer on bfloat16, each beside itself on float32 with the same numbers, and weights
 * that bfloat16 cannot hold. HALVES-ARGUMENT */
#include "tests/support/op_draw.h"
#include "tests/support/op_pair.h"

#include <math.h>

/* Sums of products of which one factor was rounded before, as gradients by logits are: relative to the
 * largest sum. */
static const double ROUNDED_SUM = 1.0 / 512;

enum { MOST_NUMBERS = 1 << 16 }; /* of an array whose shape is drawn */

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
        if (round) expect_single(c, "sum", sum, y.single, 0);
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
    expect_single(c, "loss", loss[1], loss[0], 0);
    expect_single(c, "greedy", greedy[1], greedy[0], 0);
    expect_single(c, "best", best[1], best[0], 0);
    if (!drawn) {
        expect_pair_within(c, "hidden_gradient", dh, HALF_ROUNDING, ROUNDED_SUM);
        expect_single(c, "weight_gradient", dw[1], dw[0], ROUNDED_SUM);
        expect_single(c, "alignment", sums[1], sums[0], ROUNDED_SUM);
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
    static const struct op_suite suites[] = {{"matmul", 4, run_matmul},
                                             {"random_matmul", 40, run_random_matmul},
                                             {"long_sums", 4, run_long_sums},
                                             {"loss", 2, run_loss},
                                             {"random_loss", 30, run_random_loss},
                                             {"weights", 10, run_weights},
                                             {"extreme_weights", 1, run_extreme_weights},
                                             {NULL, 0, NULL}};
    return op_test_main(argc, argv, suites);
}

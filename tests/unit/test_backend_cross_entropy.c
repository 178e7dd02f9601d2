/* The output layer with its loss, on the backend of BACKEND-ARGUMENT. */
#include "tests/support/op_draw.h"
#include "tests/support/op_test.h"
#include "tests/support/reference_ops.h"

#include <math.h>
#include <string.h>

static const double LOSS_ERROR = 1e-5; /* absolute: what the operation promises */
static const double GRADIENT_ERROR = 4e-6, ALIGNMENT_ERROR = 3e-6;
static const double DIFFERENCE_STEP = 0.01, DIFFERENCE_ERROR = 5e-4;

struct shape {
    int rows, hidden, vocabulary;
};
static const struct shape shapes[] = {{0, 8, 16},     {1, 1, 2},      {1, 16, 1},     {3, 5, 7},
                                      {17, 64, 100},  {40, 48, 999},  {130, 32, 260}, {81, 16, 341},
                                      {5, 64, 20000}, {300, 4, 60000}};
enum {
    SHAPES = sizeof shapes / sizeof *shapes,
    LARGE = SHAPES - 1, /* more logits than exist at a time */
    SLOTS = 5
};

struct layer {
    struct linear_cross_entropy args;
    struct reference_cross_entropy want;
    struct array *states, *weight, *target, *loss, *greedy, *row_weight, *hidden_gradient, *weight_gradient;
    struct array *direction, *slot, *alignment;
};

enum { GREEDY = 1, HIDDEN = 2, WEIGHT = 4, ALIGNMENT = 8 };

/* Operands; those that `parts` does not name stay absent. `slot` as one likes, below `slots`. */
static struct layer layer_with(struct op_case *c, struct shape s, int parts, double spread, size_t slots,
                               struct array *slot) {
    int rows = s.rows, hidden = s.hidden, vocabulary = s.vocabulary;
    size_t n = (size_t)rows, d = (size_t)hidden, v = (size_t)vocabulary;
    op_describe(c, "%d rows, hidden %d, vocabulary %d, parts %d", rows, hidden, vocabulary, parts);
    struct layer l = {.args = {.rows = rows, .hidden = hidden, .vocabulary = vocabulary},
                      .want = {.rows = rows, .hidden = hidden, .vocabulary = vocabulary}};
    l.states = array_random(c, n * d, spread / sqrt(hidden));
    l.weight = array_random(c, v * d, 1.0);
    l.target = array_indices(c, n, v);
    l.loss = array_output(c, DTYPE_F32, n);
    l.args.hidden_states = l.states->view;
    l.args.weight = l.weight->view;
    l.args.target = l.target->view;
    l.args.loss = l.loss->view;
    l.want.hidden_states = l.states->value;
    l.want.weight = l.weight->value;
    l.want.target = l.target->value;
    l.want.loss = op_numbers(c, n);
    if (parts & GREEDY) {
        l.greedy = array_output(c, DTYPE_I32, n);
        l.args.greedy = l.greedy->view;
        l.want.greedy = op_numbers(c, n);
    }
    if (parts & ~GREEDY) {
        l.row_weight = array_random(c, n, 1.0);
        l.args.row_weight = l.row_weight->view;
        l.want.row_weight = l.row_weight->value;
    }
    if (parts & HIDDEN) {
        l.hidden_gradient = array_output(c, DTYPE_F32, n * d);
        l.args.hidden_gradient = l.hidden_gradient->view;
        l.want.hidden_gradient = op_numbers(c, n * d);
    }
    if (parts & WEIGHT) {
        l.weight_gradient = array_random(c, v * d, 1.0);
        l.args.weight_gradient = l.weight_gradient->view;
        l.want.weight_gradient = op_copy(c, l.weight_gradient->value, v * d);
    }
    if (parts & ALIGNMENT) {
        l.direction = array_random(c, v * d, 1.0);
        l.slot = slot;
        l.alignment = array_filled(c, DTYPE_F64, slots, 1.0);
        l.args.direction = l.direction->view;
        l.args.slot = l.slot->view;
        l.args.alignment = l.alignment->view;
        l.want.direction = l.direction->value;
        l.want.slot = l.slot->value;
        l.want.alignment = op_copy(c, l.alignment->value, slots);
    }
    return l;
}

static struct layer layer_of(struct op_case *c, int index, int parts, double spread) {
    struct array *slot = array_indices(c, (size_t)shapes[index].rows, SLOTS);
    return layer_with(c, shapes[index], parts, spread, SLOTS, slot);
}

/* `gradients` and `alignments` are their errors, but for what grows with the number of rows. */
static void compare_within(struct op_case *c, struct layer *l, double gradients, double alignments) {
    reference_linear_cross_entropy(&l->want);
    size_t left = op_memory_left(c);
    c->backend->linear_cross_entropy(c->backend, &l->args);
    expect_good(c);
    expect_reserved(c, left, 1, l->args.hidden, l->args.vocabulary, l->args.rows);
    double wide = sqrt(l->args.rows + 1.0);
    expect_close(c, "loss", l->loss, l->want.loss, LOSS_ERROR, 0.0);
    if (l->greedy) expect_close(c, "greedy", l->greedy, l->want.greedy, 0.0, 0.0);
    if (l->hidden_gradient)
        expect_close(c, "hidden_gradient", l->hidden_gradient, l->want.hidden_gradient, gradients,
                     GRADIENT_ERROR);
    if (l->weight_gradient)
        expect_close(c, "weight_gradient", l->weight_gradient, l->want.weight_gradient, gradients * wide,
                     GRADIENT_ERROR);
    if (l->alignment)
        expect_close(c, "alignment", l->alignment, l->want.alignment, alignments * wide, ALIGNMENT_ERROR);
    expect_unchanged(c, "hidden_states", l->states);
    expect_unchanged(c, "weight", l->weight);
    expect_unchanged(c, "target", l->target);
    if (l->direction) expect_unchanged(c, "direction", l->direction);
}

static void compare(struct op_case *c, struct layer *l) {
    compare_within(c, l, GRADIENT_ERROR, 4.0 * ALIGNMENT_ERROR);
}

static void run_forward(struct op_case *c, int index) {
    struct layer l = layer_of(c, index / 2, index % 2 ? GREEDY : 0, 3.0);
    compare(c, &l);
}

static void run_backward(struct op_case *c, int index) {
    static const int parts[] = {HIDDEN, HIDDEN | WEIGHT, HIDDEN | ALIGNMENT,
                                GREEDY | HIDDEN | WEIGHT | ALIGNMENT};
    struct layer l = layer_of(c, index / 4, parts[index / 4 == LARGE ? 3 : index % 4], 3.0);
    compare(c, &l);
}

static void check_drawn(struct op_case *c, struct shape s, int parts) {
    int slots = op_size(c, 1, 2000);
    op_draw_shifts(c);
    struct array *slot = array_drawn_indices(c, (size_t)s.rows, (size_t)slots);
    struct layer l = layer_with(c, s, parts, 3.0, (size_t)slots, slot);
    double heaviest = 1.0, largest = 0.0;
    for (size_t n = 0; l.row_weight && n < l.row_weight->count; n++)
        heaviest = fmax(heaviest, fabs(l.row_weight->value[n]));
    for (size_t i = 0; i < l.weight->count; i++) largest = fmax(largest, fabs(l.weight->value[i]));
    /* Probabilities may be off by as much as losses; their sums over the vocabulary, of up to the largest
     * weight, by six times the roundings of as many partial sums. All of it is times the row's weight. */
    double error = heaviest * (LOSS_ERROR + 6.0 * sqrt(s.vocabulary / 3.0) * 0x1p-24 * largest);
    compare_within(c, &l, error, 4.0 * error);
}

static void run_random(struct op_case *c, int index) {
    struct shape s;
    do {
        s = (struct shape){op_size(c, 0, 700), op_size(c, 1, 600), op_size(c, 1, 20000)};
    } while ((size_t)s.rows * (size_t)s.hidden * (size_t)s.vocabulary > 1 << 19 ||
             (size_t)s.hidden * (size_t)s.vocabulary > 1 << 18);
    check_drawn(c, s, index % (2 * ALIGNMENT));
}

/* More logits than exist at a time, on every device. */
static void run_random_large(struct op_case *c, int index) {
    struct shape s = {op_size(c, 257, 700), op_size(c, 1, 4), op_size(c, 40000, 70000)};
    check_drawn(c, s, 1 + index % (2 * ALIGNMENT - 1));
}

static double weighted_loss(struct op_case *c, void *context) {
    struct layer *l = context;
    struct linear_cross_entropy args = {.rows = l->args.rows,
                                        .hidden = l->args.hidden,
                                        .vocabulary = l->args.vocabulary,
                                        .hidden_states = l->args.hidden_states,
                                        .weight = l->args.weight,
                                        .target = l->args.target,
                                        .loss = l->args.loss};
    c->backend->linear_cross_entropy(c->backend, &args);
    return array_weighted(c, l->loss, l->row_weight->value);
}

static void run_differences(struct op_case *c, int index) {
    struct layer l = layer_of(c, index, HIDDEN | WEIGHT, 1.0);
    array_write(c, l.weight_gradient, op_numbers(c, l.weight->count));
    c->backend->linear_cross_entropy(c->backend, &l.args);
    expect_gradient(c, "hidden_states", weighted_loss, &l, l.states, array_read(c, l.hidden_gradient),
                    DIFFERENCE_STEP, DIFFERENCE_ERROR);
    expect_gradient(c, "weight", weighted_loss, &l, l.weight, array_read(c, l.weight_gradient),
                    DIFFERENCE_STEP, DIFFERENCE_ERROR);
}

/* The alignments are the inner products of each slot's own weight gradient with the direction. */
static void run_alignment(struct op_case *c, int index) {
    struct layer l = layer_of(c, index, HIDDEN | ALIGNMENT | WEIGHT, 2.0);
    c->backend->linear_cross_entropy(c->backend, &l.args);
    double *want = op_numbers(c, SLOTS), *zeros = op_numbers(c, l.weight->count);
    for (int s = 0; s < SLOTS; s++) {
        double *rows = op_copy(c, l.row_weight->value, l.row_weight->count);
        for (size_t n = 0; n < l.row_weight->count; n++)
            if ((int)l.slot->value[n] != s) rows[n] = 0.0;
        struct array *only = array_given(c, DTYPE_F32, l.row_weight->count, rows);
        struct linear_cross_entropy args = l.args;
        args.row_weight = only->view;
        args.alignment = args.direction = args.slot = view_none();
        array_write(c, l.weight_gradient, zeros);
        c->backend->linear_cross_entropy(c->backend, &args);
        want[s] = 1.0 + array_weighted(c, l.weight_gradient, l.direction->value);
    }
    expect_close(c, "alignment", l.alignment, want, 2e-5 * sqrt(shapes[index].rows + 1.0), 1e-5);
}

/* Logits that are exactly representable, so that ties are ties: row r of the states is a unit vector. */
static void run_ties(struct op_case *c, int index) {
    enum { D = 4, V = 40 };
    static const struct {
        double at3, at20, at35; /* logits 3, 20 and 35; all others are 0 */
        int target, greedy;
    } cases[] = {{2, 2, 1, 3, 1},  {2, 2, 1, 20, 0}, {0, 0, 0, 0, 1},    {0, 0, 0, 1, 0},
                 {1, 2, 2, 35, 0}, {1, 2, 2, 20, 1}, {-1, -2, -3, 0, 1}, {1, 2, 3, 35, 1}};
    op_describe(c, "target %d", cases[index].target);
    double weight[V * D] = {0}, states[D] = {0, 1, 0, 0}, target = cases[index].target,
                      want = cases[index].greedy;
    weight[3 * D + 1] = cases[index].at3;
    weight[20 * D + 1] = cases[index].at20;
    weight[35 * D + 1] = cases[index].at35;
    struct array *w = array_given(c, DTYPE_F32, (size_t)V * D, weight),
                 *h = array_given(c, DTYPE_F32, D, states);
    struct array *t = array_given(c, DTYPE_I32, 1, &target), *loss = array_output(c, DTYPE_F32, 1);
    struct array *greedy = array_output(c, DTYPE_I32, 1);
    struct linear_cross_entropy args = {1,          D, V, h->view, w->view, t->view, loss->view, greedy->view,
                                        .slot = {0}};
    c->backend->linear_cross_entropy(c->backend, &args);
    expect_close(c, "greedy", greedy, &want, 0.0, 0.0);
}

/* Logits of hundreds; a row of NaN or infinity spoils its own loss only. */
static void run_extreme(struct op_case *c, int index) {
    static const double bad[] = {0, NAN, INFINITY};
    struct layer l = layer_of(c, 4, GREEDY | HIDDEN, 60.0);
    op_describe(c, "logits of hundreds, a row holds %g", bad[index]);
    double *states = op_copy(c, l.states->value, l.states->count);
    if (index) states[2 * shapes[4].hidden + 1] = bad[index];
    array_write(c, l.states, states);
    reference_linear_cross_entropy(&l.want);
    if (index) l.want.loss[2] = NAN;
    if (index) l.want.greedy[2] = 0.0;
    c->backend->linear_cross_entropy(c->backend, &l.args);
    expect_close(c, "loss", l.loss, l.want.loss, 2e-4, 0.0); /* logits of 500 have roundings of 3e-5 */
    if (!index) expect_close(c, "greedy", l.greedy, l.want.greedy, 0.0, 0.0);
}

static void run_failures(struct op_case *c, int index) {
    static const char *const words[] = {"index 100",         "index -1", "index 5",
                                        "gradients without", "negative", "no hidden"};
    struct layer l = layer_of(c, 4, HIDDEN | ALIGNMENT, 1.0);
    op_describe(c, "%s", words[index]);
    if (index < 2) {
        double *target = op_copy(c, l.target->value, l.target->count);
        target[3] = index ? -1 : 100;
        array_write(c, l.target, target);
    }
    if (index == 2) l.args.alignment = view_at(l.alignment->view, 64 + SLOTS - 2); /* near the buffer's end */
    double *slots = op_copy(c, l.slot->value, l.slot->count);
    slots[0] = 5;
    if (index == 2) array_write(c, l.slot, slots);
    if (index == 3) l.args.row_weight = view_none();
    if (index == 4) l.args.rows = -1;
    if (index == 5) l.args.hidden = 0;
    c->backend->linear_cross_entropy(c->backend, &l.args);
    expect_failure(c, ERROR_INTERNAL, words[index]);
}

int main(int argc, char **argv) {
    static const struct op_suite suites[] = {{"forward", 2 * LARGE, run_forward},
                                             {"backward", 4 * LARGE + 1, run_backward},
                                             {"random", 64, run_random},
                                             {"random_large", 1, run_random_large},
                                             {"differences", LARGE - 1, run_differences},
                                             {"alignment", 6, run_alignment},
                                             {"ties", 8, run_ties},
                                             {"extreme", 3, run_extreme},
                                             {"failures", 6, run_failures},
                                             {NULL, 0, NULL}};
    return op_test_main(argc, argv, suites);
}

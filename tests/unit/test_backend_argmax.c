/* The likeliest token of each row, on the backend of BACKEND-ARGUMENT. Numbers are small and whole, so that
 * products are exact, ties are ties, and the answer is one index. */
#include "tests/support/op_draw.h"
#include "tests/support/op_test.h"
#include "tests/support/reference_ops.h"

#include "base/random.h"
#include <math.h>

struct shape {
    int rows, hidden, vocabulary;
};
static const struct shape shapes[] = {{0, 8, 40},     {1, 1, 1},       {1, 64, 1000}, {3, 5, 47},
                                      {16, 16, 48},   {17, 33, 49},    {64, 20, 96},  {65, 48, 2001},
                                      {130, 7, 3000}, {5, 576, 10000}, {33, 1, 5000}, {64, 100, 4801}};
enum { SHAPES = sizeof shapes / sizeof *shapes, SIZES = 3 };

/* Random whole numbers of at most `most`. */
static struct array *whole_numbers(struct op_case *c, size_t count, int most) {
    struct random_key key = {.seed = (uint64_t)c->index, .purpose = RANDOM_TEST, .stream = c->streams++};
    double *values = op_numbers(c, count);
    for (size_t i = 0; i < count; i++)
        values[i] = (double)random_below(key, i, 2 * (uint64_t)most + 1) - most;
    return array_given(c, DTYPE_F32, count, values);
}

struct layer {
    int rows, hidden, vocabulary;
    struct array *states, *weight, *best;
};

static struct layer layer_of(struct op_case *c, struct shape s, int most) {
    struct layer l = {s.rows, s.hidden, s.vocabulary, NULL, NULL, NULL};
    l.states = whole_numbers(c, (size_t)l.rows * (size_t)l.hidden, most);
    l.weight = whole_numbers(c, (size_t)l.vocabulary * (size_t)l.hidden, most);
    l.best = array_output(c, DTYPE_I32, (size_t)l.rows);
    op_describe(c, "%d rows of %d, vocabulary %d, numbers to %d", l.rows, l.hidden, l.vocabulary, most);
    return l;
}

static void compare(struct op_case *c, const struct layer *l) {
    double *want = op_numbers(c, (size_t)l->rows);
    reference_linear_argmax(l->rows, l->hidden, l->vocabulary, l->states->value, l->weight->value, want);
    size_t left = op_memory_left(c);
    c->backend->linear_argmax(c->backend, l->rows, l->hidden, l->vocabulary, l->states->view, l->weight->view,
                              l->best->view);
    expect_good(c);
    expect_reserved(c, left, 1, l->hidden, l->vocabulary, l->rows);
    expect_close(c, "best", l->best, want, 0.0, 0.0);
    expect_unchanged(c, "states", l->states);
    expect_unchanged(c, "weight", l->weight);
}

static const int sizes[SIZES] = {0, 1, 50}; /* only ties, many, hardly any */

static void run_whole(struct op_case *c, int index) {
    struct layer l = layer_of(c, shapes[index / SIZES], sizes[index % SIZES]);
    compare(c, &l);
}

static void run_random(struct op_case *c, int index) {
    struct shape s;
    do {
        s = (struct shape){op_size(c, 0, 700), op_size(c, 1, 1100), op_size(c, 1, 20000)};
    } while ((size_t)s.rows * (size_t)s.hidden * (size_t)s.vocabulary > 1 << 20);
    op_draw_shifts(c);
    struct layer l = layer_of(c, s, sizes[index % SIZES]);
    compare(c, &l);
}

/* Every place of the table wins once. */
static void run_places(struct op_case *c, int index) {
    enum { HIDDEN = 3, VOCABULARY = 150 };
    op_describe(c, "place %d", index);
    double weight[VOCABULARY * HIDDEN] = {0}, states[2 * HIDDEN] = {0, 1, 0, 0, -1, 0};
    for (int v = 0; v < VOCABULARY; v++) weight[v * HIDDEN + 1] = v == index ? 2 : -v - 1;
    struct layer l = {2,
                      HIDDEN,
                      VOCABULARY,
                      array_given(c, DTYPE_F32, 2 * HIDDEN, states),
                      array_given(c, DTYPE_F32, (size_t)VOCABULARY * HIDDEN, weight),
                      array_output(c, DTYPE_I32, 2)};
    compare(c, &l);
}

/* NaN is told; infinities are numbers like others. */
static void run_special(struct op_case *c, int index) {
    static const struct {
        int row, token; /* the state or the weight that is set; -1: none */
        double value;
    } cases[] = {{4, -1, NAN},       {-1, 0, NAN},       {-1, 47, NAN},       {-1, 4800, NAN},
                 {-1, 13, INFINITY}, {-1, 0, -INFINITY}, {40, -1, -INFINITY}, {63, -1, INFINITY}};
    struct layer l = layer_of(c, shapes[11], 3);
    op_describe(c, "row %d, token %d, %g", cases[index].row, cases[index].token, cases[index].value);
    double *states = op_copy(c, l.states->value, l.states->count),
           *weight = op_copy(c, l.weight->value, l.weight->count);
    for (size_t i = 0; i < l.states->count; i++)
        states[i] = fabs(states[i]) + 1; /* an infinite product is no NaN */
    for (size_t i = 0; i < l.weight->count; i++) weight[i] = fabs(weight[i]) + 1;
    if (cases[index].row >= 0) states[cases[index].row * l.hidden + 50] = cases[index].value;
    if (cases[index].token >= 0) weight[cases[index].token * l.hidden + 50] = cases[index].value;
    array_write(c, l.states, states);
    array_write(c, l.weight, weight);
    compare(c, &l);
}

static void run_failures(struct op_case *c, int index) {
    static const struct {
        int rows, hidden, vocabulary;
        const char *words;
    } cases[] = {
        {-1, 4, 4, "negative"}, {2, 0, 4, "no hidden"}, {2, 4, 0, "no hidden"}, {2, 4, 50, "buffer"}};
    op_describe(c, "%d", index);
    struct array *x = array_random(c, 16, 1.0), *best = array_filled(c, DTYPE_I32, 2, 5);
    c->backend->linear_argmax(c->backend, cases[index].rows, cases[index].hidden, cases[index].vocabulary,
                              x->view, x->view, best->view);
    expect_failure(c, ERROR_INTERNAL, cases[index].words);
    expect_unchanged(c, "best", best);
}

int main(int argc, char **argv) {
    static const struct op_suite suites[] = {{"linear_argmax", SHAPES * SIZES, run_whole},
                                             {"random", 45, run_random},
                                             {"places", 150, run_places},
                                             {"special", 8, run_special},
                                             {"failures", 4, run_failures},
                                             {NULL, 0, NULL}};
    return op_test_main(argc, argv, suites);
}

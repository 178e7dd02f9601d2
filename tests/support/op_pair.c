#include "tests/support/op_pair.h"

#include <math.h>

struct pair pair_given(struct op_case *c, size_t count, const double *values) {
    struct array *half = activations_given(c, count, values); /* rounded */
    return (struct pair){array_given(c, DTYPE_F32, count, half->value), half};
}

struct pair pair_random(struct op_case *c, size_t count, double spread) {
    struct array *any = array_random(c, count, spread);
    return pair_given(c, count, any->value);
}

struct pair pair_output(struct op_case *c, size_t count) {
    return (struct pair){array_output(c, DTYPE_F32, count), activations_output(c, count)};
}

void expect_pair_within(struct op_case *c, const char *what, struct pair pair, double relative,
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

void expect_pair(struct op_case *c, const char *what, struct pair pair, double relative) {
    expect_pair_within(c, what, pair, relative, 0);
}

void expect_single(struct op_case *c, const char *what, struct array *half, struct array *single,
                   double relative) {
    array_read(c, single);
    double largest = 0;
    for (size_t i = 0; i < single->count; i++) largest = fmax(largest, fabs(single->value[i]));
    expect_close(c, what, half, op_copy(c, single->value, single->count),
                 (SMALL_ERROR + relative) * (1 + largest), relative);
}

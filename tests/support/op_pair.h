/* Operations on bfloat16 beside themselves on float32 with the same numbers. */
#ifndef ADAPT_TESTS_SUPPORT_OP_PAIR_H
#define ADAPT_TESTS_SUPPORT_OP_PAIR_H

#include "tests/support/op_test.h"

/* A result is rounded once, by half of 2^-8 of itself; sums in another order may tip that to the other side.
 */
#define HALF_ROUNDING (1.0 / 256)
/* Roundings of float32 in sums, beside the largest number. */
#define SMALL_ERROR 2e-5

/* The same numbers in float32 and in bfloat16: given ones, rounded; normal random ones times `spread`; junk
 * that an operation has to overwrite. */
struct pair {
    struct array *single, *half;
};
struct pair pair_given(struct op_case *c, size_t count, const double *values);
struct pair pair_random(struct op_case *c, size_t count, double spread);
struct pair pair_output(struct op_case *c, size_t count);

/* The half is close to the single: each number to `relative`, and to SMALL_ERROR (+ `absolute`) relative to 1
 * and the largest number. */
void expect_pair(struct op_case *c, const char *what, struct pair pair, double relative);
void expect_pair_within(struct op_case *c, const char *what, struct pair pair, double relative,
                        double absolute);
/* The same for outputs that are float32 either way: `half` of the operation on bfloat16, `single` of the
 * other. */
void expect_single(struct op_case *c, const char *what, struct array *half, struct array *single,
                   double relative);

#endif

/* Shapes drawn at random, with op_draw of op_test.h: each draw is a pure function of the case's index and of
 * the number of draws before it, so that a case can be run again alone. */
#ifndef ADAPT_TESTS_SUPPORT_OP_DRAW_H
#define ADAPT_TESTS_SUPPORT_OP_DRAW_H

#include "tests/support/op_test.h"

/* A size from `least` to `most`: half of the time an end or a multiple of 8, 16, 32, 64, 128, 256 or 1024 or
 * next to one, where loops change; otherwise any, and small ones as likely as large ones. */
int op_size(struct op_case *c, int least, int most);
/* From now on, in half of the cases, every new array begins at a place of its own, aligned or not. */
void op_draw_shifts(struct op_case *c);

/* Indices below a bound in an order of the case's own: any, few different ones, all the same, or rising from
 * the least to the largest. */
struct array *array_drawn_indices(struct op_case *c, size_t count, size_t bound);
/* Distinct indices below a bound, which is at least `count`. */
struct array *array_drawn_distinct(struct op_case *c, size_t count, size_t bound);

#endif

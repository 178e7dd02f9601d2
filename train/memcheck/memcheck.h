/* The memcheck backend: another backend behind a wall, for tests. Contents of buffers cannot be touched
 * outside of operations (a peek faults). An operation sees copies of just its operands, between guards: what
 * it must overwrite holds NaN beforehand, and afterwards what it must not change is compared. `check` tells a
 * broken promise, on either side:
 *   - an operation wrote an input, or outside of its operands;
 *   - an operation left elements of an output as they were, or read them before it wrote them;
 *   - a caller gave operands that leave their buffers, indices out of range, or operands that overlap where
 *     train/backend.h does not allow it.
 * After a failure operations do nothing until `check` has told it. */
#ifndef ADAPT_TRAIN_MEMCHECK_MEMCHECK_H
#define ADAPT_TRAIN_MEMCHECK_MEMCHECK_H

#include "train/backend.h"

/* Around a cpu backend. */
int memcheck_backend_create(int threads, struct backend **out, struct error *err);

/* Around any backend, which then belongs to the new one; on failure it still is the caller's. */
int memcheck_wrap(struct backend *inner, struct backend **out, struct error *err);

#endif

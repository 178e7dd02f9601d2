/* The memcheck backend: the cpu backend behind a wall, for tests. Contents of buffers cannot be read or
 * written outside of operations (a peek faults), an operation sees copies of just its operands between
 * guards, what it must overwrite holds NaN beforehand, and what it must not change is compared afterwards;
 * `check` tells a broken promise. */
#ifndef ADAPT_TRAIN_MEMCHECK_MEMCHECK_H
#define ADAPT_TRAIN_MEMCHECK_MEMCHECK_H

#include "train/backend.h"

int memcheck_backend_create(int threads, struct backend **out, struct error *err);

#endif

/* A set of cells as text, "3,5-8": what grid_create reads. */
#ifndef ADAPT_RUNNER_SELECTION_H
#define ADAPT_RUNNER_SELECTION_H

#include "base/text.h"
#include <stdbool.h>

/* Appends the indices below `count` for which `wanted` is set. */
int selection_text(const bool *wanted, int count, struct text *out, struct error *err);

#endif

/* What every backend asks of the shapes of attention. */
#ifndef ADAPT_TRAIN_ATTENTION_SHAPE_H
#define ADAPT_TRAIN_ATTENTION_SHAPE_H

#include "train/backend.h"

/* ERROR_INTERNAL unless heads, segments and prefixes keep the promises of train/backend.h. */
int attention_shape_check(const struct attention_shape *shape, struct error *err);
/* The same, and ERROR_UNSUPPORTED for a segment with a prefix. */
int attention_shape_check_backward(const struct attention_shape *shape, struct error *err);
/* The same for attention over a cache, of which `cache_rows` rows are there. */
int cached_attention_shape_check(const struct cached_attention_shape *shape, size_t cache_rows,
                                 struct error *err);

#endif

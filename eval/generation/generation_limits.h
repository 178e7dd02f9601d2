/* How much is generated at a time: from the requests, the model and the memory that there is. */
#ifndef ADAPT_EVAL_GENERATION_GENERATION_LIMITS_H
#define ADAPT_EVAL_GENERATION_GENERATION_LIMITS_H

#include "eval/generation/generation_order.h"
#include "train/decoder.h"

enum {
    STEMS_AHEAD = 2,                       /* stems that are begun while an earlier one is in use */
    STEMS_OPEN = STEMS_AHEAD + STEM_LEVELS /* most stems in use */
};

struct generation_limits {
    struct decoder_limits decoder;
    int requests; /* most in work at a time */
    int max_new;  /* the largest of all requests */
};

/* Chooses limits within `cache_bytes`; with less than one request needs, ERROR_MEMORY. `sampling`: logits
 * come to the host. There is at least one request. */
int generation_limits_choose(const struct eval_model *model, const struct generation_order *order,
                             bool sampling, int64_t cache_bytes, struct generation_limits *out,
                             struct error *err);

#endif

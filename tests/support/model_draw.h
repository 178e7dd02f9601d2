/* Whole models drawn at random (op_draw.h): small configurations of every family, weights, batches. */
#ifndef ADAPT_TESTS_SUPPORT_MODEL_DRAW_H
#define ADAPT_TESTS_SUPPORT_MODEL_DRAW_H

#include "tests/support/op_draw.h"
#include "train/model.h"

/* Ends the program with the case and the error's message unless the call gives 0. */
#define OP_MUST(c, call)                                                                                     \
    do {                                                                                                     \
        struct error op_error_ = {0};                                                                        \
        struct error *err = &op_error_;                                                                      \
        if (call) op_abandon((c), &op_error_);                                                               \
    } while (0)

/* A configuration that model_config_load could give. */
struct model_config config_drawn(struct op_case *c);

/* A flat vector on a device: normal numbers in every tensor, zero between them. `like_weights`: of the sizes
 * that weights have, so that activations keep theirs; otherwise all of size 1. */
struct flat {
    struct backend *backend; /* borrowed */
    struct buffer *buffer;
    struct view view;
};
void flat_open(struct op_case *c, struct flat *f, struct backend *backend,
               const struct parameter_layout *layout);
void flat_close(struct flat *f);
/* [layout->elements], of op_numbers. */
double *flat_drawn(struct op_case *c, const struct model_config *config,
                   const struct parameter_layout *layout, bool like_weights);
/* Moves every number by a rounding of float32, up or down. */
void flat_nudge(struct op_case *c, const struct parameter_layout *layout, double *numbers);
void flat_upload(struct op_case *c, struct flat *f, const struct parameter_layout *layout,
                 const double *numbers);
double *flat_download(struct op_case *c, struct flat *f, const struct parameter_layout *layout);

/* A batch of so many rows in segments of drawn lengths, each in a slot below `slots` (at least 1); none, some
 * or all of its rows are supervised. */
struct batch *batch_drawn(struct op_case *c, int rows, int vocabulary, int slots);

#endif

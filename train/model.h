/* A decoder-only transformer over the operations of train/backend.h: forward, loss, backward, alignments.
 *
 * All memory is taken by model_create; passes allocate nothing. */
#ifndef ADAPT_TRAIN_MODEL_H
#define ADAPT_TRAIN_MODEL_H

#include "train/batch.h"
#include "train/model_config.h"
#include "train/parameters.h"

struct model;

struct model_limits {
    int rows;      /* most rows of a batch */
    int targets;   /* most targets of a batch */
    int slots;     /* alignment slots; 0: no alignments */
    bool training; /* keep what a backward pass needs */
};

/* What model_create would allocate on the device for activations and scratch, in bytes. */
size_t model_bytes(const struct model_config *config, const struct model_limits *limits);

int model_create(struct backend *backend, const struct model_config *config,
                 const struct parameter_layout *layout, const struct model_limits *limits, struct model **out,
                 struct error *err);
void model_destroy(struct model **model);

/* Runs the batch through the model up to the final norm at the target rows. `parameters` is a flat vector of
 * the layout. The batch is borrowed until the next forward. Not collective. */
int model_forward(struct model *model, struct view parameters, const struct batch *batch, struct error *err);

/* After a forward: loss[n] = -log p(target n) and, where `greedy` is not NULL, whether target n was the
 * argmax. Host arrays of batch->targets. */
int model_losses(struct model *model, float *loss, int32_t *greedy, struct error *err);

/* After a forward of at most `rows` rows: logits[targets, vocabulary] of the target rows into a host array
 * (for tests and decoding). */
int model_logits(struct model *model, float *logits, struct error *err);

/* After a forward of a model made for training: adds the gradient of `scale * sum_n target_weight[n] *
 * loss[n]` to the flat vector `gradient`, and writes loss[n] (unscaled; host array, may be NULL). Alignments:
 * where `direction` is not absent (a flat vector G), alignment[slot] += < gradient of the slot's part of the
 * objective, G >, exactly, from this one pass (a host array of limits.slots doubles). With `gradient` absent
 * only alignments are computed. */
int model_backward(struct model *model, float scale, struct view gradient, struct view direction, float *loss,
                   double *alignment, struct error *err);

#endif

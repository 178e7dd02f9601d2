/* A decoder-only transformer over the operations of train/backend.h: forward, loss, backward, alignments.
 *
 * All memory is taken by model_create; passes allocate nothing. */
#ifndef ADAPT_TRAIN_MODEL_H
#define ADAPT_TRAIN_MODEL_H

#include "train/batch.h"
#include "train/model_config.h"
#include "train/parameters.h"

struct model;

/* What of a layer the backward pass computes again instead of the forward pass keeping it (Chen et al. 2016,
 * arXiv:1604.06174): nothing, or all but the layer's input. Results are the same bits. */
enum recompute { RECOMPUTE_NONE, RECOMPUTE_LAYER };
extern const char *const recompute_names[]; /* "none", "layer", NULL */

struct model_limits {
    int rows;               /* most rows of a batch */
    int targets;            /* most targets of a batch */
    int positions;          /* rows' positions are below this; 0: `rows` */
    int slots;              /* of sums (model_take_sums); 0: none, and no alignments */
    bool training;          /* keep what a backward pass needs */
    int recompute;          /* enum recompute; of training */
    enum dtype activations; /* for model_bytes; a model takes its backend's */
};

/* What model_create would allocate on the device for activations and scratch, in bytes. */
size_t model_bytes(const struct model_config *config, const struct model_limits *limits);

int model_create(struct backend *backend, const struct model_config *config,
                 const struct parameter_layout *layout, const struct model_limits *limits, struct model **out,
                 struct error *err);
void model_destroy(struct model **model);

/* Runs the batch through the model up to the final norm at the target rows. `parameters` is a flat vector of
 * the layout. The batch is borrowed until the next forward. Does not wait: a failure on the device is told by
 * what does. Not collective. */
int model_forward(struct model *model, struct view parameters, const struct batch *batch, struct error *err);

/* What decoding adds to a forward pass: keys and values of earlier rows, in pages (struct cached_segment).
 * Layers with a window have pages of their own. All borrowed. */
struct model_cache_pages {
    struct view row;                      /* I32 [rows]: the cache rows where the batch's rows go */
    const struct cached_segment *segment; /* [batch->segments] */
};
struct model_cache {
    int page_rows;
    const struct view *keys, *values; /* [layers], each [cache rows, K, C] */
    struct model_cache_pages full, windowed;
};

/* As model_forward, but every row also sees the cached rows of its segment, and the keys and values of the
 * batch's rows are added to the cache, even if the batch has no targets. Segments of the batch itself are not
 * looked at. Not for a model made for training. */
int model_forward_cached(struct model *model, struct view parameters, const struct batch *batch,
                         const struct model_cache *cache, struct error *err);

/* After a forward: the likeliest token of each target (lowest index on ties; -1 where a logit is NaN); a host
 * array of batch->targets. */
int model_best(struct model *model, int32_t *best, struct error *err);

/* After a forward: loss[n] = -log p(target n) and, where `greedy` is not NULL, whether target n was the
 * argmax. Host arrays of batch->targets. */
int model_losses(struct model *model, float *loss, int32_t *greedy, struct error *err);

/* After a forward of at most `rows` rows: logits[targets, vocabulary] of the target rows into a host array
 * (for tests and decoding). */
int model_logits(struct model *model, float *logits, struct error *err);

/* Told by a backward pass how far the gradient is: elements from `first` on will not be written any more.
 * `first` falls from call to call, to 0. */
struct gradient_watcher {
    void (*final)(void *context, size_t first);
    void *context;
};
/* The next model_backward, if it computes a gradient, tells `watcher` (copied), between its operations; those
 * after it tell nobody. A pass that fails may end without a word. */
void model_watch_gradient(struct model *model, const struct gradient_watcher *watcher);

/* After a forward of a model made for training: adds the gradient of `scale * sum_n target_weight[n] *
 * loss[n]` to the flat vector `gradient`, and every loss[n] to its slot's sum. Alignments: where `direction`
 * is not absent (a flat vector G), < gradient of the slot's part of the objective, G > is added to the slot's
 * alignment, exactly, from this one pass. With `gradient` absent only alignments are computed. Does not wait:
 * a failure on the device is told by model_take_sums. */
int model_backward(struct model *model, float scale, struct view gradient, struct view direction,
                   struct error *err);

/* After a forward: adds every loss[n] to its slot's sum, as model_backward does. Does not wait. */
int model_add_losses(struct model *model, struct error *err);

/* Adds the slots' sums since the last call to loss[limits.slots] and alignment[limits.slots] (either may be
 * NULL). Waits for the passes, and returns their first failure. */
int model_take_sums(struct model *model, double *loss, double *alignment, struct error *err);

#endif

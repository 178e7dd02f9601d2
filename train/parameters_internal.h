/* What loading and saving of parameters share; not for callers. */
#ifndef ADAPT_TRAIN_PARAMETERS_INTERNAL_H
#define ADAPT_TRAIN_PARAMETERS_INTERNAL_H

#include "io/safetensors/safetensors.h"
#include "train/parameters.h"

enum { PARAMETERS_CHUNK = 1 << 20 }; /* float32 numbers converted at a time */

/* *out is the parameter that a tensor of the checkpoint in `folder` holds, or NULL for one that follows from
 * the config. A tensor that the model has not, or of another shape or a dtype that we do not read, is an
 * error by name. */
int parameters_match(const char *folder, const struct safetensors *reader,
                     const struct safetensors_tensor *tensor, const struct parameter_layout *layout,
                     const struct parameter **out, struct error *err);

/* True for frequencies of rotary embeddings, which old checkpoints hold although they follow from the config.
 */
bool parameters_is_derived(const char *name);

/* True for a second copy of the embedding table under the head's name, in a checkpoint whose config ties
 * them. */
bool parameters_is_tied_head(const struct parameter_layout *layout, const char *name);

bool parameters_all_finite(const float *numbers, size_t count);

/* Copies the files of a model folder that stand beside its weights (not the index of shards, which comes last
 * and names the `bytes` of all tensors); under PARAMETERS_F32 they say so. */
int parameters_copy_files(const char *source, const char *folder, enum parameters_precision precision,
                          struct error *err);
int parameters_copy_index(const char *source, const char *folder, enum parameters_precision precision,
                          size_t bytes, struct error *err);

#endif

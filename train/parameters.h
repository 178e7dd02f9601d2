/* The parameters of a model as one flat float32 vector, and their way from and to safetensors.
 *
 * The same layout serves the weights, the gradient, AdamW's two moments and the validation gradient: one
 * buffer each. */
#ifndef ADAPT_TRAIN_PARAMETERS_H
#define ADAPT_TRAIN_PARAMETERS_H

#include "train/backend.h"
#include "train/model_config.h"

/* Every tensor of the flat vector begins at a multiple of so many elements, and so does its end. */
enum { PARAMETER_ALIGNMENT = 64 };

/* Consecutive elements of the flat vector. */
struct parameter_range {
    size_t first, count;
};

/* One tensor of the flat vector. */
struct parameter {
    char name[96];     /* as in safetensors: "model.layers.3.self_attn.q_proj.weight" */
    int rows, columns; /* columns 1 and rows = length for vectors */
    size_t offset;     /* in elements from the start; a multiple of PARAMETER_ALIGNMENT */
    bool decays;       /* weight decay applies: matrices yes, norms no */
};

/* Offsets (in elements) of one layer's tensors; absent ones are SIZE_MAX. */
struct layer_parameters {
    size_t input_norm, query, key, value, output, query_norm, key_norm;
    size_t attention_norm_after; /* gemma3_text: post_attention_layernorm, on the block's output */
    size_t feed_forward_norm;    /* before the feed-forward block */
    size_t gate, up, down;
    size_t feed_forward_norm_after; /* gemma3_text */
};

struct parameter_layout {
    struct parameter *parameters;
    int count;
    size_t elements;                    /* length of the flat vector, padding included (padding stays zero) */
    size_t numbers;                     /* true parameters, without padding */
    size_t embedding, final_norm, head; /* head == embedding where tied */
    struct layer_parameters *layers;    /* [config.layers] */
};

int parameter_layout_create(const struct model_config *config, struct parameter_layout **out,
                            struct error *err);
void parameter_layout_destroy(struct parameter_layout **layout);

/* Reads the weights of a model folder (model.safetensors, or shards by model.safetensors.index.json; BF16,
 * F16 or F32) into `to`, a view of layout->elements F32. Missing, surplus, misshapen or non-finite tensors
 * are errors by name. */
int parameters_load(const char *folder, const struct parameter_layout *layout, struct backend *backend,
                    struct view to, struct error *err);

/* The dtype of written weights. A small learning rate moves most weights by less than half the distance to
 * the next bfloat16: a checkpoint in the source's dtype can then hold little of what was trained, one in
 * float32 holds all of it (config.json then says float32, since readers convert to what it says). */
enum parameters_precision { PARAMETERS_F32, PARAMETERS_AS_SOURCE };

/* Writes a model folder that transformers opens as it is: the source checkpoint's names, shards and tying,
 * and copies of its config, generation config and tokenizer files. Atomic per file; the index or
 * model.safetensors comes last. */
int parameters_save(enum parameters_precision precision, const char *source_folder, const char *folder,
                    const struct parameter_layout *layout, struct backend *backend, struct view from,
                    struct error *err);

#endif

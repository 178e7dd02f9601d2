/* What a model is: `config.json` of a Hugging Face folder, in the dialects of transformers 4 and 5, for the
 * families llama (SmolLM2 too), qwen3 and gemma3_text. A config that asks for what we do not implement is
 * refused by the field's name. */
#ifndef ADAPT_TRAIN_MODEL_CONFIG_H
#define ADAPT_TRAIN_MODEL_CONFIG_H

#include "base/error.h"
#include "train/backend.h"
#include <stdbool.h>
#include <stdint.h>

enum model_family { MODEL_LLAMA, MODEL_QWEN3, MODEL_GEMMA3_TEXT };
enum rope_scaling { ROPE_PLAIN, ROPE_LINEAR, ROPE_LLAMA3 };
enum { MODEL_LAYERS_MAX = 256, MODEL_END_IDS_MAX = 8 };

struct rope_config {
    double theta;
    enum rope_scaling scaling;
    double factor, low_frequency_factor, high_frequency_factor; /* of llama3 (and factor of linear) */
    int original_positions;                                     /* of llama3 */
};

struct model_config {
    enum model_family family;
    int vocabulary, hidden, layers, heads, kv_heads, head_dim, feed_forward;
    int max_positions;
    enum activation activation;
    float norm_epsilon;
    float norm_offset;      /* RMSNorm multiplies by (offset + w): 1 for gemma3_text, else 0 */
    bool norm_after_blocks; /* gemma3_text: attention and feed-forward outputs are normed before the residual
                               addition */
    bool qk_norm;           /* RMSNorm on each head's query and key */
    bool tied;              /* the output head is the embedding table */
    float embedding_factor; /* gemma3_text: sqrt(hidden) in float32, as the reference has it for float32
                               weights; else 1 */
    float query_scale;      /* on attention scores */
    int window;             /* of the windowed layers; 0: none */
    bool windowed[MODEL_LAYERS_MAX];
    struct rope_config rope_full, rope_windowed; /* windowed layers of gemma3_text have their own */
    int begin_id;                                /* -1: none */
    int end_ids[MODEL_END_IDS_MAX],
        end_count; /* of config.json and generation_config.json, without repetition */
};

/* Reads `folder`/config.json (and generation_config.json's eos_token_id where there is one). */
int model_config_load(const char *folder, struct model_config *out, struct error *err);
/* The field's word for a family: "llama", "qwen3", "gemma3_text". */
const char *model_family_name(enum model_family family);

#endif

/* Three tiny models with random weights, one of each family that we train, as Hugging Face folders. */
#include "experiments/generate/generate.h"
#include "base/memory.h"
#include "io/file.h"
#include "io/json.h"
#include "io/safetensors/safetensors.h"
#include "train/parameters.h"
#include <math.h>
#include <string.h>

enum { POSITIONS = 512 };

struct shape {
    int hidden, layers, heads, kv_heads, head_dim, feed_forward;
};

/* --- configurations */

static int put_sizes(cJSON *config, const struct shape *shape, struct error *err) {
    TRY(put_number(config, "hidden_size", shape->hidden, err));
    TRY(put_number(config, "num_hidden_layers", shape->layers, err));
    TRY(put_number(config, "num_attention_heads", shape->heads, err));
    TRY(put_number(config, "num_key_value_heads", shape->kv_heads, err));
    TRY(put_number(config, "head_dim", shape->head_dim, err));
    TRY(put_number(config, "intermediate_size", shape->feed_forward, err));
    TRY(put_number(config, "vocab_size", VOCABULARY, err));
    TRY(put_number(config, "max_position_embeddings", POSITIONS, err));
    TRY(put_number(config, "rms_norm_eps", 1e-6, err));
    TRY(put_flag(config, "tie_word_embeddings", true, err));
    TRY(put_flag(config, "attention_bias", false, err));
    TRY(put_number(config, "attention_dropout", 0, err));
    TRY(put_number(config, "initializer_range", 0.02, err));
    TRY(put_flag(config, "use_cache", true, err));
    TRY(put_number(config, "bos_token_id", BEGIN_ID, err));
    TRY(put_number(config, "eos_token_id", END_ID, err));
    return put_number(config, "pad_token_id", END_ID, err);
}

static int put_family(cJSON *config, const char *class, const char *type, struct error *err) {
    cJSON *classes = NULL;
    TRY(put_list(config, "architectures", &classes, err));
    TRY(append_string(classes, class, err));
    return put_string(config, "model_type", type, err);
}

static int put_rope(cJSON *parent, const char *key, double theta, struct error *err) {
    cJSON *rope = NULL;
    TRY(put_object(parent, key, &rope, err));
    TRY(put_string(rope, "rope_type", "default", err));
    return put_number(rope, "rope_theta", theta, err);
}

/* As transformers 4 writes it, with Llama 3.2's scaling of the rotary frequencies in miniature. */
static int fill_llama(cJSON *config, const struct shape *shape, struct error *err) {
    cJSON *scaling = NULL;
    TRY(put_family(config, "LlamaForCausalLM", "llama", err));
    TRY(put_sizes(config, shape, err));
    TRY(put_string(config, "hidden_act", "silu", err));
    TRY(put_flag(config, "mlp_bias", false, err));
    TRY(put_number(config, "pretraining_tp", 1, err));
    TRY(put_number(config, "rope_theta", 10000.0, err));
    TRY(put_object(config, "rope_scaling", &scaling, err));
    TRY(put_string(scaling, "rope_type", "llama3", err));
    TRY(put_number(scaling, "factor", 4.0, err));
    TRY(put_number(scaling, "low_freq_factor", 1.0, err));
    TRY(put_number(scaling, "high_freq_factor", 4.0, err));
    TRY(put_number(scaling, "original_max_position_embeddings", POSITIONS / 4, err));
    TRY(put_string(config, "torch_dtype", "bfloat16", err));
    return put_string(config, "transformers_version", "4.57.0", err);
}

/* As transformers 5 writes it. */
static int fill_qwen3(cJSON *config, const struct shape *shape, struct error *err) {
    cJSON *types = NULL;
    TRY(put_family(config, "Qwen3ForCausalLM", "qwen3", err));
    TRY(put_sizes(config, shape, err));
    TRY(put_string(config, "hidden_act", "silu", err));
    TRY(put_flag(config, "use_sliding_window", false, err));
    TRY(put_null(config, "sliding_window", err));
    TRY(put_list(config, "layer_types", &types, err));
    for (int i = 0; i < shape->layers; i++) TRY(append_string(types, "full_attention", err));
    TRY(put_rope(config, "rope_parameters", 10000.0, err));
    TRY(put_string(config, "dtype", "float32", err));
    return put_string(config, "transformers_version", "5.0.0", err);
}

/* As transformers 5 writes it: rotary parameters by kind of layer. */
static int fill_gemma3(cJSON *config, const struct shape *shape, struct error *err) {
    cJSON *types = NULL, *rope = NULL;
    TRY(put_family(config, "Gemma3ForCausalLM", "gemma3_text", err));
    TRY(put_sizes(config, shape, err));
    TRY(put_string(config, "hidden_activation", "gelu_pytorch_tanh", err));
    TRY(put_null(config, "attn_logit_softcapping", err));
    TRY(put_null(config, "final_logit_softcapping", err));
    TRY(put_number(config, "query_pre_attn_scalar", shape->head_dim, err));
    TRY(put_number(config, "sliding_window", 24, err));
    TRY(put_list(config, "layer_types", &types, err));
    for (int i = 0; i < shape->layers; i++) {
        bool full = i == shape->layers - 1;
        TRY(append_string(types, full ? "full_attention" : "sliding_attention", err));
    }
    TRY(put_object(config, "rope_parameters", &rope, err));
    TRY(put_rope(rope, "full_attention", 10000.0, err));
    TRY(put_rope(rope, "sliding_attention", 1000.0, err));
    TRY(put_string(config, "dtype", "bfloat16", err));
    return put_string(config, "transformers_version", "5.0.0", err);
}

static const struct tiny_model {
    const char *name;
    struct shape shape;
    enum safetensors_dtype dtype;
    bool adds_begin; /* its tokenizer puts the begin token first, as the family's real one does */
    int (*fill)(cJSON *config, const struct shape *shape, struct error *err);
} tiny_models[] = {
    {"tiny-gemma3", {64, 3, 2, 1, 32, 160}, SAFETENSORS_BF16, true, fill_gemma3},
    {"tiny-llama", {64, 3, 4, 2, 16, 176}, SAFETENSORS_BF16, true, fill_llama},
    {"tiny-qwen3", {64, 3, 4, 2, 32, 160}, SAFETENSORS_F32, false, fill_qwen3},
};

/* --- weights */

/* Norms start as the identity; matrices normal with the scale that keeps the variance of activations (1 /
 * sqrt of the inputs), those that write into the residual stream smaller by sqrt(2 * layers), as in GPT-2.
 * Rows of the embedding enter the stream with a length near 1 in each family, so that they are not drowned by
 * the first block. */
static void draw_tensor(const struct parameter *parameter, const struct model_config *config,
                        struct random_key key, float *out) {
    size_t count = (size_t)parameter->rows * (size_t)parameter->columns;
    bool writes_residual = strstr(parameter->name, "o_proj") || strstr(parameter->name, "down_proj");
    double deviation = 1.0 / sqrt(parameter->columns);
    if (writes_residual) deviation /= sqrt(2.0 * config->layers);
    if (strstr(parameter->name, "embed_tokens")) deviation /= config->embedding_factor;
    for (size_t i = 0; i < count; i++) {
        out[i] =
            parameter->columns == 1 ? 1.0F - config->norm_offset : (float)(deviation * random_normal(key, i));
    }
}

static int write_tensors(struct safetensors_writer *writer, const struct parameter_layout *layout,
                         const struct model_config *config, enum safetensors_dtype dtype,
                         struct random_key key, struct error *err) {
    int code = 0;
    for (int i = 0; !code && i < layout->count; i++) {
        const struct parameter *parameter = &layout->parameters[i];
        size_t count = (size_t)parameter->rows * (size_t)parameter->columns;
        float *numbers = NULL;
        unsigned char *bytes = NULL;
        key.stream++; /* one stream a tensor */
        code = memory_alloc(&numbers, count, sizeof *numbers, err);
        if (!code) code = memory_alloc(&bytes, count, safetensors_dtype_bytes(dtype), err);
        if (!code) {
            draw_tensor(parameter, config, key, numbers);
            safetensors_write_floats(dtype, numbers, count, bytes);
            code = safetensors_writer_append(writer, bytes, count * safetensors_dtype_bytes(dtype), err);
        }
        memory_free(numbers);
        memory_free(bytes);
    }
    return code;
}

static int write_weights(const char *folder, const struct tiny_model *model, struct random_key key,
                         struct error *err) {
    struct model_config config;
    struct parameter_layout *layout = NULL;
    struct safetensors_entry *entries = NULL;
    struct safetensors_writer *writer = NULL;
    struct text path = {0};
    TRY(model_config_load(folder, &config, err));
    int code = parameter_layout_create(&config, &layout, err);
    if (!code) code = memory_alloc(&entries, (size_t)layout->count, sizeof *entries, err);
    for (int i = 0; !code && i < layout->count; i++) {
        const struct parameter *parameter = &layout->parameters[i];
        entries[i] =
            (struct safetensors_entry){.name = parameter->name,
                                       .dtype = model->dtype,
                                       .dimensions = parameter->columns == 1 ? 1 : 2,
                                       .shape = {(size_t)parameter->rows, (size_t)parameter->columns}};
    }
    if (!code) code = text_printf(&path, err, "%s/model.safetensors", folder);
    if (!code)
        code = safetensors_writer_open(text_string(&path), entries, (size_t)layout->count, &writer, err);
    if (!code) code = write_tensors(writer, layout, &config, model->dtype, key, err);
    if (!code) code = safetensors_writer_commit(&writer, err);
    safetensors_writer_abandon(&writer);
    memory_free(entries);
    parameter_layout_destroy(&layout);
    text_free(&path);
    return code;
}

static int write_config(const char *folder, const struct tiny_model *model, struct error *err) {
    struct text path = {0};
    cJSON *config = cJSON_CreateObject();
    int code = config ? model->fill(config, &model->shape, err) : error_set(err, ERROR_MEMORY, "no memory");
    if (!code) code = text_printf(&path, err, "%s/config.json", folder);
    if (!code) code = json_write_file(text_string(&path), config, err);
    cJSON_Delete(config);
    text_free(&path);
    return code;
}

int generate_models(const char *folder, uint64_t seed, const struct bpe *bpe, struct error *err) {
    struct text path = {0};
    int code = 0;
    for (uint32_t i = 0; !code && i < sizeof tiny_models / sizeof *tiny_models; i++) {
        const struct tiny_model *model = &tiny_models[i];
        struct random_key key = {seed, RANDOM_WEIGHTS, 1000 * i};
        text_clear(&path);
        code = text_printf(&path, err, "%s/models/%s", folder, model->name);
        if (!code) code = file_make_folder(text_string(&path), err);
        if (!code) code = write_config(text_string(&path), model, err);
        if (!code) code = bpe_write(bpe, text_string(&path), model->adds_begin, err);
        if (!code) code = write_weights(text_string(&path), model, key, err);
    }
    text_free(&path);
    return code;
}

#include "train/model_config.h"

#include "base/memory.h"
#include "io/file.h"
#include "io/json.h"
#include "train/config_fields.h"
#include "train/rope.h"
#include <limits.h>
#include <math.h>
#include <string.h>

/* Bounds that keep every product of sizes far from overflow. */
enum {
    FILE_LIMIT = 4 * 1024 * 1024,
    VOCABULARY_MAX = 1 << 24,
    HIDDEN_MAX = 1 << 16,
    FEED_FORWARD_MAX = 1 << 20,
    HEADS_MAX = 1 << 10,
    HEAD_DIM_MAX = 1 << 10
};

static const char *const FAMILIES[] = {
    [MODEL_LLAMA] = "llama", [MODEL_QWEN3] = "qwen3", [MODEL_GEMMA3_TEXT] = "gemma3_text"};

const char *model_family_name(enum model_family family) {
    return FAMILIES[family];
}

/* --- what we do not implement */

static void refuse_set(const struct config_fields *fields, const char *key) {
    if (config_has(fields, key))
        config_refuse(fields, ERROR_UNSUPPORTED, key, "is not supported (expected null)");
}

static void refuse_true(const struct config_fields *fields, const char *key) {
    if (config_flag(fields, key, false))
        config_refuse(fields, ERROR_UNSUPPORTED, key, "is not supported (expected false)");
}

static void refuse_unsupported(const struct config_fields *fields) {
    static const char *const absent[] = {"quantization_config", "attn_logit_softcapping",
                                         "final_logit_softcapping"};
    static const char *const off[] = {"attention_bias", "mlp_bias", "use_bidirectional_attention"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) refuse_set(fields, absent[i]);
    for (size_t i = 0; i < sizeof off / sizeof *off; i++) refuse_true(fields, off[i]);
    if (config_real(fields, "attention_dropout", 0, 1, 0) != 0)
        config_refuse(fields, ERROR_UNSUPPORTED, "attention_dropout", "is not supported (expected 0)");
    if (config_real(fields, "partial_rotary_factor", 0, 1, 1) != 1)
        config_refuse(fields, ERROR_UNSUPPORTED, "partial_rotary_factor", "is not supported (expected 1)");
}

/* --- parts */

static void read_family(const struct config_fields *fields, struct model_config *config) {
    const char *type = config_word(fields, "model_type");
    if (!type) {
        config_refuse(fields, ERROR_INPUT, "model_type", "is missing (expected llama, qwen3 or gemma3_text)");
        return;
    }
    for (int i = MODEL_LLAMA; i <= MODEL_GEMMA3_TEXT; i++) {
        if (strcmp(type, FAMILIES[i])) continue;
        config->family = (enum model_family)i;
        return;
    }
    if (strcmp(type, "gemma3") == 0)
        config_refuse(
            fields, ERROR_UNSUPPORTED, "model_type",
            "\"gemma3\" wraps a language model in a multimodal one (its text_config); save the language "
            "model alone, as gemma3_text, for example by Gemma3ForCausalLM.from_pretrained(...)"
            ".save_pretrained(...)");
    else
        config_refuse(fields, ERROR_UNSUPPORTED, "model_type",
                      "\"%s\" is not supported (llama, qwen3 and gemma3_text are)", type);
}

static void read_sizes(const struct config_fields *fields, struct model_config *config) {
    bool gemma = config->family == MODEL_GEMMA3_TEXT;
    config->vocabulary = config_count(fields, "vocab_size", 2, VOCABULARY_MAX, CONFIG_REQUIRED);
    config->hidden = config_count(fields, "hidden_size", 1, HIDDEN_MAX, CONFIG_REQUIRED);
    config->layers = config_count(fields, "num_hidden_layers", 1, MODEL_LAYERS_MAX, CONFIG_REQUIRED);
    config->heads = config_count(fields, "num_attention_heads", 1, HEADS_MAX, CONFIG_REQUIRED);
    config->kv_heads = config_count(fields, "num_key_value_heads", 1, HEADS_MAX,
                                    config->family == MODEL_LLAMA ? config->heads : CONFIG_REQUIRED);
    config->feed_forward = config_count(fields, "intermediate_size", 1, FEED_FORWARD_MAX, CONFIG_REQUIRED);
    config->max_positions = config_count(fields, "max_position_embeddings", 1, INT_MAX, CONFIG_REQUIRED);
    if (config->heads % config->kv_heads)
        config_refuse(fields, ERROR_INPUT, "num_attention_heads",
                      "%d is not a multiple of num_key_value_heads %d", config->heads, config->kv_heads);

    /* The defaults are those of the reference's config classes. */
    int head_dim = gemma ? 256 : config->family == MODEL_QWEN3 ? 128 : 0;
    config->head_dim = config_count(fields, "head_dim", 1, HEAD_DIM_MAX, head_dim);
    if (!config->head_dim) {
        if (config->hidden % config->heads)
            config_refuse(fields, ERROR_INPUT, "hidden_size",
                          "%d is not a multiple of num_attention_heads %d, and head_dim is missing",
                          config->hidden, config->heads);
        config->head_dim = config->hidden / config->heads;
    }
    if (config->head_dim % 2 || config->head_dim < 2)
        config_refuse(fields, ERROR_INPUT, "head_dim", "%d is odd (rotary embeddings turn pairs)",
                      config->head_dim);
}

static void read_activation(const struct config_fields *fields, struct model_config *config) {
    bool gemma = config->family == MODEL_GEMMA3_TEXT;
    const char *key = gemma ? "hidden_activation" : "hidden_act";
    const char *word = config_word(fields, key);
    if (!word) word = gemma ? "gelu_pytorch_tanh" : "silu";
    if (strcmp(word, "silu") == 0)
        config->activation = ACTIVATION_SILU;
    else if (strcmp(word, "gelu_pytorch_tanh") == 0 || strcmp(word, "gelu_tanh") == 0)
        config->activation = ACTIVATION_GELU_TANH;
    else
        config_refuse(fields, ERROR_UNSUPPORTED, key,
                      "\"%s\" is not supported (silu and gelu_pytorch_tanh are)", word);
}

static void read_numbers(const struct config_fields *fields, struct model_config *config) {
    bool gemma = config->family == MODEL_GEMMA3_TEXT;
    config->norm_epsilon = (float)config_real(fields, "rms_norm_eps", 1e-12, 1, 1e-6);
    config->norm_offset = gemma ? 1 : 0;
    config->norm_after_blocks = gemma;
    config->qk_norm = config->family != MODEL_LLAMA;
    config->tied = config_flag(fields, "tie_word_embeddings", gemma);
    config->embedding_factor = gemma ? (float)sqrt(config->hidden) : 1;
    double scalar = gemma ? config_real(fields, "query_pre_attn_scalar", 1e-6, 1e6, 256) : config->head_dim;
    config->query_scale = (float)(1 / sqrt(scalar));
}

/* --- windows */

/* windowed[] of `layer_types`; false where the config has none. */
static bool read_layer_types(const struct config_fields *fields, struct model_config *config) {
    static const char key[] = "layer_types";
    const cJSON *types = config_find(fields, key);
    if (!types) return false;
    if (!cJSON_IsArray(types) || cJSON_GetArraySize(types) != config->layers) {
        config_refuse(fields, ERROR_INPUT, key, "is not an array of num_hidden_layers = %d strings",
                      config->layers);
        return true;
    }
    int layer = 0;
    for (const cJSON *type = types->child; type; type = type->next, layer++) {
        const char *word = cJSON_IsString(type) ? type->valuestring : "";
        config->windowed[layer] = strcmp(word, "sliding_attention") == 0;
        if (!config->windowed[layer] && strcmp(word, "full_attention"))
            config_refuse(fields, ERROR_UNSUPPORTED, key,
                          "layer %d is \"%s\" (full_attention and sliding_attention are supported)", layer,
                          word);
    }
    return true;
}

/* gemma3_text: all layers but every n-th are windowed, unless layer_types says otherwise. */
static void read_gemma_windows(const struct config_fields *fields, struct model_config *config) {
    config->window = config_count(fields, "sliding_window", 1, INT_MAX, 0);
    if (!config->window && !cJSON_GetObjectItemCaseSensitive(fields->object, "sliding_window"))
        config->window = 4096;
    int pattern = config_count(fields, "sliding_window_pattern", 1, INT_MAX, 6);
    if (read_layer_types(fields, config)) return;
    for (int i = 0; i < config->layers; i++) config->windowed[i] = (i + 1) % pattern != 0;
}

/* qwen3: layers from max_window_layers on, where use_sliding_window is true. */
static void read_qwen_windows(const struct config_fields *fields, struct model_config *config) {
    bool use = config_flag(fields, "use_sliding_window", false);
    if (use) config->window = config_count(fields, "sliding_window", 1, INT_MAX, 0);
    int first = config_count(fields, "max_window_layers", 0, INT_MAX, 28);
    if (read_layer_types(fields, config)) return;
    for (int i = 0; i < config->layers; i++) config->windowed[i] = config->window && i >= first;
}

static void read_windows(const struct config_fields *fields, struct model_config *config) {
    if (config->family == MODEL_GEMMA3_TEXT)
        read_gemma_windows(fields, config);
    else if (config->family == MODEL_QWEN3)
        read_qwen_windows(fields, config);
    else
        read_layer_types(fields, config);
    bool any = false;
    for (int i = 0; i < config->layers; i++) any |= config->windowed[i];
    if (any && !config->window)
        config_refuse(fields, ERROR_INPUT, "layer_types",
                      "has sliding_attention, but no sliding_window is in effect");
    if (!any) config->window = 0;
}

/* --- special ids */

static void add_end_id(const struct config_fields *fields, const cJSON *item, struct model_config *config) {
    double value = cJSON_IsNumber(item) ? item->valuedouble : -1;
    if (!(value >= 0 && value < config->vocabulary && value == floor(value))) {
        config_refuse(fields, ERROR_INPUT, "eos_token_id", "is not a token id below vocab_size = %d",
                      config->vocabulary);
        return;
    }
    for (int i = 0; i < config->end_count; i++)
        if (config->end_ids[i] == (int)value) return;
    if (config->end_count == MODEL_END_IDS_MAX)
        config_refuse(fields, ERROR_UNSUPPORTED, "eos_token_id", "more than %d ids", MODEL_END_IDS_MAX);
    else
        config->end_ids[config->end_count++] = (int)value;
}

static void read_end_ids(const struct config_fields *fields, struct model_config *config) {
    const cJSON *ids = config_find(fields, "eos_token_id");
    if (!ids) return;
    if (!cJSON_IsArray(ids)) {
        add_end_id(fields, ids, config);
        return;
    }
    for (const cJSON *id = ids->child; id; id = id->next) add_end_id(fields, id, config);
}

/* --- files */

static void read_config(const struct config_fields *fields, struct model_config *config) {
    read_family(fields, config);
    if (*fields->code) return; /* the other fields mean something only within a family */
    refuse_unsupported(fields);
    read_sizes(fields, config);
    if (*fields->code) return; /* what follows divides by sizes and counts layers */
    read_activation(fields, config);
    read_numbers(fields, config);
    rope_config_read(fields, config);
    read_windows(fields, config);
    config->begin_id = config_count(fields, "bos_token_id", 0, config->vocabulary - 1, -1);
    read_end_ids(fields, config);
}

static int read_file(const char *folder, const char *name, bool optional,
                     void (*read)(const struct config_fields *, struct model_config *),
                     struct model_config *config, struct error *err) {
    char *path;
    cJSON *root = NULL;
    TRY(file_join(folder, name, &path, err));
    int code = 0;
    if (!optional || file_exists(path)) {
        code = json_parse_file(path, FILE_LIMIT, &root, err);
        if (!code && !cJSON_IsObject(root))
            code = error_set(err, ERROR_INPUT, "%s: is not a JSON object", path);
        if (!code) read(&(struct config_fields){path, "", root, err, &code}, config);
    }
    cJSON_Delete(root);
    memory_free(path);
    return code;
}

int model_config_load(const char *folder, struct model_config *out, struct error *err) {
    *out = (struct model_config){.begin_id = -1};
    TRY(read_file(folder, "config.json", false, read_config, out, err));
    return read_file(folder, "generation_config.json", true, read_end_ids, out, err);
}

#include "train/rope.h"

#include <limits.h>
#include <math.h>
#include <string.h>

static const double THETA_MAX = 1e12, FACTOR_MAX = 1e6;

/* --- settings */

/* The type and factors of one rope object; theta is read by the caller. `outer` are the config's own fields.
 */
static void read_scaling(const struct config_fields *outer, const struct config_fields *object,
                         int max_positions, struct rope_config *rope) {
    const char *type = config_word(object, "rope_type");
    if (!type) type = config_word(object, "type");
    if (!type || strcmp(type, "default") == 0) {
        rope->scaling = ROPE_PLAIN;
    } else if (strcmp(type, "linear") == 0) {
        rope->scaling = ROPE_LINEAR;
        rope->factor = config_real(object, "factor", 1e-6, FACTOR_MAX, NAN);
    } else if (strcmp(type, "llama3") == 0) {
        rope->scaling = ROPE_LLAMA3;
        rope->factor = config_real(object, "factor", 1e-6, FACTOR_MAX, NAN);
        rope->low_frequency_factor = config_real(object, "low_freq_factor", 1e-6, FACTOR_MAX, NAN);
        rope->high_frequency_factor = config_real(object, "high_freq_factor", 1e-6, FACTOR_MAX, NAN);
        static const char key[] = "original_max_position_embeddings";
        int fallback = config_count(object, key, 1, INT_MAX, max_positions);
        rope->original_positions = config_count(outer, key, 1, INT_MAX, fallback);
        if (!(rope->high_frequency_factor > rope->low_frequency_factor))
            config_refuse(object, ERROR_INPUT, "high_freq_factor", "is not larger than low_freq_factor");
    } else {
        config_refuse(object, ERROR_UNSUPPORTED, "rope_type",
                      "\"%s\" is not supported (default, linear and llama3 are)", type);
    }
    if (config_real(object, "partial_rotary_factor", 0, 1, 1) != 1)
        config_refuse(object, ERROR_UNSUPPORTED, "partial_rotary_factor", "only 1 is supported");
}

static double read_theta(const struct config_fields *fields, const char *key, double fallback) {
    return config_real(fields, key, 1, THETA_MAX, fallback);
}

/* One object for all layers (llama, qwen3). Where a config has both dialects, rope_scaling counts, as in the
 * reference. */
static void read_flat(const struct config_fields *fields, struct model_config *config) {
    struct rope_config *rope = &config->rope_full;
    rope->theta = read_theta(fields, "rope_theta", 10000);
    struct config_fields object;
    if (config_object(fields, "rope_scaling", "rope_scaling.", &object) ||
        config_object(fields, "rope_parameters", "rope_parameters.", &object)) {
        if (config_has(&object, "full_attention") || config_has(&object, "sliding_attention"))
            config_refuse(fields, ERROR_UNSUPPORTED, "rope_parameters",
                          "differ by layer type, which %s has not", model_family_name(config->family));
        rope->theta = read_theta(&object, "rope_theta", rope->theta);
        read_scaling(fields, &object, config->max_positions, rope);
    }
    config->rope_windowed = *rope;
}

/* One object for each layer type (gemma3_text). */
static void read_by_layer_type(const struct config_fields *fields, struct model_config *config) {
    struct rope_config *full = &config->rope_full, *windowed = &config->rope_windowed;
    full->theta = read_theta(fields, "rope_theta", 1e6);
    windowed->theta = read_theta(fields, "rope_local_base_freq", 1e4);
    struct config_fields both, object;
    if (config_object(fields, "rope_parameters", "rope_parameters.", &both)) {
        if (config_has(&both, "rope_theta") || config_has(&both, "rope_type"))
            config_refuse(fields, ERROR_INPUT, "rope_parameters",
                          "must be keyed by layer type (full_attention and sliding_attention)");
        if (config_object(&both, "full_attention", "rope_parameters.full_attention.", &object)) {
            full->theta = read_theta(&object, "rope_theta", full->theta);
            read_scaling(fields, &object, config->max_positions, full);
        }
        if (config_object(&both, "sliding_attention", "rope_parameters.sliding_attention.", &object)) {
            windowed->theta = read_theta(&object, "rope_theta", windowed->theta);
            read_scaling(fields, &object, config->max_positions, windowed);
        }
    }
    if (config_object(fields, "rope_scaling", "rope_scaling.", &object))
        read_scaling(fields, &object, config->max_positions, full);
}

void rope_config_read(const struct config_fields *fields, struct model_config *config) {
    if (config->family == MODEL_GEMMA3_TEXT)
        read_by_layer_type(fields, config);
    else
        read_flat(fields, config);
}

/* --- angles */

/* llama3: wavelengths beyond the context of pretraining are stretched by `factor`, short ones are kept, and
 * those between are mixed (Dubey et al., arXiv:2407.21783, and transformers' modeling_rope_utils). */
static float stretch_llama3(const struct rope_config *rope, float frequency) {
    double wavelength = 2 * M_PI / (double)frequency;
    double longest = rope->original_positions / rope->low_frequency_factor;
    double shortest = rope->original_positions / rope->high_frequency_factor;
    if (wavelength > longest) return (float)(frequency / rope->factor);
    if (wavelength < shortest) return frequency;
    double smooth = (rope->original_positions / wavelength - rope->low_frequency_factor) /
                    (rope->high_frequency_factor - rope->low_frequency_factor);
    return (float)((1 - smooth) * frequency / rope->factor + smooth * frequency);
}

static float frequency_of_pair(const struct rope_config *rope, int pair, int head_dim) {
    float frequency = (float)(1.0 / pow(rope->theta, 2.0 * pair / head_dim));
    switch (rope->scaling) {
    case ROPE_LINEAR: return (float)(frequency / rope->factor);
    case ROPE_LLAMA3: return stretch_llama3(rope, frequency);
    default: return frequency;
    }
}

void rope_table(const struct rope_config *rope, int head_dim, int positions, float *table) {
    int pairs = head_dim / 2;
    for (int c = 0; c < pairs; c++) {
        float frequency = frequency_of_pair(rope, c, head_dim);
        for (int p = 0; p < positions; p++) {
            float angle = (float)p * frequency;
            float *row = table + (size_t)p * (size_t)head_dim;
            row[c] = (float)cos((double)angle);
            row[pairs + c] = (float)sin((double)angle);
        }
    }
}

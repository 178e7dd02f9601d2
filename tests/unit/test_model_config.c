/* Model configs: the recorded ones of both dialects, and every refusal by file and field. */
#include "train/model_config.h"

#include "base/text.h"
#include "io/file.h"
#include "train/rope.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/adapt-model-config-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    return file_remove_tree(folder, NULL);
}

static void write_text(const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (text)
        assert_int_equal(file_write(path, text, strlen(text), NULL), 0);
    else
        unlink(path);
}

/* Fields of a config that is well formed but for what a case appends; a field that is appended again replaces
 * nothing, so cases leave out what they change by naming it in `without`. */
struct field {
    const char *key, *value;
};

static const struct field LLAMA[] = {{"model_type", "\"llama\""},
                                     {"vocab_size", "100"},
                                     {"hidden_size", "24"},
                                     {"intermediate_size", "40"},
                                     {"num_hidden_layers", "3"},
                                     {"num_attention_heads", "6"},
                                     {"num_key_value_heads", "2"},
                                     {"rms_norm_eps", "1e-5"},
                                     {"max_position_embeddings", "64"},
                                     {"hidden_act", "\"silu\""},
                                     {"rope_theta", "500000.0"},
                                     {"tie_word_embeddings", "true"},
                                     {"attention_bias", "false"},
                                     {"mlp_bias", "false"},
                                     {"bos_token_id", "1"},
                                     {"eos_token_id", "[2, 3, 2]"},
                                     {"torch_dtype", "\"bfloat16\""},
                                     {"transformers_version", "\"4.50.0\""},
                                     {"use_cache", "true"},
                                     {NULL, NULL}};
static const struct field QWEN3[] = {{"model_type", "\"qwen3\""},
                                     {"vocab_size", "100"},
                                     {"hidden_size", "24"},
                                     {"intermediate_size", "40"},
                                     {"num_hidden_layers", "3"},
                                     {"num_attention_heads", "4"},
                                     {"num_key_value_heads", "2"},
                                     {"head_dim", "16"},
                                     {"max_position_embeddings", "64"},
                                     {"sliding_window", "null"},
                                     {"use_sliding_window", "false"},
                                     {"max_window_layers", "28"},
                                     {"rope_theta", "1000000"},
                                     {"eos_token_id", "5"},
                                     {NULL, NULL}};
static const struct field GEMMA3[] = {{"model_type", "\"gemma3_text\""},
                                      {"vocab_size", "100"},
                                      {"hidden_size", "24"},
                                      {"intermediate_size", "40"},
                                      {"num_hidden_layers", "7"},
                                      {"num_attention_heads", "4"},
                                      {"num_key_value_heads", "1"},
                                      {"head_dim", "8"},
                                      {"max_position_embeddings", "64"},
                                      {"sliding_window", "16"},
                                      {"query_pre_attn_scalar", "12"},
                                      {NULL, NULL}};

/* config.json of `base` with `key` set to the JSON `value`; a NULL value leaves the key out. */
static void write_config(const struct field *base, const char *key, const char *value) {
    struct text text = {0};
    assert_int_equal(text_append_string(&text, "{", NULL), 0);
    for (const struct field *f = base; f->key; f++)
        if (!key || strcmp(f->key, key))
            assert_int_equal(text_printf(&text, NULL, "\"%s\": %s, ", f->key, f->value), 0);
    if (key && value) assert_int_equal(text_printf(&text, NULL, "\"%s\": %s, ", key, value), 0);
    assert_int_equal(text_append_string(&text, "\"architectures\": []}", NULL), 0);
    write_text("config.json", text_string(&text));
    text_free(&text);
}

static struct model_config load(const struct field *base, const char *key, const char *value) {
    struct model_config config;
    struct error err = {0};
    write_config(base, key, value);
    if (model_config_load(folder, &config, &err))
        fail_msg("%s = %s: %s", key ? key : "all", value ? value : "as it was", err.message);
    return config;
}

/* The message names the file and the field. */
static void refuse(const struct field *base, const char *key, const char *value, int code,
                   const char *expected) {
    struct model_config config;
    struct error err = {0};
    char place[128];
    write_config(base, key, value);
    int got = model_config_load(folder, &config, &err);
    snprintf(place, sizeof place, "config.json: %s", expected);
    if (got != code || !strstr(err.message, place))
        fail_msg("%s = %s: code %d, \"%s\"; expected %d, \"%s\"", key, value ? value : "(left out)", got,
                 err.message, code, place);
}

/* --- what is understood */

static void test_llama(void **state) {
    (void)state;
    struct model_config c = load(LLAMA, NULL, NULL);
    assert_int_equal(c.family, MODEL_LLAMA);
    assert_string_equal(model_family_name(c.family), "llama");
    assert_int_equal(c.vocabulary, 100);
    assert_int_equal(c.head_dim, 4);
    assert_int_equal(c.kv_heads, 2);
    assert_true(c.tied && !c.qk_norm && !c.norm_after_blocks);
    assert_true(c.embedding_factor == 1 && c.query_scale == 0.5f && c.norm_offset == 0 &&
                c.norm_epsilon == 1e-5f);
    assert_int_equal(c.window, 0);
    assert_int_equal(c.begin_id, 1);
    assert_int_equal(c.end_count, 2);
    assert_int_equal(c.end_ids[1], 3);
    assert_int_equal(c.rope_full.scaling, ROPE_PLAIN);
    assert_true(c.rope_full.theta == 500000);
    assert_false(load(LLAMA, "tie_word_embeddings", NULL).tied);
    assert_int_equal(load(LLAMA, "num_key_value_heads", NULL).kv_heads, 6);
    assert_int_equal(load(LLAMA, "head_dim", "10").head_dim, 10);
    assert_int_equal(load(LLAMA, "head_dim", "null").head_dim, 4);
    assert_int_equal(load(LLAMA, "bos_token_id", "null").begin_id, -1);
    assert_int_equal(load(LLAMA, "eos_token_id", "null").end_count, 0);
    assert_true(load(LLAMA, "rope_theta", NULL).rope_full.theta == 10000);
    assert_int_equal(load(LLAMA, "hidden_act", "\"gelu_pytorch_tanh\"").activation, ACTIVATION_GELU_TANH);

    c = load(LLAMA, "rope_scaling",
             "{\"rope_type\":\"llama3\",\"factor\":32.0,\"low_freq_factor\":1.0,\"high_freq_factor\":4.0,"
             "\"original_max_position_embeddings\":8192}");
    assert_int_equal(c.rope_full.scaling, ROPE_LLAMA3);
    assert_true(c.rope_full.theta == 500000 && c.rope_full.factor == 32 &&
                c.rope_full.low_frequency_factor == 1 && c.rope_full.high_frequency_factor == 4);
    assert_int_equal(c.rope_full.original_positions, 8192);
    c = load(LLAMA, "rope_parameters", "{\"rope_type\":\"linear\",\"factor\":4,\"rope_theta\":77.5}");
    assert_int_equal(c.rope_full.scaling, ROPE_LINEAR);
    assert_true(c.rope_full.theta == 77.5 && c.rope_full.factor == 4);
    c = load(LLAMA, "rope_scaling", "{\"type\":\"linear\",\"factor\":2}");
    assert_int_equal(c.rope_full.scaling, ROPE_LINEAR);
    c = load(LLAMA, "rope_parameters",
             "{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":1,\"high_freq_factor\":4}");
    assert_int_equal(c.rope_full.original_positions, 64);
}

static void test_qwen3(void **state) {
    (void)state;
    struct model_config c = load(QWEN3, NULL, NULL);
    assert_int_equal(c.family, MODEL_QWEN3);
    assert_true(c.qk_norm && !c.tied && !c.norm_after_blocks && c.query_scale == 0.25f && c.window == 0);
    assert_int_equal(load(QWEN3, "head_dim", NULL).head_dim, 128);
    assert_true(load(QWEN3, "rms_norm_eps", NULL).norm_epsilon == 1e-6f);
    c = load(QWEN3, "layer_types", "[\"full_attention\",\"full_attention\",\"full_attention\"]");
    assert_int_equal(c.window, 0);
    static const struct field windowed[] = {{"model_type", "\"qwen3\""},
                                            {"vocab_size", "100"},
                                            {"hidden_size", "24"},
                                            {"intermediate_size", "40"},
                                            {"num_hidden_layers", "3"},
                                            {"num_attention_heads", "4"},
                                            {"num_key_value_heads", "2"},
                                            {"head_dim", "16"},
                                            {"max_position_embeddings", "64"},
                                            {"sliding_window", "8"},
                                            {"use_sliding_window", "true"},
                                            {"max_window_layers", "1"},
                                            {NULL, NULL}};
    c = load(windowed, NULL, NULL);
    assert_int_equal(c.window, 8);
    assert_true(!c.windowed[0] && c.windowed[1] && c.windowed[2]);
    assert_true(c.rope_windowed.theta == c.rope_full.theta);
    assert_int_equal(load(windowed, "max_window_layers", NULL).window, 0); /* the default is 28 */
    assert_int_equal(load(windowed, "use_sliding_window", "false").window, 0);
    c = load(windowed, "layer_types", "[\"sliding_attention\",\"full_attention\",\"full_attention\"]");
    assert_true(c.windowed[0] && !c.windowed[1] && !c.windowed[2]);
    assert_int_equal(load(windowed, "sliding_window", "null").window, 0);
}

static void test_gemma3(void **state) {
    (void)state;
    struct model_config c = load(GEMMA3, NULL, NULL);
    assert_int_equal(c.family, MODEL_GEMMA3_TEXT);
    assert_true(c.qk_norm && c.tied && c.norm_after_blocks && c.norm_offset == 1);
    assert_int_equal(c.activation, ACTIVATION_GELU_TANH);
    assert_true(c.embedding_factor == (float)sqrt(24.0));
    assert_true(c.query_scale == (float)(1 / sqrt(12.0)));
    assert_true(c.rope_full.theta == 1e6 && c.rope_windowed.theta == 1e4);
    assert_int_equal(c.window, 16);
    for (int i = 0; i < 7; i++) assert_int_equal(c.windowed[i], i != 5);
    c = load(GEMMA3, "sliding_window_pattern", "3");
    for (int i = 0; i < 7; i++) assert_int_equal(c.windowed[i], i % 3 != 2);
    c = load(GEMMA3, "sliding_window_pattern", "1"); /* every layer is full */
    assert_int_equal(c.window, 0);
    assert_int_equal(load(GEMMA3, "sliding_window", NULL).window, 4096);
    assert_int_equal(load(GEMMA3, "head_dim", NULL).head_dim, 256);
    assert_true(load(GEMMA3, "query_pre_attn_scalar", NULL).query_scale == 1.0f / 16);
    assert_false(load(GEMMA3, "tie_word_embeddings", "false").tied);
    c = load(GEMMA3, "rope_scaling", "{\"rope_type\":\"linear\",\"factor\":8.0}");
    assert_int_equal(c.rope_full.scaling, ROPE_LINEAR);
    assert_int_equal(c.rope_windowed.scaling, ROPE_PLAIN);
    c = load(GEMMA3, "rope_local_base_freq", "300");
    assert_true(c.rope_windowed.theta == 300 && c.rope_full.theta == 1e6);
    c = load(GEMMA3, "rope_parameters",
             "{\"full_attention\":{\"rope_type\":\"linear\",\"factor\":8,\"rope_theta\":5},"
             "\"sliding_attention\":{\"rope_theta\":6}}");
    assert_true(c.rope_full.theta == 5 && c.rope_full.factor == 8 && c.rope_windowed.theta == 6);
    assert_int_equal(c.rope_windowed.scaling, ROPE_PLAIN);
}

static void test_end_ids(void **state) {
    (void)state;
    write_text("generation_config.json", "{\"eos_token_id\": [9, 3], \"temperature\": 0.6}");
    struct model_config c = load(LLAMA, NULL, NULL);
    assert_int_equal(c.end_count, 3);
    assert_int_equal(c.end_ids[2], 9);
    struct error err = {0};
    write_text("generation_config.json", "{\"eos_token_id\": [100]}");
    assert_int_equal(model_config_load(folder, &c, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "generation_config.json: eos_token_id"));
    write_text("generation_config.json", "{");
    assert_int_equal(model_config_load(folder, &c, &err), ERROR_INPUT);
    write_text("generation_config.json", NULL);
}

/* --- what is refused */

static void test_missing_and_mistyped(void **state) {
    (void)state;
    static const char *const required[] = {"model_type",
                                           "vocab_size",
                                           "hidden_size",
                                           "intermediate_size",
                                           "num_hidden_layers",
                                           "num_attention_heads",
                                           "max_position_embeddings"};
    for (size_t i = 0; i < sizeof required / sizeof *required; i++) {
        refuse(LLAMA, required[i], NULL, ERROR_INPUT, required[i]);
        refuse(LLAMA, required[i], "null", ERROR_INPUT, required[i]);
        refuse(LLAMA, required[i], "[]", ERROR_INPUT, required[i]);
        refuse(LLAMA, required[i], "-3", ERROR_INPUT, required[i]);
    }
    static const char *const counts[] = {"vocab_size",          "hidden_size",         "num_hidden_layers",
                                         "num_attention_heads", "num_key_value_heads", "head_dim",
                                         "intermediate_size"};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        refuse(LLAMA, counts[i], "0", ERROR_INPUT, counts[i]);
        refuse(LLAMA, counts[i], "2.5", ERROR_INPUT, counts[i]);
        refuse(LLAMA, counts[i], "\"6\"", ERROR_INPUT, counts[i]);
        refuse(LLAMA, counts[i], "2000000000", ERROR_INPUT, counts[i]);
        refuse(LLAMA, counts[i], "1e300", ERROR_INPUT, counts[i]);
    }
    refuse(LLAMA, "num_key_value_heads", "4", ERROR_INPUT, "num_attention_heads");
    refuse(LLAMA, "num_attention_heads", "10", ERROR_INPUT, "hidden_size");
    refuse(LLAMA, "head_dim", "5", ERROR_INPUT, "head_dim");
    refuse(QWEN3, "num_key_value_heads", NULL, ERROR_INPUT, "num_key_value_heads");
    refuse(LLAMA, "rms_norm_eps", "-1e-5", ERROR_INPUT, "rms_norm_eps");
    refuse(LLAMA, "rms_norm_eps", "\"1e-5\"", ERROR_INPUT, "rms_norm_eps");
    refuse(LLAMA, "tie_word_embeddings", "1", ERROR_INPUT, "tie_word_embeddings");
    refuse(LLAMA, "hidden_act", "7", ERROR_INPUT, "hidden_act");
    refuse(LLAMA, "rope_theta", "0", ERROR_INPUT, "rope_theta");
    refuse(LLAMA, "rope_theta", "true", ERROR_INPUT, "rope_theta");
    refuse(LLAMA, "bos_token_id", "100", ERROR_INPUT, "bos_token_id");
    refuse(LLAMA, "eos_token_id", "[1, -1]", ERROR_INPUT, "eos_token_id");
    refuse(LLAMA, "eos_token_id", "\"</s>\"", ERROR_INPUT, "eos_token_id");
    refuse(LLAMA, "eos_token_id", "[1,2,3,4,5,6,7,8,9]", ERROR_UNSUPPORTED, "eos_token_id");
    refuse(GEMMA3, "query_pre_attn_scalar", "0", ERROR_INPUT, "query_pre_attn_scalar");
    refuse(GEMMA3, "sliding_window", "null", ERROR_INPUT, "layer_types");
    refuse(GEMMA3, "sliding_window", "0", ERROR_INPUT, "sliding_window");
    refuse(GEMMA3, "sliding_window_pattern", "0", ERROR_INPUT, "sliding_window_pattern");
    refuse(GEMMA3, "layer_types", "[\"full_attention\"]", ERROR_INPUT, "layer_types");
    refuse(GEMMA3, "layer_types", "\"full_attention\"", ERROR_INPUT, "layer_types");
    refuse(GEMMA3, "rope_parameters", "{\"rope_theta\":5}", ERROR_INPUT, "rope_parameters");
    refuse(GEMMA3, "rope_parameters", "[]", ERROR_INPUT, "rope_parameters");
    refuse(GEMMA3, "rope_parameters", "{\"full_attention\":{\"rope_theta\":-5}}", ERROR_INPUT,
           "rope_parameters.full_attention.rope_theta");
    refuse(LLAMA, "rope_scaling", "{\"rope_type\":\"linear\"}", ERROR_INPUT, "rope_scaling.factor");
    refuse(LLAMA, "rope_scaling",
           "{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":4,\"high_freq_factor\":4}",
           ERROR_INPUT, "rope_scaling.high_freq_factor");
    refuse(LLAMA, "hidden_size\": 24, \"hidden_size", "24", ERROR_INPUT, "hidden_size: comes twice");
}

static void test_unsupported(void **state) {
    (void)state;
    refuse(LLAMA, "model_type", "\"mistral\"", ERROR_UNSUPPORTED, "model_type: \"mistral\"");
    refuse(GEMMA3, "model_type", "\"gemma3\"", ERROR_UNSUPPORTED, "model_type: \"gemma3\" wraps");
    refuse(LLAMA, "attention_bias", "true", ERROR_UNSUPPORTED, "attention_bias");
    refuse(LLAMA, "mlp_bias", "true", ERROR_UNSUPPORTED, "mlp_bias");
    refuse(LLAMA, "attention_dropout", "0.1", ERROR_UNSUPPORTED, "attention_dropout");
    refuse(LLAMA, "quantization_config", "{\"bits\":4}", ERROR_UNSUPPORTED, "quantization_config");
    refuse(LLAMA, "hidden_act", "\"relu\"", ERROR_UNSUPPORTED, "hidden_act: \"relu\"");
    refuse(GEMMA3, "hidden_activation", "\"gelu\"", ERROR_UNSUPPORTED, "hidden_activation");
    refuse(GEMMA3, "final_logit_softcapping", "30.0", ERROR_UNSUPPORTED, "final_logit_softcapping");
    refuse(GEMMA3, "attn_logit_softcapping", "50.0", ERROR_UNSUPPORTED, "attn_logit_softcapping");
    refuse(GEMMA3, "use_bidirectional_attention", "true", ERROR_UNSUPPORTED, "use_bidirectional_attention");
    refuse(QWEN3, "layer_types", "[\"full_attention\",\"full_attention\",\"chunked_attention\"]",
           ERROR_UNSUPPORTED, "layer_types");
    refuse(QWEN3, "layer_types", "[\"full_attention\",\"full_attention\",\"sliding_attention\"]", ERROR_INPUT,
           "layer_types");
    static const char *const types[] = {"yarn", "dynamic", "longrope", "su", "mrope"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char value[64];
        snprintf(value, sizeof value, "{\"rope_type\":\"%s\",\"factor\":2}", types[i]);
        refuse(LLAMA, "rope_scaling", value, ERROR_UNSUPPORTED, "rope_scaling.rope_type");
        refuse(QWEN3, "rope_parameters", value, ERROR_UNSUPPORTED, "rope_parameters.rope_type");
        refuse(GEMMA3, "rope_scaling", value, ERROR_UNSUPPORTED, "rope_scaling.rope_type");
    }
    refuse(LLAMA, "rope_parameters", "{\"rope_theta\":5,\"partial_rotary_factor\":0.5}", ERROR_UNSUPPORTED,
           "rope_parameters.partial_rotary_factor");
    refuse(LLAMA, "partial_rotary_factor", "0.5", ERROR_UNSUPPORTED, "partial_rotary_factor");
    refuse(LLAMA, "rope_parameters", "{\"full_attention\":{\"rope_theta\":5}}", ERROR_UNSUPPORTED,
           "rope_parameters");
}

static void test_files(void **state) {
    (void)state;
    struct model_config config;
    struct error err = {0};
    write_text("config.json", NULL);
    assert_int_equal(model_config_load(folder, &config, &err), ERROR_IO);
    assert_non_null(strstr(err.message, "config.json"));
    write_text("config.json", "[1]");
    assert_int_equal(model_config_load(folder, &config, &err), ERROR_INPUT);
    write_text("config.json", "{\"model_type\": \"llama\",}");
    assert_int_equal(model_config_load(folder, &config, &err), ERROR_INPUT);
}

/* --- the recorded folders: these are also opened by tests of whole models */

static void test_recorded(void **state) {
    (void)state;
    static const char *const names[] = {"llama_4", "llama_5", "qwen3_4", "qwen3_5", "gemma3_4", "gemma3_5"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct model_config config;
        struct error err = {0};
        char path[512];
        snprintf(path, sizeof path, TEST_SOURCE_DIR "/golden/model/%s", names[i]);
        if (model_config_load(path, &config, &err)) fail_msg("%s", err.message);
        if (i == 0) assert_int_equal(config.end_count, 3); /* [2, 3] and [3, 7] of the generation config */
    }
}

/* Angles against the formulas, in double. */
static void test_rope_table(void **state) {
    (void)state;
    enum { HEAD_DIM = 8, POSITIONS = 50 };
    float table[POSITIONS * HEAD_DIM];
    struct rope_config rope = {.theta = 1000, .scaling = ROPE_LINEAR, .factor = 4};
    rope_table(&rope, HEAD_DIM, POSITIONS, table);
    for (int p = 0; p < POSITIONS; p++)
        for (int c = 0; c < HEAD_DIM / 2; c++) {
            double angle = p / 4.0 * pow(1000, -2.0 * c / HEAD_DIM);
            assert_true(fabs((double)table[p * HEAD_DIM + c] - cos(angle)) < 1e-6);
            assert_true(fabs((double)table[p * HEAD_DIM + HEAD_DIM / 2 + c] - sin(angle)) < 1e-6);
        }
    /* llama3 with a context of 100: wavelengths 2 pi theta^(c/4) of 6, 35, 199 and 1117 positions; those
     * below 100 / 4 stay, those beyond 100 / 1 are stretched eightfold, 35 is mixed. */
    rope = (struct rope_config){.theta = 1000,
                                .scaling = ROPE_LLAMA3,
                                .factor = 8,
                                .low_frequency_factor = 1,
                                .high_frequency_factor = 4,
                                .original_positions = 100};
    rope_table(&rope, HEAD_DIM, POSITIONS, table);
    double plain = pow(1000, -0.25), wavelength = 2 * M_PI / plain, smooth = (100 / wavelength - 1) / 3;
    double frequency[4] = {1, (1 - smooth) * plain / 8 + smooth * plain, pow(1000, -0.5) / 8,
                           pow(1000, -0.75) / 8};
    assert_true(smooth > 0.1 && smooth < 0.9);
    for (int p = 0; p < POSITIONS; p++)
        for (int c = 0; c < 4; c++)
            assert_true(fabs((double)table[p * 8 + c] - cos(p * frequency[c])) < 2e-6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_llama),       cmocka_unit_test(test_qwen3),
        cmocka_unit_test(test_gemma3),      cmocka_unit_test(test_end_ids),
        cmocka_unit_test(test_unsupported), cmocka_unit_test(test_missing_and_mistyped),
        cmocka_unit_test(test_files),       cmocka_unit_test(test_recorded),
        cmocka_unit_test(test_rope_table),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

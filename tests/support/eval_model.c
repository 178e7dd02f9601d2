#include "tests/support/eval_model.h"

#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "tests/support/backend_test.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* The byte's character in the printable alphabet of byte-level BPE, as UTF-8: printable Latin-1 stands for
 * itself, the rest is counted up from U+0100. */
static void byte_character(int byte, char out[3]) {
    int next = 256, point = byte;
    for (int b = 0; b <= byte; b++) {
        bool printable = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || (b >= 0xae && b <= 0xff);
        if (b == byte && !printable) point = next;
        next += !printable;
    }
    memset(out, 0, 3);
    if (point < 0x80) {
        out[0] = (char)point;
    } else {
        out[0] = (char)(0xc0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3f));
    }
}

static void write_tokenizer(const char *folder, bool adds_begin, bool names_begin) {
    static const char *const merges[][2] = {{"t", "h"},         {"h", "e"},        {"i", "n"},
                                            {"th", "e"},        {"\xc4\xa0", "t"}, {"\xc4\xa0", "a"},
                                            {"\xc4\xa0", "the"}};
    enum { MERGES = sizeof merges / sizeof merges[0] };
    struct text json = {0};
    int code = text_printf(
        &json, NULL,
        "{\"version\": \"1.0\", \"truncation\": null, \"padding\": null, \"added_tokens\": ["
        "{\"id\": %d, \"content\": \"<s>\", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, "
        "\"normalized\": false, \"special\": true}, "
        "{\"id\": %d, \"content\": \"</s>\", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, "
        "\"normalized\": false, \"special\": true}], \"normalizer\": null, \"pre_tokenizer\": "
        "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true, \"use_regex\": "
        "true}, \"decoder\": {\"type\": \"ByteLevel\", \"add_prefix_space\": true, \"trim_offsets\": "
        "true, \"use_regex\": true}, \"post_processor\": ",
        256 + MERGES, 257 + MERGES);
    if (adds_begin) {
        code |= text_printf(
            &json, NULL,
            "{\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\": \"<s>\", "
            "\"type_id\": 0}}, {\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}], \"pair\": [{\"Sequence\": "
            "{\"id\": \"A\", \"type_id\": 0}}, {\"Sequence\": {\"id\": \"B\", \"type_id\": 1}}], "
            "\"special_tokens\": {\"<s>\": {\"id\": \"<s>\", \"ids\": [%d], \"tokens\": [\"<s>\"]}}}",
            256 + MERGES);
    } else {
        code |= text_printf(
            &json, NULL,
            "{\"type\": \"ByteLevel\", \"add_prefix_space\": true, \"trim_offsets\": false, \"use_regex\": "
            "true}");
    }
    code |= text_append_string(
        &json,
        ", \"model\": {\"type\": \"BPE\", \"dropout\": null, \"unk_token\": null, "
        "\"continuing_subword_prefix\": null, \"end_of_word_suffix\": null, \"fuse_unk\": false, "
        "\"byte_fallback\": false, \"vocab\": {",
        NULL);
    for (int byte = 0; byte < 256; byte++) {
        char character[3];
        byte_character(byte, character);
        const char *escape = byte == '"' || byte == '\\' ? "\\" : "";
        code |= text_printf(&json, NULL, "\"%s%s\": %d, ", escape, character, byte);
    }
    for (int m = 0; m < MERGES; m++) {
        code |= text_printf(&json, NULL, "\"%s%s\": %d%s", merges[m][0], merges[m][1], 256 + m,
                            m + 1 < MERGES ? ", " : "");
    }
    code |= text_append_string(&json, "}, \"merges\": [", NULL);
    for (int m = 0; m < MERGES; m++) {
        code |= text_printf(&json, NULL, "%s\"%s %s\"", m ? ", " : "", merges[m][0], merges[m][1]);
    }
    code |= text_append_string(&json, "]}}", NULL);
    assert_int_equal(code, 0);
    assert_int_equal(258 + MERGES, EVAL_MODEL_IDS);
    eval_file_write(folder, "tokenizer.json", json.data, json.length, NULL);
    text_free(&json);
    const char *names =
        names_begin ? "{\"bos_token\": \"<s>\", \"eos_token\": \"</s>\"}" : "{\"eos_token\": \"</s>\"}";
    eval_file_write(folder, "tokenizer_config.json", names, strlen(names), NULL);
}

static struct model_config tiny_config(enum eval_model_kind kind) {
    bool window = kind == EVAL_MODEL_WINDOW;
    struct model_config config = {.family = window ? MODEL_GEMMA3_TEXT : MODEL_LLAMA,
                                  .vocabulary = EVAL_MODEL_IDS,
                                  .hidden = 24,
                                  .layers = 3,
                                  .heads = 4,
                                  .kv_heads = 2,
                                  .head_dim = 8,
                                  .feed_forward = 40,
                                  .max_positions = 160,
                                  .activation = window ? ACTIVATION_GELU_TANH : ACTIVATION_SILU,
                                  .norm_epsilon = 1e-5f,
                                  .norm_offset = window ? 1.0f : 0.0f,
                                  .norm_after_blocks = window,
                                  .qk_norm = window,
                                  .tied = window,
                                  .embedding_factor = window ? 4.9f : 1.0f,
                                  .query_scale = 0.35f,
                                  .window = window ? 6 : 0,
                                  .windowed = {window, false, window},
                                  .rope_full = {.theta = 10000, .scaling = ROPE_PLAIN},
                                  .rope_windowed = {.theta = 100, .scaling = ROPE_PLAIN},
                                  .begin_id = -1};
    return config;
}

/* Weights large enough that the model's choices differ from position to position. */
static void make_weights(struct eval_fixture *f) {
    float *weights;
    assert_int_equal(memory_alloc(&weights, f->layout->elements, sizeof *weights, NULL), 0);
    struct random_key key = {.seed = 3, .purpose = RANDOM_TEST};
    for (int p = 0; p < f->layout->count; p++) {
        const struct parameter *parameter = &f->layout->parameters[p];
        size_t n = (size_t)parameter->rows * (size_t)parameter->columns;
        bool norm = parameter->columns == 1;
        float scale = norm ? 0.1f : 0.25f, center = norm && f->config.norm_offset == 0 ? 1.0f : 0.0f;
        for (size_t i = 0; i < n; i++) {
            weights[parameter->offset + i] =
                center + scale * (float)random_normal(key, parameter->offset + i);
        }
    }
    f->backend->upload(f->backend, f->model.parameters, weights, f->layout->elements);
    memory_free(weights);
}

void eval_fixture_make(const char *backend, enum eval_model_kind kind, bool adds_begin, bool names_begin,
                       struct eval_fixture *out) {
    struct error err = {0};
    *out = (struct eval_fixture){.config = tiny_config(kind)};
    eval_folder_make(out->folder);
    write_tokenizer(out->folder, adds_begin, names_begin);
    int code = tokenizer_load(out->folder, &out->tokenizer, &err);
    if (!code) code = parameter_layout_create(&out->config, &out->layout, &err);
    if (!code) code = test_backend_create(backend, 1, &out->backend, &err);
    if (!code) {
        code = out->backend->buffer_create(out->backend, out->layout->elements * sizeof(float), &out->weights,
                                           &err);
    }
    if (code) fail_msg("%s", err.message);
    out->model = (struct eval_model){.backend = out->backend,
                                     .config = &out->config,
                                     .layout = out->layout,
                                     .parameters = {out->weights, 0, DTYPE_F32},
                                     .tokenizer = out->tokenizer};
    make_weights(out);
}

void eval_fixture_free(struct eval_fixture *f) {
    f->backend->buffer_destroy(f->backend, &f->weights);
    backend_destroy(&f->backend);
    parameter_layout_destroy(&f->layout);
    tokenizer_destroy(&f->tokenizer);
    eval_folder_remove(f->folder);
}

/* log softmax(row)[target], and whether the target is the (first) largest. */
static double log_softmax(const float *row, int n, int32_t target, bool *greedy) {
    double largest = row[0], sum = 0;
    int best = 0;
    for (int i = 1; i < n; i++) {
        if (row[i] > largest) {
            largest = row[i];
            best = i;
        }
    }
    for (int i = 0; i < n; i++) sum += exp(row[i] - largest);
    *greedy = best == target;
    return row[target] - largest - log(sum);
}

double eval_fixture_score(const struct eval_fixture *f, const int32_t *ids, int length, int scored,
                          bool *greedy) {
    struct error err = {0};
    struct batch *batch;
    struct model *network;
    struct model_limits limits = {.rows = length - 1, .targets = scored};
    float *logits;
    int vocabulary = f->config.vocabulary, code = batch_create(length - 1, scored, 1, &batch, &err);
    if (!code) code = model_create(f->backend, &f->config, f->layout, &limits, &network, &err);
    if (!code) code = memory_alloc(&logits, (size_t)scored * (size_t)vocabulary, sizeof *logits, &err);
    if (code) fail_msg("%s", err.message);
    assert_int_equal(batch_add_segment(batch, ids, length - 1, 0, 0), 0);
    for (int r = length - 1 - scored; r < length - 1; r++)
        assert_true(batch_add_target(batch, r, ids[r + 1], 1.0f));
    code = model_forward(network, f->model.parameters, batch, &err);
    if (!code) code = model_logits(network, logits, &err);
    if (code) fail_msg("%s", err.message);
    double sum = 0;
    *greedy = true;
    for (int t = 0; t < scored; t++) {
        bool best;
        sum +=
            log_softmax(logits + (size_t)t * (size_t)vocabulary, vocabulary, ids[length - scored + t], &best);
        *greedy = *greedy && best;
    }
    memory_free(logits);
    model_destroy(&network);
    batch_destroy(&batch);
    return sum;
}

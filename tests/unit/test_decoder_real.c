/* Real models decode what transformers' generate did, token for token (tests/golden/decoder/greedy.json): the
 * prompts together in the same passes, the long one in pieces. */
#include "tests/support/model_test.h"
#include "tests/support/real_model.h"
#include "train/decoder.h"

#include "base/memory.h"
#include "io/file.h"
#include "io/json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { PROMPTS_MAX = 4, TOKENS_MAX = 1024, PIECE = 300 };

/* A prompt and its continuation, end to end. */
struct recording {
    int32_t ids[TOKENS_MAX];
    int prompt, length;
    int sequence;
};

static int append(const cJSON *recorded, const char *key, struct recording *text, int at) {
    const cJSON *ids = cJSON_GetObjectItemCaseSensitive(recorded, key), *id;
    cJSON_ArrayForEach(id, ids) {
        assert_true(cJSON_IsNumber(id) && at < TOKENS_MAX);
        text->ids[at++] = id->valueint;
    }
    return at;
}

static int load_texts(const cJSON *recorded, struct recording *texts) {
    int count = 0;
    const cJSON *one;
    cJSON_ArrayForEach(one, recorded) {
        assert_true(count < PROMPTS_MAX);
        struct recording *text = &texts[count++];
        text->prompt = append(one, "prompt", text, 0);
        text->length = append(one, "tokens", text, text->prompt);
        assert_true(text->prompt > 0 && text->length >= text->prompt + 30);
    }
    return count;
}

/* Feeds every text that is not done: a piece of its prompt, or the token that it had last; counts the tokens
 * that came out as recorded and ends the test at the first that did not. */
static int pass(struct decoder *decoder, struct recording *texts, int count) {
    struct decoder_feed feed[PROMPTS_MAX];
    struct recording *asked[PROMPTS_MAX];
    int32_t best[PROMPTS_MAX];
    int feeds = 0, asks = 0;
    for (int i = 0; i < count; i++) {
        int held = decoder_length(decoder, texts[i].sequence), left = texts[i].prompt - held;
        int tokens = left > PIECE ? PIECE : left > 1 ? left : 1;
        if (held + 1 >= texts[i].length) continue;
        bool predict = held + tokens >= texts[i].prompt;
        feed[feeds++] = (struct decoder_feed){texts[i].sequence, texts[i].ids + held, tokens, predict};
        if (predict) asked[asks++] = &texts[i];
    }
    MUST(decoder_step(decoder, feed, feeds, best, NULL, err));
    for (int i = 0; i < asks; i++) {
        int at = decoder_length(decoder, asked[i]->sequence);
        if (best[i] != asked[i]->ids[at])
            fail_msg("prompt of %d tokens: token %d is %d, recorded %d", asked[i]->prompt, at, (int)best[i],
                     (int)asked[i]->ids[at]);
    }
    return asks;
}

static void check_model(const char *name) {
    cJSON *root;
    struct real_model m;
    real_model_open(name, &m);
    MUST(json_parse_file(TEST_SOURCE_DIR "/golden/decoder/greedy.json", 1 << 20, &root, err));
    struct recording *texts;
    MUST(memory_alloc(&texts, PROMPTS_MAX, sizeof *texts, err));
    int count = load_texts(cJSON_GetObjectItemCaseSensitive(root, name), texts), expected = 0, found = 0;
    assert_true(count >= 3);
    struct decoder *decoder;
    struct decoder_limits limits = {.rows = PROMPTS_MAX * PIECE,
                                    .sequences = PROMPTS_MAX,
                                    .positions = TOKENS_MAX,
                                    .tokens = PROMPTS_MAX * TOKENS_MAX};
    MUST(decoder_create(m.backend, &m.config, m.layout, m.model.parameters, &limits, &decoder, err));
    for (int i = 0; i < count; i++) {
        MUST(decoder_open(decoder, texts[i].length, &texts[i].sequence, err));
        expected += texts[i].length - texts[i].prompt;
    }
    for (int p = 0; p < 40; p++) found += pass(decoder, texts, count);
    print_message("  %s: %d of %d tokens as recorded\n", name, found, expected);
    assert_int_equal(found, expected);
    decoder_destroy(&decoder);
    real_model_close(&m);
    memory_free(texts);
    cJSON_Delete(root);
}

static void test_smollm2(void **state) {
    (void)state;
    check_model(REAL_SMOLLM2);
}
static void test_gemma3(void **state) {
    (void)state;
    check_model(REAL_GEMMA3);
}

int main(void) {
    if (real_models_absent()) return REAL_MODELS_SKIPPED;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_smollm2), cmocka_unit_test(test_gemma3)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

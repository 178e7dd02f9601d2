/* The four real tokenizers against ids and texts recorded from the reference
 * (tests/golden/tokenizer/record.py). */
#include "io/file.h"
#include "tests/support/tokenizer_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *data_folder(void) {
    const char *given = getenv("ADAPT_TEST_DATA");
    return given ? given : TEST_SOURCE_DIR "/../../shared";
}

static void check(void **state) {
    const char *name = *state;
    char path[1024], file[1024];
    struct tokenizer *tokenizer;
    struct error err;
    struct text text = {0};
    snprintf(path, sizeof path, "%s/data/tokenizers/%s", data_folder(), name);
    snprintf(file, sizeof file, TEST_SOURCE_DIR "/golden/tokenizer/%s.json", name);
    if (tokenizer_load(path, &tokenizer, &err)) fail_msg("%s", err.message);
    cJSON *texts = tokenizer_golden(TEST_SOURCE_DIR "/golden/tokenizer/texts.json"),
          *golden = tokenizer_golden(file);
    const cJSON *digest = cJSON_GetObjectItemCaseSensitive(golden, "sha256");
    if (strcmp(tokenizer_hash(tokenizer), digest->valuestring))
        fail_msg("%s: not the tokenizer.json that was recorded: record again", path);

    int compared = 0;
    const cJSON *ids = cJSON_GetObjectItemCaseSensitive(golden, "ids")->child;
    for (const cJSON *json = texts->child; json; json = json->next, ids = ids->next, compared++) {
        assert_non_null(ids);
        tokenizer_golden_text(json, &text);
        tokenizer_check_encode(tokenizer, name, &text, true, ids);
    }
    assert_null(ids);
    const cJSON *decodings = cJSON_GetObjectItemCaseSensitive(golden, "decodings");
    int decoded = 0;
    for (const cJSON *json = decodings->child; json; json = json->next, decoded++) {
        ids = cJSON_GetObjectItemCaseSensitive(json, "ids");
        tokenizer_check_decode(tokenizer, name, ids, false, cJSON_GetObjectItemCaseSensitive(json, "text"));
        tokenizer_check_decode(tokenizer, name, ids, true, cJSON_GetObjectItemCaseSensitive(json, "skipped"));
    }
    assert_true(compared >= 300 && decoded >= 60);
    text_free(&text);
    cJSON_Delete(texts);
    cJSON_Delete(golden);
    tokenizer_destroy(&tokenizer);
}

/* Begin and end tokens as tokenizer_config.json names them. */
static void check_names(void **state) {
    static const struct {
        const char *name, *begin, *end;
        int32_t size;
    } expected[] = {{"gemma3", "<bos>", "<end_of_turn>", 262145},
                    {"llama3_2", "<|begin_of_text|>", "<|eot_id|>", 128256},
                    {"qwen3", NULL, "<|im_end|>", 151669},
                    {"smollm2", "<|im_start|>", "<|im_end|>", 49152}};
    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        char path[1024];
        struct tokenizer *tokenizer;
        struct error err;
        snprintf(path, sizeof path, "%s/data/tokenizers/%s", data_folder(), expected[i].name);
        if (tokenizer_load(path, &tokenizer, &err)) fail_msg("%s", err.message);
        assert_int_equal(tokenizer_size(tokenizer), expected[i].size);
        if (expected[i].begin) {
            assert_string_equal(tokenizer_token_text(tokenizer, tokenizer_begin_id(tokenizer)),
                                expected[i].begin);
        } else {
            assert_int_equal(tokenizer_begin_id(tokenizer), -1);
        }
        assert_string_equal(tokenizer_token_text(tokenizer, tokenizer_end_id(tokenizer)), expected[i].end);
        for (int32_t id = 0; id < tokenizer_size(tokenizer); id++)
            assert_int_equal(tokenizer_token_id(tokenizer, tokenizer_token_text(tokenizer, id)), id);
        tokenizer_destroy(&tokenizer);
    }
}

int main(void) {
    char path[1024];
    snprintf(path, sizeof path, "%s/data/tokenizers/gemma3/tokenizer.json", data_folder());
    if (!file_exists(path)) {
        printf("skipped: no %s (set ADAPT_TEST_DATA)\n", path);
        return 77;
    }
    static char gemma3[] = "gemma3", llama[] = "llama3_2", qwen[] = "qwen3", smollm[] = "smollm2";
    const struct CMUnitTest tests[] = {
        {"gemma3", check, NULL, NULL, gemma3}, {"llama3_2", check, NULL, NULL, llama},
        {"qwen3", check, NULL, NULL, qwen},    {"smollm2", check, NULL, NULL, smollm},
        cmocka_unit_test(check_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

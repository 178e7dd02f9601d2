/* Tokenizers made for the purpose: every component against the reference's recorded results, byte-pair
 * encoding against a plain loop, and the functions of tokenizer.h. Refusals are in test_tokenizer_refusals.c.
 */
#include "base/hash.h"
#include "base/random.h"
#include "tests/support/tokenizer_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct tokenizer *load(const char *json, const char *config) {
    struct tokenizer *tokenizer;
    struct error err;
    if (tokenizer_from_text(json, config, &tokenizer, &err)) fail_msg("%s", err.message);
    return tokenizer;
}

/* Each component as tests/golden/tokenizer/record.py recorded it. */
static void components(void **state) {
    (void)state;
    cJSON *golden = tokenizer_golden(TEST_SOURCE_DIR "/golden/tokenizer/components.json");
    struct text text = {0};
    int fixtures = 0;
    for (const cJSON *fixture = golden->child; fixture; fixture = fixture->next, fixtures++) {
        const char *name = cJSON_GetObjectItemCaseSensitive(fixture, "name")->valuestring;
        char *json = cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(fixture, "tokenizer"));
        struct tokenizer *tokenizer;
        struct error err;
        if (tokenizer_from_text(json, NULL, &tokenizer, &err)) fail_msg("%s: %s", name, err.message);
        const cJSON *texts = cJSON_GetObjectItemCaseSensitive(fixture, "texts");
        for (const cJSON *one = texts->child; one; one = one->next) {
            tokenizer_golden_text(cJSON_GetObjectItemCaseSensitive(one, "text"), &text);
            tokenizer_check_encode(tokenizer, name, &text, true,
                                   cJSON_GetObjectItemCaseSensitive(one, "ids"));
            tokenizer_check_encode(tokenizer, name, &text, false,
                                   cJSON_GetObjectItemCaseSensitive(one, "plain"));
        }
        const cJSON *decodings = cJSON_GetObjectItemCaseSensitive(fixture, "decodings");
        for (const cJSON *one = decodings->child; one; one = one->next) {
            const cJSON *ids = cJSON_GetObjectItemCaseSensitive(one, "ids");
            tokenizer_check_decode(tokenizer, name, ids, false,
                                   cJSON_GetObjectItemCaseSensitive(one, "text"));
            tokenizer_check_decode(tokenizer, name, ids, true,
                                   cJSON_GetObjectItemCaseSensitive(one, "skipped"));
        }
        tokenizer_destroy(&tokenizer);
        cJSON_free(json);
    }
    assert_true(fixtures > 50);
    text_free(&text);
    cJSON_Delete(golden);
}

/* A random model over the letters a to d: MERGES merges of tokens made before. */
enum { LETTERS = 4, MERGES = 40, TOKENS = LETTERS + MERGES, TOKEN_BYTES = 32, WORD_BYTES = 2000 };

struct plain_model {
    char tokens[TOKENS][TOKEN_BYTES];
    int count, merges;
    int left[MERGES], right[MERGES], product[MERGES];
};

static int plain_find(const struct plain_model *model, const char *text) {
    for (int i = 0; i < model->count; i++)
        if (!strcmp(model->tokens[i], text)) return i;
    return -1;
}

static void make_model(struct plain_model *model, uint32_t stream) {
    struct random_key key = {11, RANDOM_TEST, stream};
    memset(model, 0, sizeof *model);
    for (int i = 0; i < LETTERS; i++) model->tokens[model->count++][0] = (char)('a' + i);
    for (uint64_t draw = 0; model->merges < MERGES && draw < 2000; draw += 2) {
        int left = (int)random_below(key, draw, (uint64_t)model->count);
        int right = (int)random_below(key, draw + 1, (uint64_t)model->count);
        char joined[2 * TOKEN_BYTES];
        snprintf(joined, sizeof joined, "%s%s", model->tokens[left], model->tokens[right]);
        bool known = strlen(joined) >= 9;
        for (int i = 0; i < model->merges; i++) known |= model->left[i] == left && model->right[i] == right;
        if (known) continue;
        int product = plain_find(model, joined); /* one token may be the product of several merges */
        if (product < 0) {
            product = model->count++;
            snprintf(model->tokens[product], TOKEN_BYTES, "%.8s", joined);
        }
        model->left[model->merges] = left;
        model->right[model->merges] = right;
        model->product[model->merges++] = product;
    }
}

static struct tokenizer *load_model(const struct plain_model *model) {
    struct text json = {0};
    struct error err;
    text_printf(&json, &err, "{\"model\": {\"type\": \"BPE\", \"vocab\": {");
    for (int i = 0; i < model->count; i++)
        text_printf(&json, &err, "%s\"%s\": %d", i ? ", " : "", model->tokens[i], i);
    text_printf(&json, &err, "}, \"merges\": [");
    for (int i = 0; i < model->merges; i++)
        text_printf(&json, &err, "%s\"%s %s\"", i ? ", " : "", model->tokens[model->left[i]],
                    model->tokens[model->right[i]]);
    text_printf(&json, &err, "]}}");
    struct tokenizer *tokenizer = load(text_string(&json), NULL);
    text_free(&json);
    return tokenizer;
}

/* The definition: as long as any merge applies, apply the one of the lowest rank at its leftmost place. */
static int plain_encode(const struct plain_model *model, const char *word, int *ids) {
    int count = 0;
    for (; word[count]; count++) ids[count] = word[count] - 'a';
    for (bool merged = true; merged;) {
        merged = false;
        for (int rank = 0; rank < model->merges && !merged; rank++)
            for (int i = 0; i + 1 < count && !merged; i++) {
                if (ids[i] != model->left[rank] || ids[i + 1] != model->right[rank]) continue;
                ids[i] = model->product[rank];
                memmove(ids + i + 1, ids + i + 2, (size_t)(count - i - 2) * sizeof *ids);
                count--;
                merged = true;
            }
    }
    return count;
}

static void merges_apply_as_defined(void **state) {
    (void)state;
    static char word[WORD_BYTES + 1];
    static int ids[WORD_BYTES];
    struct plain_model model;
    struct error err;
    int words = 0;
    for (uint32_t stream = 0; stream < 25; stream++) {
        make_model(&model, stream);
        struct tokenizer *tokenizer = load_model(&model);
        struct random_key key = {12, RANDOM_TEST, stream};
        struct token_list list = {0};
        for (uint64_t n = 0; n < 60; n++) {
            /* Short words go through the cache, long ones are cut, and few letters make long chains. */
            uint64_t length = random_below(key, n, n % 10 ? 40 : WORD_BYTES / 4), letters = 1 + n % LETTERS;
            for (uint64_t i = 0; i < length; i++)
                word[i] = (char)('a' + random_below(key, 1000 + n * WORD_BYTES + i, letters));
            word[length] = '\0';
            int count = plain_encode(&model, word, ids);
            for (int pass = 0; pass < 2; pass++, words++) { /* the second time from the cache */
                list.count = 0;
                if (tokenizer_encode(tokenizer, word, length, true, &list, &err)) fail_msg("%s", err.message);
                if (list.count != (size_t)count || memcmp(list.ids, ids, (size_t)count * sizeof *ids))
                    fail_msg("model %u: \"%s\" has other ids than the definition gives", stream, word);
            }
        }
        token_list_free(&list);
        tokenizer_destroy(&tokenizer);
    }
    assert_int_equal(words, 25 * 60 * 2);
}

/* More different words than the cache holds. */
static void the_cache_starts_anew(void **state) {
    (void)state;
    struct plain_model model;
    struct error err;
    make_model(&model, 3);
    struct tokenizer *tokenizer = load_model(&model);
    struct random_key key = {13, RANDOM_TEST, 0};
    struct token_list list = {0};
    for (uint64_t n = 0; n < 100000; n++) {
        char word[13] = "";
        int ids[12];
        for (uint64_t i = 0; i < 12; i++) word[i] = (char)('a' + random_below(key, 12 * n + i, LETTERS));
        list.count = 0;
        if (tokenizer_encode(tokenizer, word, 12, true, &list, &err)) fail_msg("%s", err.message);
        if (n % 97) continue;
        assert_int_equal(list.count, plain_encode(&model, word, ids));
        assert_memory_equal(list.ids, ids, list.count * sizeof *ids);
    }
    token_list_free(&list);
    tokenizer_destroy(&tokenizer);
}

/* Time grows with the length, not with its square: megabytes of one word would take hours otherwise. */
static void long_texts_take_linear_time(void **state) {
    (void)state;
    enum { BYTES = 3 << 20 };
    struct tokenizer *tokenizer =
        load("{\"model\": {\"vocab\": {\"a\": 0, \"aa\": 1, \"aaaa\": 2, \" \": 3, \"  \": 4}, "
             "\"merges\": [[\"a\", \"a\"], [\"aa\", \"aa\"], [\" \", \" \"]]}, "
             "\"normalizer\": {\"type\": \"NFC\"}}",
             NULL);
    char *text = malloc(BYTES);
    struct token_list list = {0};
    struct error err;
    assert_non_null(text);
    memset(text, 'a', BYTES);
    assert_int_equal(tokenizer_encode(tokenizer, text, BYTES, true, &list, &err), 0);
    assert_int_equal(list.count, BYTES / 4);
    for (size_t i = 0; i < list.count; i++) assert_int_equal(list.ids[i], 2);
    list.count = 0;
    /* Marks that must change places: U+0301 (class 230) before U+0316 (220). */
    for (size_t i = 0; i < BYTES; i += 4) memcpy(text + i, "\xcc\x81\xcc\x96", 4);
    assert_int_equal(tokenizer_encode(tokenizer, text, BYTES, true, &list, &err), 0);
    assert_int_equal(list.count, 0); /* unknown, and there is no unknown token */
    token_list_free(&list);
    free(text);
    tokenizer_destroy(&tokenizer);
}

static const char small[] =
    "{\"version\": \"1.0\", \"truncation\": {\"max_length\": 2}, \"padding\": {},"
    " \"added_tokens\": [{\"id\": 4, \"content\": \"<e>\", \"special\": true}, {\"id\": 0, \"content\": "
    "\"a\"}],"
    " \"post_processor\": {\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\": "
    "\"<e>\"}},"
    "   {\"Sequence\": {\"id\": \"A\"}}], \"special_tokens\": {\"<e>\": {\"ids\": [4]}}},"
    " \"decoder\": {\"type\": \"Fuse\"},"
    " \"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0, \"b\": 1, \"ab\": 2, \"\xc3\xa9\": 3},"
    "   \"merges\": [[\"a\", \"b\"]]}}";

static void functions(void **state) {
    (void)state;
    struct tokenizer *tokenizer = load(small, NULL);
    struct error err;
    assert_int_equal(tokenizer_size(tokenizer), 5);
    assert_int_equal(tokenizer_token_id(tokenizer, "ab"), 2);
    assert_int_equal(tokenizer_token_id(tokenizer, "<e>"), 4);
    assert_int_equal(tokenizer_token_id(tokenizer, "a"), 0);
    assert_int_equal(tokenizer_token_id(tokenizer, "nothing"), -1);
    assert_int_equal(tokenizer_token_id(tokenizer, ""), -1);
    assert_string_equal(tokenizer_token_text(tokenizer, 3), "\xc3\xa9");
    assert_string_equal(tokenizer_token_text(tokenizer, 4), "<e>");
    assert_null(tokenizer_token_text(tokenizer, 5));
    assert_null(tokenizer_token_text(tokenizer, -1));
    assert_int_equal(tokenizer_begin_id(tokenizer), -1);
    assert_int_equal(tokenizer_end_id(tokenizer), -1);
    char hex[HASH_HEX_BYTES];
    assert_int_equal(hash_bytes(small, strlen(small), hex, &err), 0);
    assert_string_equal(tokenizer_hash(tokenizer), hex);

    /* Both append; truncation and padding of the file are the business of whoever calls. */
    struct token_list list = {0};
    static const int32_t expected[] = {4, 1, 1, 1, 3, 4, 4};
    assert_int_equal(tokenizer_encode(tokenizer, "bbb\xc3\xa9", 5, true, &list, &err), 0);
    assert_int_equal(tokenizer_encode(tokenizer, "<e>", 3, true, &list, &err), 0);
    assert_int_equal(list.count, 7);
    assert_memory_equal(list.ids, expected, sizeof expected);
    struct text text = {0};
    assert_int_equal(tokenizer_decode(tokenizer, expected, 7, false, &text, &err), 0);
    assert_int_equal(tokenizer_decode(tokenizer, expected, 7, true, &text, &err), 0);
    assert_int_equal(tokenizer_decode(tokenizer, NULL, 0, true, &text, &err), 0);
    assert_string_equal(text_string(&text), "<e>bbb\xc3\xa9<e><e>bbb\xc3\xa9");

    static const int32_t beyond[] = {0, 5}, negative[] = {-1};
    assert_int_equal(tokenizer_decode(tokenizer, beyond, 2, false, &text, &err), ERROR_INPUT);
    assert_string_equal(err.message, "token 1 has id 5 (expected 0 to 4)");
    assert_int_equal(tokenizer_decode(tokenizer, negative, 1, true, &text, &err), ERROR_INPUT);
    assert_int_equal(text.length, 19);
    text_free(&text);
    token_list_free(&list);
    tokenizer_destroy(&tokenizer);
    tokenizer_destroy(&tokenizer); /* NULL by now */
}

static void text_must_be_utf8(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t length, valid;
    } wrong[] = {{"abcdefgh\x80", 9, 8},
                 {"a\xc3", 2, 1},
                 {"\xc0\x80", 2, 0},
                 {"\xe0\x9f\x80", 3, 0},
                 {"\xed\xa0\x80", 3, 0},
                 {"ab\xf4\x90\x80\x80", 6, 2},
                 {"\xf8\x88\x80\x80\x80", 5, 0},
                 {"\xf0\x9f\x98", 3, 0},
                 {"\xc3\xa9\xff", 3, 2},
                 {"abcdefghijklmnop\xe2\x28\xa1", 19, 16}};
    struct tokenizer *tokenizer = load(small, NULL);
    struct token_list list = {0};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct error err = {0};
        char expected[80], *exact = malloc(wrong[i].length);
        memcpy(exact, wrong[i].text, wrong[i].length);
        assert_int_equal(tokenizer_encode(tokenizer, exact, wrong[i].length, true, &list, &err), ERROR_INPUT);
        snprintf(expected, sizeof expected, "the text is not UTF-8 at byte %zu", wrong[i].valid);
        assert_string_equal(err.message, expected);
        assert_int_equal(list.count, 0);
        free(exact);
    }
    static const char *const right[] = {"\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf", "\xef\xbf\xbf",
                                        "\xc2\x80"};
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        struct error err;
        assert_int_equal(tokenizer_encode(tokenizer, right[i], strlen(right[i]), false, &list, &err), 0);
    }
    token_list_free(&list);
    tokenizer_destroy(&tokenizer);
}

static void config_names_begin_and_end(void **state) {
    (void)state;
    static const struct {
        const char *config;
        int32_t begin, end;
    } cases[] = {
        {"{}", -1, -1},
        {"{\"bos_token\": \"<e>\", \"eos_token\": \"ab\"}", 4, 2},
        {"{\"bos_token\": null, \"eos_token\": {\"content\": \"<e>\", \"lstrip\": false}}", -1, 4},
        {"{\"eos_token\": {\"__type\": \"AddedToken\", \"content\": \"b\"}, \"other\": [1]}", -1, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tokenizer *tokenizer = load(small, cases[i].config);
        assert_int_equal(tokenizer_begin_id(tokenizer), cases[i].begin);
        assert_int_equal(tokenizer_end_id(tokenizer), cases[i].end);
        tokenizer_destroy(&tokenizer);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(components),
        cmocka_unit_test(merges_apply_as_defined),
        cmocka_unit_test(the_cache_starts_anew),
        cmocka_unit_test(long_texts_take_linear_time),
        cmocka_unit_test(functions),
        cmocka_unit_test(text_must_be_utf8),
        cmocka_unit_test(config_names_begin_and_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

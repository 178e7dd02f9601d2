/* Tokenizer files that are refused: broken ones, and ones that ask for what is not implemented. */
#include "io/file.h"
#include "io/tokenizer/pattern.h"
#include "tests/support/tokenizer_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct refusal {
    const char *json; /* a whole tokenizer.json, or members beside a good model */
    int code;
    const char *message; /* how the message goes on behind the file's name */
};

#define MODEL                                                                                                \
    "\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0, \"b\": 1, \"ab\": 2}, \"merges\": [[\"a\", "       \
    "\"b\"]]}"

static void check(const struct refusal *refusals, size_t count, const char *before, const char *after,
                  const char *config, const char *file) {
    for (size_t i = 0; i < count; i++) {
        struct text json = {0};
        struct error err = {0};
        struct tokenizer *tokenizer = NULL;
        text_printf(&json, &err, "%s%s%s", before, refusals[i].json, after);
        int code = tokenizer_from_text(config ? config : text_string(&json),
                                       config ? text_string(&json) : NULL, &tokenizer, &err);
        if (code != refusals[i].code) fail_msg("%s: code %d: %s", refusals[i].json, code, err.message);
        assert_null(tokenizer);
        const char *found = strstr(err.message, file);
        if (!found || strncmp(found + strlen(file), refusals[i].message, strlen(refusals[i].message)))
            fail_msg("%s:\n  \"%s\"\n  expected \"...%s%s...\"", refusals[i].json, err.message, file,
                     refusals[i].message);
        text_free(&json);
    }
}

#define CHECK(refusals, before, after)                                                                       \
    check(refusals, sizeof(refusals) / sizeof(refusals)[0], before, after, NULL, "/tokenizer.json:")

static void broken_files(void **state) {
    (void)state;
    static const struct refusal refusals[] = {
        {"", ERROR_INPUT, " empty"},
        {"{\"model\": {\"vocab\": {\"a\": 0", ERROR_INPUT,
         "1:21: the bracket that opens here is never closed"},
        {"[]", ERROR_INPUT, " not an object"},
        {"{}", ERROR_INPUT, " model: missing (expected an object)"},
        {"{\"version\": \"2.0\"}", ERROR_UNSUPPORTED, " version \"2.0\" (expected \"1.0\")"},
        {"{\"version\": 1}", ERROR_INPUT, " version: not a string"},
    };
    CHECK(refusals, "", "");
}

static void broken_models(void **state) {
    (void)state;
    static const struct refusal refusals[] = {
        {"[]", ERROR_INPUT, " model: not an object"},
        {"{\"type\": \"Unigram\"}", ERROR_UNSUPPORTED,
         " model: \"Unigram\" is not implemented (implemented: BPE)"},
        {"{\"type\": \"WordPiece\"}", ERROR_UNSUPPORTED, " model: \"WordPiece\""},
        {"{\"type\": 7}", ERROR_INPUT, " model.type: not a string"},
        {"{\"type\": \"BPE\"}", ERROR_INPUT, " model.vocab: missing"},
        {"{\"vocab\": []}", ERROR_INPUT, " model.vocab: not an object"},
        {"{\"vocab\": {}, \"merges\": []}", ERROR_INPUT, " model.vocab: empty"},
        {"{\"vocab\": {\"a\": 0}}", ERROR_INPUT, " model.merges: missing"},
        {"{\"vocab\": {\"a\": 0}, \"merges\": {}}", ERROR_INPUT, " model.merges: not an array"},
        {"{\"vocab\": {\"a\": 0, \"b\": 0}, \"merges\": []}", ERROR_INPUT,
         " model.vocab: tokens \"a\" and \"b\" have the same id 0"},
        {"{\"vocab\": {\"a\": 0, \"a\": 1}, \"merges\": []}", ERROR_INPUT,
         " model.vocab: token \"a\" has two ids, 0 and 1"},
        {"{\"vocab\": {\"a\": 0, \"b\": 2}, \"merges\": []}", ERROR_INPUT,
         " model.vocab: token \"b\" has id 2 (expected each of 0 to 1 once: 2 tokens)"},
        {"{\"vocab\": {\"a\": -1}, \"merges\": []}", ERROR_INPUT, " model.vocab: token \"a\" has id -1"},
        {"{\"vocab\": {\"a\": 0.5}, \"merges\": []}", ERROR_INPUT, " model.vocab: token \"a\" has id 0.5"},
        {"{\"vocab\": {\"a\": \"0\"}, \"merges\": []}", ERROR_INPUT,
         " model.vocab: token \"a\" has id \"0\""},
        {"{\"vocab\": {\"a\": 1e300}, \"merges\": []}", ERROR_INPUT,
         " model.vocab: token \"a\" has id 1e+300"},
        {"{\"vocab\": {\"\": 0}, \"merges\": []}", ERROR_INPUT, " model.vocab: token 0 is the empty text"},
        {"{\"vocab\": {\"a\": 0}, \"merges\": [[\"a\", \"b\"]]}", ERROR_INPUT,
         " model.merges[0]: needs token \"b\", which the vocabulary lacks"},
        {"{\"vocab\": {\"a\": 0, \"b\": 1}, \"merges\": [\"b a\"]}", ERROR_INPUT,
         " model.merges[0]: needs token \"ba\""},
        {"{\"vocab\": {\"a\": 0, \"aa\": 1}, \"merges\": [\"a a\", \"xy a\"]}", ERROR_INPUT,
         " model.merges[1]: needs token \"xy\""},
        {"{\"vocab\": {\"a\": 0}, \"merges\": [[\"a\"]]}", ERROR_INPUT, " model.merges[0]: not a merge"},
        {"{\"vocab\": {\"a\": 0}, \"merges\": [[\"a\", \"a\", \"a\"]]}", ERROR_INPUT,
         " model.merges[0]: not a merge"},
        {"{\"vocab\": {\"a\": 0}, \"merges\": [[\"a\", 1]]}", ERROR_INPUT, " model.merges[0]: not a merge"},
        {"{\"vocab\": {\"a\": 0}, \"merges\": [7]}", ERROR_INPUT, " model.merges[0]: not a merge"},
        {"{\"vocab\": {\"a\": 0}, \"merges\": [\"aa\"]}", ERROR_INPUT, " model.merges[0]: not a merge"},
        {"{\"vocab\": {\"a\": 0}, \"merges\": [\"a a a\"]}", ERROR_INPUT, " model.merges[0]: not a merge"},
        {"{\"vocab\": {\"a\": 0}, \"merges\": [\"a \"]}", ERROR_INPUT, " model.merges[0]: needs token \"\""},
        {"{\"vocab\": {\"a\": 0}, \"merges\": [], \"unk_token\": \"<unk>\"}", ERROR_INPUT,
         " model.unk_token: \"<unk>\" is not in the vocabulary"},
        {"{\"vocab\": {\"a\": 0}, \"merges\": [], \"fuse_unk\": 1}", ERROR_INPUT,
         " model.fuse_unk: not true or false"},
        {"{\"vocab\": {\"a\": 0}, \"merges\": [], \"dropout\": 0.1}", ERROR_UNSUPPORTED,
         " model.dropout: not implemented"},
        {"{\"vocab\": {\"a\": 0}, \"merges\": [], \"end_of_word_suffix\": \"</w>\"}", ERROR_UNSUPPORTED,
         " model.end_of_word_suffix: \"</w>\" is not implemented"},
        {"{\"vocab\": {\"a\": 0}, \"merges\": [], \"continuing_subword_prefix\": \"##\"}", ERROR_UNSUPPORTED,
         " model.continuing_subword_prefix: \"##\" is not implemented"},
    };
    CHECK(refusals, "{\"model\": ", "}");
}

static void components_beyond_us(void **state) {
    (void)state;
    static const struct refusal refusals[] = {
        {"\"normalizer\": {\"type\": \"Lowercase\"}", ERROR_UNSUPPORTED,
         " normalizer: \"Lowercase\" is not implemented (implemented: NFC, Replace, Prepend, Sequence)"},
        {"\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"NFC\"}, {\"type\": "
         "\"NFKC\"}]}",
         ERROR_UNSUPPORTED, " normalizer.normalizers[1]: \"NFKC\" is not implemented"},
        {"\"normalizer\": 1", ERROR_INPUT, " normalizer: not an object"},
        {"\"normalizer\": {}", ERROR_INPUT, " normalizer.type: missing"},
        {"\"normalizer\": {\"type\": \"Sequence\"}", ERROR_INPUT, " normalizer.normalizers: missing"},
        {"\"normalizer\": {\"type\": \"Prepend\"}", ERROR_INPUT, " normalizer.prepend: missing"},
        {"\"normalizer\": {\"type\": \"Replace\", \"content\": \"\"}", ERROR_INPUT,
         " normalizer.pattern: missing"},
        {"\"normalizer\": {\"type\": \"Replace\", \"pattern\": {\"String\": \"\"}, \"content\": \"\"}",
         ERROR_UNSUPPORTED, " normalizer.pattern: an empty pattern"},
        {"\"pre_tokenizer\": {\"type\": \"Metaspace\"}", ERROR_UNSUPPORTED,
         " pre_tokenizer: \"Metaspace\" is not implemented"},
        {"\"pre_tokenizer\": {\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"ByteLevel\"}, "
         "{\"type\": "
         "\"Digits\"}]}",
         ERROR_UNSUPPORTED, " pre_tokenizer.pretokenizers[1]: \"Digits\" behind ByteLevel"},
        {"\"pre_tokenizer\": {\"type\": \"Split\", \"pattern\": {\"Regex\": \"(a\"}, \"behavior\": "
         "\"Isolated\"}",
         ERROR_INPUT,
         " pre_tokenizer.pattern: the regular expression does not compile: missing closing parenthesis"},
        {"\"pre_tokenizer\": {\"type\": \"Split\", \"pattern\": {\"Regex\": \"a*\"}, \"behavior\": "
         "\"Isolated\"}",
         ERROR_UNSUPPORTED, " pre_tokenizer.pattern: a regular expression that can match the empty text"},
        {"\"pre_tokenizer\": {\"type\": \"Split\", \"pattern\": {\"Regex\": \"\\\\w+\"}, \"behavior\": "
         "\"Isolated\"}",
         ERROR_UNSUPPORTED, " pre_tokenizer.pattern: an escape other than"},
        {"\"pre_tokenizer\": {\"type\": \"Split\", \"pattern\": {}, \"behavior\": \"Isolated\"}", ERROR_INPUT,
         " pre_tokenizer.pattern: expected one of"},
        {"\"pre_tokenizer\": {\"type\": \"Split\", \"pattern\": {\"String\": \"a\", \"Regex\": \"a\"}, "
         "\"behavior\": "
         "\"Isolated\"}",
         ERROR_INPUT, " pre_tokenizer.pattern: expected one of"},
        {"\"pre_tokenizer\": {\"type\": \"Split\", \"pattern\": {\"String\": \"a\"}, \"behavior\": "
         "\"Doubled\"}",
         ERROR_UNSUPPORTED, " pre_tokenizer.behavior: \"Doubled\" is not implemented"},
        {"\"pre_tokenizer\": {\"type\": \"Digits\", \"individual_digits\": \"yes\"}", ERROR_INPUT,
         " pre_tokenizer.individual_digits: not true or false"},
        {"\"post_processor\": {\"type\": \"BertProcessing\"}", ERROR_UNSUPPORTED,
         " post_processor: \"BertProcessing\" is not implemented"},
        {"\"post_processor\": {\"type\": \"TemplateProcessing\", \"single\": [], \"special_tokens\": {}}",
         ERROR_UNSUPPORTED, " post_processor.single: a template without the text"},
        {"\"post_processor\": {\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\": "
         "\"x\"}}], "
         "\"special_tokens\": {}}",
         ERROR_INPUT, " post_processor.special_tokens: the template names \"x\""},
        {"\"post_processor\": {\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\": "
         "\"x\"}}], "
         "\"special_tokens\": {\"x\": {\"ids\": [3]}}}",
         ERROR_INPUT, " post_processor.special_tokens.x.ids: expected ids from 0 to 2"},
        {"\"post_processor\": {\"type\": \"TemplateProcessing\", \"single\": [{\"Sequence\": {\"id\": "
         "\"B\"}}]}",
         ERROR_UNSUPPORTED, " post_processor.single[0]: a template for one text"},
        {"\"decoder\": {\"type\": \"WordPiece\"}", ERROR_UNSUPPORTED,
         " decoder: \"WordPiece\" is not implemented"},
        {"\"decoder\": {\"type\": \"Sequence\", \"decoders\": [{\"type\": \"CTC\"}]}", ERROR_UNSUPPORTED,
         " decoder.decoders[0]: \"CTC\" is not implemented"},
        {"\"decoder\": {\"type\": \"Strip\", \"content\": \"ab\", \"start\": 1, \"stop\": 0}", ERROR_INPUT,
         " decoder.content: \"ab\" is not one character"},
        {"\"decoder\": {\"type\": \"Strip\", \"content\": \"a\", \"start\": -1, \"stop\": 0}", ERROR_INPUT,
         " decoder.start: out of range"},
        {"\"added_tokens\": {}", ERROR_INPUT, " added_tokens: not an array"},
        {"\"added_tokens\": [1]", ERROR_INPUT, " added_tokens[0]: not an object"},
        {"\"added_tokens\": [{\"id\": 3}]", ERROR_INPUT, " added_tokens[0].content: missing"},
        {"\"added_tokens\": [{\"id\": 3, \"content\": \"\"}]", ERROR_INPUT,
         " added_tokens[0]: the content is"},
        {"\"added_tokens\": [{\"content\": \"x\"}]", ERROR_INPUT, " added_tokens[0].id: missing"},
        {"\"added_tokens\": [{\"id\": -3, \"content\": \"x\"}]", ERROR_INPUT,
         " added_tokens[0].id: out of range"},
        {"\"added_tokens\": [{\"id\": 4, \"content\": \"x\"}]", ERROR_INPUT,
         " added_tokens[0]: \"x\" has id 4 (expected 3, the next free one)"},
        {"\"added_tokens\": [{\"id\": 2, \"content\": \"x\"}]", ERROR_INPUT,
         " added_tokens[0]: \"x\" has id 2 (expected 3"},
        {"\"added_tokens\": [{\"id\": 3, \"content\": \"ab\"}]", ERROR_INPUT,
         " added_tokens[0]: \"ab\" has id 3 (expected 2, as in the model's vocabulary)"},
        {"\"added_tokens\": [{\"id\": 3, \"content\": \"x\"}, {\"id\": 4, \"content\": \"x\"}]", ERROR_INPUT,
         " added_tokens[1]: \"x\" is added twice"},
        {"\"added_tokens\": [{\"id\": 3, \"content\": \"x\", \"special\": 0}]", ERROR_INPUT,
         " added_tokens[0].special: not true or false"},
        {"\"normalizer\": {\"type\": \"NFC\"}, \"added_tokens\": [{\"id\": 3, \"content\": \"\xc3\xa9\"}, "
         "{\"id\": 4, "
         "\"content\": \"e\xcc\x81\"}]",
         ERROR_INPUT, " added_tokens[1]: \"e\xcc\x81\" and \"\xc3\xa9\" are the same when normalised"},
        {"\"normalizer\": {\"type\": \"Replace\", \"pattern\": {\"String\": \"x\"}, \"content\": \"\"}, "
         "\"added_tokens\": [{\"id\": 3, \"content\": \"x\"}]",
         ERROR_INPUT, " added_tokens[0]: normalised, the content is the empty text"},
    };
    CHECK(refusals, "{" MODEL ", ", "}");
}

static void broken_configs(void **state) {
    (void)state;
    static const struct refusal refusals[] = {
        {"", ERROR_INPUT, " empty"},
        {"[]", ERROR_INPUT, " not an object"},
        {"{\"eos_token\": \"nothing\"}", ERROR_INPUT,
         " eos_token: \"nothing\" is not a token of tokenizer.json"},
        {"{\"bos_token\": 1}", ERROR_INPUT, " bos_token: expected a string or an object"},
        {"{\"bos_token\": {}}", ERROR_INPUT, " bos_token.content: missing"},
    };
    check(refusals, sizeof refusals / sizeof refusals[0], "", "", "{" MODEL "}", "/tokenizer_config.json:");
}

static void missing_file(void **state) {
    (void)state;
    struct tokenizer *tokenizer;
    struct error err;
    assert_int_equal(tokenizer_load("/nowhere", &tokenizer, &err), ERROR_IO);
    assert_non_null(strstr(err.message, "/nowhere/tokenizer.json"));
    assert_null(tokenizer);
}

/* Only what PCRE2 and the reference's engine understand alike. */
static void dialect(void **state) {
    (void)state;
    static const char *const good[] = {
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
        "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*"
        "[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
        "[a-z]++(?:b|c)*?(?=d)(?>e)\\P{M}\\.\\-\\[x{2,}",
        "\xe2\x96\x81|ss",
        "(?i:s|s)x",
        "(?i:a(b)c)ss",
    };
    static const char *const bad[] = {"\\w",
                                      "\\d",
                                      "\\b",
                                      "\\h",
                                      "\\X",
                                      "\\1",
                                      "\\p{Lu}",
                                      "\\p{Han}",
                                      "\\p{^L}",
                                      "\\pL",
                                      "^a",
                                      "a$",
                                      ".",
                                      "[a&&b]",
                                      "[[:alpha:]]",
                                      "[]a]",
                                      "(?<=a)b",
                                      "(?<n>a)",
                                      "(?m:a)",
                                      "(?i)a",
                                      "(*UTF)a",
                                      "a{2,3}+",
                                      "a{2}?",
                                      "a{,3}",
                                      "a**",
                                      "a+{2}",
                                      "(?i:ss)",
                                      "(?i:mast)",
                                      "(?i:FL)",
                                      "(?i:\xc3\xa9)",
                                      "(?i:[\xc3\xa9])",
                                      "(?i:(a)ff)",
                                      "[\\w]",
                                      "a\\",
                                      "(?i-s:a)",
                                      "(?#c)a",
                                      "\\x41",
                                      "\\u0041",
                                      "\\Qa\\E"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (pattern_dialect(good[i])) fail_msg("%s: %s", good[i], pattern_dialect(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (!pattern_dialect(bad[i])) fail_msg("%s: not refused", bad[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_files),         cmocka_unit_test(broken_models),
        cmocka_unit_test(components_beyond_us), cmocka_unit_test(broken_configs),
        cmocka_unit_test(missing_file),         cmocka_unit_test(dialect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

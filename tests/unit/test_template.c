/* Prompt templates, and chats as the families' own templates render them (texts recorded from their Jinja
 * templates). */
#include "io/tasks/template.h"

#include "io/file.h"
#include "tests/support/tasks_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct instructions_example shown[] = {{"i1", "o1"}, {"i2", "o2"}};

static void assert_prompt(const char *source, const char *definition, size_t examples, const char *input,
                          const char *expected) {
    struct text out = {0};
    struct error err = {0};
    assert_int_equal(template_check(source, (long long)examples, &err), 0);
    assert_int_equal(text_append_string(&out, "kept", &err), 0);
    assert_int_equal(template_render(source, definition, shown, examples, input, &out, &err), 0);
    assert_string_equal(text_string(&out) + 4, expected);
    text_free(&out);
}

static void renders_prompts(void **state) {
    (void)state;
    static const char usual[] = "{definition}\n\n{input}\n",
                      full[] = "{definition}\n\n{examples}Input: {input}\nOutput:";
    assert_prompt(usual, "Do it.", 0, "x", "Do it.\n\nx\n");
    assert_prompt(usual, "", 0, "x", "x\n");
    assert_prompt(usual, "Do it.", 0, "", "Do it.\n\n");
    assert_prompt(full, "D", 2, "x",
                  "D\n\nInput: i1\nOutput: o1\n\nInput: i2\nOutput: o2\n\nInput: x\nOutput:");
    assert_prompt(full, "D", 0, "x", "D\n\nInput: x\nOutput:");
    assert_prompt(full, "", 1, "x", "Input: i1\nOutput: o1\n\nInput: x\nOutput:");
    assert_prompt("A\n\n{examples}\n\n{input}", "", 0, "x", "A\n\nx");
    assert_prompt("A {definition}\n{input}", "", 0, "x", "A \nx"); /* something else stands in the line */
    assert_prompt("{{{input}}} {{}}", "", 0, "{definition}", "{{definition}} {}");
    assert_prompt("\n{input}", "", 0, "x", "\nx"); /* line breaks that no placeholder left behind stay */
    assert_prompt("{input}{input}", "", 0, "x", "xx");
}

static void refuses_bad_templates(void **state) {
    (void)state;
    static const struct {
        const char *source;
        long long examples;
        const char *expected;
    } bad[] = {
        {"{inptu}", 0, "template: unknown placeholder \"{inptu}\" at byte 1"},
        {"ab{}{input}", 0, "template: unknown placeholder \"{}\" at byte 3"},
        {"{input}}", 0, "template: lone '}' at byte 8"},
        {"{input} {", 0, "template: lone '{' at byte 9"},
        {"{input {definition}", 0, "template: lone '{' at byte 1"},
        {"{definition}", 0, "template: {input} is missing"},
        {"{{input}}", 0, "template: {input} is missing"},
        {"", 0, "template: {input} is missing"},
        {"{input}", 2, "template: {examples} is missing, but \"examples\" is 2"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err = {0};
        assert_int_equal(template_check(bad[i].source, bad[i].examples, &err), ERROR_INPUT);
        if (strncmp(err.message, bad[i].expected, strlen(bad[i].expected))) {
            fail_msg("\"%s\" instead of \"%s\"", err.message, bad[i].expected);
        }
    }
}

static const struct template_message talk[] = {{TEMPLATE_SYSTEM, "Be brief."},
                                               {TEMPLATE_USER, " Hi\n"},
                                               {TEMPLATE_ASSISTANT, "Yes "},
                                               {TEMPLATE_USER, "Bye"}};

static void assert_chat(enum template_chat chat, int first, int count, bool generate, const char *expected) {
    struct text out = {0};
    struct error err = {0};
    assert_int_equal(template_chat_render(chat, talk + first, count, generate, &out, &err), 0);
    assert_string_equal(text_string(&out), expected);
    text_free(&out);
}

static void renders_chats(void **state) {
    (void)state;
    assert_chat(
        TEMPLATE_CHATML, 0, 4, true,
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n Hi\n<|im_end|>\n<|im_start|>assistant\n"
        "Yes <|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n");
    assert_chat(TEMPLATE_CHATML, 1, 2, false,
                "<|im_start|>user\n Hi\n<|im_end|>\n<|im_start|>assistant\nYes <|im_end|>\n");
    assert_chat(TEMPLATE_LLAMA3, 0, 4, true,
                "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
                "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
                "<|start_header_id|>assistant<|end_header_id|>\n\nYes<|eot_id|>"
                "<|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>"
                "<|start_header_id|>assistant<|end_header_id|>\n\n");
    assert_chat(
        TEMPLATE_GEMMA, 0, 4, true,
        "<bos><start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\nYes<end_of_turn>\n"
        "<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n");
    assert_chat(TEMPLATE_GEMMA, 3, 1, false, "<bos><start_of_turn>user\nBye<end_of_turn>\n");

    struct text out = {0};
    struct error err = {0};
    assert_int_equal(template_chat_render(TEMPLATE_NONE, talk, 4, true, &out, &err), ERROR_INPUT);
    static const struct template_message late[] = {{TEMPLATE_USER, "a"}, {TEMPLATE_SYSTEM, "b"}};
    assert_int_equal(template_chat_render(TEMPLATE_CHATML, late, 2, true, &out, &err), ERROR_INPUT);
    assert_int_equal(template_chat_render(TEMPLATE_GEMMA, talk, 1, true, &out, &err), ERROR_INPUT);
    text_free(&out);
}

/* A prompt and its completion, put together, are the conversation that the family's template renders. */
static void splits_turns_consistently(void **state) {
    (void)state;
    static const char *const ends[] = {NULL, "<|im_end|>\n", "<|eot_id|>", "<end_of_turn>\n"};
    for (int chat = TEMPLATE_CHATML; chat <= TEMPLATE_GEMMA; chat++) {
        struct text parts = {0}, whole = {0}, opening = {0};
        struct error err = {0};
        assert_int_equal(template_chat_render(chat, talk + 1, 1, true, &parts, &err), 0);
        assert_int_equal(template_chat_opening(chat, &opening, &err), 0);
        assert_memory_equal(text_string(&opening), text_string(&parts), opening.length);
        assert_int_equal(template_chat_completion(chat, talk[2].content, &parts, &err), 0);
        assert_int_equal(text_append_string(&parts, ends[chat], &err), 0);
        assert_int_equal(template_chat_render(chat, talk + 1, 2, false, &whole, &err), 0);
        assert_string_equal(text_string(&parts), text_string(&whole));
        text_free(&parts);
        text_free(&whole);
        text_free(&opening);
    }
    struct text out = {0};
    assert_int_equal(template_chat_completion(TEMPLATE_NONE, " a \n", &out, NULL), 0);
    assert_string_equal(text_string(&out), " a \n");
    text_free(&out);
}

static void resolves_tokens(void **state) {
    (void)state;
    char folder[] = "/tmp/adapt-template-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct error err = {0};
    struct tokenizer *tokenizer;
    assert_int_equal(fixture_tokenizer(folder, true, true), 0);
    if (tokenizer_load(folder, &tokenizer, &err)) fail_msg("%s", err.message);
    static const int32_t ends[] = {-5, FIXTURE_IM_END, FIXTURE_EOT, FIXTURE_END_OF_TURN};
    for (int chat = TEMPLATE_NONE; chat <= TEMPLATE_GEMMA; chat++) {
        int32_t end = -5;
        assert_int_equal(template_chat_check(chat, tokenizer, &end, &err), 0);
        assert_int_equal(end, ends[chat]);
    }
    struct token_list ids = {0};
    static const struct template_message hello = {TEMPLATE_USER, "Hi"};
    assert_int_equal(template_chat_encode(TEMPLATE_GEMMA, &hello, 1, true, tokenizer, &ids, &err), 0);
    static const int32_t expected[] = {
        FIXTURE_BOS, FIXTURE_START_OF_TURN, 'u', 's', 'e', 'r', '\n', 'H', 'i', FIXTURE_END_OF_TURN,
        '\n',        FIXTURE_START_OF_TURN, 'm', 'o', 'd', 'e', 'l',  '\n'};
    assert_int_equal(ids.count, sizeof expected / sizeof *expected);
    assert_memory_equal(ids.ids, expected, sizeof expected);
    token_list_free(&ids);
    tokenizer_destroy(&tokenizer);

    assert_int_equal(fixture_tokenizer(folder, true, false), 0);
    assert_int_equal(tokenizer_load(folder, &tokenizer, &err), 0);
    int32_t end;
    assert_int_equal(template_chat_check(TEMPLATE_LLAMA3, tokenizer, &end, &err), ERROR_INPUT);
    assert_string_equal(err.message,
                        "chat template \"llama3\": the tokenizer has no token \"<|start_header_id|>\"");
    tokenizer_destroy(&tokenizer);
    file_remove_tree(folder, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renders_prompts), cmocka_unit_test(refuses_bad_templates),
        cmocka_unit_test(renders_chats),   cmocka_unit_test(splits_turns_consistently),
        cmocka_unit_test(resolves_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

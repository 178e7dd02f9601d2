#include "tests/support/tasks_fixture.h"

#include "io/file.h"
#include <stdio.h>

const char *const fixture_token_texts[] = {
    "<|begin_of_text|>", "<|end|>",    "<|im_start|>", "<|im_end|>",      "<|start_header_id|>",
    "<|end_header_id|>", "<|eot_id|>", "<bos>",        "<start_of_turn>", "<end_of_turn>"};

static int write_text(const char *folder, const char *name, struct text *text) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int code = file_write(path, text_string(text), text->length, NULL);
    text_free(text);
    return code;
}

/* GPT-2's printable alphabet for bytes: printable Latin-1 stands for itself, the others for U+0100 and on. */
static int byte_character(int byte) {
    int moved = 0;
    for (int b = 0; b <= byte; b++) {
        bool printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || (b >= 174 && b <= 255);
        if (b == byte && printable) return b;
        if (b == byte) return 256 + moved;
        if (!printable) moved++;
    }
    return 0;
}

int fixture_tokenizer(const char *folder, bool begins, bool chats) {
    struct text text = {0};
    int special = chats ? FIXTURE_SIZE - FIXTURE_BEGIN : 2;
    text_append_string(
        &text, "{\"version\": \"1.0\", \"truncation\": null, \"padding\": null, \"added_tokens\": [", NULL);
    for (int i = 0; i < special; i++) {
        text_printf(&text, NULL,
                    "%s{\"id\": %d, \"content\": \"%s\", \"single_word\": false, \"lstrip\": false, "
                    "\"rstrip\": false, "
                    "\"normalized\": false, \"special\": true}",
                    i ? ", " : "", FIXTURE_BEGIN + i, fixture_token_texts[i]);
    }
    text_append_string(
        &text,
        "], \"normalizer\": null, \"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": "
        "false, \"trim_offsets\": true, \"use_regex\": true}, \"post_processor\": ",
        NULL);
    text_append_string(
        &text,
        begins ? "{\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\": "
                 "\"<|begin_of_text|>\", \"type_id\": 0}}, {\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}], "
                 "\"pair\": [{\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}, {\"Sequence\": {\"id\": \"B\", "
                 "\"type_id\": 1}}], \"special_tokens\": {\"<|begin_of_text|>\": {\"id\": "
                 "\"<|begin_of_text|>\", \"ids\": [256], \"tokens\": [\"<|begin_of_text|>\"]}}}"
               : "null",
        NULL);
    text_append_string(
        &text,
        ", \"decoder\": {\"type\": \"ByteLevel\", \"add_prefix_space\": true, \"trim_offsets\": true, "
        "\"use_regex\": true}, \"model\": {\"type\": \"BPE\", \"dropout\": null, \"unk_token\": null, "
        "\"continuing_subword_prefix\": null, \"end_of_word_suffix\": null, \"fuse_unk\": false, "
        "\"byte_fallback\": false, \"ignore_merges\": false, \"vocab\": {",
        NULL);
    for (int byte = 0; byte < 256; byte++) {
        text_printf(&text, NULL, "%s\"\\u%04x\": %d", byte ? ", " : "", byte_character(byte), byte);
    }
    text_append_string(&text, "}, \"merges\": []}}", NULL);
    return write_text(folder, "tokenizer.json", &text);
}

void fixture_instances(struct text *out, const char *prefix, int first, int count, bool backwards) {
    for (int i = 0; i < count; i++) {
        int number = backwards ? first + count - 1 - i : first + i;
        text_printf(out, NULL, "%s{\"id\": \"%d\", \"input\": \"%s %d\", \"output\": [\"answer %d\"]}",
                    out->length ? ",\n" : "", number, prefix, number, number);
    }
}

int fixture_task(const char *folder, const char *name, const char *category, const char *definition,
                 const char *instances) {
    struct text text = {0};
    text_append_string(&text, "{\"Categories\": [", NULL);
    if (category) text_printf(&text, NULL, "\"%s\"", category);
    text_printf(&text, NULL, "],\n\"Instances\": [\n%s\n],\n\"Definition\": [\"%s\"]}\n", instances,
                definition);
    char file[256];
    snprintf(file, sizeof file, "%s.json", name);
    return write_text(folder, file, &text);
}

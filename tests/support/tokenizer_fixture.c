#include "tests/support/tokenizer_fixture.h"

#include "io/file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int write_file(const char *folder, const char *name, const char *text, struct error *err) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return file_write(path, text, strlen(text), err);
}

int tokenizer_from_text(const char *json, const char *config, struct tokenizer **out, struct error *err) {
    char folder[] = "/tmp/adapt-tokenizer-XXXXXX";
    if (!mkdtemp(folder)) fail_msg("cannot make a temporary folder");
    int code = write_file(folder, "tokenizer.json", json, err);
    if (!code && config) code = write_file(folder, "tokenizer_config.json", config, err);
    if (code) fail_msg("%s", err->message);
    code = tokenizer_load(folder, out, err);
    struct error ignored;
    file_remove_tree(folder, &ignored);
    return code;
}

cJSON *tokenizer_golden(const char *path) {
    struct error err;
    cJSON *json;
    if (json_parse_file(path, 64 << 20, &json, &err)) fail_msg("%s", err.message);
    return json;
}

void tokenizer_golden_text(const cJSON *json, struct text *out) {
    struct error err;
    text_clear(out);
    if (cJSON_IsString(json)) {
        if (text_append_string(out, json->valuestring, &err)) fail_msg("%s", err.message);
        return;
    }
    if (!cJSON_IsArray(json) || !json->child) fail_msg("not a recorded text");
    for (const cJSON *part = json->child; part; part = part->next) {
        if (part != json->child && text_append(out, "", 1, &err)) fail_msg("%s", err.message);
        if (text_append_string(out, part->valuestring, &err)) fail_msg("%s", err.message);
    }
}

void tokenizer_check_encode(struct tokenizer *tokenizer, const char *label, const struct text *text,
                            bool special, const cJSON *ids) {
    struct token_list list = {0};
    struct error err;
    if (tokenizer_encode(tokenizer, text_string(text), text->length, special, &list, &err))
        fail_msg("%s: %s", label, err.message);
    size_t at = 0;
    if (!cJSON_IsArray(ids)) fail_msg("%s: no recorded ids", label);
    for (const cJSON *id = ids->child; id; id = id->next, at++) {
        if (at >= list.count || list.ids[at] != id->valueint)
            fail_msg("%s: id %zu of \"%s\" is %d, the reference has %d", label, at, text_string(text),
                     at < list.count ? list.ids[at] : -1, id->valueint);
    }
    if (at != list.count)
        fail_msg("%s: %zu ids for \"%s\", %zu expected", label, list.count, text_string(text), at);
    token_list_free(&list);
}

void tokenizer_check_decode(struct tokenizer *tokenizer, const char *label, const cJSON *ids,
                            bool skip_special, const cJSON *text) {
    struct token_list list = {0};
    struct text ours = {0}, expected = {0};
    struct error err;
    for (const cJSON *id = ids->child; id; id = id->next)
        if (token_list_append(&list, id->valueint, &err)) fail_msg("%s", err.message);
    tokenizer_golden_text(text, &expected);
    if (tokenizer_decode(tokenizer, list.ids, list.count, skip_special, &ours, &err))
        fail_msg("%s: %s", label, err.message);
    if (ours.length != expected.length || memcmp(text_string(&ours), text_string(&expected), ours.length))
        fail_msg("%s: decoded \"%s\", the reference has \"%s\"", label, text_string(&ours),
                 text_string(&expected));
    token_list_free(&list);
    text_free(&ours);
    text_free(&expected);
}

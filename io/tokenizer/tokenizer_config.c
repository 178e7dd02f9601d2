/* tokenizer_config.json: which tokens begin and end a text. The rest of it (chat templates and the like) is
 * not read. */
#include "io/file.h"
#include "io/tokenizer/tokenizer_private.h"

enum { CONFIG_LIMIT = 256 << 20 }; /* bytes; real ones have up to some 3 MB */

/* The id of the token that member `name` names, as a string or as an object with "content"; -1 where it is
 * absent. */
static int token_member(const struct component *file, const char *name, const struct tokenizer *tokenizer,
                        int32_t *id, struct error *err) {
    struct component member = component_member(file, name);
    const char *content;
    if (!member.json) return 0;
    if (cJSON_IsObject(member.json)) {
        TRY(component_string(&member, "content", &content, err));
    } else if (cJSON_IsString(member.json)) {
        content = member.json->valuestring;
    } else {
        return component_fail(&member, ERROR_INPUT, err, "expected a string or an object with \"content\"");
    }
    *id = tokenizer_token_id(tokenizer, content);
    if (*id >= 0) return 0;
    return component_fail(&member, ERROR_INPUT, err, "\"%s\" is not a token of tokenizer.json", content);
}

int tokenizer_read_config(const char *path, struct tokenizer *tokenizer, struct error *err) {
    cJSON *json;
    TRY(json_parse_file(path, CONFIG_LIMIT, &json, err));
    struct component file = {.file = path, .json = json};
    int code = component_need_object(&file, err);
    if (!code) code = token_member(&file, "bos_token", tokenizer, &tokenizer->begin, err);
    if (!code) code = token_member(&file, "eos_token", tokenizer, &tokenizer->end, err);
    cJSON_Delete(json);
    return code;
}

#include "io/tokenizer/post_processor.h"

#include "base/memory.h"
#include <string.h>

/* Appends the ids that special_tokens has for `name`. */
static int special_ids(const struct component *specials, const char *name, int32_t size,
                       struct token_list *out, struct error *err) {
    struct component special = component_member(specials, name);
    if (!special.json)
        return component_fail(specials, ERROR_INPUT, err,
                              "the template names \"%s\", which is not described here", name);
    TRY(component_need_object(&special, err));
    struct component ids = component_member(&special, "ids");
    TRY(component_need_array(&ids, err));
    for (const cJSON *json = ids.json->child; json; json = json->next) {
        int id;
        if (!component_whole(json, size - 1, &id))
            return component_fail(&ids, ERROR_INPUT, err, "expected ids from 0 to %d", size - 1);
        TRY(token_list_append(out, id, err));
    }
    return 0;
}

/* Fills `before` and `after` from the template for one text: exactly one Sequence A among special tokens. */
static int load_template(const struct component *component, int32_t size, struct post_processor *out,
                         struct error *err) {
    struct component template = component_member(component, "single");
    struct component specials = component_member(component, "special_tokens");
    TRY(component_need_array(&template, err));
    bool seen = false;
    size_t index = 0;
    for (const cJSON *json = template.json->child; json; json = json->next) {
        struct component element = component_element(&template, json, index++);
        TRY(component_need_object(&element, err));
        struct component special = component_member(&element, "SpecialToken");
        struct component sequence = component_member(&element, "Sequence");
        const char *id;
        if (special.json) {
            TRY(component_need_object(&special, err));
            TRY(component_string(&special, "id", &id, err));
            TRY(special_ids(&specials, id, size, seen ? &out->after : &out->before, err));
            continue;
        }
        TRY(component_need_object(&sequence, err));
        TRY(component_string(&sequence, "id", &id, err));
        if (seen || strcmp(id, "A"))
            return component_fail(
                &element, ERROR_UNSUPPORTED, err,
                "a template for one text that has other than one sequence, A, is not implemented");
        seen = true;
    }
    if (seen) return 0;
    return component_fail(&template, ERROR_UNSUPPORTED, err,
                          "a template without the text is not implemented");
}

static int load(const struct component *component, int32_t size, bool *seen, struct post_processor *out,
                struct error *err) {
    const char *type;
    TRY(component_type(component, &type, err));
    if (!strcmp(type, "ByteLevel")) return 0; /* trims offsets, which we do not have */
    if (!strcmp(type, "Sequence")) {
        struct component list = component_member(component, "processors");
        TRY(component_need_array(&list, err));
        size_t index = 0;
        for (const cJSON *json = list.json->child; json; json = json->next) {
            struct component element = component_element(&list, json, index++);
            TRY(load(&element, size, seen, out, err));
        }
        return 0;
    }
    if (strcmp(type, "TemplateProcessing"))
        return component_refuse(component, type, "TemplateProcessing, ByteLevel, Sequence", err);
    if (*seen)
        return component_fail(component, ERROR_UNSUPPORTED, err, "a second template is not implemented");
    *seen = true;
    return load_template(component, size, out, err);
}

int post_processor_load(const struct component *component, int32_t size, struct post_processor *out,
                        struct error *err) {
    bool seen = false;
    return component->json ? load(component, size, &seen, out, err) : 0;
}

void post_processor_free(struct post_processor *post_processor) {
    token_list_free(&post_processor->before);
    token_list_free(&post_processor->after);
}

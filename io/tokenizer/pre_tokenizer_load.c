#include "base/memory.h"
#include "io/tokenizer/pre_tokenizer_private.h"
#include <string.h>

/* The pattern of GPT-2, which ByteLevel has built in. */
static const char gpt2_pattern[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

static int load_split(const struct component *component, struct stage *stage, struct error *err) {
    static const char *const names[] = {"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext",
                                        "Contiguous"};
    const char *behavior;
    struct component pattern = component_member(component, "pattern");
    TRY(pattern_load(&pattern, &stage->pattern, err));
    TRY(component_flag(component, "invert", false, &stage->invert, err));
    TRY(component_string(component, "behavior", &behavior, err));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(behavior, names[i])) continue;
        stage->behavior = (enum split_behavior)i;
        return 0;
    }
    struct component member = component_member(component, "behavior");
    return component_refuse(&member, behavior,
                            "Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous", err);
}

static int load_byte_level(const struct component *component, struct stage *stage, struct error *err) {
    bool split;
    stage->behavior = SPLIT_ISOLATED;
    TRY(component_flag(component, "add_prefix_space", true, &stage->prefix_space, err));
    TRY(component_flag(component, "use_regex", true, &split, err));
    return split ? pattern_compile(component, gpt2_pattern, &stage->pattern, err) : 0;
}

static int load_stages(struct pre_tokenizer *pre_tokenizer, const struct component *component,
                       struct error *err) {
    const char *type;
    TRY(component_type(component, &type, err));
    if (!strcmp(type, "Sequence")) {
        struct component list = component_member(component, "pretokenizers");
        TRY(component_need_array(&list, err));
        size_t index = 0;
        for (const cJSON *json = list.json->child; json; json = json->next) {
            struct component element = component_element(&list, json, index++);
            TRY(load_stages(pre_tokenizer, &element, err));
        }
        return 0;
    }
    if (pre_tokenizer_is_byte_level(pre_tokenizer))
        return component_fail(component, ERROR_UNSUPPORTED, err, "\"%s\" behind ByteLevel is not implemented",
                              type);
    TRY(memory_reserve(&pre_tokenizer->stages, &pre_tokenizer->capacity, pre_tokenizer->count + 1,
                       sizeof *pre_tokenizer->stages, err));
    struct stage *stage = &pre_tokenizer->stages[pre_tokenizer->count++];
    *stage = (struct stage){0};
    if (!strcmp(type, "Split")) {
        stage->kind = STAGE_SPLIT;
        return load_split(component, stage, err);
    }
    if (!strcmp(type, "Digits")) {
        bool single;
        stage->kind = STAGE_DIGITS;
        TRY(component_flag(component, "individual_digits", false, &single, err));
        stage->behavior = single ? SPLIT_ISOLATED : SPLIT_CONTIGUOUS;
        return 0;
    }
    if (!strcmp(type, "ByteLevel")) {
        stage->kind = STAGE_BYTE_LEVEL;
        return load_byte_level(component, stage, err);
    }
    return component_refuse(component, type, "Split, Digits, ByteLevel, Sequence", err);
}

int pre_tokenizer_load(const struct component *component, struct pre_tokenizer **out, struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    int code = component->json ? load_stages(*out, component, err) : 0;
    if (code) pre_tokenizer_destroy(out);
    return code;
}

void pre_tokenizer_destroy(struct pre_tokenizer **pre_tokenizer) {
    if (!*pre_tokenizer) return;
    for (size_t i = 0; i < (*pre_tokenizer)->count; i++)
        pattern_destroy(&(*pre_tokenizer)->stages[i].pattern);
    memory_free((*pre_tokenizer)->stages);
    text_free(&(*pre_tokenizer)->prefixed);
    text_free(&(*pre_tokenizer)->prefixed_shadow);
    memory_free(*pre_tokenizer);
    *pre_tokenizer = NULL;
}

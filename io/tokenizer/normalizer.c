#include "io/tokenizer/normalizer.h"

#include "base/memory.h"
#include "io/tokenizer/pattern.h"
#include "io/tokenizer/unicode.h"
#include <string.h>

enum step_kind { STEP_NFC, STEP_REPLACE, STEP_PREPEND };

struct step {
    enum step_kind kind;
    struct pattern *pattern; /* of STEP_REPLACE */
    char *content;           /* what replaces a match, or what is put before */
    size_t content_length;
};

struct normalizer {
    struct step *steps;
    size_t count, capacity;
    struct unicode_nfc nfc;
    struct text rooms[2]; /* used in turn */
    struct text shadow;
};

static int set_content(struct step *step, const char *content, struct error *err) {
    step->content_length = strlen(content);
    TRY(memory_alloc(&step->content, step->content_length + 1, 1, err));
    memcpy(step->content, content, step->content_length);
    return 0;
}

static int load_step(struct normalizer *normalizer, const struct component *component, struct error *err) {
    const char *type, *content;
    TRY(component_type(component, &type, err));
    if (!strcmp(type, "Sequence")) {
        struct component list = component_member(component, "normalizers");
        TRY(component_need_array(&list, err));
        size_t index = 0;
        for (const cJSON *json = list.json->child; json; json = json->next) {
            struct component element = component_element(&list, json, index++);
            TRY(load_step(normalizer, &element, err));
        }
        return 0;
    }
    TRY(memory_reserve(&normalizer->steps, &normalizer->capacity, normalizer->count + 1,
                       sizeof *normalizer->steps, err));
    struct step *step = &normalizer->steps[normalizer->count++];
    *step = (struct step){0};
    if (!strcmp(type, "NFC")) {
        step->kind = STEP_NFC;
        return 0;
    }
    if (!strcmp(type, "Replace")) {
        struct component pattern = component_member(component, "pattern");
        step->kind = STEP_REPLACE;
        TRY(pattern_load(&pattern, &step->pattern, err));
        TRY(component_string(component, "content", &content, err));
        return set_content(step, content, err);
    }
    if (!strcmp(type, "Prepend")) {
        step->kind = STEP_PREPEND;
        TRY(component_string(component, "prepend", &content, err));
        return set_content(step, content, err);
    }
    return component_refuse(component, type, "NFC, Replace, Prepend, Sequence", err);
}

int normalizer_load(const struct component *component, struct normalizer **out, struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    int code = component->json ? load_step(*out, component, err) : 0;
    if (code) normalizer_destroy(out);
    return code;
}

void normalizer_destroy(struct normalizer **normalizer) {
    if (!*normalizer) return;
    for (size_t i = 0; i < (*normalizer)->count; i++) {
        pattern_destroy(&(*normalizer)->steps[i].pattern);
        memory_free((*normalizer)->steps[i].content);
    }
    memory_free((*normalizer)->steps);
    unicode_nfc_free(&(*normalizer)->nfc);
    for (size_t i = 0; i < 2; i++) text_free(&(*normalizer)->rooms[i]);
    text_free(&(*normalizer)->shadow);
    memory_free(*normalizer);
    *normalizer = NULL;
}

static int replace(struct normalizer *normalizer, const struct step *step, const char *text, size_t length,
                   struct text *out, struct error *err) {
    struct piece piece = {text, text, length};
    TRY(unicode_shadow(text, length, &normalizer->shadow, &piece.shadow, err));
    size_t at = 0, start = 0, end = 0;
    for (bool found = true; at < length;) {
        TRY(pattern_find(step->pattern, &piece, at, &start, &end, &found, err));
        if (!found) break;
        TRY(text_append(out, text + at, start - at, err));
        TRY(text_append(out, step->content, step->content_length, err));
        at = end;
    }
    return text_append(out, text + at, length - at, err);
}

int normalizer_apply(struct normalizer *normalizer, const char *text, size_t length, const char **out,
                     size_t *out_length, struct error *err) {
    *out = text;
    *out_length = length;
    for (size_t i = 0; i < normalizer->count; i++) {
        const struct step *step = &normalizer->steps[i];
        struct text *room = &normalizer->rooms[*out == text_string(&normalizer->rooms[0])];
        bool changed = true;
        text_clear(room);
        if (step->kind == STEP_NFC) {
            TRY(unicode_nfc(&normalizer->nfc, *out, *out_length, room, &changed, err));
        } else if (step->kind == STEP_REPLACE) {
            TRY(replace(normalizer, step, *out, *out_length, room, err));
        } else if (*out_length) { /* the reference puts nothing before an empty text */
            TRY(text_append(room, step->content, step->content_length, err));
            TRY(text_append(room, *out, *out_length, err));
        } else {
            changed = false;
        }
        if (!changed) continue;
        *out = text_string(room);
        *out_length = room->length;
    }
    return 0;
}

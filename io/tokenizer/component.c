#include "io/tokenizer/component.h"

#include <stdarg.h>
#include <stdio.h>

int component_fail(const struct component *component, int code, struct error *err, const char *format, ...) {
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return error_set(err, code, "%s: %s%s%s", component->file, component->place,
                     component->place[0] ? ": " : "", message);
}

struct component component_member(const struct component *parent, const char *name) {
    struct component member = {.file = parent->file};
    const cJSON *json = cJSON_GetObjectItemCaseSensitive(parent->json, name);
    member.json = json && !cJSON_IsNull(json) ? json : NULL;
    snprintf(member.place, sizeof member.place, "%.100s%s%.40s", parent->place, parent->place[0] ? "." : "",
             name);
    return member;
}

struct component component_element(const struct component *array, const cJSON *json, size_t index) {
    struct component element = {.file = array->file, .json = json};
    snprintf(element.place, sizeof element.place, "%.130s[%zu]", array->place, index);
    return element;
}

int component_need_object(const struct component *component, struct error *err) {
    if (cJSON_IsObject(component->json)) return 0;
    return component_fail(component, ERROR_INPUT, err, "%s (expected an object)",
                          component->json ? "not an object" : "missing");
}

int component_need_array(const struct component *component, struct error *err) {
    if (cJSON_IsArray(component->json)) return 0;
    return component_fail(component, ERROR_INPUT, err, "%s (expected an array)",
                          component->json ? "not an array" : "missing");
}

int component_type(const struct component *component, const char **out, struct error *err) {
    TRY(component_need_object(component, err));
    return component_string(component, "type", out, err);
}

int component_refuse(const struct component *component, const char *type, const char *known,
                     struct error *err) {
    return component_fail(component, ERROR_UNSUPPORTED, err, "\"%s\" is not implemented (implemented: %s)",
                          type, known);
}

int component_optional_string(const struct component *component, const char *name, const char **out,
                              struct error *err) {
    struct component member = component_member(component, name);
    *out = NULL;
    if (!member.json) return 0;
    if (!cJSON_IsString(member.json)) return component_fail(&member, ERROR_INPUT, err, "not a string");
    *out = member.json->valuestring;
    return 0;
}

int component_string(const struct component *component, const char *name, const char **out,
                     struct error *err) {
    TRY(component_optional_string(component, name, out, err));
    if (*out) return 0;
    struct component member = component_member(component, name);
    return component_fail(&member, ERROR_INPUT, err, "missing (expected a string)");
}

int component_flag(const struct component *component, const char *name, bool fallback, bool *out,
                   struct error *err) {
    struct component member = component_member(component, name);
    *out = fallback;
    if (!member.json) return 0;
    if (!cJSON_IsBool(member.json)) return component_fail(&member, ERROR_INPUT, err, "not true or false");
    *out = cJSON_IsTrue(member.json);
    return 0;
}

bool component_whole(const cJSON *json, int limit, int *out) {
    if (!cJSON_IsNumber(json)) return false;
    double value = json->valuedouble;
    if (!(value >= 0 && value <= limit) || value != (double)(int)value) return false;
    *out = (int)value;
    return true;
}

int component_count(const struct component *component, const char *name, int limit, int *out,
                    struct error *err) {
    struct component member = component_member(component, name);
    if (component_whole(member.json, limit, out)) return 0;
    return component_fail(&member, ERROR_INPUT, err, "%s (expected a whole number from 0 to %d)",
                          member.json ? "out of range or no number" : "missing", limit);
}

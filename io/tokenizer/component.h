/* Reading a component of tokenizer.json: its fields, with messages that name the file and the place. */
#ifndef ADAPT_IO_TOKENIZER_COMPONENT_H
#define ADAPT_IO_TOKENIZER_COMPONENT_H

#include "base/error.h"
#include "io/json.h"
#include <stdbool.h>
#include <stddef.h>

struct component {
    const char *file;  /* borrowed */
    const cJSON *json; /* borrowed; NULL when the component is absent or null */
    char place[160];   /* such as "pre_tokenizer.pretokenizers[1]"; "" for the whole file */
};

/* Sets `err` to "FILE: PLACE: message"; returns `code`. */
int component_fail(const struct component *component, int code, struct error *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The member `name`: a component without json when it is absent or null. */
struct component component_member(const struct component *parent, const char *name);
/* Component `json`, which is element `index` of an array. */
struct component component_element(const struct component *array, const cJSON *json, size_t index);

/* ERROR_INPUT unless the component is present and an object, or an array. */
int component_need_object(const struct component *component, struct error *err);
int component_need_array(const struct component *component, struct error *err);

/* The string "type" of an object, borrowed. */
int component_type(const struct component *component, const char **out, struct error *err);
/* ERROR_UNSUPPORTED that names the component's type; `known` lists the types there are. */
int component_refuse(const struct component *component, const char *type, const char *known,
                     struct error *err);

/* A string member, borrowed: required, or NULL when absent or null. */
int component_string(const struct component *component, const char *name, const char **out,
                     struct error *err);
int component_optional_string(const struct component *component, const char *name, const char **out,
                              struct error *err);
/* A flag; `fallback` when absent or null. */
int component_flag(const struct component *component, const char *name, bool fallback, bool *out,
                   struct error *err);
/* A whole number 0 <= *out <= limit. */
int component_count(const struct component *component, const char *name, int limit, int *out,
                    struct error *err);
/* Whether `json` is a whole number in 0 .. limit; if so stores it. */
bool component_whole(const cJSON *json, int limit, int *out);

#endif

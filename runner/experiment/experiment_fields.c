/* Helpers for the parts of the experiment file's reader. */
#include "runner/experiment/experiment_internal.h"

#include "io/file.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES_MAX = 64 };

int experiment_resolve(struct experiment_reader *reader, const char *path, const char **out,
                       struct error *err) {
    char *joined, *copy;
    TRY(file_join(reader->experiment->folder, path, &joined, err));
    int code = arena_copy(reader->arena, joined, strlen(joined), &copy, err);
    memory_free(joined);
    if (!code) *out = copy;
    return code;
}

int experiment_resolve_field(struct experiment_reader *reader, const char **path, struct error *err) {
    return *path && **path ? experiment_resolve(reader, *path, path, err) : 0;
}

void experiment_check_name(struct experiment_reader *reader, const char *place, const char *name) {
    if (!*name) {
        json_mistake(&reader->report, place, "an empty name");
        return;
    }
    for (const char *c = name; *c; c++) {
        bool usable = isascii((unsigned char)*c) && (isalnum((unsigned char)*c) || strchr("._+-", *c));
        if (usable && (c != name || *c != '.')) continue;
        json_mistake(&reader->report, place,
                     "\"%.80s\" cannot be a folder's name everywhere (letters, digits, \".\", \"_\", \"+\" "
                     "and \"-\", not "
                     "beginning with a dot, are expected)",
                     name);
        return;
    }
    if (strlen(name) > NAME_BYTES_MAX)
        json_mistake(&reader->report, place, "a name of %zu bytes (at most %d are expected)", strlen(name),
                     NAME_BYTES_MAX);
}

const cJSON *experiment_list(struct experiment_reader *reader, const char *key, const char *expected) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(reader->root, key);
    if (!list) {
        if (expected) json_mistake(&reader->report, "", "\"%s\" is missing (%s)", key, expected);
        return NULL;
    }
    if (!cJSON_IsArray(list)) {
        json_mistake(&reader->report, key, "not a list (%s)", expected ? expected : "a list is expected");
        return NULL;
    }
    if (!list->child) {
        json_mistake(&reader->report, key, "an empty list (%s)",
                     expected ? expected : "leave the key out instead");
        return NULL;
    }
    return list;
}

void experiment_check_repeated(struct experiment_reader *reader, const char *place, const cJSON *object) {
    const cJSON *item;
    cJSON_ArrayForEach(item, object) {
        for (const cJSON *other = object->child; other != item; other = other->next) {
            if (strcmp(other->string, item->string)) continue;
            char inner[EXPERIMENT_PLACE_BYTES];
            snprintf(inner, sizeof inner, "%s.%s", place, item->string);
            json_mistake(&reader->report, inner, "the key appears more than once");
            break;
        }
    }
}

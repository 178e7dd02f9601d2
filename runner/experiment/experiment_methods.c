/* "methods": each with the settings that its own table describes, a label, and the reference that its
 * objective compares with. */
#include "runner/experiment/experiment_internal.h"

#include "io/file.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char expected[] = "a list of methods such as {\"name\": \"uniform\"} is expected";
enum { METHODS_MAX = 64 }; /* in the registry, for suggestions */

/* A method's keys that are no setting of its own. */
struct head {
    const char *label, *reference;
};
#define FIELD(name) offsetof(struct head, name)
static const struct setting label_row = {.name = "label", .kind = SETTING_TEXT, .offset = FIELD(label)};
static const struct setting reference_row = {
    .name = "reference", .kind = SETTING_TEXT, .offset = FIELD(reference)};
#undef FIELD

/* The setting "objective" of a method that can compare with reference losses, or NULL. */
static const struct setting *objective_of(const struct method *method) {
    for (const struct setting *row = method->settings; row->name; row++) {
        if (row->kind == SETTING_CHOICE && !strcmp(row->name, "objective")) return row;
    }
    return NULL;
}

static int *objective_field(const struct experiment_method *method) {
    return (int *)((char *)method->settings + objective_of(method->method)->offset);
}

/* "methods[INDEX]", or "methods[INDEX].KEY". */
static void place_of(char out[EXPERIMENT_PLACE_BYTES], int index, const char *key) {
    snprintf(out, EXPERIMENT_PLACE_BYTES, "methods[%d]%s%.64s", index, *key ? "." : "", key);
}

static void report_unknown(struct experiment_reader *reader, const char *place, const char *name) {
    const char *names[METHODS_MAX];
    int count = 0;
    struct text list = {0};
    for (const struct method *const *method = method_list(); *method && count + 1 < METHODS_MAX; method++) {
        (void)text_printf(&list, NULL, "%s%s", count ? ", " : "", (*method)->name);
        names[count++] = (*method)->name;
    }
    names[count] = NULL;
    const char *near = json_nearest(name, names);
    if (near)
        json_mistake(&reader->report, place, "no method is called \"%.64s\" (did you mean \"%s\"?)", name,
                     near);
    else
        json_mistake(&reader->report, place, "no method is called \"%.64s\" (one of %s is expected)", name,
                     text_string(&list));
    text_free(&list);
}

/* Finds the method that the object names; NULL after a mistake. */
static const struct method *find_method(struct experiment_reader *reader, const cJSON *object, int index) {
    char place[EXPERIMENT_PLACE_BYTES], inner[EXPERIMENT_PLACE_BYTES];
    place_of(place, index, "");
    place_of(inner, index, "name");
    if (!cJSON_IsObject(object)) {
        json_mistake(&reader->report, place, "not an object (%s)", expected);
        return NULL;
    }
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(object, "name");
    if (!name) {
        json_mistake(&reader->report, place, "\"name\" is missing (%s)", expected);
        return NULL;
    }
    if (!cJSON_IsString(name)) {
        json_mistake(&reader->report, inner, "not a string (a method's name is expected)");
        return NULL;
    }
    const struct method *method = method_find(name->valuestring);
    if (!method) report_unknown(reader, inner, name->valuestring);
    return method;
}

/* One table for label, reference (for methods that compare) and settings would need one struct; so the head
 * and the settings are bound one after the other, each with the other's keys as known ones. */
static int bind_method(struct experiment_reader *reader, const cJSON *object, const char *place,
                       struct experiment_method *entry, struct head *head, struct error *err) {
    bool compares = objective_of(entry->method) != NULL;
    const char *const head_keys[] = {"name", "label", compares ? "reference" : NULL, NULL};
    TRY(arena_alloc(reader->arena, &entry->settings, 1, entry->method->settings_bytes, err));
    json_bind(&reader->report, object, place, entry->method->settings, entry->settings, head_keys,
              reader->arena);

    const struct setting head_table[] = {label_row, compares ? reference_row : (struct setting){0}, {0}};
    cJSON *rest = cJSON_CreateObject(); /* only the head's keys, so that nothing is reported twice */
    if (!rest) return error_set(err, ERROR_MEMORY, "out of memory");
    for (const struct setting *row = head_table; row->name; row++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, row->name);
        if (value) cJSON_AddItemReferenceToObject(rest, row->name, (cJSON *)value);
    }
    json_bind(&reader->report, rest, place, head_table, head, NULL, reader->arena);
    cJSON_Delete(rest);
    return 0;
}

static void check_label(struct experiment_reader *reader, int index) {
    const struct experiment_method *methods = reader->experiment->methods;
    const char *name = methods[index].name;
    char place[EXPERIMENT_PLACE_BYTES], inner[EXPERIMENT_PLACE_BYTES];
    place_of(place, index, "");
    place_of(inner, index, "label");
    experiment_check_name(reader, inner, name);
    if (!strcmp(name, "start"))
        json_mistake(&reader->report, inner,
                     "\"start\" has a meaning of its own in \"reference\" (another label is expected)");
    for (int i = 0; i < index; i++) {
        if (!methods[i].name || strcmp(methods[i].name, name)) continue;
        json_mistake(&reader->report, place,
                     "the label \"%.64s\" is taken by methods[%d] (give one of them another \"label\")", name,
                     i);
        break;
    }
}

/* Runs the method's own checks; their messages begin with the key. */
static void check_settings(struct experiment_reader *reader, int index) {
    const struct experiment_method *entry = &reader->experiment->methods[index];
    struct error err = {0};
    if (!entry->method->validate || !entry->method->validate(entry->settings, &err)) return;
    char place[EXPERIMENT_PLACE_BYTES];
    char *colon = strstr(err.message, ": ");
    if (colon) *colon = '\0';
    place_of(place, index, colon ? err.message : "");
    json_mistake(&reader->report, place, "%s", colon ? colon + 2 : err.message);
}

/* ---- references */

static int find_label(const struct experiment *experiment, const char *label) {
    for (int i = 0; i < experiment->method_count; i++) {
        if (experiment->methods[i].name && !strcmp(experiment->methods[i].name, label)) return i;
    }
    return -1;
}

static int find_uniform(const struct experiment *experiment) {
    for (int i = 0; i < experiment->method_count; i++) {
        const struct method *method = experiment->methods[i].method;
        if (method && !strcmp(method->name, "uniform")) return i;
    }
    return -1;
}

static void report_reference(struct experiment_reader *reader, const char *place, const char *reference) {
    const struct experiment *experiment = reader->experiment;
    const char *labels[METHODS_MAX + 2];
    int count = 0;
    labels[count++] = "start";
    for (int i = 0; i < experiment->method_count && count <= METHODS_MAX; i++) {
        if (experiment->methods[i].name) labels[count++] = experiment->methods[i].name;
    }
    labels[count] = NULL;
    const char *near = json_nearest(reference, labels);
    json_mistake(&reader->report, place,
                 "\"%.128s\" is neither a method's label of this grid, nor \"start\", nor a file%s%s%s",
                 reference, near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
}

/* A reference file must hold numbers; which tasks it must name is known when the tasks are. */
static void check_reference_file(struct experiment_reader *reader, const char *place, const char *path) {
    cJSON *json;
    const cJSON *item;
    struct error err = {0};
    if (json_parse_file(path, 16u << 20, &json, &err)) {
        json_mistake(&reader->report, place, "%s", err.message);
        return;
    }
    bool good = cJSON_IsObject(json);
    cJSON_ArrayForEach(item, json) good = good && cJSON_IsNumber(item) && isfinite(item->valuedouble);
    if (!good) json_mistake(&reader->report, place, "%.256s: not an object {\"task name\": loss}", path);
    cJSON_Delete(json);
}

/* Decides objective and reference of one method, as experiment.h says. */
static int settle_reference(struct experiment_reader *reader, const cJSON *object, int index,
                            const char *reference, struct error *err) {
    struct experiment *experiment = reader->experiment;
    struct experiment_method *entry = &experiment->methods[index];
    bool objective_given = cJSON_GetObjectItemCaseSensitive(object, "objective") != NULL;
    int *objective = objective_field(entry), uniform = find_uniform(experiment);
    char place[EXPERIMENT_PLACE_BYTES];
    place_of(place, index, "reference");
    if (objective_given && *objective == OBJECTIVE_LOSS) {
        if (reference)
            json_mistake(&reader->report, place,
                         "the objective \"loss\" compares with nothing (leave one out, or use \"excess\" or "
                         "\"ratio\")");
        return 0;
    }
    if (!reference && uniform < 0) {
        if (objective_given)
            json_mistake(&reader->report, place,
                         "missing: the objective compares, and the grid has no method \"uniform\" to compare "
                         "with (add it, or "
                         "\"reference\": \"start\" or a file of losses)");
        return 0;
    }
    if (!objective_given) *objective = OBJECTIVE_EXCESS;
    entry->reference_losses = reference ? reference : experiment->methods[uniform].name;
    if (!strcmp(entry->reference_losses, "start")) return 0;
    entry->reference_method = find_label(experiment, entry->reference_losses);
    if (entry->reference_method >= 0) return 0;
    TRY(experiment_resolve(reader, reference, &entry->reference_losses, err));
    if (!file_exists(entry->reference_losses) || file_is_folder(entry->reference_losses))
        report_reference(reader, place, reference);
    else
        check_reference_file(reader, place, entry->reference_losses);
    return 0;
}

/* A chain of references must end. */
static void check_chains(struct experiment_reader *reader) {
    const struct experiment *experiment = reader->experiment;
    for (int i = 0; i < experiment->method_count; i++) {
        int at = experiment->methods[i].reference_method;
        for (int steps = 0; at >= 0 && at != i && steps < experiment->method_count; steps++)
            at = experiment->methods[at].reference_method;
        if (at != i) continue;
        char place[EXPERIMENT_PLACE_BYTES];
        place_of(place, i, "reference");
        json_mistake(&reader->report, place, "the method would have to run before itself");
    }
}

/* ---- the list */

static int read_method(struct experiment_reader *reader, const cJSON *object, int index, struct head *head,
                       struct error *err) {
    struct experiment_method *entry = &reader->experiment->methods[index];
    char place[EXPERIMENT_PLACE_BYTES];
    place_of(place, index, "");
    entry->reference_method = -1;
    entry->method = find_method(reader, object, index);
    if (!entry->method) return 0;
    TRY(bind_method(reader, object, place, entry, head, err));
    entry->name = head->label ? head->label : entry->method->name;
    check_label(reader, index);
    check_settings(reader, index);
    return 0;
}

int experiment_read_methods(struct experiment_reader *reader, struct error *err) {
    struct experiment *experiment = reader->experiment;
    const cJSON *list = experiment_list(reader, "methods", expected), *item;
    if (!list) return 0;
    size_t count = (size_t)cJSON_GetArraySize(list);
    struct head *heads;
    TRY(arena_alloc(reader->arena, &experiment->methods, count, sizeof *experiment->methods, err));
    TRY(arena_alloc(reader->arena, &heads, count, sizeof *heads, err));
    int index = 0;
    cJSON_ArrayForEach(item, list) {
        TRY(read_method(reader, item, index, &heads[index], err));
        experiment->method_count = ++index;
    }
    index = 0;
    cJSON_ArrayForEach(item, list) { /* labels may be used before they are given */
        const struct method *method = experiment->methods[index].method;
        if (method && objective_of(method))
            TRY(settle_reference(reader, item, index, heads[index].reference, err));
        index++;
    }
    check_chains(reader);
    return 0;
}

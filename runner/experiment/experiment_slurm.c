/* "slurm": what `adapt submit` asks Slurm for. It says nothing about results, so it may differ from the
 * archive's. */
#include "runner/experiment/experiment_internal.h"

#include <stdio.h>
#include <string.h>

/* A list of lines under `key` of the section. */
static int read_lines(struct experiment_reader *reader, const cJSON *object, const char *key,
                      const char ***out, int *count, struct error *err) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, key), *item;
    char place[EXPERIMENT_PLACE_BYTES];
    snprintf(place, sizeof place, "slurm.%s", key);
    if (!list) return 0;
    if (!cJSON_IsArray(list)) {
        json_mistake(&reader->report, place, "not a list (a list of lines is expected)");
        return 0;
    }
    TRY(arena_alloc(reader->arena, out, (size_t)cJSON_GetArraySize(list) + 1, sizeof **out, err));
    cJSON_ArrayForEach(item, list) {
        const char *text = cJSON_IsString(item) ? item->valuestring : "--"; /* which passes all checks */
        char *line;
        if (!cJSON_IsString(item)) {
            snprintf(place, sizeof place, "slurm.%s[%d]", key, *count);
            json_mistake(&reader->report, place, "not a text (a list of lines is expected)");
        }
        TRY(arena_copy(reader->arena, text, strlen(text), &line, err));
        (*out)[(*count)++] = line;
    }
    return 0;
}

static void note(void *context, const char *key, const char *problem) {
    struct json_report *report = context;
    char place[EXPERIMENT_PLACE_BYTES];
    snprintf(place, sizeof place, "slurm.%s", key);
    json_mistake(report, place, "%s", problem);
}

int experiment_read_slurm(struct experiment_reader *reader, struct error *err) {
    static const char *const lists[] = {"setup", "extra", NULL};
    struct slurm_settings *settings = &reader->experiment->slurm;
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(reader->root, "slurm");
    setting_defaults(slurm_settings_table, settings);
    if (!object) return 0;
    json_bind(&reader->report, object, "slurm", slurm_settings_table, settings, lists, reader->arena);
    TRY(read_lines(reader, object, "setup", &settings->setup, &settings->setup_count, err));
    TRY(read_lines(reader, object, "extra", &settings->extra, &settings->extra_count, err));
    slurm_settings_check(settings, note, &reader->report);
    bool is_path = settings->program && strchr(settings->program, '/'); /* else one that PATH has */
    return is_path ? experiment_resolve_field(reader, &settings->program, err) : 0;
}

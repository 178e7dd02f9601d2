/* Whether an archive that exists was made by the same experiment: the settings in force of both are compared,
 * so writing a default out or reordering keys is no difference. */
#include "runner/experiment/experiment_internal.h"

#include <stdio.h>
#include <string.h>

/* Keys that change no cell's result, and objects that may grow: more cells, not other ones. */
static const char *const free_keys[] = {"out",
                                        "cache",
                                        "ranks_per_cell",
                                        "device",
                                        "link",
                                        "training.recompute",
                                        "training.shard_optimizer",
                                        "training.checkpoint_minutes",
                                        "training.stall_minutes",
                                        NULL};
static const char *const growing_keys[] = {"models", "budgets", "methods", "seeds", "evaluation.benchmarks",
                                           NULL};

static bool is_among(const char *key, const char *const *keys) {
    for (; *keys; keys++) {
        if (!strcmp(key, *keys)) return true;
    }
    return false;
}

/* A value in short, for messages; an absent one is "nothing". */
static void show(char out[128], const cJSON *value) {
    char *printed = value ? cJSON_PrintUnformatted((cJSON *)value) : NULL;
    snprintf(out, 128, "%.120s", printed ? printed : "nothing");
    cJSON_free(printed);
}

static void note(struct json_report *report, const char *place, const cJSON *old, const cJSON *new) {
    char before[128], now[128];
    show(before, old);
    show(now, new);
    json_mistake(report, place, "%s in the archive, %s now", before, now);
}

static void compare(struct json_report *report, const char *place, const cJSON *old, const cJSON *new);

static void compare_objects(struct json_report *report, const char *place, const cJSON *old,
                            const cJSON *new) {
    const cJSON *item;
    char inner[EXPERIMENT_PLACE_BYTES];
    cJSON_ArrayForEach(item, old) {
        snprintf(inner, sizeof inner, "%s%s%s", place, place[0] ? "." : "", item->string);
        if (is_among(inner, free_keys)) continue;
        compare(report, inner, item, cJSON_GetObjectItemCaseSensitive(new, item->string));
    }
    if (is_among(place, growing_keys)) return;
    cJSON_ArrayForEach(item, new) {
        if (cJSON_GetObjectItemCaseSensitive(old, item->string)) continue;
        snprintf(inner, sizeof inner, "%s%s%s", place, place[0] ? "." : "", item->string);
        note(report, inner, NULL, item);
    }
}

static void compare(struct json_report *report, const char *place, const cJSON *old, const cJSON *new) {
    if (cJSON_IsObject(old) && cJSON_IsObject(new))
        compare_objects(report, place, old, new);
    else if (!new || !cJSON_Compare(old, new, true))
        note(report, place, old, new);
}

/* Where examples that repeat a benchmark's text are left out, another benchmark means other training data. */
static void compare_benchmarks(struct json_report *report, const struct experiment *experiment,
                               const cJSON *old, const cJSON *new) {
    if (experiment->evaluation.decontaminate.action != DECONTAMINATE_DROP) return;
    const cJSON *before = cJSON_GetObjectItem(cJSON_GetObjectItem(old, "evaluation"), "benchmarks"), *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(cJSON_GetObjectItem(new, "evaluation"), "benchmarks")) {
        char place[EXPERIMENT_PLACE_BYTES];
        if (cJSON_GetObjectItemCaseSensitive(before, item->string)) continue;
        snprintf(place, sizeof place, "evaluation.benchmarks.%s", item->string);
        note(report, place, NULL, item);
    }
}

int experiment_compare(const struct experiment *experiment, const char *old_text, struct error *err) {
    struct experiment *old;
    int code = experiment_parse(experiment->path, old_text, strlen(old_text), &old, err);
    if (code) {
        error_context(err, "the settings that the archive in %s was made with cannot be read any more",
                      experiment->out);
        return code;
    }
    cJSON *before = experiment_json(old), *now = experiment_json(experiment);
    struct json_report report = {.file = experiment->path};
    if (before && now) {
        compare(&report, "", before, now);
        compare_benchmarks(&report, experiment, before, now);
    } else
        code = error_set(err, ERROR_MEMORY, "out of memory for comparing experiments");
    cJSON_Delete(before);
    cJSON_Delete(now);
    experiment_destroy(&old);
    if (code) {
        text_free(&report.mistakes);
        return code;
    }
    code = json_report_finish(&report, err);
    if (code)
        error_context(err, "the archive in %s was made with other settings (another \"out\" is expected)",
                      experiment->out);
    return code;
}

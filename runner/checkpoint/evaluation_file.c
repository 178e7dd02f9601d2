#include "runner/checkpoint/evaluation_file.h"

#include "io/file.h"
#include "runner/checkpoint/sealed.h"
#include <cjson/cJSON.h>
#include <stdio.h>

/* A double as text that keeps its bits: hexadecimal, "nan", "inf". */
static cJSON *real(double value) {
    char text[64];
    snprintf(text, sizeof text, "%a", value);
    return cJSON_CreateString(text);
}

static bool add(cJSON *object, const char *key, cJSON *item) {
    return item && cJSON_AddItemToObject(object, key, item);
}

/* NULL stays absent. */
static bool add_text(cJSON *object, const char *key, const char *value) {
    return !value || cJSON_AddStringToObject(object, key, value);
}

static bool add_count(cJSON *object, const char *key, int64_t value) {
    return cJSON_AddNumberToObject(object, key, (double)value);
}

/* A new object at the list's end. */
static cJSON *append(cJSON *list) {
    cJSON *item = cJSON_CreateObject();
    return item && cJSON_AddItemToArray(list, item) ? item : NULL;
}

static bool add_metrics(cJSON *root, const struct archive_evaluation *e) {
    cJSON *list = cJSON_AddArrayToObject(root, "metrics");
    for (int i = 0; i < e->metric_count; i++) {
        const struct archive_metric *metric = &e->metrics[i];
        cJSON *item = list ? append(list) : NULL;
        if (!item || !add_text(item, "name", metric->name) || !add_text(item, "filter", metric->filter) ||
            !add(item, "value", real(metric->value)) || !add(item, "stderr", real(metric->standard_error)))
            return false;
    }
    return list;
}

static bool add_parts(cJSON *root, const struct archive_evaluation *e) {
    cJSON *list = cJSON_AddArrayToObject(root, "parts");
    for (int i = 0; i < e->part_count; i++) {
        const struct archive_part *part = &e->parts[i];
        cJSON *item = list ? append(list) : NULL;
        if (!item || !add_text(item, "name", part->name) || !add_count(item, "n", part->n) ||
            !add(item, "score", real(part->score)) || !add(item, "stderr", real(part->standard_error)))
            return false;
    }
    return list;
}

static bool add_sample(cJSON *item, const struct archive_sample *sample) {
    cJSON *list = item ? cJSON_AddArrayToObject(item, "log_likelihood") : NULL;
    for (int c = 0; list && c < sample->choices; c++) {
        cJSON *number = real(sample->log_likelihood[c]);
        if (!number || !cJSON_AddItemToArray(list, number)) return false;
    }
    return list && add_text(item, "id", sample->id) && add_text(item, "prediction", sample->prediction) &&
           add_text(item, "target", sample->target) && add_text(item, "response", sample->response) &&
           add(item, "score", real(sample->score));
}

static bool add_all(cJSON *root, const struct archive_evaluation *e) {
    if (!root || !add_text(root, "benchmark", e->benchmark) || !add_text(root, "category", e->category) ||
        !add_text(root, "version", e->version) || !add_text(root, "metric", e->metric) ||
        !add(root, "score", real(e->score)) || !add(root, "stderr", real(e->standard_error)) ||
        !add_count(root, "n", e->n) || !add_count(root, "step", e->step) ||
        !add(root, "share", real(e->share)) || !add_count(root, "shots", e->shots) ||
        !add_text(root, "chat_template", e->chat_template) || !add_text(root, "data_hash", e->data_hash) ||
        !add_text(root, "prompt_hash", e->prompt_hash) || !add_metrics(root, e) || !add_parts(root, e))
        return false;
    cJSON *list = cJSON_AddArrayToObject(root, "samples");
    for (int64_t i = 0; i < e->sample_count; i++)
        if (!list || !add_sample(append(list), &e->samples[i])) return false;
    return list;
}

int evaluation_file_write(const char *path, const struct archive_evaluation *evaluation, struct error *err) {
    cJSON *root = cJSON_CreateObject();
    char *printed = add_all(root, evaluation) ? cJSON_PrintUnformatted(root) : NULL;
    cJSON_Delete(root);
    if (!printed) return error_set(err, ERROR_MEMORY, "%s: out of memory", path);
    struct text text = {0};
    int code = text_append_string(&text, printed, err);
    cJSON_free(printed);
    if (!code) code = sealed_close(&text, err);
    if (!code) code = file_write(path, text.data, text.length, err);
    text_free(&text);
    return code;
}

#include "runner/checkpoint/evaluation_file.h"

#include "io/file.h"
#include "io/json.h"
#include "runner/checkpoint/sealed.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 1 << 30 };

/* Where things go, and the first thing that was wrong. */
struct taking {
    const char *name;
    struct arena *arena;
    struct error *err;
    int code;
};

static void fail(struct taking *t, const char *key) {
    if (!t->code)
        t->code = error_set(t->err, ERROR_INPUT, "%s: \"%s\" is missing or of another kind", t->name, key);
}

static const char *take_text(struct taking *t, const cJSON *object, const char *key) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    char *copy = NULL;
    if (!cJSON_IsString(item)) {
        fail(t, key);
        return "";
    }
    if (!t->code) t->code = arena_copy(t->arena, item->valuestring, strlen(item->valuestring), &copy, t->err);
    return copy ? copy : "";
}

static double real_of(struct taking *t, const cJSON *item, const char *key) {
    char *end = NULL;
    double value = cJSON_IsString(item) ? strtod(item->valuestring, &end) : NAN;
    if (!end || end == item->valuestring || *end) fail(t, key);
    return value;
}

static double take_real(struct taking *t, const cJSON *object, const char *key) {
    return real_of(t, cJSON_GetObjectItemCaseSensitive(object, key), key);
}

static int64_t take_count(struct taking *t, const cJSON *object, const char *key) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    double value = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    if (!(fabs(value) <= 9007199254740992.0 && value == floor(value))) {
        fail(t, key);
        return 0;
    }
    return (int64_t)value;
}

/* A list, with memory for its items of `size` bytes. */
static const cJSON *take_list(struct taking *t, const cJSON *object, const char *key, size_t size, void *out,
                              int *count) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, key);
    *count = 0;
    if (!cJSON_IsArray(list)) fail(t, key);
    if (!t->code) t->code = arena_alloc(t->arena, out, (size_t)cJSON_GetArraySize(list), size, t->err);
    if (t->code) return NULL;
    *count = cJSON_GetArraySize(list);
    return list->child;
}

static void take_metrics(struct taking *t, const cJSON *root, struct archive_evaluation *out) {
    struct archive_metric *metrics;
    const cJSON *item = take_list(t, root, "metrics", sizeof *metrics, &metrics, &out->metric_count);
    for (int i = 0; item && i < out->metric_count; item = item->next, i++)
        metrics[i] = (struct archive_metric){take_text(t, item, "name"), take_text(t, item, "filter"),
                                             take_real(t, item, "value"), take_real(t, item, "stderr")};
    out->metrics = t->code ? NULL : metrics;
}

static void take_parts(struct taking *t, const cJSON *root, struct archive_evaluation *out) {
    struct archive_part *parts;
    const cJSON *item = take_list(t, root, "parts", sizeof *parts, &parts, &out->part_count);
    for (int i = 0; item && i < out->part_count; item = item->next, i++)
        parts[i] = (struct archive_part){take_text(t, item, "name"), take_count(t, item, "n"),
                                         take_real(t, item, "score"), take_real(t, item, "stderr")};
    out->parts = t->code ? NULL : parts;
}

static void take_sample(struct taking *t, const cJSON *item, struct archive_sample *out) {
    double *numbers;
    const cJSON *number = take_list(t, item, "log_likelihood", sizeof *numbers, &numbers, &out->choices);
    for (int c = 0; number && c < out->choices; number = number->next, c++)
        numbers[c] = real_of(t, number, "log_likelihood");
    out->log_likelihood = t->code ? NULL : numbers;
    out->id = take_text(t, item, "id");
    out->prediction = take_text(t, item, "prediction");
    out->target = take_text(t, item, "target");
    out->response =
        cJSON_GetObjectItemCaseSensitive(item, "response") ? take_text(t, item, "response") : NULL;
    out->score = take_real(t, item, "score");
}

static void take_samples(struct taking *t, const cJSON *root, struct archive_evaluation *out) {
    struct archive_sample *samples;
    int count;
    const cJSON *item = take_list(t, root, "samples", sizeof *samples, &samples, &count);
    for (int i = 0; item && i < count && !t->code; item = item->next, i++) take_sample(t, item, &samples[i]);
    out->samples = t->code ? NULL : samples;
    out->sample_count = count;
}

static void take_all(struct taking *t, const cJSON *root, struct archive_evaluation *out) {
    *out = (struct archive_evaluation){.benchmark = take_text(t, root, "benchmark"),
                                       .category = take_text(t, root, "category"),
                                       .version = take_text(t, root, "version"),
                                       .metric = take_text(t, root, "metric"),
                                       .score = take_real(t, root, "score"),
                                       .standard_error = take_real(t, root, "stderr"),
                                       .n = take_count(t, root, "n"),
                                       .step = take_count(t, root, "step"),
                                       .share = take_real(t, root, "share"),
                                       .shots = take_count(t, root, "shots"),
                                       .chat_template = take_text(t, root, "chat_template"),
                                       .data_hash = take_text(t, root, "data_hash"),
                                       .prompt_hash = take_text(t, root, "prompt_hash")};
    take_metrics(t, root, out);
    take_parts(t, root, out);
    take_samples(t, root, out);
}

int evaluation_file_parse(const char *name, const char *text, size_t length, struct arena *arena,
                          struct archive_evaluation *out, struct error *err) {
    struct taking t = {.name = name, .arena = arena, .err = err};
    size_t json_length;
    cJSON *root;
    TRY(sealed_open(name, text, length, &json_length, err));
    TRY(json_parse(name, text, json_length, &root, err));
    take_all(&t, root, out);
    cJSON_Delete(root);
    return t.code;
}

int evaluation_file_read(const char *path, struct arena *arena, struct archive_evaluation *out,
                         struct error *err) {
    struct text text = {0};
    int code = file_read(path, FILE_BYTES_MAX, &text, err);
    if (!code) code = evaluation_file_parse(path, text_string(&text), text.length, arena, out, err);
    text_free(&text);
    return code;
}

/* Any text as JSON: refused with a message, or accepted; what was accepted prints as text that is accepted
 * again and means the same. The text is also taken as the middle of a larger one, which must not change the
 * verdict. */
#include "io/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char *const words[] = {"alpha", "beta", NULL};
struct settings {
    double real;
    long long count;
    bool flag;
    int choice;
    const char *text;
};
static const struct setting table[] = {
    {"real", SETTING_REAL, offsetof(struct settings, real), 0, -1, 1, NULL, NULL, ""},
    {"count", SETTING_COUNT, offsetof(struct settings, count), 0, 0, 100, NULL, NULL, ""},
    {"flag", SETTING_FLAG, offsetof(struct settings, flag), 0, 0, 0, NULL, NULL, ""},
    {"choice", SETTING_CHOICE, offsetof(struct settings, choice), 0, 0, 0, words, NULL, ""},
    {"text", SETTING_TEXT, offsetof(struct settings, text), 0, 0, 0, NULL, "initial", ""},
    {0},
};

static void bind(const cJSON *value) {
    struct arena *arena;
    if (arena_create(&arena, NULL)) return;
    struct settings settings;
    struct error err = {0};
    struct json_report report = {.file = "f"};
    json_bind(&report, value, "", table, &settings, words, arena);
    int count = report.count;
    if (!!json_report_finish(&report, &err) != (count > 0)) abort();
    if (!(settings.real >= -1 && settings.real <= 1) || settings.count < 0 || settings.count > 100) abort();
    if (settings.choice < 0 || settings.choice > 1) abort();
    arena_destroy(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct error err = {0};
    cJSON *value, *again;
    int code = json_parse("f", (const char *)data, size, &value, &err);
    if (code && (value || strncmp(err.message, "f:", 2))) abort();

    char *larger = malloc(size + 2);
    if (!larger) return 0;
    larger[0] = ' ';
    if (size) memcpy(larger + 1, data, size);
    larger[size + 1] = '1';
    bool mark = size >= 3 && !memcmp(data, "\xef\xbb\xbf", 3);
    int part = json_parse_part("f", larger, 1, size, &again, NULL);
    if (!mark && part != code) abort();
    cJSON_Delete(again);
    free(larger);
    if (code) return 0;

    bind(value);
    char *printed = cJSON_Print(value);
    if (printed) {
        if (json_parse("f", printed, strlen(printed), &again, &err)) abort();
        if (cJSON_GetArraySize(again) != cJSON_GetArraySize(value)) abort();
        cJSON_Delete(again);
        cJSON_free(printed);
    }
    cJSON_Delete(value);
    return 0;
}

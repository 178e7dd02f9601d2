/* Filling a settings struct from a JSON object, with every mistake reported. */
#include "io/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- mistakes */

void json_mistake(struct json_report *report, const char *place, const char *format, ...) {
    char what[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    /* Out of memory here only shortens the list: the count still makes the report fail. */
    (void)text_printf(&report->mistakes, NULL, "%s%s: %s%s%s", report->count ? "\n" : "", report->file, place,
                      place[0] ? ": " : "", what);
    report->count++;
}

int json_report_finish(struct json_report *report, struct error *err) {
    int code = 0;
    if (report->count) {
        const char *all = text_string(&report->mistakes);
        size_t room = sizeof err->message - 64; /* for the last line, when not all fit */
        size_t length = report->mistakes.length;
        if (length <= room) {
            code = error_set(err, ERROR_INPUT, "%s", all[0] ? all : report->file);
        } else {
            int lines = 0;
            size_t end = 0;
            for (size_t i = 0; i < room; i++) {
                if (all[i] == '\n') {
                    lines++;
                    end = i;
                }
            }
            if (!lines) {
                lines = 1;
                end = room;
            }
            code = error_set(err, ERROR_INPUT, "%.*s\n... and %d more", (int)end, all, report->count - lines);
        }
    }
    text_free(&report->mistakes);
    report->count = 0;
    return code;
}

/* ---- suggestions */

enum { WORD_LIMIT = 64 }; /* longer words are not compared */

static char lower(char c) {
    return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c == '-' ? '_' : c);
}

/* Edit distance with adjacent swaps (optimal string alignment), without regard to case. */
static int distance(const char *left, size_t m, const char *right, size_t n) {
    int row[3][WORD_LIMIT + 1];
    for (size_t j = 0; j <= n; j++) row[0][j] = (int)j;
    for (size_t i = 1; i <= m; i++) {
        int *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        now[0] = (int)i;
        for (size_t j = 1; j <= n; j++) {
            bool same = lower(left[i - 1]) == lower(right[j - 1]);
            int best = last[j - 1] + !same;
            if (last[j] + 1 < best) best = last[j] + 1;
            if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
            if (i > 1 && j > 1 && lower(left[i - 1]) == lower(right[j - 2]) &&
                lower(left[i - 2]) == lower(right[j - 1]) && before[j - 2] + 1 < best) {
                best = before[j - 2] + 1;
            }
            now[j] = best;
        }
    }
    return row[m % 3][n];
}

/* Keeps the nearer of *best and `known`. */
static void consider(const char *word, const char *known, const char **best, int *best_distance) {
    size_t m = strlen(word), n = strlen(known);
    if (m > WORD_LIMIT || n > WORD_LIMIT || !m || !n) return;
    int far = distance(word, m, known, n);
    int near_enough = (int)(m > n ? m : n) / 3;
    if (near_enough < 1) near_enough = 1;
    if (far <= near_enough && far < *best_distance) {
        *best_distance = far;
        *best = known;
    }
}

const char *json_nearest(const char *word, const char *const *known) {
    const char *best = NULL;
    int best_distance = WORD_LIMIT + 1;
    for (; known && *known; known++) consider(word, *known, &best, &best_distance);
    return best;
}

/* ---- binding */

static void make_place(char out[256], const char *place, const char *key) {
    snprintf(out, 256, "%s%s%s", place, place[0] ? "." : "", key);
}

static const char *kind_of(const cJSON *value) {
    if (cJSON_IsString(value)) return "a string";
    if (cJSON_IsNumber(value)) return "a number";
    if (cJSON_IsBool(value)) return cJSON_IsTrue(value) ? "true" : "false";
    if (cJSON_IsObject(value)) return "an object";
    if (cJSON_IsArray(value)) return "a list";
    return "null";
}

static void describe_range(char out[128], const struct setting *setting) {
    const char *what = setting->kind == SETTING_COUNT ? "a whole number" : "a number";
    if (isfinite(setting->low) && isfinite(setting->high)) {
        snprintf(out, 128, "%s from %.15g to %.15g", what, setting->low, setting->high);
    } else if (isfinite(setting->low)) {
        snprintf(out, 128, "%s, at least %.15g", what, setting->low);
    } else if (isfinite(setting->high)) {
        snprintf(out, 128, "%s, at most %.15g", what, setting->high);
    } else {
        snprintf(out, 128, "%s", what);
    }
}

static void bind_number(struct json_report *report, const char *place, const struct setting *setting,
                        const cJSON *value, void *field) {
    char range[128];
    describe_range(range, setting);
    if (!cJSON_IsNumber(value)) {
        json_mistake(report, place, "%s, where %s is expected", kind_of(value), range);
        return;
    }
    double number = value->valuedouble;
    bool inside = isfinite(number) && number >= setting->low && number <= setting->high;
    if (setting->kind == SETTING_COUNT) {
        /* doubles hold every whole number up to 2^53 */
        inside = inside && number == floor(number) && fabs(number) <= 9007199254740992.0;
    }
    if (!inside) {
        json_mistake(report, place, "%.15g, where %s is expected", number, range);
    } else if (setting->kind == SETTING_COUNT) {
        *(long long *)field = (long long)number;
    } else {
        *(double *)field = number;
    }
}

static void bind_choice(struct json_report *report, const char *place, const struct setting *setting,
                        const cJSON *value, int *field) {
    if (cJSON_IsString(value)) {
        for (int i = 0; setting->choices[i]; i++) {
            if (strcmp(setting->choices[i], value->valuestring)) continue;
            *field = i;
            return;
        }
    }
    struct text list = {0};
    for (int i = 0; setting->choices[i]; i++) {
        (void)text_printf(&list, NULL, "%s\"%s\"", i ? ", " : "", setting->choices[i]);
    }
    if (cJSON_IsString(value)) {
        json_mistake(report, place, "\"%.64s\", where one of %s is expected", value->valuestring,
                     text_string(&list));
    } else {
        json_mistake(report, place, "%s, where one of %s is expected", kind_of(value), text_string(&list));
    }
    text_free(&list);
}

static void bind_text(struct json_report *report, const char *place, const cJSON *value, const char **field,
                      struct arena *arena) {
    if (cJSON_IsNull(value)) { /* how configuration files say "absent" */
        *field = NULL;
        return;
    }
    if (!cJSON_IsString(value)) {
        json_mistake(report, place, "%s, where a string is expected", kind_of(value));
        return;
    }
    char *copy;
    if (arena_copy(arena, value->valuestring, strlen(value->valuestring), &copy, NULL)) {
        json_mistake(report, place, "out of memory");
        return;
    }
    *field = copy;
}

static void bind_value(struct json_report *report, const char *place, const struct setting *setting,
                       const cJSON *value, void *settings, struct arena *arena) {
    void *field = (char *)settings + setting->offset;
    switch (setting->kind) {
    case SETTING_REAL:
    case SETTING_COUNT: bind_number(report, place, setting, value, field); break;
    case SETTING_FLAG:
        if (cJSON_IsBool(value)) {
            *(bool *)field = cJSON_IsTrue(value);
        } else {
            json_mistake(report, place, "%s, where true or false is expected", kind_of(value));
        }
        break;
    case SETTING_CHOICE: bind_choice(report, place, setting, value, field); break;
    case SETTING_TEXT: bind_text(report, place, value, field, arena); break;
    }
}

static void report_unknown(struct json_report *report, const char *place, const char *key,
                           const struct setting *table, const char *const *other_keys) {
    const char *best = NULL;
    int best_distance = WORD_LIMIT + 1;
    for (const struct setting *row = table; row->name; row++) consider(key, row->name, &best, &best_distance);
    for (; other_keys && *other_keys; other_keys++) consider(key, *other_keys, &best, &best_distance);
    if (best) {
        json_mistake(report, place, "unknown key (did you mean \"%s\"?)", best);
    } else {
        json_mistake(report, place, "unknown key");
    }
}

void json_bind(struct json_report *report, const cJSON *object, const char *place,
               const struct setting *table, void *settings, const char *const *other_keys,
               struct arena *arena) {
    setting_defaults(table, settings);
    if (!cJSON_IsObject(object)) {
        json_mistake(report, place, "%s, where an object is expected", object ? kind_of(object) : "nothing");
        return;
    }
    const cJSON *value;
    cJSON_ArrayForEach(value, object) {
        char inner[256];
        make_place(inner, place, value->string);
        bool repeated = false;
        for (const cJSON *other = object->child; other != value && !repeated; other = other->next) {
            repeated = !strcmp(other->string, value->string);
        }
        if (repeated) {
            json_mistake(report, inner, "the key appears more than once");
            continue;
        }
        const struct setting *row = table;
        while (row->name && strcmp(row->name, value->string)) row++;
        if (row->name) {
            bind_value(report, inner, row, value, settings, arena);
            continue;
        }
        bool other_known = false;
        for (const char *const *key = other_keys; key && *key && !other_known; key++) {
            other_known = !strcmp(*key, value->string);
        }
        if (!other_known) report_unknown(report, inner, value->string, table, other_keys);
    }
}

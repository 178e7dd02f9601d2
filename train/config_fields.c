#include "train/config_fields.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void config_refuse(const struct config_fields *fields, int code, const char *key, const char *format, ...) {
    if (*fields->code) return;
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    *fields->code = error_set(fields->err, code, "%s: %s%s: %s", fields->file, fields->within, key, what);
}

const cJSON *config_find(const struct config_fields *fields, const char *key) {
    const cJSON *found = NULL;
    for (const cJSON *item = fields->object->child; item; item = item->next) {
        if (strcmp(item->string, key)) continue;
        if (found) config_refuse(fields, ERROR_INPUT, key, "comes twice");
        found = item;
    }
    return cJSON_IsNull(found) ? NULL : found;
}

bool config_has(const struct config_fields *fields, const char *key) {
    return config_find(fields, key) != NULL;
}

int config_count(const struct config_fields *fields, const char *key, int low, int high, int fallback) {
    const cJSON *item = config_find(fields, key);
    if (!item) {
        if (fallback != CONFIG_REQUIRED) return fallback;
        config_refuse(fields, ERROR_INPUT, key, "is missing (expected a whole number)");
        return low;
    }
    double value = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    if (value >= low && value <= high && value == floor(value)) return (int)value;
    if (high == INT_MAX)
        config_refuse(fields, ERROR_INPUT, key, "is not a whole number of at least %d", low);
    else
        config_refuse(fields, ERROR_INPUT, key, "is not a whole number from %d to %d", low, high);
    return low;
}

double config_real(const struct config_fields *fields, const char *key, double low, double high,
                   double fallback) {
    const cJSON *item = config_find(fields, key);
    if (!item) {
        if (!isnan(fallback)) return fallback;
        config_refuse(fields, ERROR_INPUT, key, "is missing (expected a number)");
        return low;
    }
    double value = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    if (value >= low && value <= high) return value;
    config_refuse(fields, ERROR_INPUT, key, "is not a number from %g to %g", low, high);
    return low;
}

bool config_flag(const struct config_fields *fields, const char *key, bool fallback) {
    const cJSON *item = config_find(fields, key);
    if (!item) return fallback;
    if (!cJSON_IsBool(item)) config_refuse(fields, ERROR_INPUT, key, "is neither true nor false");
    return cJSON_IsTrue(item);
}

const char *config_word(const struct config_fields *fields, const char *key) {
    const cJSON *item = config_find(fields, key);
    if (!item) return NULL;
    if (cJSON_IsString(item)) return item->valuestring;
    config_refuse(fields, ERROR_INPUT, key, "is not a string");
    return NULL;
}

bool config_object(const struct config_fields *fields, const char *key, const char *within,
                   struct config_fields *out) {
    const cJSON *item = config_find(fields, key);
    if (!item) return false;
    *out = *fields;
    out->within = within;
    out->object = item;
    if (cJSON_IsObject(item)) return true;
    config_refuse(fields, ERROR_INPUT, key, "is not an object");
    return false;
}

/* Typed fields of a JSON object. The first mistake is kept and named by file and field; after it, reads yield
 * their fallback, so a caller reads everything and asks `code` once. */
#ifndef ADAPT_TRAIN_CONFIG_FIELDS_H
#define ADAPT_TRAIN_CONFIG_FIELDS_H

#include "base/error.h"
#include <cjson/cJSON.h>
#include <limits.h>
#include <stdbool.h>

struct config_fields {
    const char *file;    /* for messages; borrowed */
    const char *within;  /* "" or "rope_parameters.": what stands before a field's name in messages */
    const cJSON *object; /* borrowed */
    struct error *err;
    int *code; /* 0, or the code of the first mistake */
};

/* Notes a mistake at `key`, unless there was one: ERROR_INPUT for wrong values, ERROR_UNSUPPORTED for those
 * we do not implement. */
void config_refuse(const struct config_fields *fields, int code, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The field's value; NULL where it is missing or null. A key that comes twice is a mistake. */
const cJSON *config_find(const struct config_fields *fields, const char *key);
/* True where the field is there and not null. */
bool config_has(const struct config_fields *fields, const char *key);

/* A whole number in low..high; a fallback of CONFIG_REQUIRED makes a missing field a mistake (the result is
 * then `low`). */
enum { CONFIG_REQUIRED = INT_MIN };
int config_count(const struct config_fields *fields, const char *key, int low, int high, int fallback);
/* A number in [low, high]; a NaN fallback means required. */
double config_real(const struct config_fields *fields, const char *key, double low, double high,
                   double fallback);
bool config_flag(const struct config_fields *fields, const char *key, bool fallback);
/* NULL where the field is missing or null. Borrowed from the object. */
const char *config_word(const struct config_fields *fields, const char *key);
/* The fields of the object at `key`, whose name in messages `within` must outlive them; false where it is
 * missing, null or no object (the last is a mistake). */
bool config_object(const struct config_fields *fields, const char *key, const char *within,
                   struct config_fields *out);

#endif

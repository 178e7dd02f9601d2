/* JSON input, strict: one parser (cJSON) behind checks that cJSON does not make, errors that name the place,
 * and a binder that fills a settings struct from an object and reports every mistake at once. */
#ifndef ADAPT_IO_JSON_H
#define ADAPT_IO_JSON_H

#include "base/error.h"
#include "base/memory.h"
#include "base/setting.h"
#include "base/text.h"
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum { JSON_DEPTH_LIMIT = 64 }; /* deepest nesting accepted */

/* Parses one JSON value of `length` bytes into *out (free with cJSON_Delete). `name` stands for the source in
 * messages. Refused, with line and column: syntax errors, nesting deeper than JSON_DEPTH_LIMIT, text after
 * the value, invalid UTF-8, NUL bytes, a lone surrogate escape. */
int json_parse(const char *name, const char *text, size_t length, cJSON **out, struct error *err);

/* As json_parse, for the value at text[start .. start + length); lines and columns are counted from `text`.
 */
int json_parse_part(const char *name, const char *text, size_t start, size_t length, cJSON **out,
                    struct error *err);

/* The line and the column (in bytes), from 1, of text[at]. */
struct json_place {
    size_t line, column;
};
struct json_place json_place_of(const char *text, size_t at);

/* Reads and parses a file of at most `limit` bytes. */
int json_parse_file(const char *path, size_t limit, cJSON **out, struct error *err);

/* A list of mistakes in one file; zero-initialise with the file's name. */
struct json_report {
    const char *file;     /* borrowed */
    struct text mistakes; /* one line each: "FILE: PLACE: what is wrong (what was expected)" */
    int count;
};

/* Adds a mistake at `place` (such as "methods[2].rate"; "" for the whole file). */
void json_mistake(struct json_report *report, const char *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* ERROR_INPUT with all lines if there were mistakes, else 0. Frees the report's memory either way. */
int json_report_finish(struct json_report *report, struct error *err);

/* Fills `*settings` from `object` by `table`: defaults first, then every key present. Mistakes: a value of
 * the wrong kind, out of range, not among the choices, a repeated key, a key that neither the table nor
 * `other_keys` (NULL-terminated, may be NULL) knows; the nearest known key is suggested. Texts are copied
 * into `arena`. */
void json_bind(struct json_report *report, const cJSON *object, const char *place,
               const struct setting *table, void *settings, const char *const *other_keys,
               struct arena *arena);

/* The known word nearest to `word` by edit distance, or NULL when none is near enough to suggest. */
const char *json_nearest(const char *word, const char *const *known);

/* Writes `value` to the file, indented, atomically (io/file.h). */
int json_write_file(const char *path, const cJSON *value, struct error *err);

#endif

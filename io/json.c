/* Parsing and writing JSON. cJSON builds the tree and checks the structure (commas, colons, brackets); the
 * pass before it checks what cJSON lets through: white space, numbers, strings and nesting that the standard
 * (RFC 8259) forbids. */
#include "io/json.h"

#include "io/file.h"
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { NUMBER_LIMIT = 63 }; /* bytes of a number that cJSON reads; it would split a longer one */

struct scan {
    const char *name, *text;
    size_t length, at; /* `at` and `length` count from the beginning of `text` */
    int depth;
    size_t open[JSON_DEPTH_LIMIT]; /* where each bracket that is open stands */
};

struct json_place json_place_of(const char *text, size_t at) {
    struct json_place place = {1, 1};
    for (size_t i = 0; i < at; i++) {
        if (text[i] == '\n') {
            place.line++;
            place.column = 1;
        } else {
            place.column++;
        }
    }
    return place;
}

static int fail_at(const char *name, const char *text, size_t at, const char *what, struct error *err) {
    if (!err) return ERROR_INPUT; /* counting lines in a large text for nobody would be slow */
    struct json_place place = json_place_of(text, at);
    return error_set(err, ERROR_INPUT, "%s:%zu:%zu: %s", name, place.line, place.column, what);
}

static int scan_fail(const struct scan *scan, const char *what, struct error *err) {
    return fail_at(scan->name, scan->text, scan->at, what, err);
}

/* The value of four hexadecimal digits at `at`, or -1. */
static int hex_quad(const struct scan *scan, size_t at) {
    if (scan->length < 4 || at > scan->length - 4) return -1;
    int value = 0;
    for (size_t i = at; i < at + 4; i++) {
        char c = scan->text[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* At the backslash of an escape; leaves `at` behind the escape. */
static int scan_escape(struct scan *scan, struct error *err) {
    size_t at = scan->at + 1;
    if (at >= scan->length) return scan_fail(scan, "the text ends inside a string", err);
    char kind = scan->text[at];
    if (kind != 'u') {
        if (!kind || !strchr("\"\\/bfnrt", kind)) return scan_fail(scan, "unknown escape in a string", err);
        scan->at = at + 1;
        return 0;
    }
    int unit = hex_quad(scan, at + 1);
    if (unit < 0) return scan_fail(scan, "\\u needs four hexadecimal digits", err);
    if (unit == 0) return scan_fail(scan, "a NUL character (\\u0000) in a string", err);
    if (unit >= 0xdc00 && unit <= 0xdfff) return scan_fail(scan, "a lone low surrogate escape", err);
    at += 5;
    if (unit >= 0xd800 && unit <= 0xdbff) {
        int low = -1;
        if (at + 1 < scan->length && scan->text[at] == '\\' && scan->text[at + 1] == 'u')
            low = hex_quad(scan, at + 2);
        if (low < 0xdc00 || low > 0xdfff) return scan_fail(scan, "a lone high surrogate escape", err);
        at += 6;
    }
    scan->at = at;
    return 0;
}

/* At the opening quote; leaves `at` behind the closing one. */
static int scan_string(struct scan *scan, struct error *err) {
    size_t start = scan->at++;
    while (scan->at < scan->length) {
        unsigned char c = (unsigned char)scan->text[scan->at];
        if (c == '"') {
            scan->at++;
            return 0;
        }
        if (c == '\\') {
            TRY(scan_escape(scan, err));
        } else if (c >= 0x80) {
            utf8proc_int32_t point;
            size_t left = scan->length - scan->at;
            utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)scan->text + scan->at,
                                                     left < 4 ? (utf8proc_ssize_t)left : 4, &point);
            if (used < 1) return scan_fail(scan, "invalid UTF-8 in a string", err);
            scan->at += (size_t)used;
        } else if (c < 0x20) {
            return scan_fail(
                scan, c ? "a control character in a string (write it as an escape)" : "a NUL byte", err);
        } else {
            scan->at++;
        }
    }
    scan->at = start;
    return scan_fail(scan, "the string that begins here is never closed", err);
}

static size_t scan_digits(struct scan *scan) {
    size_t start = scan->at;
    while (scan->at < scan->length && scan->text[scan->at] >= '0' && scan->text[scan->at] <= '9') scan->at++;
    return scan->at - start;
}

static bool scan_is(const struct scan *scan, const char *any) {
    char c = scan->at < scan->length ? scan->text[scan->at] : 0;
    return c && strchr(any, c);
}

/* -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)? */
static int scan_number(struct scan *scan, struct error *err) {
    size_t start = scan->at;
    bool good, exponent = false;
    if (scan_is(scan, "-")) scan->at++;
    bool zero = scan_is(scan, "0");
    size_t digits = scan_digits(scan);
    good = digits == 1 || (digits > 1 && !zero);
    if (good && scan_is(scan, ".")) {
        scan->at++;
        good = scan_digits(scan) > 0;
    }
    if (good && scan_is(scan, "eE")) {
        exponent = true;
        scan->at++;
        if (scan_is(scan, "+-")) scan->at++;
        good = scan_digits(scan) > 0;
    }
    size_t length = scan->at - start;
    if (!good || length > NUMBER_LIMIT || exponent) {
        size_t end = scan->at;
        scan->at = start;
        if (!good) return scan_fail(scan, "not a number as JSON writes it", err);
        if (length > NUMBER_LIMIT) return scan_fail(scan, "a number of more than 63 characters", err);
        char copy[NUMBER_LIMIT + 1] = {0};
        memcpy(copy, scan->text + start, length);
        if (!isfinite(strtod(copy, NULL))) return scan_fail(scan, "a number too large for a double", err);
        scan->at = end;
    }
    return 0;
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* One pass over the tokens of the text. Words (true, ...) and the order of tokens are left to cJSON. */
static int scan_text(struct scan *scan, struct error *err) {
    if (!scan->at && scan->length >= 3 && !memcmp(scan->text, "\xef\xbb\xbf", 3)) {
        return scan_fail(scan, "the file begins with a byte order mark; save it as plain UTF-8", err);
    }
    while (scan->at < scan->length) {
        char c = scan->text[scan->at];
        if (is_space(c)) {
            scan->at++;
        } else if (c == '"') {
            TRY(scan_string(scan, err));
        } else if (c == '-' || (c >= '0' && c <= '9')) {
            TRY(scan_number(scan, err));
        } else if (c == '{' || c == '[') {
            if (scan->depth == JSON_DEPTH_LIMIT) return scan_fail(scan, "nested deeper than 64 levels", err);
            scan->open[scan->depth++] = scan->at++;
        } else if (c == '}' || c == ']') {
            if (!scan->depth) return scan_fail(scan, "a bracket that was never opened", err);
            scan->depth--;
            scan->at++;
        } else if (c == 0) {
            return scan_fail(scan, "a NUL byte", err);
        } else if (c == ',' || c == ':' || (c >= 'a' && c <= 'z')) {
            scan->at++;
        } else {
            return scan_fail(
                scan, c == '\'' ? "strings are written in double quotes" : "unexpected character", err);
        }
    }
    if (scan->depth) {
        scan->at = scan->open[scan->depth - 1];
        return scan_fail(scan, "the bracket that opens here is never closed: the text is cut short", err);
    }
    return 0;
}

int json_parse_part(const char *name, const char *text, size_t start, size_t length, cJSON **out,
                    struct error *err) {
    *out = NULL;
    size_t stop = start + length;
    struct scan scan = {.name = name, .text = text, .length = stop, .at = start};
    TRY(scan_text(&scan, err));
    size_t at = start;
    while (at < stop && is_space(text[at])) at++;
    if (at == stop) return error_set(err, ERROR_INPUT, "%s: empty, where a JSON value is expected", name);

    const char *end = text + at;
    cJSON *value = cJSON_ParseWithLengthOpts(text + at, stop - at, &end, 0);
    at = (size_t)(end - text);
    if (!value) return fail_at(name, text, at, "syntax error here or just before", err);
    while (at < stop && is_space(text[at])) at++;
    if (at < stop) {
        cJSON_Delete(value);
        return fail_at(name, text, at, "unexpected text after the value", err);
    }
    *out = value;
    return 0;
}

int json_parse(const char *name, const char *text, size_t length, cJSON **out, struct error *err) {
    return json_parse_part(name, text, 0, length, out, err);
}

int json_parse_file(const char *path, size_t limit, cJSON **out, struct error *err) {
    *out = NULL;
    struct text text = {0};
    int code = file_read(path, limit, &text, err);
    if (!code) code = json_parse(path, text_string(&text), text.length, out, err);
    text_free(&text);
    return code;
}

int json_write_file(const char *path, const cJSON *value, struct error *err) {
    char *printed = cJSON_Print(value);
    if (!printed) return error_set(err, ERROR_MEMORY, "%s: cannot print the JSON value", path);
    size_t length = strlen(printed);
    printed[length] = '\n'; /* in place of the NUL: the length says where it ends */
    int code = file_write(path, printed, length + 1, err);
    cJSON_free(printed);
    return code;
}

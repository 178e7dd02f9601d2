/* The few operations of Python's `str` that the reference applies to records, on UTF-8 that was checked before. */
#ifndef ADAPT_EVAL_UNICODE_H
#define ADAPT_EVAL_UNICODE_H

#include "base/text.h"
#include <stddef.h>

/* Code points of the text: len(text). */
size_t unicode_points(const char *text, size_t length);

/* Bytes of white space (str.isspace) that the text begins or ends with. */
size_t unicode_space_prefix(const char *text, size_t length);
size_t unicode_space_suffix(const char *text, size_t length);

/* Narrows (*text, *length) as str.strip() does. */
void unicode_strip(const char **text, size_t *length);

/* Appends text.capitalize(): the first code point in title case, all others in lower case. */
int unicode_capitalize(const char *text, size_t length, struct text *out, struct error *err);

#endif

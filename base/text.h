/* A growing byte string, always followed by a NUL that is not counted. */
#ifndef ADAPT_BASE_TEXT_H
#define ADAPT_BASE_TEXT_H

#include "base/error.h"
#include <stddef.h>

struct text {
    char *data;      /* owned; NULL while nothing was appended */
    size_t length;   /* bytes, without the final NUL */
    size_t capacity; /* bytes allocated */
};

/* Appends bytes, a NUL-terminated string, or formatted text. On failure the text is unchanged. */
int text_append(struct text *text, const void *bytes, size_t length, struct error *err);
int text_append_string(struct text *text, const char *string, struct error *err);
int text_printf(struct text *text, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The contents as a C string; "" when nothing was appended. Valid until the next append. */
const char *text_string(const struct text *text);
/* Empties the text and keeps its memory. */
void text_clear(struct text *text);
/* Frees the memory and leaves an empty text. */
void text_free(struct text *text);

#endif

#include "base/text.h"

#include "base/memory.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int text_append(struct text *text, const void *bytes, size_t length, struct error *err) {
    TRY(memory_reserve(&text->data, &text->capacity, text->length + length + 1, 1, err));
    if (length) memcpy(text->data + text->length, bytes, length);
    text->length += length;
    text->data[text->length] = '\0';
    return 0;
}

int text_append_string(struct text *text, const char *string, struct error *err) {
    return text_append(text, string, strlen(string), err);
}

int text_printf(struct text *text, struct error *err, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    int code = length < 0
                   ? error_set(err, ERROR_INTERNAL, "cannot format \"%s\"", format)
                   : memory_reserve(&text->data, &text->capacity, text->length + (size_t)length + 1, 1, err);
    if (!code) {
        vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
    return code;
}

const char *text_string(const struct text *text) {
    return text->data ? text->data : "";
}

void text_clear(struct text *text) {
    text->length = 0;
    if (text->data) text->data[0] = '\0';
}

void text_free(struct text *text) {
    memory_free(text->data);
    *text = (struct text){0};
}

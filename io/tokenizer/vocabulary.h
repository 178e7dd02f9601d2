/* Tokens by id and ids by text. Ids run from 0 without holes. */
#ifndef ADAPT_IO_TOKENIZER_VOCABULARY_H
#define ADAPT_IO_TOKENIZER_VOCABULARY_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

struct vocabulary;

/* An empty vocabulary with room for ids 0 .. size-1. */
int vocabulary_create(int32_t size, struct vocabulary **out, struct error *err);
void vocabulary_destroy(struct vocabulary **vocabulary);

/* Gives `text` (copied) the id, 0 <= id < size. ERROR_INPUT when the id or the text is taken. */
int vocabulary_add(struct vocabulary *vocabulary, const char *text, size_t length, int32_t id,
                   struct error *err);
/* The id of a text, or -1. */
int32_t vocabulary_find(const struct vocabulary *vocabulary, const char *text, size_t length);
/* The text of an id, NUL-terminated and borrowed; NULL for an id that is free or out of range. */
const char *vocabulary_text(const struct vocabulary *vocabulary, int32_t id);
/* The bytes of that text; 0 where it is NULL. */
size_t vocabulary_length(const struct vocabulary *vocabulary, int32_t id);
int32_t vocabulary_size(const struct vocabulary *vocabulary);
/* The bytes of the longest text. */
size_t vocabulary_longest(const struct vocabulary *vocabulary);

#endif

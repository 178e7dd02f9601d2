/* Remembers the ids of words. Full, it forgets everything and begins anew: natural text refills it within a
 * page. */
#ifndef ADAPT_IO_TOKENIZER_WORD_CACHE_H
#define ADAPT_IO_TOKENIZER_WORD_CACHE_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

enum { WORD_CACHE_LONGEST = 128 }; /* bytes of a word worth remembering */

struct word_cache;
int word_cache_create(struct word_cache **out, struct error *err);
void word_cache_destroy(struct word_cache **cache);

/* A word's hash, to be given to the two functions below. */
unsigned long long word_cache_hash(const char *word, size_t length);
/* The ids of a word, borrowed until the next add, with their number in *count; NULL when it is not
 * remembered. */
const int32_t *word_cache_find(const struct word_cache *cache, const char *word, size_t length,
                               unsigned long long hash, size_t *count);
/* Remembers a word of at most WORD_CACHE_LONGEST bytes that is not remembered yet. */
void word_cache_add(struct word_cache *cache, const char *word, size_t length, unsigned long long hash,
                    const int32_t *ids, size_t count);

#endif

/* Text patterns as tokenizer.json gives them: {"String": ...} or {"Regex": ...}, matched as the reference
 * (Oniguruma) does. */
#ifndef ADAPT_IO_TOKENIZER_PATTERN_H
#define ADAPT_IO_TOKENIZER_PATTERN_H

#include "base/error.h"
#include "io/tokenizer/component.h"
#include <stdbool.h>
#include <stddef.h>

/* A stretch of valid UTF-8. `shadow` is what patterns look at: see unicode_shadow. */
struct piece {
    const char *text, *shadow;
    size_t length;
};

struct pattern;
/* Compiles a "pattern" member. ERROR_UNSUPPORTED for a regular expression whose meaning in the reference is
 * not certain to be PCRE2's, or that can match the empty text; ERROR_INPUT for one that does not compile. */
int pattern_load(const struct component *component, struct pattern **out, struct error *err);
/* Compiles a regular expression of our own; `component` stands for it in messages. */
int pattern_compile(const struct component *component, const char *regex, struct pattern **out,
                    struct error *err);
void pattern_destroy(struct pattern **pattern);

/* The first match at or after `from` within the piece: its place in *start and *end, and *found. Not empty.
 */
int pattern_find(struct pattern *pattern, const struct piece *piece, size_t from, size_t *start, size_t *end,
                 bool *found, struct error *err);

/* NULL when PCRE2 gives `regex` the meaning that the reference gives it; else what it has that is not known
 * to. */
const char *pattern_dialect(const char *regex);

#endif

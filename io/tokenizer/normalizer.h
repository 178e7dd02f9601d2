/* The "normalizer" component: NFC, Replace, Prepend and sequences of them. */
#ifndef ADAPT_IO_TOKENIZER_NORMALIZER_H
#define ADAPT_IO_TOKENIZER_NORMALIZER_H

#include "io/tokenizer/component.h"

struct normalizer;
/* Loads the component; an absent one changes nothing. */
int normalizer_load(const struct component *component, struct normalizer **out, struct error *err);
void normalizer_destroy(struct normalizer **normalizer);

/* Normalises valid UTF-8. *out is the result of *out_length bytes: `text` itself, or memory of the
 * normalizer's that is valid until the next call. */
int normalizer_apply(struct normalizer *normalizer, const char *text, size_t length, const char **out,
                     size_t *out_length, struct error *err);

#endif

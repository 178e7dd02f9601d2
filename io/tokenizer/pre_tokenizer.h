/* The "pre_tokenizer" component: cuts a text into the words that the model encodes one by one. Split, Digits,
 * ByteLevel and sequences of them; ByteLevel must come last. */
#ifndef ADAPT_IO_TOKENIZER_PRE_TOKENIZER_H
#define ADAPT_IO_TOKENIZER_PRE_TOKENIZER_H

#include "io/tokenizer/component.h"
#include "io/tokenizer/pattern.h"

struct pre_tokenizer;
/* Loads the component; an absent one leaves the text whole. */
int pre_tokenizer_load(const struct component *component, struct pre_tokenizer **out, struct error *err);
void pre_tokenizer_destroy(struct pre_tokenizer **pre_tokenizer);
/* Whether the words are to be spelt in the byte-level alphabet (the words given to the receiver are not yet).
 */
bool pre_tokenizer_is_byte_level(const struct pre_tokenizer *pre_tokenizer);

/* Who takes the words: `take` is called with each in turn and may fail. */
struct word_receiver {
    void *context;
    int (*take)(void *context, const char *word, size_t length, struct error *err);
};
/* Splits a piece into words, none of them empty. */
int pre_tokenizer_split(struct pre_tokenizer *pre_tokenizer, const struct piece *piece,
                        const struct word_receiver *receiver, struct error *err);

#endif

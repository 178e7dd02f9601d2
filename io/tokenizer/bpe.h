/* Byte-pair encoding (Sennrich et al., ACL 2016) with the reference's rules for unknown characters. */
#ifndef ADAPT_IO_TOKENIZER_BPE_H
#define ADAPT_IO_TOKENIZER_BPE_H

#include "io/tokenizer/component.h"
#include "io/tokenizer/tokenizer.h"
#include "io/tokenizer/vocabulary.h"

struct bpe;

/* Builds the model from the "model" component. `byte_level`: words given to bpe_encode are raw bytes to be
 * spelt in the byte-level alphabet. */
int bpe_load(const struct component *model, bool byte_level, struct bpe **out, struct error *err);
void bpe_destroy(struct bpe **bpe);

/* Appends the ids of one word, valid UTF-8 of 1 to INT32_MAX bytes. Takes time n log n; words seen before are
 * remembered. */
int bpe_encode(struct bpe *bpe, const char *word, size_t length, struct token_list *out, struct error *err);

/* The model's own tokens, without added ones; borrowed. */
const struct vocabulary *bpe_vocabulary(const struct bpe *bpe);

#endif

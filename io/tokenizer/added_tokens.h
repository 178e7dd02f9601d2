/* Added tokens: texts that are found before the model sees anything. */
#ifndef ADAPT_IO_TOKENIZER_ADDED_TOKENS_H
#define ADAPT_IO_TOKENIZER_ADDED_TOKENS_H

#include "io/tokenizer/component.h"
#include "io/tokenizer/normalizer.h"
#include "io/tokenizer/vocabulary.h"
#include <stdint.h>

struct added_tokens;

/* Loads the "added_tokens" array (which may be absent). Each must have the id that `vocabulary`, the model's,
 * gives its content, or, where that lacks it, the next free id: that is the id the reference gives, whatever
 * the file says. */
int added_tokens_load(const struct component *component, const struct vocabulary *vocabulary,
                      struct normalizer *normalizer, struct added_tokens **out, struct error *err);
void added_tokens_destroy(struct added_tokens **tokens);

/* One more than the largest id of model and added tokens. */
int32_t added_tokens_size(const struct added_tokens *tokens);
/* The id of a content, or -1. */
int32_t added_tokens_find(const struct added_tokens *tokens, const char *content, size_t length);
/* The content of an added token's id, borrowed; NULL for other ids. */
const char *added_tokens_content(const struct added_tokens *tokens, int32_t id);
/* As added_tokens_content, as decoders are given it: normalised where the token is. */
const char *added_tokens_decoded(const struct added_tokens *tokens, int32_t id);
/* Whether decoding leaves the id out when special tokens are not wanted. */
bool added_tokens_skipped(const struct added_tokens *tokens, int32_t id);

/* Tokens are searched for twice: those with normalized = false in the text as given, then the others in the
 * normalised stretches between. */
enum added_set { ADDED_RAW, ADDED_NORMALIZED };

struct added_match {
    size_t start,
        end; /* with the white space that the token strips; start may lie before the last match's end */
    int32_t id;
};
/* The next match at or after *at, which moves on; leftmost and then longest. False at the end. */
bool added_tokens_next(const struct added_tokens *tokens, enum added_set set, const char *text, size_t length,
                       size_t *at, struct added_match *match);

#endif

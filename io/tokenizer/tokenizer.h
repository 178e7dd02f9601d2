/* Tokenizers as Hugging Face `tokenizer.json` describes them: the same ids on every input.
 *
 * Implemented: BPE (byte-level with merges, ignore_merges; and SentencePiece style with byte fallback and
 * fused unknowns); normalizers, pre-tokenizers, post-processors and decoders of the Llama 3, Qwen 3, SmolLM2
 * and Gemma 3 families; added and special tokens. A file that asks for another component is refused by the
 * component's name. */
#ifndef ADAPT_IO_TOKENIZER_TOKENIZER_H
#define ADAPT_IO_TOKENIZER_TOKENIZER_H

#include "base/error.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tokenizer;

/* A growing list of token ids; zero-initialise, free with token_list_free. */
struct token_list {
    int32_t *ids;
    size_t count, capacity;
};
int token_list_append(struct token_list *list, int32_t id, struct error *err);
void token_list_free(struct token_list *list);

/* Loads `folder`/tokenizer.json, and tokenizer_config.json beside it where there is one (names of the begin
 * and end tokens). Everything in the files is checked. Not collective. */
int tokenizer_load(const char *folder, struct tokenizer **out, struct error *err);
void tokenizer_destroy(struct tokenizer **tokenizer);

/* Appends the ids of UTF-8 `text` to `out`; `add_special` applies the post-processor's template (such as a
 * begin token). Invalid UTF-8 is ERROR_INPUT with the byte's offset. A tokenizer keeps scratch memory and a
 * cache: one thread at a time. */
int tokenizer_encode(struct tokenizer *tokenizer, const char *text, size_t length, bool add_special,
                     struct token_list *out, struct error *err);

/* Appends the text of the ids to `out`, through the tokenizer's decoder; `skip_special` leaves special tokens
 * out. Bytes that do not form UTF-8 become U+FFFD as the reference does. An id out of range is ERROR_INPUT.
 */
int tokenizer_decode(struct tokenizer *tokenizer, const int32_t *ids, size_t count, bool skip_special,
                     struct text *out, struct error *err);

/* The id of a token's exact text (added tokens included), or -1. */
int32_t tokenizer_token_id(const struct tokenizer *tokenizer, const char *token);
/* A token's text as the vocabulary spells it (byte-level tokens in their printable alphabet); NULL out of
 * range. Borrowed. */
const char *tokenizer_token_text(const struct tokenizer *tokenizer, int32_t id);
/* One more than the largest id. */
int32_t tokenizer_size(const struct tokenizer *tokenizer);
/* The begin and end-of-text tokens that tokenizer_config.json names, or -1. */
int32_t tokenizer_begin_id(const struct tokenizer *tokenizer);
int32_t tokenizer_end_id(const struct tokenizer *tokenizer);
/* SHA-256 of tokenizer.json, in hexadecimal; borrowed. */
const char *tokenizer_hash(const struct tokenizer *tokenizer);

#endif

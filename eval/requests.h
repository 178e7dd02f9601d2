/* From texts to token ids: how a (context, continuation) pair is put to a model. */
#ifndef ADAPT_EVAL_REQUESTS_H
#define ADAPT_EVAL_REQUESTS_H

#include "base/memory.h"
#include "eval/evaluate.h"
#include <stdint.h>

/* One log-likelihood request. The model is fed ids[0 .. length-2]; the last `scored` of the ids are what it
 * is asked for. */
struct request {
    const int32_t *ids; /* [length], owned by an arena */
    int length, scored; /* 1 <= scored < length */
    bool truncated;     /* ids were cut off at the left */
};

struct request_encoder;

/* `max_length`: most tokens fed. The model's tokenizer and config are borrowed. */
int request_encoder_create(const struct eval_model *model, int max_length, struct request_encoder **out,
                           struct error *err);
void request_encoder_destroy(struct request_encoder **encoder);

/* The reference's rules, in order: white space at the context's end moves to the continuation; whole =
 * encode(context + continuation) and ctx = encode(context), with the tokenizer's special tokens unless the
 * text begins with the begin token's own text; cont = whole[len(ctx):]; an empty context is the begin token
 * (else the end token); ctx ++ cont loses tokens at its left until `max_length` are fed. ERROR_INPUT: a
 * continuation without tokens or with more than max_length, an id that the model does not have, an empty
 * context where the tokenizer names neither a begin nor an end token. */
int request_encode(struct request_encoder *encoder, const char *context, const char *continuation,
                   struct arena *arena, struct request *out, struct error *err);

/* A prompt whose answer is generated.
 * ids[0 .. length-1] are fed. */
struct prompt {
    const int32_t *ids; /* [length], owned by an arena */
    int length;
    bool truncated; /* ids were cut off at the left */
};

/* The prompt's ids, with the tokenizer's special tokens unless the text begins with the begin token's own
 * text; the last max_length - max_new of them, so that max_new (less than max_length) can follow.
 * ERROR_INPUT: a prompt without tokens, an id that the model does not have. */
int request_encode_prompt(struct request_encoder *encoder, const char *text, int max_new, struct arena *arena,
                          struct prompt *out, struct error *err);

#endif

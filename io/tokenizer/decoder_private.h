/* What loading (decoder.c) and the steps (decoder_steps.c) share. */
#ifndef ADAPT_IO_TOKENIZER_DECODER_PRIVATE_H
#define ADAPT_IO_TOKENIZER_DECODER_PRIVATE_H

#include "io/tokenizer/decoder.h"
#include "io/tokenizer/pattern.h"

enum decoder_kind { DECODER_BYTE_LEVEL, DECODER_REPLACE, DECODER_BYTE_FALLBACK, DECODER_FUSE, DECODER_STRIP };

struct decoder_step {
    enum decoder_kind kind;
    struct pattern *pattern; /* of DECODER_REPLACE */
    char *content;           /* what replaces a match; the one character that DECODER_STRIP removes */
    size_t content_length;
    int start, stop; /* at most so many at each end, of DECODER_STRIP */
};

/* Turns the texts of `in` into those of `out`, which is empty. `room` is scratch. */
int decoder_step_apply(const struct decoder_step *step, const struct text_list *in, struct text_list *out,
                       struct text *room, struct error *err);

#endif

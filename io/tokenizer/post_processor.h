/* The "post_processor" component: the special tokens around a text. TemplateProcessing, ByteLevel (which
 * changes no ids) and sequences of them. */
#ifndef ADAPT_IO_TOKENIZER_POST_PROCESSOR_H
#define ADAPT_IO_TOKENIZER_POST_PROCESSOR_H

#include "io/tokenizer/component.h"
#include "io/tokenizer/tokenizer.h"

struct post_processor {
    struct token_list before, after; /* the ids around one text */
};

/* Loads the component; an absent one adds nothing. Ids must be below `size`. Free with post_processor_free,
 * also on failure. */
int post_processor_load(const struct component *component, int32_t size, struct post_processor *out,
                        struct error *err);
void post_processor_free(struct post_processor *post_processor);

#endif

/* What loading (pre_tokenizer_load.c) and splitting (pre_tokenizer.c) share. */
#ifndef ADAPT_IO_TOKENIZER_PRE_TOKENIZER_PRIVATE_H
#define ADAPT_IO_TOKENIZER_PRE_TOKENIZER_PRIVATE_H

#include "io/tokenizer/pre_tokenizer.h"

enum stage_kind { STAGE_SPLIT, STAGE_DIGITS, STAGE_BYTE_LEVEL };

/* What becomes of the parts that match and those between. */
enum split_behavior {
    SPLIT_REMOVED,         /* matches vanish */
    SPLIT_ISOLATED,        /* each is a word */
    SPLIT_MERGED_PREVIOUS, /* a match belongs to the part before it */
    SPLIT_MERGED_NEXT,     /* a match belongs to the part behind it */
    SPLIT_CONTIGUOUS       /* matches that touch are one word */
};

struct stage {
    enum stage_kind kind;
    enum split_behavior behavior;
    struct pattern *pattern; /* NULL for STAGE_DIGITS, and for STAGE_BYTE_LEVEL that does not split */
    bool invert;             /* what does not match counts as the match */
    bool prefix_space;       /* STAGE_BYTE_LEVEL: put a space before a piece that has none */
};

struct pre_tokenizer {
    struct stage *stages;
    size_t count, capacity;
    struct text prefixed, prefixed_shadow; /* scratch */
};

#endif

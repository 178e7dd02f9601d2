/* What training and writing of the vocabulary share. */
#ifndef ADAPT_EXPERIMENTS_BPE_H
#define ADAPT_EXPERIMENTS_BPE_H

#include "experiments/generate/generate.h"

enum { FIRST_BYTE_ID = 2, FIRST_MERGE_ID = FIRST_BYTE_ID + 256, MERGES = VOCABULARY - FIRST_MERGE_ID };

struct bpe {
    short merges[MERGES][2]; /* token FIRST_MERGE_ID + i joins the two */
};

#endif

/* Tiny models with random weights and a tiny tokenizer, for tests of eval/. */
#ifndef ADAPT_TESTS_EVAL_MODEL_H
#define ADAPT_TESTS_EVAL_MODEL_H

#include "eval/evaluate.h"
#include "tests/support/eval_file.h"

enum { EVAL_MODEL_IDS = 265 }; /* of the tokenizer, and the model's vocabulary */

enum eval_model_kind {
    EVAL_MODEL_PLAIN, /* llama */
    EVAL_MODEL_WINDOW /* gemma3_text: windowed layers, norms everywhere */
};

struct eval_fixture {
    char folder[EVAL_PATH_BYTES]; /* of the tokenizer; removed at the end */
    struct model_config config;
    struct parameter_layout *layout;
    struct tokenizer *tokenizer;
    struct backend *backend;
    struct buffer *weights;
    struct eval_model model;
};

/* Byte-level BPE over all bytes, with the merges "th", "he", "in" (and with the space before "t" and "a"),
 * and the special tokens <s> and </s>. `adds_begin`: encoding with special tokens begins with <s>.
 * `names_begin`: tokenizer_config.json names <s> as the begin token; else only </s>, as the end token.
 * Deterministic in all but the folder's name. */
void eval_fixture_make(const char *backend, enum eval_model_kind kind, bool adds_begin, bool names_begin,
                       struct eval_fixture *out);
void eval_fixture_free(struct eval_fixture *fixture);

/* Reference: feeds ids[0..length-2] alone, takes the logits of the last `scored` rows, and sums their
 * log-softmax in double. */
double eval_fixture_score(const struct eval_fixture *fixture, const int32_t *ids, int length, int scored,
                          bool *greedy);

#endif

/* Real models, for the tests that run on them: in $ADAPT_TEST_MODELS, or ~/.cache/adapt/models, where
 * tests/fetch_models.sh put them. */
#ifndef ADAPT_TESTS_REAL_MODEL_H
#define ADAPT_TESTS_REAL_MODEL_H

#include "eval/evaluate.h"

#define REAL_SMOLLM2 "smollm2-135m-instruct"
#define REAL_GEMMA3  "gemma3-270m"

enum { REAL_PATH_BYTES = 1024, REAL_MODELS_SKIPPED = 77 /* a test program's exit status */ };

/* Whether neither is there, which it prints. */
bool real_models_absent(void);

/* The folder of a model; skips the test, through cmocka, where it is absent. */
void real_model_find(const char *name, char folder[REAL_PATH_BYTES]);

/* A model in float32 on the CPU. */
struct real_model {
    struct model_config config;
    struct parameter_layout *layout;
    struct tokenizer *tokenizer;
    struct backend *backend;
    struct buffer *weights;
    struct eval_model model; /* of the others */
};

/* Finds and opens a model, or skips or fails the test. */
void real_model_open(const char *name, struct real_model *out);
void real_model_close(struct real_model *model);

#endif

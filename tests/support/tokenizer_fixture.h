/* Tokenizers for tests: from JSON texts, and recorded results to compare with. */
#ifndef ADAPT_TESTS_SUPPORT_TOKENIZER_FIXTURE_H
#define ADAPT_TESTS_SUPPORT_TOKENIZER_FIXTURE_H

#include "io/json.h"
#include "io/tokenizer/tokenizer.h"

/* Loads a tokenizer from the text of a tokenizer.json, and of a tokenizer_config.json unless NULL, by way of
 * a temporary folder. Returns tokenizer_load's code. */
int tokenizer_from_text(const char *json, const char *config, struct tokenizer **out, struct error *err);

/* Parses a file of recorded results; the test fails where it cannot. Free with cJSON_Delete. */
cJSON *tokenizer_golden(const char *path);

/* A recorded text into `out` (emptied first): a string, or an array of strings with NULs between. */
void tokenizer_golden_text(const cJSON *json, struct text *out);

/* Encodes and compares with an array of ids, decodes and compares with a text; the test fails, naming
 * `label`, where they differ. */
void tokenizer_check_encode(struct tokenizer *tokenizer, const char *label, const struct text *text,
                            bool special, const cJSON *ids);
void tokenizer_check_decode(struct tokenizer *tokenizer, const char *label, const cJSON *ids,
                            bool skip_special, const cJSON *text);

#endif

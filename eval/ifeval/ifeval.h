/* IFEval's verifiable instructions (Zhou et al. 2023, "Instruction-Following Evaluation for Large Language
 * Models"), judged as the reference judges them: 25 kinds, strict and loose. The reference is
 * lm-evaluation-harness 0.4.13 with nltk 3.10.4 and langdetect 1.0.9, seeded with 0.
 *
 * Where the reference is random or stops, we do this:
 * - A letter to be counted that is not one of a to z it replaces by a random one (the published records
 *   1122, "#", and 1129, "!"): here the letter itself is counted.
 * - An argument that is missing, falsy or out of range it replaces by a random value: here that is a mistake
 * of the record.
 * - JSON nested deeper than about 1000 levels ends its run: here depth has no limit.
 * - A keyword that is a regular expression of exponential time does not end: here that is an error. */
#ifndef ADAPT_EVAL_IFEVAL_IFEVAL_H
#define ADAPT_EVAL_IFEVAL_IFEVAL_H

#include "base/error.h"
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

struct ifeval_judge; /* word rules, sentence and language data: about 0.02 s to make; one thread at a time */
int ifeval_judge_create(struct ifeval_judge **out, struct error *err);
void ifeval_judge_destroy(struct ifeval_judge **judge);

/* Checks an instruction's id and its arguments (falsy values count as absent). ERROR_INPUT names what is
 * wrong: "unknown instruction ...", "num_words: a whole number ... expected", a keyword that is no regular
 * expression. Needs no judge: for reading records. `arguments` may be NULL where there are none. */
int ifeval_instruction_check(const char *id, const cJSON *arguments, struct error *err);

/* Whether `response` follows the instruction: *strict as it stands, *loose if any of the eight variants
 * that leave out first and last lines and asterisks does. A blank response follows nothing. Bytes that are
 * not UTF-8 count as U+FFFD. Errors are those of ifeval_instruction_check, and ERROR_INPUT where a regular
 * expression takes too many steps. */
int ifeval_instruction_judge(struct ifeval_judge *judge, const char *id, const cJSON *arguments,
                             const char *response, size_t length, bool *strict, bool *loose,
                             struct error *err);

/* NULL-terminated ids of all instructions. */
const char *const *ifeval_instruction_ids(void);

#endif

/* Small Natural Instructions folders and a tokenizer whose ids are bytes, for tests that need tasks but no
 * model. */
#ifndef ADAPT_TESTS_SUPPORT_TASKS_FIXTURE_H
#define ADAPT_TESTS_SUPPORT_TASKS_FIXTURE_H

#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/* Special tokens that every fixture tokenizer has, from id 256 on. */
enum fixture_token {
    FIXTURE_BEGIN = 256, /* <|begin_of_text|> */
    FIXTURE_END,         /* <|end|> */
    FIXTURE_IM_START,
    FIXTURE_IM_END,
    FIXTURE_START_HEADER,
    FIXTURE_END_HEADER,
    FIXTURE_EOT,
    FIXTURE_BOS,
    FIXTURE_START_OF_TURN,
    FIXTURE_END_OF_TURN,
    FIXTURE_SIZE
};
extern const char *const fixture_token_texts[]; /* from FIXTURE_BEGIN on */

/* Writes `folder`/tokenizer.json: byte-level BPE without merges, so the id of a byte is the byte. `begins`
 * makes the post-processor put FIXTURE_BEGIN before every text; without `chats` only the first two special
 * tokens exist. Returns 0, or an error code. */
int fixture_tokenizer(const char *folder, bool begins, bool chats);

/* Appends `count` instances to a list in `out`, with inputs "PREFIX NUMBER" and outputs "answer NUMBER",
 * numbers from `first` on, going up or (`backwards`) down. */
void fixture_instances(struct text *out, const char *prefix, int first, int count, bool backwards);

/* Writes `folder`/`name`.json with the given category (NULL: an empty list), definition and list of
 * instances. */
int fixture_task(const char *folder, const char *name, const char *category, const char *definition,
                 const char *instances);

#endif

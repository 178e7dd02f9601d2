/* The embedded demonstration's inputs, made rather than shipped: tasks of twenty skills, miniature benchmarks
 * that ask for some of the same skills, a byte-level BPE tokenizer trained on their text, and three tiny
 * models with random weights. All of it is a pure function of a seed. */
#ifndef ADAPT_EXPERIMENTS_GENERATE_H
#define ADAPT_EXPERIMENTS_GENERATE_H

#include "base/error.h"
#include "base/random.h"
#include "base/text.h"
#include <cjson/cJSON.h>
#include <stdbool.h>

/* A sequence of random numbers. */
struct draws {
    struct random_key key;
    uint64_t index;
};
/* The next number in 0 .. bound-1. */
int draw_below(struct draws *draws, int bound);
/* Streams of RANDOM_DATA: a task's instances are stream TASK_STREAM + its number, and so on. */
enum generate_stream {
    TASK_STREAM = 0,
    EXAMPLE_STREAM = 100,
    BENCHMARK_STREAM = 200,
    TEXT_BENCHMARK_STREAM = 220
};

/* --- skills */

/* Writes one input and its right output. Facts are asked in many settings; a fixed fifth of the settings is
 * held out for the benchmarks, so that no record of a benchmark occurs in a task. */
typedef int skill_write(struct draws *draws, bool held_out, struct text *input, struct text *output,
                        struct error *err);

struct skill {
    const char *name; /* of the task file, without .json */
    const char *category;
    const char *definition;
    int instances;
    double noise; /* share of the instances whose output belongs to another instance: 1 cannot be learned */
    skill_write *write;
};
extern const struct skill skills[]; /* ended by a NULL name */

skill_write skill_color, skill_sound, skill_opposite, skill_membership, skill_habit, skill_next_step,
    skill_tool;
skill_write skill_sentiment, skill_topic, skill_copy, skill_reverse, skill_sort, skill_count, skill_addition;
skill_write skill_parity, skill_pattern, skill_larger, skill_spam, skill_code, skill_describe;

/* --- what is written; every text that a tokenizer will meet is also appended to `corpus` */

/* `folder`/tasks/NAME.json for every skill. */
int generate_tasks(const char *folder, uint64_t seed, struct text *corpus, struct error *err);
/* `folder`/benchmarks/NAME.jsonl for the five benchmarks scored by log-likelihood. */
int generate_benchmarks(const char *folder, uint64_t seed, struct text *corpus, struct error *err);
/* The same for four whose answers are generated: gsm8k, bbh, drop, ifeval. */
int generate_text_benchmarks(const char *folder, uint64_t seed, struct error *err);

enum { VOCABULARY = 640, BEGIN_ID = 0, END_ID = 1 }; /* ids 2 .. 257 are bytes, the rest merges */
extern const char *const special_tokens[2];

struct bpe;
/* Learns merges from a text until there are VOCABULARY tokens. */
int bpe_train(const struct text *corpus, struct bpe **out, struct error *err);
void bpe_destroy(struct bpe **bpe);
/* `folder`/tokenizer.json and tokenizer_config.json; `adds_begin`: every encoded text starts with the begin
 * token. */
int bpe_write(const struct bpe *bpe, const char *folder, bool adds_begin, struct error *err);

/* `folder`/models/NAME for one model of each family: config, weights, tokenizer. */
int generate_models(const char *folder, uint64_t seed, const struct bpe *bpe, struct error *err);

/* --- JSON, with memory checked */
int put(cJSON *object, const char *key, cJSON *value, struct error *err); /* takes `value`, also on failure */
int put_string(cJSON *object, const char *key, const char *value, struct error *err);
int put_number(cJSON *object, const char *key, double value, struct error *err);
int put_flag(cJSON *object, const char *key, bool value, struct error *err);
int put_null(cJSON *object, const char *key, struct error *err);
int put_list(cJSON *object, const char *key, cJSON **list, struct error *err);    /* a new empty array */
int put_object(cJSON *object, const char *key, cJSON **child, struct error *err); /* a new empty object */
int append(cJSON *list, cJSON *value, struct error *err);                         /* takes `value` likewise */
int append_string(cJSON *list, const char *value, struct error *err);

#endif

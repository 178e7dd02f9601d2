/* Which examples a step trains on: a pure function of the seed, the mixture and how much of each task was
 * used so far; never of the number of ranks.
 *
 * Within a task, examples come without replacement in a random order (counter-based), and in a fresh order
 * once the pool is used up. */
#ifndef ADAPT_TRAIN_SAMPLER_H
#define ADAPT_TRAIN_SAMPLER_H

#include "io/tasks/tasks.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sampler_unit {
    SAMPLER_TOKEN,  /* p is the share of supervised tokens: a task is drawn with p_k over its mean completion
                       length */
    SAMPLER_EXAMPLE /* p is the share of examples */
};
enum sampler_draw {
    SAMPLER_RANDOM, /* independent draws */
    SAMPLER_QUOTA /* stratified: after n draws from a constant mixture every task's count is within one of its
                     quota; the task that would be the first to fall behind comes next (Tijdeman, "The
                     chairman assignment problem", Discrete Math. 32, 1980). Deficits carry over steps and
                     changes of the mixture. */
};

struct sampler;

/* `set` is borrowed. */
int sampler_create(const struct task_set *set, uint64_t seed, enum sampler_unit unit, enum sampler_draw draw,
                   struct sampler **out, struct error *err);
void sampler_destroy(struct sampler **sampler);

/* One example drawn. */
struct draw {
    int32_t task;
    const struct example *example; /* borrowed from the task set */
};

/* The examples of one step, in the order drawn. */
struct draw_list {
    struct draw *draws; /* owned by the sampler, valid until the next call */
    int count;
    int64_t tokens;     /* rows they need: sum of length - 1 */
    int64_t supervised; /* sum of length - prompt */
    bool exhausted;     /* the next example would have passed `supervised_limit`: the budget is spent */
};

/* Draws the next step: at least `probe` examples of each task first (0: none), then by `mixture` [tasks]
 * until the next example would exceed `row_limit` rows (at least one example is always drawn if the
 * supervised limit lets it) or `supervised_limit` supervised tokens. An example that was drawn but did not
 * fit comes first next time. Probes heed the supervised limit only: a step may have more rows than
 * `row_limit` because of them. They count as used, and under SAMPLER_QUOTA they count towards the quotas.
 * ERROR_NUMERIC when the mixture is not finite, not negative and of a positive sum; it need not sum to 1. */
int sampler_step(struct sampler *sampler, const double *mixture, int probe, int64_t row_limit,
                 int64_t supervised_limit, struct draw_list *out, struct error *err);

/* Validation examples of task `task` for update number `update`: `count` of its pool (all, if it has fewer),
 * rotating through a random order from update to update. Writes borrowed pointers to out[count] and returns
 * how many. */
int sampler_validation(const struct sampler *sampler, int task, int64_t update, int count,
                       const struct example **out);

/* How many training examples of each task were drawn so far, [tasks]; borrowed. */
const int64_t *sampler_used(const struct sampler *sampler);

/* All that a sampler remembers, as sampler_state_words 64-bit words, and back: a restored sampler of the same
 * task set, seed, unit and kind goes on with the same draws. ERROR_INPUT if the words cannot be a state of
 * this sampler. */
size_t sampler_state_words(const struct sampler *sampler);
void sampler_save(const struct sampler *sampler, uint64_t *words);
int sampler_restore(struct sampler *sampler, const uint64_t *words, struct error *err);

#endif

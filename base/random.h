/* Counter-based random numbers (Philox4x32-10 of Random123; Salmon et al., SC'11).
 *
 * A draw is a pure function of (seed, purpose, stream, index): there is no state to save, to share between
 * ranks or to lose at a restart. `purpose` keeps uses apart that have the same seed. */
#ifndef ADAPT_BASE_RANDOM_H
#define ADAPT_BASE_RANDOM_H

#include <stdint.h>

enum random_purpose {
    RANDOM_TASK = 1,       /* which task the next example comes from */
    RANDOM_ORDER = 2,      /* a task's order of training examples */
    RANDOM_VALIDATION = 3, /* a task's order of validation examples */
    RANDOM_WEIGHTS = 4,    /* initial weights of generated models */
    RANDOM_DATA = 5,       /* generated demonstration data */
    RANDOM_TEST = 6,       /* inputs of tests */
    RANDOM_SAMPLING = 7    /* tokens drawn while generating */
};

struct random_key {
    uint64_t seed;
    enum random_purpose purpose;
    uint32_t stream; /* for example the task, or the epoch of a task */
};

/* 64 random bits. */
uint64_t random_bits(struct random_key key, uint64_t index);
/* Uniform in [0, 1), 53 bits. */
double random_uniform(struct random_key key, uint64_t index);
/* Uniform in 0 .. bound-1, bound > 0; without modulo bias beyond 2^-64 * bound. */
uint64_t random_below(struct random_key key, uint64_t index, uint64_t bound);
/* Standard normal (Box-Muller). */
double random_normal(struct random_key key, uint64_t index);
/* Element `index` of a random permutation of 0 .. count-1, found in constant memory by a Feistel network over
 * Philox with cycle walking. index < count. */
uint64_t random_permuted(struct random_key key, uint64_t index, uint64_t count);

#endif

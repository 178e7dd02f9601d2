/* Python's random.Random (Mersenne Twister MT19937, Matsumoto & Nishimura 1998): the draws by which the
 * reference picks exemplars and detects languages. Nothing else uses it: our own random numbers are
 * base/random.h. */
#ifndef ADAPT_EVAL_PYTHON_PYTHON_RANDOM_H
#define ADAPT_EVAL_PYTHON_PYTHON_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct python_random {
    uint32_t state[624];
    int at;
    double gauss_next; /* the second of a pair of normal draws; NaN: none */
};

/* random.Random(seed), 0 <= seed < 2^32. */
void python_random_seed(struct python_random *random, uint32_t seed);
/* random(): uniform in [0, 1), 53 bits. */
double python_random_uniform(struct python_random *random);
/* getrandbits(bits), 1 <= bits <= 32. */
uint32_t python_random_bits(struct python_random *random, int bits);
/* randrange(n), n >= 1: 0 .. n-1. */
uint32_t python_random_below(struct python_random *random, uint32_t n);
/* gauss(0, 1). */
double python_random_gauss(struct python_random *random);
/* sample(range(n), k), k <= n, into out[k]. `pool` is scratch for n indices. */
void python_random_sample(struct python_random *random, uint32_t n, uint32_t k, uint32_t *pool,
                          uint32_t *out);

#endif

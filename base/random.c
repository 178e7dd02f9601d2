#include "base/random.h"

#include <Random123/philox.h>
#include <math.h>

static philox4x32_ctr_t draw(struct random_key key, uint64_t index, uint32_t lane) {
    philox4x32_ctr_t counter = {
        {(uint32_t)index, (uint32_t)(index >> 32), key.stream, lane << 16 | key.purpose}};
    philox4x32_key_t philox_key = {{(uint32_t)key.seed, (uint32_t)(key.seed >> 32)}};
    return philox4x32(counter, philox_key);
}

uint64_t random_bits(struct random_key key, uint64_t index) {
    philox4x32_ctr_t r = draw(key, index, 0);
    return (uint64_t)r.v[1] << 32 | r.v[0];
}

double random_uniform(struct random_key key, uint64_t index) {
    return (double)(random_bits(key, index) >> 11) * 0x1p-53;
}

uint64_t random_below(struct random_key key, uint64_t index, uint64_t bound) {
    return (uint64_t)(((unsigned __int128)random_bits(key, index) * bound) >> 64);
}

double random_normal(struct random_key key, uint64_t index) {
    philox4x32_ctr_t r = draw(key, index, 1);
    double u = ((double)r.v[0] + 1.0) * 0x1p-32, v = (double)r.v[1] * 0x1p-32;
    return sqrt(-2.0 * log(u)) * cos(2.0 * M_PI * v);
}

uint64_t random_permuted(struct random_key key, uint64_t index, uint64_t count) {
    unsigned half = 1;
    while (half < 32 && (uint64_t)1 << (2 * half) < count) half++;
    uint64_t mask = ((uint64_t)1 << half) - 1;
    do {
        uint64_t left = index >> half, right = index & mask;
        for (uint32_t round = 0; round < 6; round++) {
            uint64_t mixed = draw(key, right, 2 + round).v[0] & mask;
            uint64_t next = left ^ mixed;
            left = right;
            right = next;
        }
        index = left << half | right;
    } while (index >= count);
    return index;
}

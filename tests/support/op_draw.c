#include "tests/support/op_draw.h"

#include "base/random.h"
#include <math.h>

static struct random_key next_key(struct op_case *c) {
    return (struct random_key){
        .seed = (uint64_t)c->index, .purpose = RANDOM_TEST, .stream = (uint32_t)c->streams++};
}

/* Small numbers are as likely as large ones. */
static int any_size(struct random_key key, int least, int most) {
    double spread = pow((double)most - (double)least + 1.0, random_uniform(key, 0));
    return least + (int)spread - 1;
}

int op_size(struct op_case *c, int least, int most) {
    static const int steps[] = {8, 16, 32, 64, 128, 256, 1024};
    enum { STEPS = sizeof steps / sizeof *steps };
    struct random_key key = next_key(c);
    int size = any_size(key, least, most), kind = (int)random_below(key, 1, 16);
    if (kind == 0) return least;
    if (kind == 1) return most;
    if (kind < 8) {
        int step = steps[random_below(key, 2, STEPS)];
        int near = (size + step - 1) / step * step + (int)random_below(key, 3, 3) - 1;
        if (near >= least && near <= most) return near;
    }
    return size;
}

void op_draw_shifts(struct op_case *c) {
    c->shifts = op_draw(c, 2);
}

struct array *array_drawn_indices(struct op_case *c, size_t count, size_t bound) {
    enum { ANY, FEW, ONE, RISING, ORDERS };
    struct random_key key = next_key(c);
    double *values = op_numbers(c, count);
    int order = op_draw(c, ORDERS);
    for (size_t i = 0; i < count; i++) {
        uint64_t which = order == ANY ? i : order == FEW ? random_below(key, count + i, 3) : 0;
        values[i] = order == RISING ? (double)(i * bound / count) : (double)random_below(key, which, bound);
    }
    return array_given(c, DTYPE_I32, count, values);
}

struct array *array_drawn_distinct(struct op_case *c, size_t count, size_t bound) {
    struct random_key key = next_key(c);
    double *values = op_numbers(c, count);
    for (size_t i = 0; i < count; i++) values[i] = (double)random_permuted(key, i, bound);
    return array_given(c, DTYPE_I32, count, values);
}

/* Attention over a paged cache, on the backend of BACKEND-ARGUMENT, and with bfloat16 activations:
 * HALVES-ARGUMENT. */
#include "tests/support/op_test.h"
#include "tests/support/reference_ops.h"

#include "base/random.h"
#include <limits.h>
#include <math.h>
#include <stdlib.h>

/* Times sqrt(head dimension): as for attention without a cache. */
static const double FORWARD_ERROR = 1e-6;
static const double EXTREME_ERROR = 1e-3; /* scores of 1600 have roundings of 1e-4 */
static const double CUT_ERROR = 1e-2; /* and where tensor cores cut off sums of thousands, sixteen of 2^-23 */
/* Of a number that becomes bfloat16, relative to itself: the output's, and that of weights before the
 * products with them. */
static const double HALF_ROUNDING = 1.01 / 256;

enum { MOST_SEGMENTS = 6, MOST_PAGES = 600, MOST_NUMBERS = 60000 /* of random shapes */ };

struct layout {
    int segments;
    struct {
        int length, past;
    } segment[MOST_SEGMENTS];
};

static const struct layout layouts[] = {
    {0, {{0, 0}}},
    {1, {{1, 0}}},
    {1, {{1, 1}}},
    {1, {{1, 300}}},
    {6, {{1, 7}, {1, 63}, {1, 64}, {1, 65}, {1, 0}, {1, 200}}},
    {2, {{7, 0}, {7, 90}}},
    {2, {{8, 0}, {8, 90}}},
    {1, {{64, 64}}},
    {3, {{130, 0}, {70, 101}, {65, 63}}},
    {6, {{1, 40}, {0, 9}, {100, 30}, {1, 129}, {3, 77}, {20, 5}}},
};
static const struct {
    int heads, kv_heads, head_dim;
} heads[] = {{1, 1, 16}, {9, 3, 64}, {4, 1, 256}, {8, 2, 32}, {10, 1, 48},
             {2, 1, 6},  {3, 3, 17}, {24, 2, 80}, {8, 1, 128}};
static const int windows[] = {0, 1, 5, 64, 100, 1000}, pages[] = {1, 3, 16, 64, 100};
enum {
    LAYOUTS = sizeof layouts / sizeof *layouts,
    HEADS = sizeof heads / sizeof *heads,
    WINDOWS = sizeof windows / sizeof *windows,
    PAGES = sizeof pages / sizeof *pages,
    LAYOUT_CASES = 27 /* every window and every page with several of the heads */
};

struct cached {
    struct cached_attention_shape shape;
    struct cached_segment segment[MOST_SEGMENTS];
    int32_t page[MOST_SEGMENTS][MOST_PAGES];
    int cache_rows;
    struct array *q, *k, *v, *out;
};

/* Whether a position of the segment's sequence is seen by one of its rows. */
static bool seen(const struct cached *t, const struct cached_segment *g, int position) {
    return g->length > 0 && position < g->past + g->length &&
           (!t->shape.window || position > g->past - t->shape.window);
}

/* Deals the pages of the cache to the segments in random order; pages that no row sees are -1. */
static void deal_pages(struct op_case *c, struct cached *t) {
    int size = t->shape.page_rows, needed = 0, dealt = 0;
    int *order;
    for (int s = 0; s < t->shape.segments; s++) {
        const struct cached_segment *g = &t->segment[s];
        for (int p = 0; p * size < g->past + g->length; p++)
            needed += seen(t, g, (p + 1) * size - 1 < g->past ? (p + 1) * size - 1 : g->past);
    }
    t->cache_rows = (needed + 3) * size;
    order = calloc((size_t)needed + 3, sizeof *order);
    if (!order) exit(1);
    struct random_key key = {.seed = (uint64_t)c->index, .purpose = RANDOM_TEST, .stream = 99};
    for (int i = 0; i < needed + 3; i++) {
        int j = (int)random_below(key, (uint64_t)i, (uint64_t)i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    for (int s = 0; s < t->shape.segments; s++) {
        struct cached_segment *g = &t->segment[s];
        for (int p = 0; p < MOST_PAGES; p++) {
            bool any = p * size < g->past + g->length &&
                       seen(t, g, (p + 1) * size - 1 < g->past ? (p + 1) * size - 1 : g->past);
            t->page[s][p] = any ? order[dealt++] : -1;
        }
        g->page = t->page[s];
    }
    free(order);
}

/* Keys or values: numbers where a row sees them, NaN everywhere else. */
static struct array *make_cache(struct op_case *c, const struct cached *t, double spread) {
    size_t width = (size_t)(t->shape.kv_heads * t->shape.head_dim);
    double *numbers = op_numbers(c, (size_t)t->cache_rows * width);
    struct random_key key = {.seed = (uint64_t)c->index, .purpose = RANDOM_TEST, .stream = c->streams++};
    for (size_t i = 0; i < (size_t)t->cache_rows * width; i++) numbers[i] = NAN;
    for (int s = 0; s < t->shape.segments; s++) {
        const struct cached_segment *g = &t->segment[s];
        for (int p = 0; p < g->past + g->length; p++) {
            if (!seen(t, g, p)) continue;
            size_t row =
                (size_t)(g->page[p / t->shape.page_rows] * t->shape.page_rows + p % t->shape.page_rows);
            for (size_t e = row * width; e < (row + 1) * width; e++)
                numbers[e] = spread * random_normal(key, e);
        }
    }
    return activations_given(c, (size_t)t->cache_rows * width, numbers);
}

/* The arrays of a shape. */
static void fill(struct op_case *c, struct cached *t, double spread) {
    size_t queries = (size_t)(t->shape.rows * t->shape.heads * t->shape.head_dim);
    deal_pages(c, t);
    t->q = activations_random(c, queries, spread);
    t->k = make_cache(c, t, spread);
    t->v = make_cache(c, t, 1.0);
    t->out = activations_output(c, queries);
}

static void make(struct op_case *c, struct cached *t, int index, double spread) {
    int number = index / LAYOUT_CASES, within = index % LAYOUT_CASES, head = (within + number) % HEADS;
    const struct layout *layout = &layouts[number];
    *t = (struct cached){.shape = {.heads = heads[head].heads,
                                   .kv_heads = heads[head].kv_heads,
                                   .head_dim = heads[head].head_dim,
                                   .window = windows[(within * 5 / 4 + number) % WINDOWS],
                                   .page_rows = pages[within % PAGES],
                                   .segments = layout->segments}};
    for (int s = 0; s < layout->segments; s++) {
        t->segment[s] =
            (struct cached_segment){t->shape.rows, layout->segment[s].length, layout->segment[s].past, NULL};
        t->shape.rows += layout->segment[s].length;
    }
    t->shape.segment = t->segment;
    t->shape.scale = (float)(1.0 / sqrt(t->shape.head_dim));
    op_describe(c, "layout %d of %d rows, %d/%d heads of %d, window %d, pages of %d", number, t->shape.rows,
                t->shape.heads, t->shape.kv_heads, t->shape.head_dim, t->shape.window, t->shape.page_rows);
    fill(c, t, spread);
}

static void run(struct op_case *c, struct cached *t) {
    c->backend->cached_attention(c->backend, &t->shape, t->q->view, t->k->view, t->v->view, t->out->view);
}

/* Within an error and what roundings to bfloat16 make. */
static void compare(struct op_case *c, struct cached *t, double error, double relative) {
    const bool halves = c->backend->activations == DTYPE_BF16;
    size_t count = t->out->count;
    double *out = op_numbers(c, count), *roundings = op_numbers(c, count), *allowed = op_numbers(c, count);
    double *sizes = op_copy(c, t->v->value, t->v->count);
    for (size_t i = 0; i < t->v->count; i++) sizes[i] = fabs(sizes[i]);
    reference_cached_attention(&t->shape, t->q->value, t->k->value, sizes, roundings);
    reference_cached_attention(&t->shape, t->q->value, t->k->value, t->v->value, out);
    for (size_t i = 0; i < count; i++) {
        expect_true(c, isfinite(out[i]), "the reference sees a NaN at %zu", i);
        allowed[i] = error + relative * fabs(out[i]);
        if (halves) allowed[i] += HALF_ROUNDING * (fabs(out[i]) + roundings[i]);
    }
    run(c, t);
    expect_good(c);
    expect_within(c, "out", t->out, out, allowed);
    expect_unchanged(c, "q", t->q);
    expect_unchanged(c, "keys", t->k);
    expect_unchanged(c, "values", t->v);
}

static void run_cached(struct op_case *c, int index) {
    struct cached t;
    make(c, &t, index, 1.5);
    const double error = FORWARD_ERROR * sqrt(t.shape.head_dim);
    compare(c, &t, error, error);
}

/* Keys and values at places that no instruction loads at once from. */
static void run_unaligned(struct op_case *c, int index) {
    struct cached t;
    c->shift = 1 + (size_t)index % 7;
    make(c, &t, 9 * LAYOUT_CASES + index, 1.5);
    const double error = FORWARD_ERROR * sqrt(t.shape.head_dim);
    compare(c, &t, error, error);
}

/* Scores of hundreds: the softmax must neither overflow nor lose its largest entries. */
static void run_extreme(struct op_case *c, int index) {
    struct cached t;
    make(c, &t, 9 * LAYOUT_CASES + index, 20.0);
    compare(c, &t, c->backend->activations == DTYPE_BF16 ? CUT_ERROR : EXTREME_ERROR, 0.0);
}

/* On tensor cores a row's numbers do not depend on the rows beside it: a sequence's rows at once, and one by
 * one. */
static void run_alone(struct op_case *c, int index) {
    struct cached t;
    make(c, &t, 9 * LAYOUT_CASES + index, 1.5);
    if (c->backend->activations != DTYPE_BF16 || t.shape.head_dim % 16 != 0) return;
    run(c, &t);
    size_t width = (size_t)(t.shape.heads * t.shape.head_dim);
    double *want = op_copy(c, array_read(c, t.out), t.out->count);
    const struct cached_segment *g = &t.segment[2];
    struct array *q = activations_given(c, width, t.q->value), *out = activations_output(c, width);
    for (int r = index % 9; r < g->length; r += 9) {
        size_t row = (size_t)(g->start + r) * width;
        struct cached_segment one = {0, 1, g->past + r, g->page};
        struct cached_attention_shape shape = t.shape;
        shape.rows = shape.segments = 1;
        shape.segment = &one;
        array_write(c, q, t.q->value + row);
        c->backend->cached_attention(c->backend, &shape, q->view, t.k->view, t.v->view, out->view);
        expect_close(c, "row", out, want + row, 0.0, 0.0);
    }
}

static void run_random(struct op_case *c, int index) {
    static const int groups[] = {1, 2, 3, 4, 5, 6, 7, 8, 16, 17, 40};
    static const int lengths[] = {1, 1, 1, 3, 17, 40, 90}, pasts[] = {0, 1, 30, 65, 130, 300, 509};
    static const int sizes[] = {1, 2, 7, 16, 32, 64, 100, 512}, few[] = {1, 2, 5, 20},
                     many[] = {40, 64, 129, INT_MAX};
    struct cached t = {.shape = {.segments = 1 + op_draw(c, MOST_SEGMENTS)}};
    int most = OP_DRAW_OF(c, lengths), past = OP_DRAW_OF(c, pasts);
    for (int s = 0; s < t.shape.segments; s++) {
        struct cached_segment *g = &t.segment[s];
        *g = (struct cached_segment){t.shape.rows, 1 + op_draw(c, most), op_draw(c, past + 1), NULL};
        if (op_happens(c, 5)) g->length = 0;
        t.shape.rows += g->length;
    }
    t.shape.segment = t.segment;
    t.shape.head_dim = op_happens(c, 80) ? 16 * (1 + op_draw(c, 16)) : 1 + op_draw(c, 256);
    t.shape.kv_heads = 1 + op_draw(c, 3);
    t.shape.heads = t.shape.kv_heads * OP_DRAW_OF(c, groups);
    while (t.shape.rows * t.shape.heads * t.shape.head_dim > MOST_NUMBERS && t.shape.heads > t.shape.kv_heads)
        t.shape.heads -= t.shape.kv_heads;
    if (op_happens(c, 50)) t.shape.window = op_happens(c, 50) ? OP_DRAW_OF(c, few) : OP_DRAW_OF(c, many);
    t.shape.page_rows = OP_DRAW_OF(c, sizes);
    t.shape.scale = (float)((op_happens(c, 5) ? -1.0 : 1.0) / sqrt(t.shape.head_dim));
    c->shift = op_happens(c, 10) ? 1 + (size_t)op_draw(c, 15) : 8 * (size_t)op_draw(c, 3);
    op_describe(c, "%d, %d segments of %d rows, %d/%d heads of %d, window %d, pages of %d, shift %zu", index,
                t.shape.segments, t.shape.rows, t.shape.heads, t.shape.kv_heads, t.shape.head_dim,
                t.shape.window, t.shape.page_rows, c->shift);
    fill(c, &t, 1.5);
    const double error = FORWARD_ERROR * sqrt(t.shape.head_dim);
    compare(c, &t, error, error);
}

/* A NaN in a key reaches the rows that see it and their heads, and nothing else. */
static void run_nan(struct op_case *c, int index) {
    static const int positions[] = {3, 29, 30, 77, 129};
    struct cached t;
    make(c, &t, 9 * LAYOUT_CASES + index, 1.0);
    int width = t.shape.head_dim, head = t.shape.kv_heads - 1, group = t.shape.heads / t.shape.kv_heads;
    run(c, &t);
    double *want = op_copy(c, array_read(c, t.out), t.out->count), *keys = op_copy(c, t.k->value, t.k->count);
    const struct cached_segment *g = &t.segment[2];
    int position = positions[index % 5], page = g->page[position / t.shape.page_rows];
    if (page < 0) return;
    keys[((page * t.shape.page_rows + position % t.shape.page_rows) * t.shape.kv_heads + head) * width] = NAN;
    array_write(c, t.k, keys);
    run(c, &t);
    expect_good(c);
    for (int r = 0; r < g->length; r++) {
        int at = g->past + r;
        if (at < position || (t.shape.window && at >= position + t.shape.window)) continue;
        for (int h = head * group; h < t.shape.heads; h++)
            for (int e = 0; e < width; e++) want[((g->start + r) * t.shape.heads + h) * width + e] = NAN;
    }
    expect_close(c, "out", t.out, want, 0.0, 0.0);
}

static void run_failures(struct op_case *c, int index) {
    static const struct {
        int rows, heads, page_rows, window;
        struct cached_segment second;
        int32_t last_page;
        const char *words;
    } cases[] = {{6, 2, 4, 0, {3, 2, 7, NULL}, 2, "cover"},
                 {5, 2, 4, 0, {4, 1, 7, NULL}, 2, "segment 1"},
                 {5, 2, 4, 0, {3, 3, 7, NULL}, 2, "segment 1"},
                 {5, 2, 4, 0, {3, 2, -1, NULL}, 2, "segment 1"},
                 {5, 2, 4, 0, {3, 2, 7, NULL}, 5, "cached_attention"},
                 {5, 2, 4, 0, {3, 2, 7, NULL}, -1, "page"},
                 {5, 3, 4, 0, {3, 2, 7, NULL}, 2, "heads"},
                 {5, 2, 0, 0, {3, 2, 7, NULL}, 2, "pages of 0"},
                 {5, 2, 4, -1, {3, 2, 7, NULL}, 2, "negative"}};
    op_describe(c, "%d", index);
    int32_t first[] = {4}, second[] = {0, 1, cases[index].last_page};
    struct cached_segment segments[] = {{0, 3, 0, first}, cases[index].second};
    segments[1].page = second;
    struct cached_attention_shape shape = {
        cases[index].rows, cases[index].heads, 2, 8, cases[index].window, 0.25f, cases[index].page_rows, 2,
        segments};
    struct array *q = array_random(c, 6 * 3 * 8, 1.0), *out = array_random(c, 6 * 3 * 8, 1.0);
    /* Twenty rows and the guard, which is less than four. */
    struct array *k = array_random(c, 20 * 16, 1.0), *v = array_random(c, 20 * 16, 1.0);
    if (index == 4) second[2] = 6; /* the guard holds page 5 */
    c->backend->cached_attention(c->backend, &shape, q->view, k->view, v->view, out->view);
    expect_failure(c, ERROR_INTERNAL, cases[index].words);
    expect_unchanged(c, "out", out);
}

int main(int argc, char **argv) {
    static const struct op_suite suites[] = {{"cached_attention", LAYOUTS * LAYOUT_CASES, run_cached},
                                             {"unaligned", HEADS, run_unaligned},
                                             {"extreme", LAYOUT_CASES, run_extreme},
                                             {"alone", LAYOUT_CASES, run_alone},
                                             {"nan", LAYOUT_CASES, run_nan},
                                             {"failures", 9, run_failures},
                                             {"random", 120, run_random},
                                             {NULL, 0, NULL}};
    return op_test_main(argc, argv, suites);
}

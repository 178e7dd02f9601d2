/* Which tiles there are. */
#include "train/cuda/attention.h"

extern "C" {
#include "base/memory.h"
}
#include <string.h>

/* A table under construction: tiles, then pages. */
struct table {
    unsigned char *bytes;
    size_t capacity, tiles, pages;
};

static void start(struct attention_plan *plan, int heads, int kv_heads, int head_dim, int window, float scale,
                  int rows) {
    memset(plan, 0, sizeof *plan);
    plan->rows = rows;
    plan->heads = heads;
    plan->kv_heads = kv_heads;
    plan->head_dim = head_dim;
    plan->group = heads / kv_heads;
    plan->shared = plan->group < rows ? plan->group : rows;
    plan->parts = (plan->group + plan->shared - 1) / plan->shared;
    plan->window = window;
    plan->scale = scale;
}

/* Appends a segment's tiles of `tokens` tokens; the last ones, which see most, come first. */
static int add_tiles(struct table *table, const struct attention_tile *whole, int tokens, struct error *err) {
    int count = (whole->count + tokens - 1) / tokens;
    TRY(memory_reserve(&table->bytes, &table->capacity, (table->tiles + (size_t)count) * sizeof *whole, 1,
                       err));
    struct attention_tile *to = (struct attention_tile *)(void *)table->bytes + table->tiles;
    for (int i = 0; i < count; i++) {
        int first = (count - 1 - i) * tokens;
        to[i] = *whole;
        to[i].start += first;
        to[i].position += first;
        to[i].count = whole->count - first < tokens ? whole->count - first : tokens;
    }
    table->tiles += (size_t)count;
    return 0;
}

static bool finish(struct cuda *cuda, enum cuda_operation op, struct table *table, int code,
                   const struct error *err, struct attention_plan *plan) {
    const unsigned char *device = NULL;
    size_t tiles = table->tiles * sizeof(struct attention_tile);
    if (code) cuda_fail(cuda, code, op, "%s", err->message);
    if (!code)
        device = (const unsigned char *)cuda_numbers(cuda, op, table->bytes,
                                                     tiles + table->pages * sizeof(int32_t));
    memory_free(table->bytes);
    plan->tiles = (unsigned)table->tiles;
    plan->tile = (const struct attention_tile *)device;
    plan->page = (const int32_t *)(device + tiles);
    return device != NULL;
}

static struct attention_tile whole_of(const struct segment *s) {
    struct attention_tile tile = {s->start,
                                  s->length,
                                  s->prefix_length,
                                  s->start,
                                  s->prefix_length + s->length,
                                  s->prefix_length,
                                  s->prefix_start,
                                  0};
    return tile;
}

static bool plan_tokens(struct cuda *cuda, enum cuda_operation op, const struct attention_shape *shape,
                        int tokens, struct attention_plan *plan) {
    struct table table = {NULL, 0, 0, 0};
    struct error err = {0, ""};
    int code = 0;
    for (int s = 0; s < shape->segments && !code; s++) {
        struct attention_tile whole = whole_of(&shape->segment[s]);
        code = add_tiles(&table, &whole, tokens, &err);
    }
    return finish(cuda, op, &table, code, &err, plan);
}

bool attention_plan_queries(struct cuda *cuda, enum cuda_operation op, const struct attention_shape *shape,
                            int rows, struct attention_plan *plan) {
    start(plan, shape->heads, shape->kv_heads, shape->head_dim, shape->window, shape->scale, rows);
    return plan_tokens(cuda, op, shape, rows / plan->shared, plan);
}

bool attention_plan_keys(struct cuda *cuda, enum cuda_operation op, const struct attention_shape *shape,
                         int rows, struct attention_plan *plan) {
    start(plan, shape->heads, shape->kv_heads, shape->head_dim, shape->window, shape->scale, rows);
    return plan_tokens(cuda, op, shape, rows, plan);
}

/* The pages that a segment's tokens may see, and -1 for those that none does. */
static int add_pages(struct table *table, const struct cached_attention_shape *shape,
                     const struct cached_segment *s, struct error *err) {
    size_t tiles = table->tiles * sizeof(struct attention_tile);
    int count = (s->past + s->length + shape->page_rows - 1) / shape->page_rows;
    int seen = shape->window > 0 && s->past >= shape->window ? s->past - shape->window + 1 : 0;
    TRY(memory_reserve(&table->bytes, &table->capacity,
                       tiles + (table->pages + (size_t)count) * sizeof(int32_t), 1, err));
    int32_t *to = (int32_t *)(void *)(table->bytes + tiles) + table->pages;
    for (int p = 0; p < count; p++) to[p] = p < seen / shape->page_rows ? -1 : s->page[p];
    table->pages += (size_t)count;
    return 0;
}

bool attention_plan_cached(struct cuda *cuda, enum cuda_operation op,
                           const struct cached_attention_shape *shape, int rows,
                           struct attention_plan *plan) {
    struct table table = {NULL, 0, 0, 0};
    struct error err = {0, ""};
    int code = 0, pages = 0;
    start(plan, shape->heads, shape->kv_heads, shape->head_dim, shape->window, shape->scale, rows);
    plan->page_rows = shape->page_rows;
    for (int s = 0; s < shape->segments && !code; s++) {
        const struct cached_segment *g = &shape->segment[s];
        struct attention_tile whole = {g->start, g->length, g->past, g->start, g->past + g->length,
                                       0,        0,         pages};
        code = add_tiles(&table, &whole, rows / plan->shared, &err);
        if (g->length > 0) pages += (g->past + g->length + shape->page_rows - 1) / shape->page_rows;
    }
    for (int s = 0; s < shape->segments && !code; s++)
        if (shape->segment[s].length > 0) code = add_pages(&table, shape, &shape->segment[s], &err);
    return finish(cuda, op, &table, code, &err, plan);
}

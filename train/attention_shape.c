#include "train/attention_shape.h"

static int check_numbers(int rows, int segments, int window, struct error *err) {
    if (rows >= 0 && segments >= 0 && window >= 0) return 0;
    return error_set(err, ERROR_INTERNAL, "negative size among %d, %d, %d", rows, segments, window);
}

static int check_heads(int heads, int kv_heads, int head_dim, struct error *err) {
    if (heads >= 1 && kv_heads >= 1 && head_dim >= 1 && heads % kv_heads == 0) return 0;
    return error_set(err, ERROR_INTERNAL, "%d heads, %d key/value heads of dimension %d", heads, kv_heads,
                     head_dim);
}

static int check_cover(int64_t covered, int rows, struct error *err) {
    if (covered == rows) return 0;
    return error_set(err, ERROR_INTERNAL, "segments cover %lld of %d rows", (long long)covered, rows);
}

int attention_shape_check(const struct attention_shape *shape, struct error *err) {
    TRY(check_numbers(shape->rows, shape->segments, shape->window, err));
    TRY(check_heads(shape->heads, shape->kv_heads, shape->head_dim, err));
    int64_t next = 0;
    for (int s = 0; s < shape->segments; s++) {
        const struct segment *g = &shape->segment[s];
        bool good = g->start == next && g->length >= 0 && g->prefix_length >= 0 &&
                    (g->prefix_length == 0 ||
                     (g->prefix_start >= 0 && (int64_t)g->prefix_start + g->prefix_length <= g->start));
        next += g->length;
        if (good && next <= shape->rows) continue;
        return error_set(err, ERROR_INTERNAL,
                         "segment %d (start %d, length %d, prefix %d + %d) among %d rows", s, g->start,
                         g->length, g->prefix_start, g->prefix_length, shape->rows);
    }
    return check_cover(next, shape->rows, err);
}

int attention_shape_check_backward(const struct attention_shape *shape, struct error *err) {
    TRY(attention_shape_check(shape, err));
    for (int s = 0; s < shape->segments; s++)
        if (shape->segment[s].prefix_length > 0)
            return error_set(err, ERROR_UNSUPPORTED, "segment %d has a prefix", s);
    return 0;
}

/* Whether the pages that a segment's rows see are all in the cache. */
static bool pages_good(const struct cached_attention_shape *shape, const struct cached_segment *segment,
                       size_t pages) {
    if (segment->length == 0) return true;
    int seen = shape->window > 0 && segment->past >= shape->window ? segment->past - shape->window + 1 : 0;
    int last = (segment->past + segment->length - 1) / shape->page_rows;
    for (int p = seen / shape->page_rows; p <= last; p++)
        if (segment->page[p] < 0 || (size_t)segment->page[p] >= pages) return false;
    return true;
}

int cached_attention_shape_check(const struct cached_attention_shape *shape, size_t cache_rows,
                                 struct error *err) {
    TRY(check_heads(shape->heads, shape->kv_heads, shape->head_dim, err));
    TRY(check_numbers(shape->rows, shape->segments, shape->window, err));
    if (shape->page_rows < 1) return error_set(err, ERROR_INTERNAL, "pages of %d rows", shape->page_rows);
    int64_t next = 0;
    for (int s = 0; s < shape->segments; s++) {
        const struct cached_segment *g = &shape->segment[s];
        bool good = g->start == next && g->length >= 0 && g->past >= 0 && INT32_MAX - g->length >= g->past;
        next += good ? g->length : 0;
        bool fits = good && next <= shape->rows;
        if (fits && pages_good(shape, g, cache_rows / (size_t)shape->page_rows)) continue;
        return error_set(err, ERROR_INTERNAL, "segment %d (start %d, length %d, past %d) %s", s, g->start,
                         g->length, g->past, fits ? "sees a page that is not in the cache" : "does not fit");
    }
    return check_cover(next, shape->rows, err);
}

/* Attention over a paged cache of keys and values. */
#include "train/cpu/attention.h"

#include <omp.h>

enum {
    BLOCK = ATTENTION_BLOCK,
    FEW = 8, /* rows of a segment that are better taken one by one, all heads of a key/value head together */
    HEADS = 8,    /* of these at a time */
    SMALL = 65536 /* products of a query's and a key's elements up to which one thread does it all */
};

struct pass {
    const struct cached_attention_shape *shape;
    const float *q, *k, *v;
    float *out;
};

/* A share of the work: `rows` rows of a segment from `start` on and one head, or one row and `heads` heads
 * that have their keys in common. */
struct share {
    int start, rows;
    int head, heads;
};

static bool taken_by_row(const struct cached_segment *segment) {
    return segment->length < FEW;
}

static int head_shares(const struct cached_attention_shape *shape) {
    int group = shape->heads / shape->kv_heads;
    return (group + HEADS - 1) / HEADS;
}

static int share_count(const struct cached_attention_shape *shape, const struct cached_segment *segment) {
    if (taken_by_row(segment)) return segment->length * shape->kv_heads * head_shares(shape);
    return (segment->length + BLOCK - 1) / BLOCK * shape->heads;
}

static struct share share_at(const struct cached_attention_shape *shape, const struct cached_segment *segment,
                             int index) {
    struct share share;
    if (taken_by_row(segment)) {
        int parts = head_shares(shape), group = shape->heads / shape->kv_heads;
        int part = index % parts, kv_head = index / parts % shape->kv_heads, first = part * HEADS;
        share.start = index / parts / shape->kv_heads;
        share.rows = 1;
        share.head = kv_head * group + first;
        share.heads = group - first < HEADS ? group - first : HEADS;
    } else {
        int blocks = (segment->length + BLOCK - 1) / BLOCK;
        share.start = (blocks - 1 - index / shape->heads) * BLOCK; /* the longest first */
        share.rows = segment->length - share.start < BLOCK ? segment->length - share.start : BLOCK;
        share.head = index % shape->heads;
        share.heads = 1;
    }
    return share;
}

/* The keys from position `key` on, before `last`, that lie together; none from `last` on. */
static struct attention_keys keys_at(const struct pass *pass, const struct cached_segment *segment,
                                     int kv_head, int key, int last) {
    const struct cached_attention_shape *shape = pass->shape;
    int page = shape->page_rows, left = page - key % page;
    ptrdiff_t stride = (ptrdiff_t)shape->kv_heads * shape->head_dim;
    if (key >= last) return (struct attention_keys){pass->k, pass->v, stride, 0};
    ptrdiff_t row = (ptrdiff_t)segment->page[key / page] * page + key % page;
    ptrdiff_t at = row * stride + (ptrdiff_t)kv_head * shape->head_dim;
    if (left > last - key) left = last - key;
    return (struct attention_keys){pass->k + at, pass->v + at, stride, left < BLOCK ? left : BLOCK};
}

static void attend(const struct pass *pass, struct attention_work *work, const struct cached_segment *segment,
                   const struct share *share) {
    const struct cached_attention_shape *shape = pass->shape;
    int width = shape->head_dim, kv_head = share->head / (shape->heads / shape->kv_heads);
    ptrdiff_t q_stride = (ptrdiff_t)shape->heads * width;
    ptrdiff_t query = (segment->start + share->start) * q_stride + share->head * width;
    struct pairs pairs = {
        .position = segment->past + share->start, .rows = share->rows, .window = shape->window};
    int last = pairs.position + share->rows, queries = share->rows * share->heads;
    attention_begin(work, queries);
    pairs.key = attention_first(shape->window, pairs.position);
    struct attention_keys next, here = keys_at(pass, segment, kv_head, pairs.key, last);
    for (; here.count; here = next, pairs.key += pairs.keys) {
        pairs.keys = here.count;
        next = keys_at(pass, segment, kv_head, pairs.key + here.count, last);
        if (taken_by_row(segment))
            attention_take_row(work, share->heads, &here, &next, pass->q + query);
        else
            attention_take(work, &pairs, pass->q + query, q_stride, &here);
    }
    for (int i = 0; i < queries; i++) /* either all of one head or all of one row */
        attention_finish(work, i, pass->out + query + i * (share->heads > 1 ? width : q_stride));
}

static double products(const struct cached_attention_shape *shape) {
    double pairs = 0;
    for (int s = 0; s < shape->segments; s++) {
        const struct cached_segment *g = &shape->segment[s];
        int most = g->past + g->length;
        pairs += (double)g->length * (shape->window > 0 && shape->window < most ? shape->window : most);
    }
    return pairs * shape->heads * shape->head_dim;
}

static void cached_attention(struct backend *b, const struct cached_attention_shape *shape, struct view q,
                             struct view keys, struct view values, struct view out) {
    static const char name[] = "cached_attention";
    struct cpu *cpu = cpu_of(b);
    size_t room = cpu_room(keys) < cpu_room(values) ? cpu_room(keys) : cpu_room(values);
    size_t kv_row = (size_t)(shape->kv_heads > 0 ? shape->kv_heads : 1) *
                    (size_t)(shape->head_dim > 0 ? shape->head_dim : 1);
    struct error err = {0};
    if (!cpu_ready(cpu)) return;
    if (cached_attention_shape_check(shape, room / kv_row, &err))
        cpu_fail(cpu, err.code, name, "%s", err.message);
    if (err.code || shape->rows == 0) return;
    size_t queries = (size_t)shape->rows * (size_t)shape->heads * (size_t)shape->head_dim;
    struct pass pass = {shape, cpu_f32(cpu, name, q, queries), cpu_f32(cpu, name, keys, kv_row),
                        cpu_f32(cpu, name, values, kv_row), cpu_f32(cpu, name, out, queries)};
    int threads = products(shape) <= SMALL ? 1 : cpu->threads;
    void *scratch = cpu_scratch(cpu, name, cpu_attention_scratch(threads, shape->head_dim));
    if (!cpu_ready(cpu)) return;
    int64_t shares = 0;
    for (int s = 0; s < shape->segments; s++) shares += share_count(shape, &shape->segment[s]);
#pragma omp parallel num_threads(threads)
    {
        struct attention_work work =
            attention_work_at(scratch, omp_get_thread_num(), shape->head_dim, shape->scale);
        const struct cached_segment *segment = shape->segment; /* of the share `first` */
        int64_t first = 0;
#pragma omp for schedule(monotonic : dynamic)
        for (int64_t i = 0; i < shares; i++) {
            while (i - first >= share_count(shape, segment)) first += share_count(shape, segment++);
            struct share share = share_at(shape, segment, (int)(i - first));
            attend(&pass, &work, segment, &share);
        }
    }
}

void cpu_install_attention_cached(struct backend *b) {
    b->cached_attention = cached_attention;
}

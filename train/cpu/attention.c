#include "train/cpu/attention.h"

#include <math.h>
#include <omp.h>

enum {
    BLOCK = ATTENTION_BLOCK,
    SMALL = 16384 /* elements of q below which one thread does it all */
};

struct pass {
    const struct attention_shape *shape;
    const float *q, *k, *v;
    float *out, *lse;
};

/* The outputs of one head's queries `start` .. `start + rows - 1` of a segment. */
static void attend(const struct pass *pass, struct attention_work *work, const struct segment *segment,
                   int head, int start, int rows) {
    const struct attention_shape *shape = pass->shape;
    int width = shape->head_dim, prefix = segment->prefix_length, query = segment->start + start;
    int kv_head = head / (shape->heads / shape->kv_heads);
    ptrdiff_t q_stride = (ptrdiff_t)shape->heads * width, kv_stride = (ptrdiff_t)shape->kv_heads * width;
    struct pairs pairs = {.position = prefix + start, .rows = rows, .window = shape->window};
    attention_begin(work, rows);
    int last = pairs.position + rows;
    for (int key = attention_first(shape->window, pairs.position); key < last; key += pairs.keys) {
        bool before = key < prefix; /* a block of keys is of the prefix or of the segment */
        int end = before ? prefix : last;
        int row = before ? segment->prefix_start + key : segment->start + key - prefix;
        ptrdiff_t kv_at = row * kv_stride + kv_head * width;
        pairs.key = key;
        pairs.keys = end - key < BLOCK ? end - key : BLOCK;
        struct attention_keys keys = {pass->k + kv_at, pass->v + kv_at, kv_stride, pairs.keys};
        attention_take(work, &pairs, pass->q + query * q_stride + head * width, q_stride, &keys);
    }
    for (int i = 0; i < rows; i++) {
        ptrdiff_t row = (ptrdiff_t)(query + i) * shape->heads + head;
        attention_finish(work, i, pass->out + row * width);
        pass->lse[row] = work->maximum[i] + logf(work->sum[i]);
    }
}

static void attention(struct backend *b, const struct attention_shape *shape, struct view q, struct view k,
                      struct view v, struct view out, struct view lse) {
    static const char name[] = "attention";
    struct cpu *cpu = cpu_of(b);
    struct error err = {0};
    if (!cpu_ready(cpu)) return;
    if (attention_shape_check(shape, &err)) cpu_fail(cpu, err.code, name, "%s", err.message);
    if (err.code || shape->rows == 0) return;
    size_t width = (size_t)shape->head_dim, rows = (size_t)shape->rows;
    size_t queries = rows * (size_t)shape->heads, keys = rows * (size_t)shape->kv_heads;
    struct pass pass = {shape,
                        cpu_f32(cpu, name, q, queries * width),
                        cpu_f32(cpu, name, k, keys * width),
                        cpu_f32(cpu, name, v, keys * width),
                        cpu_f32(cpu, name, out, queries * width),
                        cpu_f32(cpu, name, lse, queries)};
    int threads = queries * width < SMALL ? 1 : cpu->threads;
    void *scratch = cpu_scratch(cpu, name, cpu_attention_scratch(threads, shape->head_dim));
    if (!cpu_ready(cpu)) return;
#pragma omp parallel num_threads(threads)
    {
        struct attention_work work =
            attention_work_at(scratch, omp_get_thread_num(), shape->head_dim, shape->scale);
        for (int s = 0; s < shape->segments; s++) {
            const struct segment *segment = &shape->segment[s];
            int blocks = (segment->length + BLOCK - 1) / BLOCK;
#pragma omp for schedule(dynamic) nowait
            for (int item = 0; item < blocks * shape->heads; item++) {
                int start = (blocks - 1 - item / shape->heads) * BLOCK; /* the longest first */
                int count = segment->length - start < BLOCK ? segment->length - start : BLOCK;
                attend(&pass, &work, segment, item % shape->heads, start, count);
            }
        }
    }
}

void cpu_install_attention(struct backend *b) {
    b->attention = attention;
}

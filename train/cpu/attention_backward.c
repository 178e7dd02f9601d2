#include "train/cpu/attention.h"
#include "train/cpu/kernels.h"
#include "train/cpu/tile.h"
#include <omp.h>

enum { BLOCK = ATTENTION_BLOCK };

/* What a thread works in. */
struct work {
    float *keys;    /* [C, BLOCK], transposed */
    float *values;  /* [C, BLOCK], transposed */
    float *weights; /* [BLOCK, BLOCK], the softmax */
    float *scores;  /* [BLOCK, BLOCK], gradients of the softmax, then of the scores */
    float *inner;   /* [BLOCK], <dout, out> of each query */
};

static size_t backward_floats(int head_dim) {
    return (size_t)BLOCK * (2 * (size_t)head_dim + 2 * BLOCK + 1);
}

size_t cpu_attention_scratch(int threads, int head_dim) {
    return sizeof(float) * (size_t)threads * backward_floats(head_dim); /* more than the forward pass needs */
}

static struct work work_at(float *scratch, int head_dim) {
    struct work work;
    work.keys = scratch;
    work.values = work.keys + BLOCK * head_dim;
    work.weights = work.values + BLOCK * head_dim;
    work.scores = work.weights + BLOCK * BLOCK;
    work.inner = work.scores + BLOCK * BLOCK;
    return work;
}

struct pass {
    const struct attention_shape *shape;
    const float *q, *k, *v, *out, *lse, *dout;
    float *dq, *dk, *dv;
};

/* One row of scores s and of softmax gradients g, of which [first, last) are seen: the softmax p = e^(scale s
 * - lse) and the scores' gradients scale p (g - inner), both 0 elsewhere. */
static CPU_KERNEL void kernel_gradient_row(int first, int last, int count, float scale, float lse,
                                           float inner, float *restrict s, float *restrict g) {
    for (int j = 0; j < first; j++) s[j] = g[j] = 0.0f;
    for (int j = last; j < count; j++) s[j] = g[j] = 0.0f;
    for (int j = first; j < last; j++) {
        s[j] = cpu_exp(scale * s[j] - lse);
        g[j] = scale * s[j] * (g[j] - inner);
    }
}

/* One block of queries, from index `start` of the segment on, of one head with one block of its keys. */
static void differentiate(const struct pass *pass, struct work *work, const struct segment *segment, int head,
                          int start, int rows, int key, int count) {
    const struct attention_shape *shape = pass->shape;
    int width = shape->head_dim, group = shape->heads / shape->kv_heads;
    ptrdiff_t q_stride = (ptrdiff_t)shape->heads * width, kv_stride = (ptrdiff_t)shape->kv_heads * width;
    ptrdiff_t query = segment->start + start;
    ptrdiff_t q_at = query * q_stride + head * width,
              kv_at = (segment->start + key) * kv_stride + head / group * width;
    tile_multiply(rows, BLOCK, width, pass->q + q_at, q_stride, 1, work->keys, BLOCK, 0, work->weights,
                  BLOCK);
    tile_multiply(rows, BLOCK, width, pass->dout + q_at, q_stride, 1, work->values, BLOCK, 0, work->scores,
                  BLOCK);
    for (int i = 0; i < rows; i++) {
        ptrdiff_t row = (query + i) * shape->heads + head;
        int first = attention_first(shape, start + i) - key, last = start + i + 1 - key;
        first = first < 0 ? 0 : first > count ? count : first;
        last = last > count ? count : last < first ? first : last;
        float inner = (float)cpu_dot((size_t)width, pass->dout + row * width, pass->out + row * width);
        kernel_gradient_row(first, last, count, shape->scale, pass->lse[row], inner,
                            work->weights + i * BLOCK, work->scores + i * BLOCK);
    }
    tile_multiply(count, width, rows, work->weights, 1, BLOCK, pass->dout + q_at, q_stride, 1,
                  pass->dv + kv_at, kv_stride);
    tile_multiply(count, width, rows, work->scores, 1, BLOCK, pass->q + q_at, q_stride, 1, pass->dk + kv_at,
                  kv_stride);
    tile_multiply(rows, width, count, work->scores, BLOCK, 1, pass->k + kv_at, kv_stride, 1, pass->dq + q_at,
                  q_stride);
}

/* All gradients of one segment and one key/value head: nobody else writes them. */
static void differentiate_segment(const struct pass *pass, struct work *work, const struct segment *segment,
                                  int kv_head) {
    const struct attention_shape *shape = pass->shape;
    int width = shape->head_dim, group = shape->heads / shape->kv_heads;
    ptrdiff_t q_stride = (ptrdiff_t)shape->heads * width, kv_stride = (ptrdiff_t)shape->kv_heads * width;
    for (ptrdiff_t t = segment->start; t < segment->start + segment->length; t++) {
        memset(pass->dq + t * q_stride + kv_head * group * width, 0, sizeof(float) * (size_t)(group * width));
        memset(pass->dk + t * kv_stride + kv_head * width, 0, sizeof(float) * (size_t)width);
        memset(pass->dv + t * kv_stride + kv_head * width, 0, sizeof(float) * (size_t)width);
    }
    for (int key = 0; key < segment->length; key += BLOCK) {
        int count = segment->length - key < BLOCK ? segment->length - key : BLOCK;
        ptrdiff_t kv_at = (segment->start + key) * kv_stride + kv_head * width;
        tile_transpose(count, width, pass->k + kv_at, kv_stride, BLOCK, work->keys);
        tile_transpose(count, width, pass->v + kv_at, kv_stride, BLOCK, work->values);
        for (int head = kv_head * group; head < (kv_head + 1) * group; head++)
            for (int start = key; start < segment->length; start += BLOCK) {
                if (attention_first(shape, start) >= key + count)
                    break; /* the window has passed these keys */
                int rows = segment->length - start < BLOCK ? segment->length - start : BLOCK;
                differentiate(pass, work, segment, head, start, rows, key, count);
            }
    }
}

static void attention_backward(struct backend *b, const struct attention_shape *shape, struct view q,
                               struct view k, struct view v, struct view out, struct view lse,
                               struct view dout, struct view dq, struct view dk, struct view dv) {
    static const char name[] = "attention_backward";
    struct cpu *cpu = cpu_of(b);
    if (!attention_shape_good(cpu, name, shape) || shape->rows == 0) return;
    for (int s = 0; s < shape->segments; s++)
        if (shape->segment[s].prefix_length > 0) {
            cpu_fail(cpu, ERROR_UNSUPPORTED, name, "segment %d has a prefix", s);
            return;
        }
    size_t width = (size_t)shape->head_dim, rows = (size_t)shape->rows;
    size_t queries = rows * (size_t)shape->heads, keys = rows * (size_t)shape->kv_heads;
    struct pass pass = {shape,
                        cpu_f32(cpu, name, q, queries * width),
                        cpu_f32(cpu, name, k, keys * width),
                        cpu_f32(cpu, name, v, keys * width),
                        cpu_f32(cpu, name, out, queries * width),
                        cpu_f32(cpu, name, lse, queries),
                        cpu_f32(cpu, name, dout, queries * width),
                        cpu_f32(cpu, name, dq, queries * width),
                        cpu_f32(cpu, name, dk, keys * width),
                        cpu_f32(cpu, name, dv, keys * width)};
    float *scratch = cpu_scratch(cpu, name, cpu_attention_scratch(cpu->threads, shape->head_dim));
    if (!cpu_ready(cpu)) return;
    int items = shape->segments * shape->kv_heads;
#pragma omp parallel num_threads(cpu->threads)
    {
        float *mine = scratch + (size_t)omp_get_thread_num() * backward_floats(shape->head_dim);
        struct work work = work_at(mine, shape->head_dim);
#pragma omp for schedule(dynamic)
        for (int item = 0; item < items; item++)
            differentiate_segment(&pass, &work, &shape->segment[item / shape->kv_heads],
                                  item % shape->kv_heads);
    }
}

void cpu_install_attention_backward(struct backend *b) {
    b->attention_backward = attention_backward;
}

/* Gradients of attention. With P = softmax(scale Q K^T) and O = P V: dV = P^T dO, dP = dO V^T,
 * dS = scale P (dP - D) with D = <dO, O> of each query, dQ = dS K, dK = dS^T Q (Dao et al. 2022). P is made
 * again from the scores and the forward pass's log-sum-exp.
 *
 * One way goes through the pairs of blocks once, five products each: a thread has a whole segment of one
 * key/value head to itself, since dQ gathers over keys and dK and dV over queries. Where that gives too few
 * shares for the threads, as for one long segment and one key/value head, keys and queries are gone through
 * separately, seven products a pair. Either way sums are in the same order, and results the same. */
#include "train/cpu/attention.h"
#include "train/cpu/kernels.h"
#include "train/cpu/tile.h"
#include <omp.h>

enum {
    BLOCK = ATTENTION_BLOCK,
    SMALL = 16384 /* elements of q below which one thread does it all */
};

/* What a thread works in. */
struct work {
    float *keys;    /* [C, BLOCK], transposed */
    float *values;  /* [C, BLOCK], transposed */
    float *weights; /* [BLOCK, BLOCK], P */
    float *slopes;  /* [BLOCK, BLOCK], dP, then dS */
};

/* Enough for the forward pass, too. */
size_t cpu_attention_scratch(int threads, int head_dim) {
    return sizeof(float) * (size_t)threads * BLOCK * (2 * (size_t)head_dim + 2 * BLOCK);
}

static struct work work_at(float *scratch, int head_dim) {
    struct work work;
    work.keys = scratch;
    work.values = work.keys + BLOCK * head_dim;
    work.weights = work.values + BLOCK * head_dim;
    work.slopes = work.weights + BLOCK * BLOCK;
    return work;
}

struct pass {
    const struct attention_shape *shape;
    const float *q, *k, *v, *out, *lse, *dout;
    float *dq, *dk, *dv;
    float *inner; /* [T, H], D */
};

enum parts { PART_QUERIES = 1, PART_KEYS = 2 };

/* One row: scores s become P, their gradients g become dS; 0 where not seen. */
static CPU_KERNEL void kernel_gradient_row(struct range seen, float scale, float lse, float inner,
                                           float *restrict s, float *restrict g) {
    for (int j = 0; j < BLOCK; j++) {
        bool in = j >= seen.first && j < seen.last;
        float p = cpu_exp(in ? scale * s[j] - lse : -INFINITY), slope = scale * p * (g[j] - inner);
        s[j] = p;
        g[j] = in ? slope : 0.0f;
    }
}

/* dK and dV, at the first of the block's keys, from P, dS and the queries' dO and Q. */
static void gather_keys(const struct pairs *pairs, const struct work *work, int width, const float *dout,
                        const float *q, ptrdiff_t q_stride, float *dv, float *dk, ptrdiff_t kv_stride) {
    int strip = pairs_strip(pairs);
    for (int j = 0; j < pairs->keys; j += strip) {
        int end = j + strip < pairs->keys ? j + strip : pairs->keys;
        struct range seen = pairs_queries(pairs, j, end);
        ptrdiff_t at = seen.first * BLOCK + j, row = seen.first * q_stride;
        int count = seen.last - seen.first;
        tile_multiply(end - j, width, count, work->weights + at, 1, BLOCK, dout + row, q_stride, 1,
                      dv + j * kv_stride, kv_stride);
        tile_multiply(end - j, width, count, work->slopes + at, 1, BLOCK, q + row, q_stride, 1,
                      dk + j * kv_stride, kv_stride);
    }
}

/* One block of queries of one head with one block of keys, whose transposes are in `work`. */
static void differentiate(const struct pass *pass, struct work *work, const struct segment *segment, int head,
                          const struct pairs *pairs, enum parts parts) {
    const struct attention_shape *shape = pass->shape;
    int width = shape->head_dim, group = shape->heads / shape->kv_heads;
    ptrdiff_t q_stride = (ptrdiff_t)shape->heads * width, kv_stride = (ptrdiff_t)shape->kv_heads * width;
    ptrdiff_t q_at = (segment->start + pairs->position) * q_stride + head * width;
    ptrdiff_t kv_at = (segment->start + pairs->key) * kv_stride + head / group * width;
    attention_scores(pairs, width, pass->q + q_at, q_stride, work->keys, work->weights);
    attention_scores(pairs, width, pass->dout + q_at, q_stride, work->values, work->slopes);
    for (int i = 0; i < pairs->rows; i++) {
        ptrdiff_t row = (ptrdiff_t)(segment->start + pairs->position + i) * shape->heads + head;
        kernel_gradient_row(pairs_keys(pairs, i, i + 1), shape->scale, pass->lse[row], pass->inner[row],
                            work->weights + i * BLOCK, work->slopes + i * BLOCK);
    }
    if (parts & PART_KEYS)
        gather_keys(pairs, work, width, pass->dout + q_at, pass->q + q_at, q_stride, pass->dv + kv_at,
                    pass->dk + kv_at, kv_stride);
    if (parts & PART_QUERIES)
        attention_combine(pairs, width, work->slopes, pass->k + kv_at, kv_stride, pass->dq + q_at, q_stride);
}

static int block_length(const struct segment *segment, int start) {
    return segment->length - start < BLOCK ? segment->length - start : BLOCK;
}

static void load_keys(const struct pass *pass, struct work *work, const struct segment *segment, int kv_head,
                      int key) {
    int width = pass->shape->head_dim, count = block_length(segment, key);
    ptrdiff_t stride = (ptrdiff_t)pass->shape->kv_heads * width,
              at = (segment->start + key) * stride + kv_head * width;
    tile_transpose(count, width, pass->k + at, stride, BLOCK, work->keys);
    tile_transpose(count, width, pass->v + at, stride, BLOCK, work->values);
}

/* One block of keys with all queries that see them: dK and dV of the block, or these and its part in dQ. */
static void differentiate_keys(const struct pass *pass, struct work *work, const struct segment *segment,
                               int kv_head, int key, enum parts parts) {
    const struct attention_shape *shape = pass->shape;
    int group = shape->heads / shape->kv_heads;
    load_keys(pass, work, segment, kv_head, key);
    for (int head = kv_head * group; head < (kv_head + 1) * group; head++)
        for (int start = key; start < segment->length; start += BLOCK) {
            struct pairs pairs = {start, block_length(segment, start), key, block_length(segment, key),
                                  shape->window};
            if (attention_first(shape->window, start) >= key + pairs.keys)
                break; /* the window has passed the keys */
            differentiate(pass, work, segment, head, &pairs, parts);
        }
}

/* One block of queries with all keys that they see: dQ of the block. */
static void differentiate_queries(const struct pass *pass, struct work *work, const struct segment *segment,
                                  int head, int start) {
    const struct attention_shape *shape = pass->shape;
    int rows = block_length(segment, start), first = attention_first(shape->window, start) / BLOCK * BLOCK;
    for (int key = first; key < start + rows; key += BLOCK) {
        struct pairs pairs = {start, rows, key, block_length(segment, key), shape->window};
        load_keys(pass, work, segment, head / (shape->heads / shape->kv_heads), key);
        differentiate(pass, work, segment, head, &pairs, PART_QUERIES);
    }
}

/* Whether one segment and key/value head a share leaves threads idle for longer than two more products a pair
 * take. */
static bool shares_are_few(const struct attention_shape *shape, int threads) {
    double all = 0.0, most = 0.0;
    for (int s = 0; s < shape->segments; s++) {
        double cost = (double)shape->segment[s].length * shape->segment[s].length;
        all += cost * shape->kv_heads;
        if (cost > most) most = cost;
    }
    return most * threads > 1.4 * all;
}

static void share_segments(const struct pass *pass, struct work *work) {
    const struct attention_shape *shape = pass->shape;
    int items = shape->segments * shape->kv_heads;
#pragma omp for schedule(dynamic)
    for (int item = 0; item < items; item++) {
        const struct segment *segment = &shape->segment[item / shape->kv_heads];
        for (int key = 0; key < segment->length; key += BLOCK)
            differentiate_keys(pass, work, segment, item % shape->kv_heads, key, PART_QUERIES | PART_KEYS);
    }
}

static void share_blocks(const struct pass *pass, struct work *work) {
    const struct attention_shape *shape = pass->shape;
    for (int s = 0; s < shape->segments; s++) {
        const struct segment *segment = &shape->segment[s];
        int blocks = (segment->length + BLOCK - 1) / BLOCK;
#pragma omp for schedule(dynamic) nowait
        for (int item = 0; item < blocks * shape->kv_heads; item++) /* early keys are seen most */
            differentiate_keys(pass, work, segment, item % shape->kv_heads, item / shape->kv_heads * BLOCK,
                               PART_KEYS);
#pragma omp for schedule(dynamic) nowait
        for (int item = 0; item < blocks * shape->heads; item++) /* late queries see most */
            differentiate_queries(pass, work, segment, item % shape->heads,
                                  (blocks - 1 - item / shape->heads) * BLOCK);
    }
}

static void attention_backward(struct backend *b, const struct attention_shape *shape, struct view q,
                               struct view k, struct view v, struct view out, struct view lse,
                               struct view dout, struct view dq, struct view dk, struct view dv) {
    static const char name[] = "attention_backward";
    struct cpu *cpu = cpu_of(b);
    struct error err = {0};
    if (!cpu_ready(cpu)) return;
    if (attention_shape_check_backward(shape, &err)) cpu_fail(cpu, err.code, name, "%s", err.message);
    if (err.code || shape->rows == 0) return;
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
                        cpu_f32(cpu, name, dv, keys * width),
                        NULL};
    int threads = queries * width < SMALL ? 1 : cpu->threads;
    size_t mine = cpu_attention_scratch(1, shape->head_dim);
    unsigned char *scratch = cpu_scratch(cpu, name, (size_t)threads * mine + queries * sizeof(float));
    if (!cpu_ready(cpu)) return;
    pass.inner = (float *)(void *)(scratch + (size_t)threads * mine);
    bool few = shares_are_few(shape, threads);
#pragma omp parallel num_threads(threads)
    {
        struct work work =
            work_at((float *)(void *)(scratch + (size_t)omp_get_thread_num() * mine), shape->head_dim);
#pragma omp for schedule(static)
        for (size_t t = 0; t < rows; t++) {
            size_t row = t * (size_t)shape->heads, at = row * width,
                   key = t * (size_t)shape->kv_heads * width;
            for (size_t h = 0; h < (size_t)shape->heads; h++)
                pass.inner[row + h] =
                    (float)cpu_dot(width, pass.dout + at + h * width, pass.out + at + h * width);
            memset(pass.dq + at, 0, sizeof(float) * width * (size_t)shape->heads);
            memset(pass.dk + key, 0, sizeof(float) * width * (size_t)shape->kv_heads);
            memset(pass.dv + key, 0, sizeof(float) * width * (size_t)shape->kv_heads);
        }
        if (few)
            share_blocks(&pass, &work);
        else
            share_segments(&pass, &work);
    }
}

void cpu_install_attention_backward(struct backend *b) {
    b->attention_backward = attention_backward;
}

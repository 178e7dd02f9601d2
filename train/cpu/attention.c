#include "train/cpu/attention.h"

#include "train/cpu/kernels.h"
#include "train/cpu/tile.h"
#include <omp.h>

enum { BLOCK = ATTENTION_BLOCK };

bool attention_shape_good(struct cpu *cpu, const char *operation, const struct attention_shape *shape) {
    if (!cpu_sizes(cpu, operation, shape->rows, shape->segments, shape->window)) return false;
    if (shape->heads < 1 || shape->kv_heads < 1 || shape->head_dim < 1 || shape->heads % shape->kv_heads) {
        cpu_fail(cpu, ERROR_INTERNAL, operation, "%d heads, %d key/value heads of dimension %d", shape->heads,
                 shape->kv_heads, shape->head_dim);
        return false;
    }
    int64_t next = 0;
    for (int s = 0; s < shape->segments; s++) {
        const struct segment *g = &shape->segment[s];
        bool good = g->start == next && g->length >= 0 && g->prefix_length >= 0 &&
                    (g->prefix_length == 0 ||
                     (g->prefix_start >= 0 && (int64_t)g->prefix_start + g->prefix_length <= g->start));
        next += g->length;
        if (good && next <= shape->rows) continue;
        cpu_fail(cpu, ERROR_INTERNAL, operation,
                 "segment %d (start %d, length %d, prefix %d + %d) among %d rows", s, g->start, g->length,
                 g->prefix_start, g->prefix_length, shape->rows);
        return false;
    }
    if (next == shape->rows) return true;
    cpu_fail(cpu, ERROR_INTERNAL, operation, "segments cover %lld of %d rows", (long long)next, shape->rows);
    return false;
}

/* What a thread works in: for one block of queries, its running maximum and sum, its output; for one block of
 * keys, the keys transposed and the scores. */
struct work {
    float *output;  /* [BLOCK, C] */
    float *keys;    /* [C, BLOCK] */
    float *scores;  /* [BLOCK, BLOCK] */
    float *maximum; /* [BLOCK] */
    float *sum;     /* [BLOCK] */
};

static size_t forward_floats(int head_dim) {
    return (size_t)BLOCK * (2 * (size_t)head_dim + BLOCK + 2);
}

static struct work work_at(float *scratch, int head_dim) {
    struct work work;
    work.output = scratch;
    work.keys = work.output + BLOCK * head_dim;
    work.scores = work.keys + BLOCK * head_dim;
    work.maximum = work.scores + BLOCK * BLOCK;
    work.sum = work.maximum + BLOCK;
    return work;
}

/* One row of scores, of which [first, last) are seen: updates the running maximum and sum, turns the scores
 * into weights (0 where not seen) and returns the factor for what was summed before. */
static CPU_KERNEL float kernel_softmax_row(int first, int last, int count, float scale,
                                           float *restrict scores, float *restrict maximum,
                                           float *restrict sum) {
    enum { LANES = 16 };
    float largest = *maximum;
    for (int j = 0; j < first; j++) scores[j] = 0.0f;
    for (int j = last; j < count; j++) scores[j] = 0.0f;
    if (first >= last) return 1.0f;
    for (int j = first; j < last; j++) {
        scores[j] *= scale;
        largest = scores[j] > largest ? scores[j] : largest;
    }
    float total = 0.0f;
    for (int j = first; j < last; j++) scores[j] = cpu_exp(scores[j] - largest);
    for (int j = first; j < last; j++) total += scores[j];
    float factor = cpu_exp(*maximum - largest);
    *maximum = largest;
    *sum = *sum * factor + total;
    return factor;
}

struct pass {
    const struct attention_shape *shape;
    const float *q, *k, *v;
    float *out, *lse;
};

/* Takes `count` keys, at rows row.. and positions position.., into the block of `rows` queries at row `query`
 * of position `query_position`. */
static void take_keys(const struct pass *pass, struct work *work, int head, int query, int query_position,
                      int rows, int row, int position, int count) {
    const struct attention_shape *shape = pass->shape;
    int width = shape->head_dim, group = shape->heads / shape->kv_heads;
    ptrdiff_t q_stride = (ptrdiff_t)shape->heads * width, kv_stride = (ptrdiff_t)shape->kv_heads * width;
    const float *q = pass->q + query * q_stride + head * width;
    ptrdiff_t kv_at = row * kv_stride + head / group * width;
    tile_transpose(count, width, pass->k + kv_at, kv_stride, BLOCK, work->keys);
    tile_multiply(rows, BLOCK, width, q, q_stride, 1, work->keys, BLOCK, 0, work->scores, BLOCK);
    for (int i = 0; i < rows; i++) {
        int first = attention_first(shape, query_position + i) - position,
            last = query_position + i + 1 - position;
        first = first < 0 ? 0 : first > count ? count : first;
        last = last > count ? count : last < first ? first : last;
        float factor = kernel_softmax_row(first, last, count, shape->scale, work->scores + i * BLOCK,
                                          work->maximum + i, work->sum + i);
        if (factor != 1.0f)
            for (int c = 0; c < width; c++) work->output[i * width + c] *= factor;
    }
    tile_multiply(rows, width, count, work->scores, BLOCK, 1, pass->v + kv_at, kv_stride, 1, work->output,
                  width);
}

/* The outputs of `rows` queries from index `start` of a segment on. */
static void attend(const struct pass *pass, struct work *work, const struct segment *segment, int head,
                   int start, int rows) {
    const struct attention_shape *shape = pass->shape;
    int width = shape->head_dim, prefix = segment->prefix_length, query = segment->start + start;
    int position = prefix + start, first = attention_first(shape, position), last = position + rows;
    for (int i = 0; i < rows; i++) {
        work->maximum[i] = -INFINITY;
        work->sum[i] = 0.0f;
    }
    memset(work->output, 0, sizeof(float) * (size_t)rows * (size_t)width);
    for (int at = first; at < last;) {
        bool before = at < prefix; /* a block of keys is of the prefix or of the segment */
        int end = before ? prefix : last, count = end - at < BLOCK ? end - at : BLOCK;
        int row = before ? segment->prefix_start + at : segment->start + at - prefix;
        take_keys(pass, work, head, query, position, rows, row, at, count);
        at += count;
    }
    for (int i = 0; i < rows; i++) {
        ptrdiff_t row = (ptrdiff_t)(query + i) * shape->heads + head;
        float inverse = 1.0f / work->sum[i];
        for (int c = 0; c < width; c++) pass->out[row * width + c] = work->output[i * width + c] * inverse;
        pass->lse[row] = work->maximum[i] + logf(work->sum[i]);
    }
}

static void attention(struct backend *b, const struct attention_shape *shape, struct view q, struct view k,
                      struct view v, struct view out, struct view lse) {
    static const char name[] = "attention";
    struct cpu *cpu = cpu_of(b);
    if (!attention_shape_good(cpu, name, shape) || shape->rows == 0) return;
    size_t width = (size_t)shape->head_dim, rows = (size_t)shape->rows;
    size_t queries = rows * (size_t)shape->heads, keys = rows * (size_t)shape->kv_heads;
    struct pass pass = {shape,
                        cpu_f32(cpu, name, q, queries * width),
                        cpu_f32(cpu, name, k, keys * width),
                        cpu_f32(cpu, name, v, keys * width),
                        cpu_f32(cpu, name, out, queries * width),
                        cpu_f32(cpu, name, lse, queries)};
    size_t floats = forward_floats(shape->head_dim);
    float *scratch = cpu_scratch(cpu, name, cpu_attention_scratch(cpu->threads, shape->head_dim));
    if (!cpu_ready(cpu)) return;
#pragma omp parallel num_threads(cpu->threads)
    {
        struct work work = work_at(scratch + (size_t)omp_get_thread_num() * floats, shape->head_dim);
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

#include "train/cpu/attention.h"

#include "train/cpu/kernels.h"
#include "train/cpu/tile.h"
#include <omp.h>

enum {
    BLOCK = ATTENTION_BLOCK,
    SMALL = 16384 /* elements of q below which one thread does it all */
};

/* What a thread works in: for one block of queries the running softmax, for one block of keys the scores. */
struct work {
    float *output;  /* [BLOCK, C] sum so far, relative to the maximum so far */
    float *keys;    /* [C, BLOCK] */
    float *scores;  /* [BLOCK, BLOCK] */
    float *maximum; /* [BLOCK] */
    float *sum;     /* [BLOCK] */
};

static struct work work_at(float *scratch, int head_dim) {
    struct work work;
    work.output = scratch;
    work.keys = work.output + BLOCK * head_dim;
    work.scores = work.keys + BLOCK * head_dim;
    work.maximum = work.scores + BLOCK * BLOCK;
    work.sum = work.maximum + BLOCK;
    return work;
}

/* One row of scores, of which `seen` are: turns them into weights relative to the new maximum, 0 where not
 * seen, and brings maximum, sum and output [C] up to date. All BLOCK columns are gone through: a constant
 * number is faster. */
static CPU_KERNEL void kernel_softmax_row(struct range seen, float scale, int width, float *restrict scores,
                                          float *restrict maximum, float *restrict sum,
                                          float *restrict output) {
    const bool some = seen.first < seen.last;
    float largest = *maximum;
    for (int j = 0; j < BLOCK; j++)
        scores[j] = j >= seen.first && j < seen.last ? scores[j] * scale : -INFINITY;
    if (some) {
        cpu_vec most = *(const cpu_vec *)scores;
        for (int j = CPU_LANES; j < BLOCK; j += CPU_LANES) cpu_keep_larger(&most, scores + j);
        float here = cpu_largest_lane(&most);
        largest = here > largest ? here : largest;
    }
    /* Before any key is seen the maximum is -infinity, and a difference from it no number. */
    const float base = !some && largest == -INFINITY ? 0.0f : largest;
    for (int j = 0; j < BLOCK; j++) scores[j] = cpu_exp(scores[j] - base);
    cpu_vec total = *(const cpu_vec *)scores;
    for (int j = CPU_LANES; j < BLOCK; j += CPU_LANES) total += *(const cpu_vec *)(scores + j);
    if (largest != *maximum) {
        float factor = cpu_exp(*maximum - largest);
        *sum *= factor;
        for (int c = 0; c < width; c++) output[c] *= factor;
    }
    *maximum = largest;
    *sum += cpu_sum_lanes(&total);
}

static CPU_KERNEL void kernel_divide(int width, float divisor, const float *restrict x, float *restrict y) {
    float inverse = 1.0f / divisor;
    for (int c = 0; c < width; c++) y[c] = x[c] * inverse;
}

struct pass {
    const struct attention_shape *shape;
    const float *q, *k, *v;
    float *out, *lse;
};

/* Takes the keys at rows row.. into a block of queries at rows query.. of one head. */
static void take_keys(const struct pass *pass, struct work *work, const struct pairs *pairs, int head,
                      int query, int row) {
    const struct attention_shape *shape = pass->shape;
    int width = shape->head_dim, group = shape->heads / shape->kv_heads;
    ptrdiff_t q_stride = (ptrdiff_t)shape->heads * width, kv_stride = (ptrdiff_t)shape->kv_heads * width;
    ptrdiff_t kv_at = row * kv_stride + head / group * width;
    tile_transpose(pairs->keys, width, pass->k + kv_at, kv_stride, BLOCK, work->keys);
    attention_scores(pairs, width, pass->q + query * q_stride + head * width, q_stride, work->keys,
                     work->scores);
    for (int i = 0; i < pairs->rows; i++)
        kernel_softmax_row(pairs_keys(pairs, i, i + 1), shape->scale, width, work->scores + i * BLOCK,
                           work->maximum + i, work->sum + i, work->output + i * width);
    attention_combine(pairs, width, work->scores, pass->v + kv_at, kv_stride, work->output, width);
}

/* The outputs of one head's queries `start` .. `start + rows - 1` of a segment. */
static void attend(const struct pass *pass, struct work *work, const struct segment *segment, int head,
                   int start, int rows) {
    const struct attention_shape *shape = pass->shape;
    int width = shape->head_dim, prefix = segment->prefix_length, query = segment->start + start;
    struct pairs pairs = {.position = prefix + start, .rows = rows, .window = shape->window};
    for (int i = 0; i < rows; i++) {
        work->maximum[i] = -INFINITY;
        work->sum[i] = 0.0f;
    }
    memset(work->output, 0, sizeof(float) * (size_t)rows * (size_t)width);
    int last = pairs.position + rows;
    for (int key = attention_first(shape->window, pairs.position); key < last; key += pairs.keys) {
        bool before = key < prefix; /* a block of keys is of the prefix or of the segment */
        int end = before ? prefix : last;
        pairs.key = key;
        pairs.keys = end - key < BLOCK ? end - key : BLOCK;
        take_keys(pass, work, &pairs, head, query,
                  before ? segment->prefix_start + key : segment->start + key - prefix);
    }
    for (int i = 0; i < rows; i++) {
        ptrdiff_t row = (ptrdiff_t)(query + i) * shape->heads + head;
        kernel_divide(width, work->sum[i], work->output + i * width, pass->out + row * width);
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
    int threads = queries * width < SMALL ? 1 : cpu->threads;
    size_t mine = cpu_attention_scratch(1, shape->head_dim);
    unsigned char *scratch = cpu_scratch(cpu, name, (size_t)threads * mine);
    if (!cpu_ready(cpu)) return;
#pragma omp parallel num_threads(threads)
    {
        struct work work =
            work_at((float *)(void *)(scratch + (size_t)omp_get_thread_num() * mine), shape->head_dim);
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

/* Times of single operations beside the matrix product of the same run, at the shapes of a small model's
 * training step.
 *
 *     bench_operations [THREADS [BACKEND]]
 *
 * prints a line an operation: its shape, milliseconds (the best of several runs), GFLOP/s or GB/s, and the
 * rate as a share of the product's at 2048 x 2048 x 2048. */
#include "base/memory.h"
#include "base/random.h"
#include "train/backend.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* SmolLM2-135M: a batch of four segments. */
enum {
    ROWS = 2048,
    SEGMENTS = 4,
    HIDDEN = 576,
    HEADS = 9,
    KV_HEADS = 3,
    HEAD_DIM = 64,
    FORWARD = 1536,
    VOCABULARY = 49152,
    PARAMETERS = 20000000,
    REPEATS = 7
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(int code, const struct error *err) {
    if (!code) return;
    fprintf(stderr, "bench_operations: %s\n", err->message);
    exit(1);
}

/* Random numbers of size `spread`; 0: zeros. Lives until the process ends. */
static struct view make(struct backend *b, size_t count, float spread) {
    struct error err = {0};
    struct view view = {NULL, 0, DTYPE_F32};
    struct random_key key = {.seed = count, .purpose = RANDOM_TEST};
    float block[4096];
    must(b->buffer_create(b, count * 4, &view.buffer, &err), &err);
    for (size_t i = 0; i < 4096; i++) block[i] = spread * (float)random_normal(key, i);
    for (size_t at = 0; spread > 0.0f && at < count; at += 4096)
        b->upload(b, view_at(view, at), block, count - at < 4096 ? count - at : 4096);
    return view;
}

struct bench {
    struct backend *b;
    struct attention_shape shape;
    struct linear_cross_entropy loss;
    struct view big[3], rows[4], wide[5], narrow[4], norm, lse, kv[4], vector[4], slots[3], alignment;
};

static void run_product(struct bench *x) {
    x->b->matmul(x->b, false, true, 2048, 2048, 2048, 1.0f, x->big[0], 2048, x->big[1], 2048, 0.0f, x->big[2],
                 2048);
}
static void run_up(struct bench *x) {
    x->b->matmul(x->b, false, true, ROWS, FORWARD, HIDDEN, 1.0f, x->rows[0], HIDDEN, x->big[1], HIDDEN, 0.0f,
                 x->wide[0], FORWARD);
}
static void gradient(struct bench *x, const struct view *slot) {
    struct linear_gradient args = {.rows = ROWS,
                                   .out = FORWARD,
                                   .in = HIDDEN,
                                   .input = x->rows[0],
                                   .output_gradient = x->wide[0],
                                   .gradient = x->big[2]};
    if (slot) {
        args.direction = x->big[1];
        args.slot = *slot;
        args.alignment = x->alignment;
    }
    x->b->linear_gradient(x->b, &args);
}
static void run_gradient(struct bench *x) {
    gradient(x, NULL);
}
static void run_gradient_5(struct bench *x) {
    gradient(x, &x->slots[0]);
}
static void run_gradient_20(struct bench *x) {
    gradient(x, &x->slots[1]);
}
static void run_gradient_50(struct bench *x) {
    gradient(x, &x->slots[2]);
}
/* The other way to the same alignments: <dy_t, G x_t> of every row. */
static void run_gradient_rows(struct bench *x) {
    gradient(x, NULL);
    x->b->matmul(x->b, false, true, ROWS, FORWARD, HIDDEN, 1.0f, x->rows[0], HIDDEN, x->big[1], HIDDEN, 0.0f,
                 x->wide[1], FORWARD);
    x->b->row_dot(x->b, ROWS, FORWARD, x->wide[1], x->wide[0], x->slots[1], x->alignment);
}
static void run_attention(struct bench *x) {
    x->b->attention(x->b, &x->shape, x->rows[0], x->kv[0], x->kv[1], x->rows[1], x->lse);
}
static void run_attention_backward(struct bench *x) {
    x->b->attention_backward(x->b, &x->shape, x->rows[0], x->kv[0], x->kv[1], x->rows[1], x->lse, x->rows[2],
                             x->rows[3], x->kv[2], x->kv[3]);
}
static void run_rmsnorm(struct bench *x) {
    x->b->rmsnorm(x->b, ROWS, HIDDEN, 1e-5f, 0.0f, x->rows[0], x->norm, x->rows[1], x->lse);
}
static void run_rmsnorm_backward(struct bench *x) {
    x->b->rmsnorm_backward(x->b, ROWS, HIDDEN, 0.0f, x->rows[0], x->norm, x->lse, x->rows[2], true,
                           x->rows[3], x->norm);
}
static void run_gated(struct bench *x) {
    x->b->gated(x->b, (size_t)ROWS * FORWARD, ACTIVATION_SILU, x->wide[0], x->wide[1], x->wide[2]);
}
static void run_gated_backward(struct bench *x) {
    x->b->gated_backward(x->b, (size_t)ROWS * FORWARD, ACTIVATION_GELU_TANH, x->wide[0], x->wide[1],
                         x->wide[2], x->wide[3], x->wide[4]);
}
static void run_loss(struct bench *x) {
    struct linear_cross_entropy forward = x->loss;
    forward.row_weight = forward.hidden_gradient = forward.weight_gradient = view_none();
    x->b->linear_cross_entropy(x->b, &forward);
}
static void run_loss_backward(struct bench *x) {
    x->b->linear_cross_entropy(x->b, &x->loss);
}
static void run_adamw(struct bench *x) {
    struct adamw_step step = {1e-4f, 0.9f, 0.999f, 1e-8f, 0.0f, 0.1f, 0.001f, {NULL, 0, DTYPE_F32}};
    x->b->adamw(x->b, PARAMETERS, &step, x->vector[0], x->vector[1], x->vector[2], x->vector[3]);
}
static void run_dot(struct bench *x) {
    struct view result = {x->lse.buffer, 0, DTYPE_F64};
    x->b->dot(x->b, PARAMETERS, x->vector[0], x->vector[3], result);
}

/* Rows of `count` slots, one slot after the other. */
static struct view make_slots(struct backend *b, int count) {
    int32_t slot[ROWS];
    struct view view = make(b, ROWS, 0.0f);
    view.dtype = DTYPE_I32;
    for (int t = 0; t < ROWS; t++) slot[t] = t * count / ROWS;
    b->upload(b, view, slot, ROWS);
    return view;
}

static struct bench set_up(struct backend *b) {
    static struct segment segment[SEGMENTS];
    struct bench x = {.b = b};
    for (int s = 0; s < SEGMENTS; s++)
        segment[s] = (struct segment){s * (ROWS / SEGMENTS), ROWS / SEGMENTS, 0, 0};
    x.shape = (struct attention_shape){ROWS, HEADS, KV_HEADS, HEAD_DIM, 0, 0.125f, SEGMENTS, segment};
    for (int i = 0; i < 3; i++) x.big[i] = make(b, 2048 * 2048, 0.02f);
    for (int i = 0; i < 4; i++) x.rows[i] = make(b, (size_t)ROWS * HIDDEN, 1.0f);
    for (int i = 0; i < 5; i++) x.wide[i] = make(b, (size_t)ROWS * FORWARD, 1.0f);
    for (int i = 0; i < 4; i++) x.kv[i] = make(b, (size_t)ROWS * KV_HEADS * HEAD_DIM, 1.0f);
    for (int i = 0; i < 4; i++) x.vector[i] = make(b, PARAMETERS, i == 2 ? 0.0f : 0.02f);
    x.norm = make(b, HIDDEN, 1.0f);
    x.lse = make(b, (size_t)ROWS * HEADS, 1.0f);
    static const int counts[3] = {5, 20, 50};
    for (int i = 0; i < 3; i++) x.slots[i] = make_slots(b, counts[i]);
    x.alignment = make(b, 2 * 50, 0.0f);
    x.alignment.dtype = DTYPE_F64;
    x.loss = (struct linear_cross_entropy){.rows = ROWS, .hidden = HIDDEN, .vocabulary = VOCABULARY};
    x.loss.hidden_states = x.rows[0];
    x.loss.weight = make(b, (size_t)VOCABULARY * HIDDEN, 0.02f);
    x.loss.target = make(b, ROWS, 0.0f);
    x.loss.target.dtype = DTYPE_I32;
    x.loss.loss = make(b, ROWS, 0.0f);
    x.loss.row_weight = make(b, ROWS, 1.0f);
    x.loss.hidden_gradient = x.rows[1];
    x.loss.weight_gradient = make(b, (size_t)VOCABULARY * HIDDEN, 0.0f);
    return x;
}

int main(int argc, char **argv) {
    const double scores =
        0.5 * SEGMENTS * (ROWS / SEGMENTS) * (ROWS / SEGMENTS) * HEADS * HEAD_DIM; /* seen, times C */
    const double layer = (double)ROWS * HIDDEN * VOCABULARY, row_bytes = 4.0 * ROWS * HIDDEN;
    const double wide_bytes = 4.0 * ROWS * FORWARD;
    const struct {
        const char *name;
        void (*run)(struct bench *);
        double flops, bytes; /* one of them */
    } benches[] = {{"matmul 2048^3", run_product, 2.0 * 2048 * 2048 * 2048, 0},
                   {"matmul 2048x1536x576", run_up, 2.0 * ROWS * FORWARD * HIDDEN, 0},
                   {"linear_gradient 1536x576", run_gradient, 2.0 * ROWS * FORWARD * HIDDEN, 0},
                   {"  with alignments of 5 slots", run_gradient_5, 2.0 * ROWS * FORWARD * HIDDEN, 0},
                   {"  with alignments of 20 slots", run_gradient_20, 2.0 * ROWS * FORWARD * HIDDEN, 0},
                   {"  with alignments of 50 slots", run_gradient_50, 2.0 * ROWS * FORWARD * HIDDEN, 0},
                   {"  the same, row by row", run_gradient_rows, 2.0 * ROWS * FORWARD * HIDDEN, 0},
                   {"attention 4x512", run_attention, 2.0 * 2.0 * scores, 0},
                   {"attention_backward 4x512", run_attention_backward, 5.0 * 2.0 * scores, 0},
                   {"linear_cross_entropy, forward", run_loss, 2.0 * layer, 0},
                   {"linear_cross_entropy, all", run_loss_backward, 6.0 * layer, 0},
                   {"rmsnorm 2048x576", run_rmsnorm, 0, 2.0 * row_bytes},
                   {"rmsnorm_backward 2048x576", run_rmsnorm_backward, 0, 4.0 * row_bytes},
                   {"gated SiLU 2048x1536", run_gated, 0, 3.0 * wide_bytes},
                   {"gated_backward GELU", run_gated_backward, 0, 5.0 * wide_bytes},
                   {"adamw 20M", run_adamw, 0, 7.0 * 4.0 * PARAMETERS},
                   {"dot 20M", run_dot, 0, 2.0 * 4.0 * PARAMETERS}};
    struct error err = {0};
    struct backend *b;
    must(backend_create(argc > 2 ? argv[2] : "cpu", argc > 1 ? atoi(argv[1]) : 0, &b, &err), &err);
    must(b->reserve(b, ROWS, HIDDEN, VOCABULARY, ROWS, &err), &err);
    struct bench x = set_up(b);
    double peak = 0.0;
    for (size_t i = 0; i < sizeof benches / sizeof *benches; i++) {
        double best = INFINITY;
        for (int r = 0; r < REPEATS; r++) {
            double start = now();
            benches[i].run(&x);
            must(b->check(b, &err), &err);
            double seconds = now() - start;
            if (seconds < best) best = seconds;
        }
        double rate = (benches[i].flops > 0 ? benches[i].flops : benches[i].bytes) / best * 1e-9;
        if (i == 0) peak = rate;
        printf("%-32s %9.3f ms  %7.1f %s", benches[i].name, 1e3 * best, rate,
               benches[i].flops > 0 ? "GFLOP/s" : "GB/s");
        if (benches[i].flops > 0) printf("  %3.0f %%", 100.0 * rate / peak);
        printf("\n");
    }
    backend_destroy(&b);
    return 0;
}

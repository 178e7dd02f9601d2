/* The cpu backend from inside: its state, its failures, its scratch memory, and how an operation gets at its
 * operands.
 *
 * Results do not depend on the number of threads: every sum is cut into pieces that the shape alone
 * determines, except inside the GEMM library. */
#ifndef ADAPT_TRAIN_CPU_CPU_H
#define ADAPT_TRAIN_CPU_CPU_H

#include "train/backend.h"
#include "train/cpu/gemm.h"

struct cpu {
    struct backend base; /* first, so that a struct backend * is a struct cpu * */
    int threads;
    struct gemm *gemm;
    struct error failure;   /* the first one since the last check; operations do nothing while it stands */
    struct buffer *scratch; /* shared by operations, contents last for one operation; NULL: none yet */
    double stamp[BACKEND_STAMPS]; /* clock_seconds; 0: put nowhere */
};

int cpu_backend_create(int threads, struct backend **out, struct error *err);

/* Keeps the failure of `operation` unless an earlier one is kept. */
void cpu_fail(struct cpu *cpu, int code, const char *operation, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The memory of `count` elements at a view. NULL after a failure: the buffer is absent, of another dtype, or
 * shorter. With count 0 any view is good, and the pointer is not NULL but must not be used. */
float *cpu_f32(struct cpu *cpu, const char *operation, struct view view, size_t count);
double *cpu_f64(struct cpu *cpu, const char *operation, struct view view, size_t count);
int32_t *cpu_i32(struct cpu *cpu, const char *operation, struct view view, size_t count);
/* As above, and every value is in 0 .. bound-1. */
const int32_t *cpu_indices(struct cpu *cpu, const char *operation, struct view view, size_t count,
                           size_t bound);
/* Elements from the view to the end of its buffer; 0 for an absent one. */
size_t cpu_room(struct view view);
/* Whether sizes are not negative; a failure otherwise. */
bool cpu_sizes(struct cpu *cpu, const char *operation, int a, int b, int c);

/* At least `bytes` of scratch memory, aligned to 64; NULL after a failure. The contents are whatever the last
 * operation left. */
void *cpu_scratch(struct cpu *cpu, const char *operation, size_t bytes);

/* Elements that a matrix of `rows` rows of `columns`, `stride` apart, spans. */
static inline size_t cpu_span(int rows, int columns, int stride) {
    return rows > 0 && columns > 0 ? (size_t)(rows - 1) * (size_t)stride + (size_t)columns : 0;
}

static inline struct cpu *cpu_of(struct backend *b) {
    return (struct cpu *)b;
}

/* Whether an operation may run; the first line of each. */
static inline bool cpu_ready(const struct cpu *cpu) {
    return cpu->failure.code == 0;
}

/* Scratch that an operation needs for given shapes, in bytes; `reserve` takes the largest. */
size_t cpu_rmsnorm_scratch(int columns);
size_t cpu_attention_scratch(int threads, int head_dim);
size_t cpu_cross_entropy_scratch(int threads, int targets, int hidden, int vocabulary, bool alignment);
size_t cpu_argmax_scratch(int threads, int hidden);

/* Each family puts its operations into the table. */
void cpu_install_memory(struct backend *b);
void cpu_install_stamps(struct backend *b);
void cpu_install_vectors(struct backend *b);
void cpu_install_matmul(struct backend *b);
void cpu_install_rows(struct backend *b);
void cpu_install_rmsnorm(struct backend *b);
void cpu_install_rope(struct backend *b);
void cpu_install_attention(struct backend *b);
void cpu_install_attention_backward(struct backend *b);
void cpu_install_attention_cached(struct backend *b);
void cpu_install_gated(struct backend *b);
void cpu_install_cross_entropy(struct backend *b);
void cpu_install_linear_argmax(struct backend *b);
void cpu_install_optimizer(struct backend *b);

#endif

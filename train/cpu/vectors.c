/* Operations on whole vectors. */
#include "train/cpu/cpu.h"
#include "train/cpu/kernels.h"

enum {
    PIECE = 16384, /* elements a thread takes at a time */
    SUMS = 256,    /* partial sums of a dot product, whatever the number of threads */
    MULTIPLE = 16  /* elements; keeps the pieces of a sum aligned */
};

static inline size_t piece_length(size_t n, size_t start, size_t length) {
    return n - start < length ? n - start : length;
}

static CPU_KERNEL void kernel_scale(size_t n, float a, float *x) {
    for (size_t i = 0; i < n; i++) x[i] *= a;
}

static void scale(struct backend *b, size_t n, float a, struct view x) {
    struct cpu *cpu = cpu_of(b);
    float *data = cpu_f32(cpu, "scale", x, n);
    if (!data) return;
#pragma omp parallel for num_threads(cpu->threads) schedule(static) if (n > PIECE)
    for (size_t start = 0; start < n; start += PIECE)
        kernel_scale(piece_length(n, start, PIECE), a, data + start);
}

static CPU_KERNEL void kernel_add(size_t n, float a, const float *x, float *y) {
    for (size_t i = 0; i < n; i++) y[i] += a * x[i];
}

static void add(struct backend *b, size_t n, float a, struct view x, struct view y) {
    struct cpu *cpu = cpu_of(b);
    const float *from = cpu_f32(cpu, "add", x, n);
    float *to = cpu_f32(cpu, "add", y, n);
    if (!from || !to) return;
#pragma omp parallel for num_threads(cpu->threads) schedule(static) if (n > PIECE)
    for (size_t start = 0; start < n; start += PIECE)
        kernel_add(piece_length(n, start, PIECE), a, from + start, to + start);
}

static void dot(struct backend *b, size_t n, struct view x, struct view y, struct view result) {
    struct cpu *cpu = cpu_of(b);
    const float *left = cpu_f32(cpu, "dot", x, n), *right = cpu_f32(cpu, "dot", y, n);
    double *total = cpu_f64(cpu, "dot", result, 1);
    if (!left || !right || !total) return;
    size_t length = ((n + SUMS - 1) / SUMS + MULTIPLE - 1) / MULTIPLE * MULTIPLE;
    double sums[SUMS] = {0};
#pragma omp parallel for num_threads(cpu->threads) schedule(static) if (n > PIECE)
    for (int s = 0; s < SUMS; s++) {
        size_t start = (size_t)s * length;
        if (start < n) sums[s] = cpu_dot(piece_length(n, start, length), left + start, right + start);
    }
    double sum = 0.0;
    for (int s = 0; s < SUMS; s++) sum += sums[s];
    *total += sum;
}

/* A norm that is not a number gives a factor that is not one: a broken gradient must not pass as a small one.
 */
static void clip_factor(struct backend *b, float limit, struct view squares, struct view factor) {
    struct cpu *cpu = cpu_of(b);
    const double *sum = cpu_f64(cpu, "clip_factor", squares, 1);
    float *out = cpu_f32(cpu, "clip_factor", factor, 1);
    if (!sum || !out) return;
    double norm = sqrt(*sum);
    *out = limit <= 0.0f || norm <= (double)limit ? 1.0f : (float)((double)limit / norm);
}

void cpu_install_vectors(struct backend *b) {
    b->scale = scale;
    b->add = add;
    b->dot = dot;
    b->clip_factor = clip_factor;
}

/* Steps of the optimizers, each one pass over its vectors. */
#include "train/cpu/cpu.h"
#include "train/cpu/kernels.h"

enum { PIECE = 16384 };

/* The factor on every gradient, or 1; false after a failure. */
static bool gradient_scale(struct cpu *cpu, const char *operation, const struct adamw_step *step,
                           float *scale) {
    *scale = 1.0f;
    if (!step->gradient_scale.buffer) return cpu_ready(cpu);
    const float *factor = cpu_f32(cpu, operation, step->gradient_scale, 1);
    if (factor) *scale = *factor;
    return factor != NULL;
}

static CPU_KERNEL void kernel_adamw(size_t n, const struct adamw_step *step, float scale,
                                    const float *restrict g, float *restrict m, float *restrict v,
                                    float *restrict w) {
    const float beta1 = step->beta1, beta2 = step->beta2, epsilon = step->epsilon;
    const float rate = step->learning_rate / step->correction1,
                keep = 1.0f - step->learning_rate * step->weight_decay;
    const float root = 1.0f / sqrtf(step->correction2);
    for (size_t i = 0; i < n; i++) {
        float gi = scale * g[i];
        float mi = cpu_flush(beta1 * m[i] + (1.0f - beta1) * gi);
        float vi = cpu_flush(beta2 * v[i] + (1.0f - beta2) * gi * gi);
        m[i] = mi;
        v[i] = vi;
        w[i] = keep * w[i] - rate * mi / (sqrtf(vi) * root + epsilon);
    }
}

static void adamw(struct backend *b, size_t n, const struct adamw_step *step, struct view g, struct view m,
                  struct view v, struct view w) {
    struct cpu *cpu = cpu_of(b);
    float factor;
    const float *gradient = cpu_f32(cpu, "adamw", g, n);
    float *first = cpu_f32(cpu, "adamw", m, n), *second = cpu_f32(cpu, "adamw", v, n),
          *weight = cpu_f32(cpu, "adamw", w, n);
    if (!gradient || !first || !second || !weight || !gradient_scale(cpu, "adamw", step, &factor)) return;
#pragma omp parallel for num_threads(cpu->threads) schedule(static) if (n > PIECE)
    for (size_t i = 0; i < n; i += PIECE)
        kernel_adamw(n - i < PIECE ? n - i : PIECE, step, factor, gradient + i, first + i, second + i,
                     weight + i);
}

static CPU_KERNEL void kernel_sgd(size_t n, float keep, float rate, const float *restrict g,
                                  float *restrict w) {
    for (size_t i = 0; i < n; i++) w[i] = keep * w[i] - rate * g[i];
}

static void sgd(struct backend *b, size_t n, const struct adamw_step *step, struct view g, struct view w) {
    struct cpu *cpu = cpu_of(b);
    float factor;
    const float *gradient = cpu_f32(cpu, "sgd", g, n);
    float *weight = cpu_f32(cpu, "sgd", w, n);
    if (!gradient || !weight || !gradient_scale(cpu, "sgd", step, &factor)) return;
    float keep = 1.0f - step->learning_rate * step->weight_decay, rate = step->learning_rate * factor;
#pragma omp parallel for num_threads(cpu->threads) schedule(static) if (n > PIECE)
    for (size_t i = 0; i < n; i += PIECE)
        kernel_sgd(n - i < PIECE ? n - i : PIECE, keep, rate, gradient + i, weight + i);
}

static CPU_KERNEL void kernel_precondition(size_t n, const struct adamw_step *step, const float *restrict v,
                                           float *restrict g) {
    const float top = (1.0f - step->beta1) / step->correction1, epsilon = step->epsilon;
    const float root = 1.0f / sqrtf(step->correction2);
    for (size_t i = 0; i < n; i++) g[i] *= top / (sqrtf(v[i]) * root + epsilon);
}

static void precondition(struct backend *b, size_t n, const struct adamw_step *step, struct view v,
                         struct view g) {
    struct cpu *cpu = cpu_of(b);
    const float *second = cpu_f32(cpu, "precondition", v, n);
    float *gradient = cpu_f32(cpu, "precondition", g, n);
    if (!second || !gradient) return;
#pragma omp parallel for num_threads(cpu->threads) schedule(static) if (n > PIECE)
    for (size_t i = 0; i < n; i += PIECE)
        kernel_precondition(n - i < PIECE ? n - i : PIECE, step, second + i, gradient + i);
}

void cpu_install_optimizer(struct backend *b) {
    b->adamw = adamw;
    b->sgd = sgd;
    b->precondition = precondition;
}

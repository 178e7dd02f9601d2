/* The gate of the feed-forward block. GELU's tanh form is x sigmoid(2u) with u = sqrt(2/pi) (x + 0.044715
 * x^3), because (1 + tanh u) / 2 = sigmoid(2u): one exponential, and no cancellation for negative x. */
#include "train/cpu/cpu.h"
#include "train/cpu/kernels.h"

enum { PIECE = 8192 };

#define GELU_SLOPE 1.5957691216057308f /* 2 sqrt(2/pi) */
#define GELU_CUBE  0.044715f

static CPU_KERNEL void kernel_silu(size_t n, const float *gate, const float *up, float *out) {
    for (size_t i = 0; i < n; i++) out[i] = gate[i] * cpu_sigmoid(gate[i]) * up[i];
}

static CPU_KERNEL void kernel_gelu(size_t n, const float *gate, const float *up, float *out) {
    for (size_t i = 0; i < n; i++) {
        float x = gate[i];
        out[i] = x * cpu_sigmoid(GELU_SLOPE * (x + GELU_CUBE * x * x * x)) * up[i];
    }
}

static CPU_KERNEL void kernel_silu_backward(size_t n, const float *gate, const float *up, const float *dout,
                                            float *dgate, float *dup) {
    for (size_t i = 0; i < n; i++) {
        float x = gate[i], u = up[i], d = dout[i], s = cpu_sigmoid(x);
        dgate[i] = d * u * s * (1.0f + x * (1.0f - s));
        dup[i] = d * x * s;
    }
}

static CPU_KERNEL void kernel_gelu_backward(size_t n, const float *gate, const float *up, const float *dout,
                                            float *dgate, float *dup) {
    for (size_t i = 0; i < n; i++) {
        float x = gate[i], u = up[i], d = dout[i];
        float s = cpu_sigmoid(GELU_SLOPE * (x + GELU_CUBE * x * x * x));
        float inner = GELU_SLOPE * (1.0f + 3.0f * GELU_CUBE * x * x);
        dgate[i] = d * u * s * (1.0f + x * (1.0f - s) * inner);
        dup[i] = d * x * s;
    }
}

static bool known(struct cpu *cpu, const char *operation, enum activation activation) {
    if (activation == ACTIVATION_SILU || activation == ACTIVATION_GELU_TANH) return cpu_ready(cpu);
    cpu_fail(cpu, ERROR_UNSUPPORTED, operation, "activation %d", (int)activation);
    return false;
}

static void gated(struct backend *b, size_t n, enum activation activation, struct view gate, struct view up,
                  struct view out) {
    struct cpu *cpu = cpu_of(b);
    const float *x = cpu_f32(cpu, "gated", gate, n), *u = cpu_f32(cpu, "gated", up, n);
    float *y = cpu_f32(cpu, "gated", out, n);
    if (!x || !u || !y || !known(cpu, "gated", activation)) return;
#pragma omp parallel for num_threads(cpu->threads) schedule(static) if (n > PIECE)
    for (size_t i = 0; i < n; i += PIECE) {
        size_t count = n - i < PIECE ? n - i : PIECE;
        if (activation == ACTIVATION_SILU)
            kernel_silu(count, x + i, u + i, y + i);
        else
            kernel_gelu(count, x + i, u + i, y + i);
    }
}

static void gated_backward(struct backend *b, size_t n, enum activation activation, struct view gate,
                           struct view up, struct view dout, struct view dgate, struct view dup) {
    struct cpu *cpu = cpu_of(b);
    const float *x = cpu_f32(cpu, "gated_backward", gate, n), *u = cpu_f32(cpu, "gated_backward", up, n);
    const float *d = cpu_f32(cpu, "gated_backward", dout, n);
    float *dx = cpu_f32(cpu, "gated_backward", dgate, n), *du = cpu_f32(cpu, "gated_backward", dup, n);
    if (!x || !u || !d || !dx || !du || !known(cpu, "gated_backward", activation)) return;
#pragma omp parallel for num_threads(cpu->threads) schedule(static) if (n > PIECE)
    for (size_t i = 0; i < n; i += PIECE) {
        size_t count = n - i < PIECE ? n - i : PIECE;
        if (activation == ACTIVATION_SILU)
            kernel_silu_backward(count, x + i, u + i, d + i, dx + i, du + i);
        else
            kernel_gelu_backward(count, x + i, u + i, d + i, dx + i, du + i);
    }
}

void cpu_install_gated(struct backend *b) {
    b->gated = gated;
    b->gated_backward = gated_backward;
}

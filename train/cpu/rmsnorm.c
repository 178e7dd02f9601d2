#include "train/cpu/cpu.h"
#include "train/cpu/kernels.h"

enum {
    PIECES = 32, /* partial sums of the weight's gradient, whatever the number of threads */
    SMALL = 16384
};

size_t cpu_rmsnorm_scratch(int columns) {
    return sizeof(float) * PIECES * (size_t)columns;
}

static CPU_KERNEL void kernel_normalise(int n, float factor, float offset, const float *x, const float *w,
                                        float *y) {
    for (int c = 0; c < n; c++) y[c] = x[c] * factor * (offset + w[c]);
}

static void rmsnorm(struct backend *b, int rows, int columns, float epsilon, float offset, struct view x,
                    struct view w, struct view y, struct view rstd) {
    struct cpu *cpu = cpu_of(b);
    if (!cpu_sizes(cpu, "rmsnorm", rows, columns, 0) || rows == 0 || columns == 0) return;
    size_t width = (size_t)columns, all = (size_t)rows * width;
    const float *in = cpu_f32(cpu, "rmsnorm", x, all), *weight = cpu_f32(cpu, "rmsnorm", w, width);
    float *out = cpu_f32(cpu, "rmsnorm", y, all), *scale = cpu_f32(cpu, "rmsnorm", rstd, (size_t)rows);
    if (!in || !weight || !out || !scale) return;
#pragma omp parallel for num_threads(cpu->threads) schedule(static) if (all > SMALL)
    for (int r = 0; r < rows; r++) {
        const float *row = in + (size_t)r * width;
        scale[r] = (float)(1.0 / sqrt(cpu_dot(width, row, row) / columns + (double)epsilon));
        kernel_normalise(columns, scale[r], offset, row, weight, out + (size_t)r * width);
    }
}

/* sum of dy (offset + w) x; the row's part of the weight's gradient is added to dw. */
static CPU_KERNEL float kernel_project(int n, float factor, float offset, const float *restrict x,
                                       const float *restrict w, const float *restrict dy,
                                       float *restrict dw) {
    cpu_vec lanes = {0};
    int c = 0;
    for (; c + CPU_LANES <= n; c += CPU_LANES)
        lanes +=
            *(const cpu_vec *)(dy + c) * (offset + *(const cpu_vec *)(w + c)) * *(const cpu_vec *)(x + c);
    float sum = cpu_sum_lanes(&lanes);
    for (; c < n; c++) sum += dy[c] * (offset + w[c]) * x[c];
    if (dw)
        for (c = 0; c < n; c++) dw[c] += dy[c] * x[c] * factor;
    return sum;
}

/* With xhat = x rstd and g = dy (offset + w): dx = rstd (g - xhat mean(g xhat)). `pull` is rstd^3 mean(g x).
 */
static CPU_KERNEL void kernel_gradient(int n, float factor, float pull, float offset, bool accumulate,
                                       const float *x, const float *w, const float *dy, float *dx) {
    if (accumulate)
        for (int c = 0; c < n; c++) dx[c] += factor * dy[c] * (offset + w[c]) - pull * x[c];
    else
        for (int c = 0; c < n; c++) dx[c] = factor * dy[c] * (offset + w[c]) - pull * x[c];
}

static void rmsnorm_backward(struct backend *b, int rows, int columns, float offset, struct view x,
                             struct view w, struct view rstd, struct view dy, bool accumulate, struct view dx,
                             struct view dw) {
    static const char name[] = "rmsnorm_backward";
    struct cpu *cpu = cpu_of(b);
    if (!cpu_sizes(cpu, name, rows, columns, 0) || rows == 0 || columns == 0) return;
    size_t width = (size_t)columns, all = (size_t)rows * width;
    const float *in = cpu_f32(cpu, name, x, all), *weight = cpu_f32(cpu, name, w, width);
    const float *scale = cpu_f32(cpu, name, rstd, (size_t)rows), *above = cpu_f32(cpu, name, dy, all);
    float *below = cpu_f32(cpu, name, dx, all), *total = dw.buffer ? cpu_f32(cpu, name, dw, width) : NULL;
    float *parts = cpu_scratch(cpu, name, cpu_rmsnorm_scratch(columns));
    if (!in || !weight || !scale || !above || !below || !parts) return;
    int length = (rows + PIECES - 1) / PIECES;
#pragma omp parallel for num_threads(cpu->threads) schedule(static) if (all > SMALL)
    for (int p = 0; p < PIECES; p++) {
        float *part = total ? parts + (size_t)p * width : NULL;
        if (part) memset(part, 0, width * sizeof *part);
        for (int r = p * length; r < rows && r < (p + 1) * length; r++) {
            size_t at = (size_t)r * width;
            float sum = kernel_project(columns, scale[r], offset, in + at, weight, above + at, part);
            float pull = scale[r] * scale[r] * scale[r] * sum / (float)columns;
            kernel_gradient(columns, scale[r], pull, offset, accumulate, in + at, weight, above + at,
                            below + at);
        }
    }
    for (int p = 0; total && p < PIECES && p * length < rows; p++)
        for (int c = 0; c < columns; c++) total[c] += parts[(size_t)p * width + (size_t)c];
}

void cpu_install_rmsnorm(struct backend *b) {
    b->rmsnorm = rmsnorm;
    b->rmsnorm_backward = rmsnorm_backward;
}

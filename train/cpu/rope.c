#include "train/cpu/cpu.h"
#include "train/cpu/kernels.h"

enum { SMALL = 16384 };

static CPU_KERNEL void kernel_rotate(int heads, int half, float sign, const float *restrict cosine,
                                     const float *restrict sine, float *restrict x) {
    for (int h = 0; h < heads; h++) {
        float *restrict first = x + (size_t)h * 2 * (size_t)half, *restrict second = first + half;
        for (int c = 0; c < half; c++) {
            float a = first[c], b = second[c], s = sign * sine[c];
            first[c] = a * cosine[c] - b * s;
            second[c] = b * cosine[c] + a * s;
        }
    }
}

static void rope(struct backend *b, int rows, int heads, int head_dim, bool inverse, struct view position,
                 struct view table, struct view x) {
    struct cpu *cpu = cpu_of(b);
    if (!cpu_sizes(cpu, "rope", rows, heads, head_dim) || rows == 0 || heads == 0 || head_dim == 0) return;
    if (head_dim % 2) {
        cpu_fail(cpu, ERROR_UNSUPPORTED, "rope", "an odd head dimension, %d", head_dim);
        return;
    }
    size_t width = (size_t)head_dim, row = (size_t)heads * width;
    const int32_t *at = cpu_indices(cpu, "rope", position, (size_t)rows, cpu_room(table) / width);
    const float *angle = cpu_f32(cpu, "rope", table, width);
    float *data = cpu_f32(cpu, "rope", x, (size_t)rows * row);
    if (!at || !angle || !data) return;
#pragma omp parallel for num_threads(cpu->threads) schedule(static) if ((size_t)rows * row > SMALL)
    for (int t = 0; t < rows; t++) {
        const float *cosine = angle + (size_t)at[t] * width;
        kernel_rotate(heads, head_dim / 2, inverse ? -1.0f : 1.0f, cosine, cosine + head_dim / 2,
                      data + (size_t)t * row);
    }
}

void cpu_install_rope(struct backend *b) {
    b->rope = rope;
}

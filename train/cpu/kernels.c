#include "train/cpu/kernels.h"

enum { LANES = 16 };

CPU_KERNEL double cpu_dot(size_t n, const float *x, const float *y) {
    double lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++) lanes[l] += (double)x[i + l] * (double)y[i + l];
    double sum = 0.0;
    for (int l = 0; l < LANES; l++) sum += lanes[l];
    for (; i < n; i++) sum += (double)x[i] * (double)y[i];
    return sum;
}

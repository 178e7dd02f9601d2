#include "train/cpu/kernels.h"

enum { LANES = CPU_LANES };

CPU_KERNEL double cpu_dot(size_t n, const float *x, const float *y) {
    double lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++) lanes[l] += (double)x[i + l] * (double)y[i + l];
#pragma GCC unroll 4
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++) lanes[l] += lanes[l + half];
    double sum = lanes[0];
    for (; i < n; i++) sum += (double)x[i] * (double)y[i];
    return sum;
}

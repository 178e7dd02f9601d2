/* Stands in for the cuda backend in a build without CUDA, and says so. */
#include "train/cuda/cuda.h"

#include <stdio.h>

static const char reason[] = "this build has no CUDA (configure with -DADAPT_CUDA=ON where nvcc is)";

int cuda_backend_create(int device, struct backend **out, struct error *err) {
    (void)device;
    *out = NULL;
    return error_set(err, ERROR_INPUT, "device cuda: %s; there is cpu", reason);
}

int cuda_device_count(char *why, size_t size) {
    if (why) snprintf(why, size, "%s", reason);
    return 0;
}

void cuda_describe(char *text, size_t size) {
    snprintf(text, size, "%s", reason);
}

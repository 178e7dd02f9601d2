#include "tests/support/backend_test.h"

#include "train/cuda/cuda.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SKIPPED = 77 };

int test_backend_create(const char *name, int threads, struct backend **out, struct error *err) {
    char why[256];
    bool halves = !strcmp(name, "cuda-bf16");
    if (!strncmp(name, "cuda", 4) && !cuda_device_count(why, sizeof why)) {
        printf("skipped: %s\n", why);
        exit(SKIPPED);
    }
    TRY(backend_create(halves ? "cuda" : name, threads, out, err));
    (*out)->activations = halves ? DTYPE_BF16 : DTYPE_F32;
    return 0;
}

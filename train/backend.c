#include "train/backend.h"

#include "train/cpu/cpu.h"
#include "train/cuda/cuda.h"
#include "train/memcheck/memcheck.h"
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"cpu", "memcheck", "cuda", NULL};

const char *const *backend_names(void) {
    return names;
}

/* "cuda" is the first device, "cuda:3" the fourth; false for another name. */
static bool parse_cuda(const char *name, int *device) {
    *device = 0;
    if (strncmp(name, "cuda", 4)) return false;
    if (!name[4]) return true;
    if (name[4] != ':' || name[5] < '0' || name[5] > '9') return false;
    char *end;
    long number = strtol(name + 5, &end, 10);
    *device = number < 1024 ? (int)number : 1024;
    return !*end;
}

int backend_create(const char *name, int threads, struct backend **out, struct error *err) {
    int device;
    *out = NULL;
    if (!strcmp(name, "cpu")) return cpu_backend_create(threads, out, err);
    if (!strcmp(name, "memcheck")) return memcheck_backend_create(threads, out, err);
    if (parse_cuda(name, &device)) return cuda_backend_create(device, out, err);
    return error_set(err, ERROR_INPUT,
                     "unknown device '%s' (expected cpu, cuda, or cuda:N; memcheck is for tests)", name);
}

void backend_destroy(struct backend **backend) {
    if (*backend) (*backend)->destroy(*backend);
    *backend = NULL;
}

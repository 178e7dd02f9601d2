#include "train/backend.h"

#include "train/cpu/cpu.h"
#include "train/memcheck/memcheck.h"
#include <string.h>

static const char *const names[] = {"cpu", "memcheck", NULL};

const char *const *backend_names(void) {
    return names;
}

int backend_create(const char *name, int threads, struct backend **out, struct error *err) {
    *out = NULL;
    if (!strcmp(name, "cpu")) return cpu_backend_create(threads, out, err);
    if (!strcmp(name, "memcheck")) return memcheck_backend_create(threads, out, err);
    if (!strcmp(name, "cuda"))
        return error_set(err, ERROR_INPUT,
                         "backend cuda is not in this build, which has cpu (and memcheck, for tests)");
    return error_set(err, ERROR_INPUT, "unknown backend '%s' (expected cpu, or memcheck for tests)", name);
}

void backend_destroy(struct backend **backend) {
    if (*backend) (*backend)->destroy(*backend);
    *backend = NULL;
}

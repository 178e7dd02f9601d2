#include "train/cuda/library.h"

#include <dlfcn.h>
#include <string.h>

int cuda_library_open(const char *name, const char *hint, void **file, struct error *err) {
    /* Kept when it is closed: kernels of it stay known to the driver, and threads of it may be about. */
    *file = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (*file) return 0;
    return error_set(err, ERROR_DEVICE, "%s was not found: %s (%s; LD_LIBRARY_PATH may name its folder)",
                     name, dlerror(), hint);
}

int cuda_library_find(void *file, const char *name, const char *symbol, void *pointer, size_t bytes,
                      struct error *err) {
    void *function = dlsym(file, symbol);
    if (!function) return error_set(err, ERROR_DEVICE, "%s lacks %s", name, symbol);
    memcpy(pointer, &function, bytes);
    return 0;
}

#include "train/cuda/cublaslt.h"
#include "train/cuda/library.h"

#include <dlfcn.h>
#include <stdio.h>
extern "C" {
#include "base/memory.h"
}

#ifdef ADAPT_EMULATION
static int find_functions(struct cublaslt *library, struct error *err) {
    (void)err;
#define CUBLASLT_TAKE(name) library->name = ::name;
    CUBLASLT_FUNCTIONS(CUBLASLT_TAKE)
#undef CUBLASLT_TAKE
    return 0;
}
#else
static int find_functions(struct cublaslt *library, struct error *err) {
    char name[64];
    snprintf(name, sizeof name, "libcublasLt.so.%d", CUBLAS_VER_MAJOR);
    TRY(cuda_library_open(name, "it is part of the CUDA Toolkit", &library->file, err));
#define CUBLASLT_TAKE(symbol)                                                                                \
    TRY(cuda_library_find(library->file, name, #symbol, &library->symbol, sizeof library->symbol, err));
    CUBLASLT_FUNCTIONS(CUBLASLT_TAKE)
#undef CUBLASLT_TAKE
    return 0;
}
#endif

int cublaslt_open(struct cublaslt **out, struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    int code = find_functions(*out, err);
    if (!code) {
        cublasStatus_t status = (*out)->cublasLtCreate(&(*out)->handle);
        if (status != CUBLAS_STATUS_SUCCESS)
            code = error_set(err, ERROR_DEVICE, "cublasLtCreate: status %d", (int)status);
    }
    if (code) cublaslt_close(out);
    return code;
}

void cublaslt_close(struct cublaslt **library) {
    if (!*library) return;
    if ((*library)->handle) (*library)->cublasLtDestroy((*library)->handle);
    if ((*library)->file) dlclose((*library)->file);
    memory_free(*library);
    *library = NULL;
}

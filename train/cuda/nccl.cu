#include "train/cuda/nccl.h"
#include "train/cuda/library.h"

#if CUDA_HAS_NCCL
#include <stdio.h>
extern "C" {
#include "base/memory.h"
}

#ifdef ADAPT_EMULATION
static int find_functions(struct nccl *library, struct error *err) {
    (void)err;
#define NCCL_TAKE(name) library->name = ::name;
    NCCL_FUNCTIONS(NCCL_TAKE)
#undef NCCL_TAKE
    return 0;
}
#else
static int find_functions(struct nccl *library, struct error *err) {
    char name[32];
    snprintf(name, sizeof name, "libnccl.so.%d", NCCL_MAJOR);
    void *file; /* never closed: the library has threads of its own */
    TRY(cuda_library_open(name, "package libnccl2", &file, err));
#define NCCL_TAKE(symbol)                                                                                    \
    TRY(cuda_library_find(file, name, #symbol, &library->symbol, sizeof library->symbol, err));
    NCCL_FUNCTIONS(NCCL_TAKE)
#undef NCCL_TAKE
    return 0;
}
#endif

int nccl_open(struct nccl **out, struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    int code = find_functions(*out, err);
    if (!code && (*out)->ncclGetVersion(&(*out)->version) != ncclSuccess)
        code = error_set(err, ERROR_DEVICE, "ncclGetVersion failed");
    if (code) nccl_close(out);
    return code;
}

void nccl_close(struct nccl **library) {
    if (!*library) return;
    memory_free(*library);
    *library = NULL;
}

bool nccl_cuda_went(struct error *failure, int device, const char *what, cudaError_t status) {
    if (status == cudaSuccess) return true;
    (void)cudaGetLastError();
    if (!failure->code)
        error_set(failure, cuda_error_code(status), "sums over the ranks: %s on CUDA device %d: %s", what,
                  device, cudaGetErrorString(status));
    return false;
}

bool nccl_went(struct error *failure, const struct nccl *library, int device, const char *what,
               ncclResult_t status) {
    if (status == ncclSuccess) return true;
    if (!failure->code)
        error_set(failure, ERROR_DEVICE, "sums over the ranks: %s on CUDA device %d: %s", what, device,
                  library->ncclGetErrorString(status));
    return false;
}
#endif

/* In test programs (linked with --wrap=backend_create and --wrap=backend_names) there is one backend more: "cuda-emulated",
 * the cuda backend's own host code and kernels on an emulated GPU, with activations of float32; "cuda-emulated-bf16" keeps
 * them in bfloat16, as the cuda backend does. The shipped program has nothing of this. */
#include "train/cuda/cuda.h"
#include <string.h>

int __real_backend_create(const char *name, int threads, struct backend **out, struct error *err);
int __wrap_backend_create(const char *name, int threads, struct backend **out, struct error *err);
const char *const *__wrap_backend_names(void);
int cuda_emulated_backend_create(int device, struct backend **out, struct error *err);

const char *const *__wrap_backend_names(void) {
    static const char *const names[] = {"cpu", "memcheck", "cuda", "cuda-emulated", "cuda-emulated-bf16", NULL};
    return names;
}

int __wrap_backend_create(const char *name, int threads, struct backend **out, struct error *err) {
    bool single = !strcmp(name, "cuda-emulated");
    if (!single && strcmp(name, "cuda-emulated-bf16")) return __real_backend_create(name, threads, out, err);
    TRY(cuda_emulated_backend_create(0, out, err));
    (*out)->name = single ? "cuda-emulated" : "cuda-emulated-bf16";
    (*out)->activations = single ? DTYPE_F32 : DTYPE_BF16;
    return 0;
}

/* cuBLASLt, found when the first device is opened: a program that was built with CUDA also starts where there
 * is none. */
#ifndef ADAPT_TRAIN_CUDA_CUBLASLT_H
#define ADAPT_TRAIN_CUDA_CUBLASLT_H

#include "train/cuda/device.h"
#include <cublasLt.h>

/* The functions that matmul.cu calls: X(name). */
#define CUBLASLT_FUNCTIONS(X)                                                                                \
    X(cublasLtCreate)                                                                                        \
    X(cublasLtDestroy)                                                                                       \
    X(cublasLtMatmul)                                                                                        \
    X(cublasLtMatmulAlgoGetHeuristic)                                                                        \
    X(cublasLtMatmulDescCreate)                                                                              \
    X(cublasLtMatmulDescDestroy)                                                                             \
    X(cublasLtMatmulDescSetAttribute)                                                                        \
    X(cublasLtMatmulPreferenceCreate)                                                                        \
    X(cublasLtMatmulPreferenceDestroy)                                                                       \
    X(cublasLtMatmulPreferenceSetAttribute)                                                                  \
    X(cublasLtMatrixLayoutCreate)                                                                            \
    X(cublasLtMatrixLayoutDestroy)

struct cublaslt {
    void *file; /* of dlopen */
    cublasLtHandle_t handle;
#define CUBLASLT_MEMBER(name) decltype(&::name) name;
    CUBLASLT_FUNCTIONS(CUBLASLT_MEMBER)
#undef CUBLASLT_MEMBER
};

/* Loads the library of the version that this program was built for, and opens it on the current device. */
int cublaslt_open(struct cublaslt **out, struct error *err);
void cublaslt_close(struct cublaslt **library);

#endif

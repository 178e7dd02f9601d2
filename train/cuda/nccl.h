/* NCCL, found when a device is asked for its peers: a program that was built with its header also runs where
 * there is none. Without the header nothing links devices. */
#ifndef ADAPT_TRAIN_CUDA_NCCL_H
#define ADAPT_TRAIN_CUDA_NCCL_H

#include "train/cuda/device.h"

#if __has_include(<nccl.h>)
#define CUDA_HAS_NCCL 1
#include <nccl.h>

/* The functions that peers.cu calls: X(name). */
#define NCCL_FUNCTIONS(X)                                                                                    \
    X(ncclGetVersion)                                                                                        \
    X(ncclGetErrorString)                                                                                    \
    X(ncclGetUniqueId)                                                                                       \
    X(ncclCommInitRank)                                                                                      \
    X(ncclCommDestroy)                                                                                       \
    X(ncclCommAbort)                                                                                         \
    X(ncclCommGetAsyncError)                                                                                 \
    X(ncclGroupStart)                                                                                        \
    X(ncclGroupEnd)                                                                                          \
    X(ncclAllReduce)                                                                                         \
    X(ncclBroadcast)

struct nccl {
    int version; /* as NCCL counts: 22703 is 2.27.3 */
#define NCCL_MEMBER(name) decltype(&::name) name;
    NCCL_FUNCTIONS(NCCL_MEMBER)
#undef NCCL_MEMBER
};

/* Loads the library; ERROR_DEVICE says why it cannot be. */
int nccl_open(struct nccl **out, struct error *err);
void nccl_close(struct nccl **library);
#else
#define CUDA_HAS_NCCL 0
#endif

#endif

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

/* Whether a call of CUDA, or of NCCL, went well; else what was wrong, unless an earlier failure is kept. */
bool nccl_cuda_went(struct error *failure, int device, const char *what, cudaError_t status);
bool nccl_went(struct error *failure, const struct nccl *library, int device, const char *what,
               ncclResult_t status);

/* Links the ranks, each with a device of its own, and adds up one number to see that the link works. Ends
 * after some minutes also where NCCL waits for ever. *out is ended by ncclCommDestroy. */
int nccl_meet(const struct nccl *library, int device, const ncclUniqueId *name, int rank, int ranks,
              ncclComm_t *out, struct error *err);
#else
#define CUDA_HAS_NCCL 0
#endif

#endif

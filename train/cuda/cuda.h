/* The backend for NVIDIA GPUs, as C callers see it. Built where there is nvcc (ADAPT_CUDA); else stub.c
 * stands in.
 *
 * Weights, gradients, optimizer state and losses are float32. Activations are bfloat16 or float32, as
 * backend->activations says (train/backend.h); matrix products and embeddings take bfloat16 copies of weights
 * that the backend keeps beside every float32 buffer that is used so, and makes again when the buffer was
 * written, without bias (operands.cu says how). One stream, ordered as called, and one beside it for sums
 * over the ranks (peers.cu); the host waits in `download`, `check` and `stamp_seconds` alone. */
#ifndef ADAPT_TRAIN_CUDA_CUDA_H
#define ADAPT_TRAIN_CUDA_CUDA_H

#include "train/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A backend on device number `device`. ERROR_DEVICE says why there is none: no device, a driver that is too
 * old, a library that is not found, or a build without CUDA (ERROR_INPUT). */
int cuda_backend_create(int device, struct backend **out, struct error *err);

/* How many devices there are; 0 with the reason in `why` (which may be NULL) where there are none. */
int cuda_device_count(char *why, size_t size);
/* One line on what there is: devices, memory, runtime and driver, libraries; or why there is nothing. */
void cuda_describe(char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif

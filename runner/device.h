/* The device that this rank computes on. */
#ifndef ADAPT_RUNNER_DEVICE_H
#define ADAPT_RUNNER_DEVICE_H

#include "train/backend.h"
#include <mpi.h>
#include <stdbool.h>

/* What activations are kept in: "auto" is the device's best, bfloat16 on GPUs and float32 on CPUs. */
enum device_dtype { DEVICE_AUTO, DEVICE_FLOAT32, DEVICE_BFLOAT16 };
extern const char *const device_dtype_names[]; /* "auto", "float32", "bfloat16", NULL */

/* Makes the backend for `device`. "cuda" is the GPU of this rank's number among the ranks of `world` on its
 * machine, counted around where there are more ranks than GPUs; "cuda:N" is that GPU for every rank.
 * ERROR_INPUT for a dtype that the device has not. Collective; MPI_COMM_NULL for a program that is alone. */
int device_open(MPI_Comm world, const char *device, int dtype, int threads, struct backend **out,
                struct error *err);

/* Whether a device of that name computes in the machine's memory, and not in one of its own. */
bool device_uses_host_memory(const char *device);

#endif

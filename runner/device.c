#include "runner/device.h"

#include "train/cuda/cuda.h"
#include <stdio.h>
#include <string.h>

const char *const device_dtype_names[] = {
    [DEVICE_AUTO] = "auto", [DEVICE_FLOAT32] = "float32", [DEVICE_BFLOAT16] = "bfloat16", NULL};

/* This rank's number among those of its machine. */
static int rank_on_machine(MPI_Comm world) {
    MPI_Comm node;
    int rank = 0;
    if (world == MPI_COMM_NULL) return 0;
    if (MPI_Comm_split_type(world, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node) != MPI_SUCCESS) return 0;
    MPI_Comm_rank(node, &rank);
    MPI_Comm_free(&node);
    return rank;
}

int device_open(MPI_Comm world, const char *device, int dtype, int threads, struct backend **out,
                struct error *err) {
    char own[32];
    int rank = rank_on_machine(world), count = cuda_device_count(NULL, 0);
    if (!strcmp(device, "cuda") && count > 0) {
        snprintf(own, sizeof own, "cuda:%d", rank % count);
        device = own;
    }
    TRY(backend_create(device, threads, out, err));
    if (dtype == DEVICE_BFLOAT16 && (*out)->activations != DTYPE_BF16) {
        backend_destroy(out);
        return error_set(err, ERROR_INPUT, "dtype \"bfloat16\": device %s computes in float32", device);
    }
    if (dtype == DEVICE_FLOAT32) (*out)->activations = DTYPE_F32;
    return 0;
}

bool device_uses_host_memory(const char *device) {
    return strncmp(device, "cuda", 4) != 0;
}

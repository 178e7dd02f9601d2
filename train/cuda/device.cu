/* A device: found, opened, asked how it fares, closed. */
#include "train/cuda/attention.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
extern "C" {
#include "base/memory.h"
}

const char *const cuda_operation_names[] = {
#define CUDA_NAME(number, name) name,
    CUDA_OPERATIONS(CUDA_NAME)
#undef CUDA_NAME
};

void cuda_fail(struct cuda *cuda, int code, enum cuda_operation op, const char *format, ...) {
    if (cuda->failure.code) return;
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    error_set(&cuda->failure, code, "%s: %s", cuda_operation_names[op], message);
}

int cuda_error_code(cudaError_t status) {
    return status == cudaErrorMemoryAllocation ? ERROR_MEMORY : ERROR_DEVICE;
}

bool cuda_good(struct cuda *cuda, enum cuda_operation op, const char *what, cudaError_t status) {
    if (status == cudaSuccess) return true;
    cuda_fail(cuda, cuda_error_code(status), op, "%s on CUDA device %d: %s", what, cuda->device,
              cudaGetErrorString(status));
    /* Whatever is not about memory or a launch stays with the device until the process ends. */
    if (status != cudaErrorMemoryAllocation && status != cudaErrorInvalidValue &&
        status != cudaErrorInvalidConfiguration)
        cuda->lost = true;
    (void)cudaGetLastError();
    return false;
}

/* For the event, or for all of the stream: NULL. */
static bool wait_beside_peers(struct cuda *cuda, enum cuda_operation op, cudaEvent_t event) {
    char why[256];
    for (;;) {
        cudaError_t status = event ? cudaEventQuery(event) : cudaStreamQuery(cuda->stream);
        if (status != cudaErrorNotReady)
            return cuda_good(cuda, op, event ? "cudaEventQuery" : "cudaStreamQuery", status);
        if (cuda_peers_failed(cuda->peers, why, sizeof why)) {
            cuda_fail(cuda, ERROR_DEVICE, op, "%s", why);
            return false;
        }
        sched_yield();
    }
}

bool cuda_wait(struct cuda *cuda, enum cuda_operation op) {
    if (cuda->peers) return wait_beside_peers(cuda, op, NULL);
    return cuda_good(cuda, op, "cudaStreamSynchronize", cudaStreamSynchronize(cuda->stream));
}

bool cuda_wait_event(struct cuda *cuda, enum cuda_operation op, cudaEvent_t event) {
    if (cuda->peers) return wait_beside_peers(cuda, op, event);
    return cuda_good(cuda, op, "cudaEventSynchronize", cudaEventSynchronize(event));
}

bool cuda_sizes(struct cuda *cuda, enum cuda_operation op, int a, int b, int c) {
    if (!cuda_ready(cuda)) return false;
    if (a >= 0 && b >= 0 && c >= 0) return true;
    cuda_fail(cuda, ERROR_INTERNAL, op, "negative size among %d, %d, %d", a, b, c);
    return false;
}

static int check(struct backend *b, struct error *err) {
    struct cuda *cuda = cuda_of(b);
    struct trouble *trouble = cuda->trouble_host;
    bool kept = cuda_ready(cuda);
    trouble->operation = -1;
    if (!cuda->lost) {
        struct error failure = cuda->failure;
        cuda->failure.code = 0; /* for what follows */
        cuda_good(
            cuda, CUDA_CHECK, "cudaMemcpyAsync",
            cudaMemcpyAsync(trouble, cuda->trouble, sizeof *trouble, cudaMemcpyDeviceToHost, cuda->stream));
        cuda_wait(cuda, CUDA_CHECK);
        if (trouble->operation >= 0)
            cuda_good(cuda, CUDA_CHECK, "cudaMemsetAsync",
                      cudaMemsetAsync(cuda->trouble, 0xff, sizeof *trouble, cuda->stream));
        if (!kept && !cuda->failure.code) cuda->failure = failure;
    }
    struct error failure = cuda->failure;
    if (!cuda->lost) cuda->failure.code = 0;
    /* What a kernel tells was put into the stream before whatever stopped the operations. */
    if (trouble->operation >= 0 && !cuda->lost)
        return error_set(err, ERROR_INTERNAL, "%s: index %d at %llu is not in 0..%lld",
                         cuda_operation_names[trouble->operation], (int)(unsigned)trouble->first,
                         trouble->first >> 32, trouble->bound - 1);
    return failure.code ? error_set(err, failure.code, "%s", failure.message) : 0;
}

static size_t table_bytes(int rows) {
    static_assert(sizeof(struct attention_tile) <= CUDA_TABLE_ROW, "a tile a row fits");
    return CUDA_TABLE_ROW * (size_t)rows;
}

static size_t shared_bytes(int rows, int hidden, int vocabulary, int targets) {
    int most = rows > targets ? rows : targets; /* layers go on at the targets' rows alone */
    size_t bytes = cuda_most(cuda_dot_scratch(), cuda_row_dot_scratch(most));
    bytes = cuda_most(bytes, cuda_rmsnorm_scratch(hidden));
    bytes = cuda_most(bytes, cuda_align_scratch(most));
    bytes = cuda_most(bytes,
                      cuda_attention_scratch(rows, hidden)); /* there are fewer heads than hidden columns */
    return cuda_most(bytes, cuda_cross_entropy_scratch(targets, vocabulary, true));
}

static size_t scratch_bytes(struct backend *b, int rows, int hidden, int vocabulary, int targets) {
    (void)b;
    return shared_bytes(rows, hidden, vocabulary, targets) + CUDA_TABLES * table_bytes(rows);
}

static int reserve(struct backend *b, int rows, int hidden, int vocabulary, int targets, struct error *err) {
    if (rows < 0 || hidden < 0 || vocabulary < 0 || targets < 0)
        return error_set(err, ERROR_INTERNAL, "reserve: negative size among %d, %d, %d, %d", rows, hidden,
                         vocabulary, targets);
    TRY(cuda_reserve_tables(cuda_of(b), table_bytes(rows), err));
    return cuda_reserve_scratch(cuda_of(b), shared_bytes(rows, hidden, vocabulary, targets), err);
}

static void memory(struct backend *b, size_t *left, size_t *total) {
    *left = *total = 0;
    if (!cuda_of(b)->lost && cudaMemGetInfo(left, total) != cudaSuccess) {
        *left = *total = 0;
        (void)cudaGetLastError();
    }
}

static void destroy(struct backend *b) {
    struct cuda *cuda = cuda_of(b);
    if (cuda->stream && !cuda->lost) cudaStreamSynchronize(cuda->stream);
    cuda_matmul_close(cuda);
    cuda_stamps_close(cuda);
    cuda_close_nccl(cuda);
    for (int i = 0; i < CUDA_TABLES; i++) {
        cudaFree(cuda->tables[i].device);
        memory_free(cuda->tables[i].host);
    }
    for (int i = 0; i < 2; i++)
        if (cuda->half_done[i]) cudaEventDestroy(cuda->half_done[i]);
    cudaFree(cuda->scratch);
    cudaFree(cuda->workspace);
    cudaFree(cuda->trouble);
    if (cuda->trouble_host) cudaFreeHost(cuda->trouble_host);
    if (cuda->staging) cudaFreeHost(cuda->staging);
    if (cuda->stream) cudaStreamDestroy(cuda->stream);
    memory_free(cuda);
}

int cuda_device_count(char *why, size_t size) {
    int count = 0, driver = 0, runtime = 0;
    cudaError_t status = cudaGetDeviceCount(&count);
    if (status == cudaSuccess && count > 0) return count;
    (void)cudaGetLastError();
    cudaDriverGetVersion(&driver);
    cudaRuntimeGetVersion(&runtime);
    if (!why) return 0;
    if (driver == 0)
        snprintf(why, size, "no NVIDIA driver is installed");
    else if (status == cudaErrorInsufficientDriver)
        snprintf(why, size, "the NVIDIA driver is for CUDA %d.%d, this program needs %d.%d or newer",
                 driver / 1000, driver % 100 / 10, runtime / 1000, runtime % 100 / 10);
    else
        snprintf(why, size, "%s", status ? cudaGetErrorString(status) : "no CUDA device is visible");
    return 0;
}

void cuda_describe(char *text, size_t size) {
    char why[256];
    char nccl[512];
    int driver = 0, runtime = 0, count = cuda_device_count(why, sizeof why);
    cuda_describe_nccl(nccl, sizeof nccl);
    if (!count) {
        snprintf(text, size, "no device (%s); %s", why, nccl);
        return;
    }
    cudaDriverGetVersion(&driver);
    cudaRuntimeGetVersion(&runtime);
    size_t used = (size_t)snprintf(text, size, "runtime %d.%d, driver %d.%d, %s", runtime / 1000,
                                   runtime % 100 / 10, driver / 1000, driver % 100 / 10, nccl);
    for (int i = 0; i < count && used < size; i++) {
        struct cudaDeviceProp p;
        if (cudaGetDeviceProperties(&p, i) != cudaSuccess) continue;
        used += (size_t)snprintf(text + used, size - used, "; cuda:%d %s (sm_%d%d, %.1f GiB)", i, p.name,
                                 p.major, p.minor, (double)p.totalGlobalMem / (1 << 30));
    }
}

/* The first call that fails ends the opening; `destroy` frees what there is. */
static int open_device(struct cuda *cuda, struct error *err) {
    struct cudaDeviceProp p;
    bool good =
        cuda_good(cuda, CUDA_OPEN, "cudaSetDevice", cudaSetDevice(cuda->device)) &&
        cuda_good(cuda, CUDA_OPEN, "cudaGetDeviceProperties", cudaGetDeviceProperties(&p, cuda->device));
    if (good && p.major < 8)
        return error_set(err, ERROR_DEVICE,
                         "CUDA device %d, %s, is of compute capability %d.%d, and 8.0 is needed",
                         cuda->device, p.name, p.major, p.minor);
    if (good) {
        cuda->processors = p.multiProcessorCount;
        const unsigned char *id = (const unsigned char *)p.uuid.bytes;
        size_t used = (size_t)snprintf(cuda->identity, sizeof cuda->identity, "GPU-");
        for (size_t i = 0; i < sizeof p.uuid.bytes; i++)
            used += (size_t)snprintf(cuda->identity + used, sizeof cuda->identity - used, "%02x", id[i]);
    }
    good =
        good &&
        cuda_good(cuda, CUDA_OPEN, "cudaStreamCreate",
                  cudaStreamCreateWithFlags(&cuda->stream, cudaStreamNonBlocking)) &&
        cuda_good(cuda, CUDA_OPEN, "cudaMalloc",
                  cudaMalloc((void **)&cuda->trouble, sizeof *cuda->trouble)) &&
        cuda_good(cuda, CUDA_OPEN, "cudaMalloc", cudaMalloc((void **)&cuda->workspace, CUDA_WORKSPACE)) &&
        cuda_good(cuda, CUDA_OPEN, "cudaHostAlloc",
                  cudaHostAlloc((void **)&cuda->trouble_host, sizeof *cuda->trouble, cudaHostAllocDefault)) &&
        cuda_good(cuda, CUDA_OPEN, "cudaHostAlloc",
                  cudaHostAlloc((void **)&cuda->staging, 4 * (size_t)CUDA_STAGING, cudaHostAllocDefault)) &&
        cuda_good(cuda, CUDA_OPEN, "cudaMemsetAsync",
                  cudaMemsetAsync(cuda->trouble, 0xff, sizeof *cuda->trouble, cuda->stream));
    for (int i = 0; i < 2 && good; i++)
        good = cuda_good(cuda, CUDA_OPEN, "cudaEventCreate",
                         cudaEventCreateWithFlags(&cuda->half_done[i], cudaEventDisableTiming));
    if (!good) return error_set(err, cuda->failure.code, "%s", cuda->failure.message);
    return cuda_matmul_open(cuda, err);
}

int cuda_backend_create(int device, struct backend **out, struct error *err) {
    char why[256];
    struct cuda *cuda;
    *out = NULL;
    int count = cuda_device_count(why, sizeof why);
    if (!count) return error_set(err, ERROR_DEVICE, "no CUDA device: %s", why);
    if (device < 0 || device >= count)
        return error_set(err, ERROR_DEVICE, "CUDA device %d: there are %d, numbered from 0", device, count);
    TRY(memory_alloc(&cuda, 1, sizeof *cuda, err));
    struct backend *b = &cuda->base;
    cuda->device = device;
    b->name = "cuda";
    b->activations = DTYPE_BF16;
    b->reserve = reserve;
    b->scratch_bytes = scratch_bytes;
    b->memory = memory;
    b->check = check;
    b->destroy = destroy;
    int code = open_device(cuda, err);
    if (code) {
        destroy(b);
        return code;
    }
    cuda_install_memory(b);
    cuda_install_stamps(b);
    cuda_install_vectors(b);
    cuda_install_matmul(b);
    cuda_install_linear_gradient(b);
    cuda_install_rows(b);
    cuda_install_embedding(b);
    cuda_install_row_dot(b);
    cuda_install_rmsnorm(b);
    cuda_install_rope(b);
    cuda_install_attention(b);
    cuda_install_attention_backward(b);
    cuda_install_attention_cached(b);
    cuda_install_gated(b);
    cuda_install_cross_entropy(b);
    cuda_install_linear_argmax(b);
    cuda_install_optimizer(b);
    cuda_install_peers(b);
    *out = b;
    return 0;
}

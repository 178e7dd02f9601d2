/* Stands for CUDA's header of this name where g++ compiles the CUDA sources: kernels run on the CPU, one
 * block after another, a block's threads as coroutines. What is declared here is what train/cuda/ uses, and
 * no more.
 *
 * What it checks that a GPU would not: a barrier or a warp's exchange that not all of its threads reach, or
 * reach at another place; memory outside of an allocation (guards; under AddressSanitizer at once); device
 * memory touched by the host's code; numbers read before they were written (memory starts as NaN) or before
 * the copy that brings them was waited for; a result used before its stream was waited for, or a staging
 * buffer written too early (work is done when it is waited for, no sooner); blocks and threads that count on
 * an order (both are shuffled). What it does not show: the memory model of real warps, races between blocks
 * beyond the orders tried, the layouts of tensor cores other than as documented, speed. */
#ifndef ADAPT_EMULATION_CUDA_RUNTIME_H
#define ADAPT_EMULATION_CUDA_RUNTIME_H

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(n) alignas(n)

struct uint3 {
    unsigned x, y, z;
};
struct dim3 {
    unsigned x, y, z;
    dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {
    }
};

/* ---- what a kernel sees */

struct emulation_place {
    uint3 thread, block;
    dim3 threads, blocks;
};
extern emulation_place emulation_here;
#define threadIdx (emulation_here.thread)
#define blockIdx  (emulation_here.block)
#define blockDim  (emulation_here.threads)
#define gridDim   (emulation_here.blocks)
enum { warpSize = 32 };

unsigned char *emulation_shared();
void emulation_barrier(const char *file, int line);
int emulation_barrier_count(const char *file, int line, bool predicate);
/* Gives `mine` to the lanes of `mask`, and takes that of lane `from`. */
uint64_t emulation_exchange(const char *file, int line, unsigned mask, uint64_t mine, unsigned from);
unsigned emulation_vote(const char *file, int line, unsigned mask, bool predicate);
unsigned emulation_lane();

#define __syncthreads()        emulation_barrier(__FILE__, __LINE__)
#define __syncthreads_count(p) emulation_barrier_count(__FILE__, __LINE__, p)
#define __syncwarp()           ((void)emulation_vote(__FILE__, __LINE__, 0xffffffffu, true))
#define __ballot_sync(mask, p) emulation_vote(__FILE__, __LINE__, mask, p)
#define __shfl_xor_sync(mask, value, with)                                                                   \
    emulation_shuffle(__FILE__, __LINE__, mask, value, emulation_lane() ^ (unsigned)(with))
#define __shfl_sync(mask, value, from) emulation_shuffle(__FILE__, __LINE__, mask, value, (unsigned)(from))

template <typename T> T emulation_shuffle(const char *file, int line, unsigned mask, T value, unsigned from) {
    static_assert(sizeof(T) <= sizeof(uint64_t), "a shuffle takes 8 bytes");
    uint64_t bits = 0;
    T got;
    memcpy(&bits, &value, sizeof value);
    bits = emulation_exchange(file, line, mask, bits, from);
    memcpy(&got, &bits, sizeof got);
    return got;
}

static inline int atomicCAS(int *at, int expected, int value) {
    int old = *at;
    if (old == expected) *at = value;
    return old;
}

static inline unsigned long long atomicMin(unsigned long long *at, unsigned long long value) {
    unsigned long long old = *at;
    if (value < old) *at = value;
    return old;
}

/* ---- tensor cores, and copies that go on beside a kernel; what they do, train/cuda/tensor.h says */

void emulation_mma(const char *file, int line, float d[4], const uint32_t a[4], const uint32_t b[2]);
void emulation_ldmatrix(const char *file, int line, uint32_t to[4], const void *row, bool transposed);
/* What is copied lands when the thread waits; until then there is NaN where it will. */
void emulation_copy(void *shared, const void *from, size_t bytes, bool there);
void emulation_copy_wait();
[[noreturn]] void emulation_misaligned(const char *file, int line, const void *at);

/* ---- what a host calls */

enum cudaError_t {
    cudaSuccess = 0,
    cudaErrorInvalidValue = 1,
    cudaErrorMemoryAllocation = 2,
    cudaErrorInvalidConfiguration = 9,
    cudaErrorInsufficientDriver = 35,
    cudaErrorNoDevice = 100,
    cudaErrorInvalidDevice = 101,
    cudaErrorDeviceUninitialized = 201,
    cudaErrorInvalidResourceHandle = 400,
    cudaErrorNotReady = 600,
    cudaErrorUnknown = 999
};
enum cudaMemcpyKind {
    cudaMemcpyHostToHost,
    cudaMemcpyHostToDevice,
    cudaMemcpyDeviceToHost,
    cudaMemcpyDeviceToDevice,
    cudaMemcpyDefault
};
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize };
typedef struct emulation_stream *cudaStream_t;
typedef struct emulation_event *cudaEvent_t;
struct cudaUUID_t {
    char bytes[16];
};
struct cudaDeviceProp {
    char name[256];
    cudaUUID_t uuid;
    size_t totalGlobalMem;
    int major, minor, multiProcessorCount;
    size_t sharedMemPerBlockOptin;
};
enum {
    cudaStreamNonBlocking = 1,
    cudaEventDefault = 0,
    cudaEventDisableTiming = 2,
    cudaHostAllocDefault = 0
};

const char *cudaGetErrorString(cudaError_t error);
cudaError_t cudaGetLastError();
cudaError_t cudaDriverGetVersion(int *version);
cudaError_t cudaRuntimeGetVersion(int *version);
cudaError_t cudaGetDeviceCount(int *count);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device);
cudaError_t cudaMemGetInfo(size_t *free, size_t *total);
cudaError_t cudaMalloc(void **out, size_t bytes);
cudaError_t cudaFree(void *at);
cudaError_t cudaHostAlloc(void **out, size_t bytes, unsigned flags);
cudaError_t cudaFreeHost(void *at);
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream);
cudaError_t cudaMemsetAsync(void *at, int value, size_t bytes, cudaStream_t stream);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamQuery(cudaStream_t stream);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *out, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaEventQuery(cudaEvent_t event);
/* An event's time is when its stream came to it. */
cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t start, cudaEvent_t end);

/* Puts a kernel into the stream: `body` is run once a thread. `granted`: shared memory that was asked for
 * beyond the usual 48 KiB. */
cudaError_t emulation_launch(const char *name, dim3 blocks, dim3 threads, size_t shared, size_t granted,
                             cudaStream_t stream, std::function<void()> body);
/* How often the host waited for work that was still to do: in a synchronisation, or because memory was freed.
 * At least as often as on a GPU, which works meanwhile. With ADAPT_EMULATION_WAITS in the environment a
 * program says it at its end. */
uint64_t emulation_waits();
/* Puts work of a library into the stream. */
cudaError_t emulation_enqueue(cudaStream_t stream, std::function<void()> work);

#endif

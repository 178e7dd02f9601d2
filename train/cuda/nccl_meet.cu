/* How ranks are linked by NCCL: they meet, and add up one number. */
#include "train/cuda/nccl.h"

#if CUDA_HAS_NCCL
#include <math.h>
#include <time.h>
extern "C" {
#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
}

#ifdef ADAPT_EMULATION
enum { PATIENCE = 3 };
#else
enum { PATIENCE = 180 }; /* seconds */
#endif

/* In a thread of its own, which NCCL may keep for ever: it waits for ranks that failed on their way, and for
 * networks that let nothing through. The first sum belongs to it, as it makes the connections. All of this is
 * the meeting's own: nobody waits for it beyond patience. */
struct meeting {
    struct nccl library;
    int device, rank, ranks;
    ncclUniqueId name;
    ncclComm_t comm;
    cudaStream_t stream;
    float *number; /* on the device: first 1, then the sum of it */
    struct error failure;
    bool given_up; /* atomic */
};

static bool cuda_went(struct meeting *m, const char *what, cudaError_t status) {
    return nccl_cuda_went(&m->failure, m->device, what, status);
}

static void *meet(void *context) {
    static const float one = 1.0f;
    struct meeting *m = (struct meeting *)context;
    struct nccl *l = &m->library;
    if (!cuda_went(m, "cudaSetDevice", cudaSetDevice(m->device)) || /* every thread has its own */
        !nccl_went(&m->failure, l, m->device, "ncclCommInitRank",
                   l->ncclCommInitRank(&m->comm, m->ranks, m->name, m->rank)))
        return NULL;
    if (__atomic_load_n(&m->given_up, __ATOMIC_ACQUIRE)) { /* a sum would keep the device for ever */
        l->ncclCommAbort(m->comm);
        return NULL;
    }
    if (cuda_went(m, "cudaStreamCreate", cudaStreamCreateWithFlags(&m->stream, cudaStreamNonBlocking)) &&
        cuda_went(m, "cudaMalloc", cudaMalloc((void **)&m->number, sizeof one)) &&
        cuda_went(m, "cudaMemcpyAsync",
                  cudaMemcpyAsync(m->number, &one, sizeof one, cudaMemcpyHostToDevice, m->stream)))
        nccl_went(&m->failure, l, m->device, "ncclAllReduce",
                  l->ncclAllReduce(m->number, m->number, 1, ncclFloat32, ncclSum, m->comm, m->stream));
    return NULL;
}

static int too_long(const struct meeting *m, struct error *err) {
    return error_set(
        err, ERROR_DEVICE,
        "sums over the ranks: NCCL did not link CUDA device %d with the others' in %d s: another rank "
        "failed, or their network lets nothing through (NCCL_DEBUG=INFO tells more)",
        m->device, PATIENCE);
}

/* Whether the first sum ends, and is one. */
static int prove(struct meeting *m, struct error *err) {
    const double end = clock_seconds() + PATIENCE;
    const struct timespec pause = {0, 100 * 1000};
    float sum = NAN;
    cudaError_t status;
    while ((status = cudaStreamQuery(m->stream)) == cudaErrorNotReady) {
        if (clock_seconds() > end) return too_long(m, err);
        nanosleep(&pause, NULL);
    }
    if (!cuda_went(m, "the first sum", status) ||
        !cuda_went(m, "cudaMemcpyAsync",
                   cudaMemcpyAsync(&sum, m->number, sizeof sum, cudaMemcpyDeviceToHost, m->stream)) ||
        !cuda_went(m, "cudaStreamSynchronize", cudaStreamSynchronize(m->stream)))
        return error_set(err, m->failure.code, "%s", m->failure.message);
    if (sum == (float)m->ranks) return 0;
    return error_set(err, ERROR_DEVICE, "sums over the ranks: on CUDA device %d, %d ones add up to %g",
                     m->device, m->ranks, (double)sum);
}

int nccl_meet(const struct nccl *library, int device, const ncclUniqueId *name, int rank, int ranks,
              ncclComm_t *out, struct error *err) {
    struct meeting *m;
    struct timespec end;
    pthread_t thread;
    TRY(memory_alloc(&m, 1, sizeof *m, err));
    m->library = *library;
    m->device = device;
    m->rank = rank;
    m->ranks = ranks;
    m->name = *name;
    int code = thread_start("adapt-link", meet, m, &thread, err);
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += PATIENCE;
    if (!code && pthread_timedjoin_np(thread, NULL, &end)) {
        __atomic_store_n(&m->given_up, true, __ATOMIC_RELEASE);
        code = too_long(m, err);
        pthread_detach(thread);
        return code; /* what the thread may still use stays */
    }
    if (!code && m->failure.code) code = error_set(err, m->failure.code, "%s", m->failure.message);
    if (!code) code = prove(m, err);
    if (code && m->comm) m->library.ncclCommAbort(m->comm); /* the others' sums may wait for this one's */
    if (!code) *out = m->comm;
    cudaFree(m->number);
    if (m->stream) cudaStreamDestroy(m->stream);
    memory_free(m);
    return code;
}
#endif

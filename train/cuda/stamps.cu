/* Time in the order of the stream: events, made at the first stamp. */
#include "train/cuda/device.h"

static bool make_events(struct cuda *cuda) {
    for (; cuda->stamps_made < BACKEND_STAMPS; cuda->stamps_made++)
        if (!cuda_good(cuda, CUDA_STAMP, "cudaEventCreate",
                       cudaEventCreateWithFlags(&cuda->stamps[cuda->stamps_made].event, cudaEventDefault)))
            return false;
    return true;
}

static struct cuda_stamp *find(struct cuda *cuda, enum cuda_operation op, int i) {
    if (i >= 0 && i < BACKEND_STAMPS) return &cuda->stamps[i];
    cuda_fail(cuda, ERROR_INTERNAL, op, "number %d is not in 0..%d", i, BACKEND_STAMPS - 1);
    return NULL;
}

static void stamp(struct backend *b, int i) {
    struct cuda *cuda = cuda_of(b);
    struct cuda_stamp *stamp = find(cuda, CUDA_STAMP, i);
    if (stamp)
        stamp->put =
            cuda_ready(cuda) && make_events(cuda) &&
            cuda_good(cuda, CUDA_STAMP, "cudaEventRecord", cudaEventRecord(stamp->event, cuda->stream));
}

static bool wait_for(struct cuda *cuda, const struct cuda_stamp *stamp) {
    return stamp->put && cuda_wait_event(cuda, CUDA_STAMP_SECONDS, stamp->event);
}

static double stamp_seconds(struct backend *b, int from, int to) {
    struct cuda *cuda = cuda_of(b);
    const struct cuda_stamp *start = find(cuda, CUDA_STAMP_SECONDS, from),
                            *end = find(cuda, CUDA_STAMP_SECONDS, to);
    float milliseconds = 0.0f;
    if (!cuda_ready(cuda) || !wait_for(cuda, start) || !wait_for(cuda, end) ||
        !cuda_good(cuda, CUDA_STAMP_SECONDS, "cudaEventElapsedTime",
                   cudaEventElapsedTime(&milliseconds, start->event, end->event)))
        return 0.0;
    return 1e-3 * milliseconds;
}

void cuda_stamps_close(struct cuda *cuda) {
    for (int i = 0; i < cuda->stamps_made; i++) cudaEventDestroy(cuda->stamps[i].event);
}

void cuda_install_stamps(struct backend *b) {
    b->stamp = stamp;
    b->stamp_seconds = stamp_seconds;
}

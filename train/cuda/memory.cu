/* Buffers, and the way of numbers between host and device through pinned memory. */
#include "train/cuda/kernels.h"

extern "C" {
#include "base/memory.h"
}
#include <string.h>

static int create(struct cuda *cuda, size_t bytes, struct buffer *buffer, struct error *err) {
    void *data = NULL;
    if (cuda->lost) return error_set(err, cuda->failure.code, "%s", cuda->failure.message);
    cudaError_t status = cudaMalloc(&data, bytes ? bytes : 1);
    if (!status) {
        buffer->data = (unsigned char *)data;
        status = cudaMemsetAsync(data, 0, bytes ? bytes : 1, cuda->stream);
    }
    if (!status) return 0;
    size_t left = 0, total = 0;
    (void)cudaGetLastError();
    if (cudaMemGetInfo(&left, &total) != cudaSuccess) left = total = 0;
    return error_set(err, cuda_error_code(status),
                     "CUDA device %d: %s: a buffer of %.1f MiB, where %.1f of %.1f MiB are free",
                     cuda->device, cudaGetErrorString(status), (double)bytes / (1 << 20),
                     (double)left / (1 << 20), (double)total / (1 << 20));
}

static void buffer_destroy(struct backend *b, struct buffer **buffer) {
    (void)b;
    if (!*buffer) return;
    cudaFree((*buffer)->shadow);
    cudaFree((*buffer)->data);
    memory_free(*buffer);
    *buffer = NULL;
}

static int buffer_create(struct backend *b, size_t bytes, struct buffer **out, struct error *err) {
    *out = NULL;
    TRY(memory_alloc(out, 1, sizeof **out, err));
    (*out)->bytes = bytes;
    int code = create(cuda_of(b), bytes, *out, err);
    if (code) buffer_destroy(b, out);
    return code;
}

static void *host_pointer(struct backend *b, struct buffer *buffer) {
    (void)b;
    (void)buffer;
    return NULL;
}

/* Bytes at a view of any dtype, or NULL after a failure. */
static unsigned char *bytes_at(struct cuda *cuda, enum cuda_operation op, struct view view, size_t count) {
    if (view.buffer && cuda_room(view) >= count)
        return view.buffer->data + view.offset * dtype_bytes(view.dtype);
    cuda_fail(cuda, ERROR_INTERNAL, op, "%zu elements at %zu leave the buffer of %zu bytes", count,
              view.offset, view.buffer ? view.buffer->bytes : 0);
    return NULL;
}

/* Pinned memory for `bytes` (at most CUDA_STAGING) that nothing reads any more. Copies out of one half of it
 * go on while the other is filled. */
static unsigned char *stage(struct cuda *cuda, enum cuda_operation op, size_t bytes) {
    if (cuda->staged + bytes > CUDA_STAGING) {
        if (!cuda_good(cuda, op, "cudaEventRecord",
                       cudaEventRecord(cuda->half_done[cuda->half], cuda->stream)))
            return NULL;
        cuda->half_used[cuda->half] = true;
        cuda->half = 1 - cuda->half;
        cuda->staged = 0;
        if (cuda->half_used[cuda->half] && !cuda_wait_event(cuda, op, cuda->half_done[cuda->half]))
            return NULL;
    }
    unsigned char *at = cuda->staging + (size_t)cuda->half * CUDA_STAGING + cuda->staged;
    cuda->staged += (bytes + 63) / 64 * 64;
    return at;
}

bool cuda_copy_in(struct cuda *cuda, enum cuda_operation op, void *to, const void *from, size_t bytes) {
    for (size_t done = 0; done < bytes; done += CUDA_STAGING) {
        size_t count = cuda_least(bytes - done, CUDA_STAGING);
        unsigned char *pinned = stage(cuda, op, count);
        if (!pinned) return false;
        memcpy(pinned, (const unsigned char *)from + done, count);
        if (!cuda_good(cuda, op, "cudaMemcpyAsync",
                       cudaMemcpyAsync((unsigned char *)to + done, pinned, count, cudaMemcpyHostToDevice,
                                       cuda->stream)))
            return false;
    }
    return true;
}

static void upload(struct backend *b, struct view to, const void *from, size_t count) {
    struct cuda *cuda = cuda_of(b);
    if (count == 0 || cuda->lost) return;
    unsigned char *at = bytes_at(cuda, CUDA_UPLOAD, to, count);
    if (!at) return;
    to.buffer->version++;
    cuda_copy_in(cuda, CUDA_UPLOAD, at, from, count * dtype_bytes(to.dtype));
}

static void download(struct backend *b, struct view from, void *to, size_t count) {
    struct cuda *cuda = cuda_of(b);
    if (count == 0 || cuda->lost) return;
    const unsigned char *at = bytes_at(cuda, CUDA_DOWNLOAD, from, count);
    unsigned char *pinned = cuda->staging + 2 * (size_t)CUDA_STAGING;
    size_t bytes = count * dtype_bytes(from.dtype), piece = 2 * (size_t)CUDA_STAGING;
    for (size_t done = 0; at && done < bytes; done += piece) {
        size_t now = cuda_least(bytes - done, piece);
        if (!cuda_good(cuda, CUDA_DOWNLOAD, "cudaMemcpyAsync",
                       cudaMemcpyAsync(pinned, at + done, now, cudaMemcpyDeviceToHost, cuda->stream)) ||
            !cuda_wait(cuda, CUDA_DOWNLOAD))
            return;
        memcpy((unsigned char *)to + done, pinned, now);
    }
}

static void *device_pointer(struct backend *b, struct view view, size_t count, bool change) {
    unsigned char *at = bytes_at(cuda_of(b), CUDA_POINTER, view, count);
    if (at && change) view.buffer->version++;
    return at;
}

static void zero(struct backend *b, size_t n, struct view x) {
    struct cuda *cuda = cuda_of(b);
    if (n == 0 || !cuda_ready(cuda)) return;
    unsigned char *at = bytes_at(cuda, CUDA_ZERO, x, n);
    if (!at) return;
    x.buffer->version++;
    cuda_good(cuda, CUDA_ZERO, "cudaMemsetAsync",
              cudaMemsetAsync(at, 0, n * dtype_bytes(x.dtype), cuda->stream));
}

template <typename F, typename T> static __global__ void kernel_convert(size_t n, const F *from, T *to) {
    for (size_t i = first_element(); i < n; i += element_stride()) put(to, i, get(from, i));
}

static void copy(struct backend *b, size_t n, struct view from, struct view to) {
    struct cuda *cuda = cuda_of(b);
    if (n == 0 || !cuda_ready(cuda)) return;
    const unsigned char *source = bytes_at(cuda, CUDA_COPY, from, n);
    unsigned char *target = bytes_at(cuda, CUDA_COPY, to, n);
    if (!source || !target) return;
    to.buffer->version++;
    if (from.dtype == to.dtype)
        cuda_good(cuda, CUDA_COPY, "cudaMemcpyAsync",
                  cudaMemcpyAsync(target, source, n * dtype_bytes(to.dtype), cudaMemcpyDeviceToDevice,
                                  cuda->stream));
    else if (from.dtype == DTYPE_BF16 && to.dtype == DTYPE_F32)
        cuda_launch(cuda, CUDA_COPY, kernel_convert<__nv_bfloat16, float>, cuda_blocks(n), CUDA_THREADS, 0, n,
                    (const __nv_bfloat16 *)source, (float *)target);
    else if (from.dtype == DTYPE_F32 && to.dtype == DTYPE_BF16)
        cuda_launch(cuda, CUDA_COPY, kernel_convert<float, __nv_bfloat16>, cuda_blocks(n), CUDA_THREADS, 0, n,
                    (const float *)source, (__nv_bfloat16 *)target);
    else
        cuda_fail(cuda, ERROR_UNSUPPORTED, CUDA_COPY, "converts between F32 and BF16 only");
}

void cuda_install_memory(struct backend *b) {
    b->buffer_create = buffer_create;
    b->buffer_destroy = buffer_destroy;
    b->host_pointer = host_pointer;
    b->upload = upload;
    b->download = download;
    b->device_pointer = device_pointer;
    b->zero = zero;
    b->copy = copy;
}

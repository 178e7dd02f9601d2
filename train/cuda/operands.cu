/* How operations get at their operands: device memory behind views, bfloat16 copies, scratch, tables of the
 * host. */
#include "train/cuda/kernels.h"

extern "C" {
#include "base/memory.h"
}
#include <string.h>

size_t cuda_room(struct view view) {
    if (!view.buffer) return 0;
    size_t elements = view.buffer->bytes / dtype_bytes(view.dtype);
    return view.offset < elements ? elements - view.offset : 0;
}

static void *place(struct cuda *cuda, enum cuda_operation op, struct view view, size_t count,
                   enum dtype dtype) {
    static const char *const names[] = {"F32", "F64", "I32", "BF16"};
    if (!cuda_ready(cuda)) return NULL;
    if (count == 0) return cuda; /* anything but NULL */
    if (!view.buffer) {
        cuda_fail(cuda, ERROR_INTERNAL, op, "an operand of %zu elements is absent", count);
    } else if (view.dtype != dtype) {
        cuda_fail(cuda, ERROR_UNSUPPORTED, op, "an operand is %s, expected %s", names[view.dtype],
                  names[dtype]);
    } else if (cuda_room(view) < count) {
        cuda_fail(cuda, ERROR_INTERNAL, op,
                  "an operand of %zu elements at %zu leaves its buffer of %zu bytes", count, view.offset,
                  view.buffer->bytes);
    } else {
        return view.buffer->data + view.offset * dtype_bytes(dtype);
    }
    return NULL;
}

const void *cuda_read(struct cuda *cuda, enum cuda_operation op, struct view view, size_t count,
                      enum dtype dtype) {
    return place(cuda, op, view, count, dtype);
}

void *cuda_write(struct cuda *cuda, enum cuda_operation op, struct view view, size_t count,
                 enum dtype dtype) {
    void *at = place(cuda, op, view, count, dtype);
    if (at && view.buffer) view.buffer->version++;
    return at;
}

bool cuda_is_activation(struct cuda *cuda, enum cuda_operation op, struct view view) {
    if (!cuda_ready(cuda)) return false;
    if (!view.buffer || view.dtype == DTYPE_F32 || view.dtype == DTYPE_BF16) return true;
    cuda_fail(cuda, ERROR_UNSUPPORTED, op, "an operand is neither F32 nor BF16");
    return false;
}

/* A number of 16 bits that every place of a vector has for itself, as good as random: the finalizer of
 * MurmurHash3 (Appleby 2011). */
static __device__ __forceinline__ uint32_t threshold_of(size_t place) {
    uint32_t x = (uint32_t)place ^ (uint32_t)((unsigned long long)place >> 32) * 0x9e3779b9u;
    x = (x ^ x >> 16) * 0x85ebca6bu;
    x = (x ^ x >> 13) * 0xc2b2ae35u;
    return x >> 16;
}

/* Weights in bfloat16, each rounded up above a threshold of its place: a vector's mean is kept. Rounded to
 * the nearest, checkpoints that were stored in bfloat16 would stand still: the first steps change few weights
 * by half of the distance to the next number, and all others' changes would be lost to the products, in the
 * direction of learning of all things. The threshold never changes, so a weight has one rounding, and what
 * bfloat16 can hold stays exact. */
static __global__ void kernel_halve(size_t n, const float *from, uint16_t *to) {
    const uint32_t not_finite = 0x7f800000u;
    for (size_t i = first_element(); i < n; i += element_stride()) {
        uint32_t bits;
        memcpy(&bits, &from[i], sizeof bits);
        bool finite = (bits & not_finite) != not_finite, nan = !finite && (bits & 0x7fffffu);
        to[i] = (uint16_t)(nan ? 0x7fffu : (finite ? bits + threshold_of(i) : bits) >> 16);
    }
}

const __nv_bfloat16 *cuda_halves(struct cuda *cuda, enum cuda_operation op, struct view view, size_t count) {
    if (view.dtype == DTYPE_BF16) return (const __nv_bfloat16 *)cuda_read(cuda, op, view, count, DTYPE_BF16);
    struct buffer *buffer = view.buffer;
    const void *at = cuda_read(cuda, op, view, count, DTYPE_F32);
    if (!at || count == 0) return (const __nv_bfloat16 *)at;
    size_t n = buffer->bytes / sizeof(float);
    if (!buffer->shadow) {
        void *shadow = NULL;
        if (!cuda_good(cuda, op, "cudaMalloc for a bfloat16 copy", cudaMalloc(&shadow, n * 2))) return NULL;
        buffer->shadow = (__nv_bfloat16 *)shadow;
        buffer->shadow_version = buffer->version - 1;
    }
    if (buffer->shadow_version != buffer->version)
        cuda_launch(cuda, op, kernel_halve, cuda_blocks(n), CUDA_THREADS, 0, n, (const float *)buffer->data,
                    (uint16_t *)(void *)buffer->shadow);
    if (cuda_ready(cuda)) buffer->shadow_version = buffer->version;
    return buffer->shadow + view.offset;
}

const void *cuda_weights(struct cuda *cuda, enum cuda_operation op, struct view view, size_t count,
                         enum dtype dtype) {
    if (dtype == DTYPE_BF16) return cuda_halves(cuda, op, view, count);
    return cuda_read(cuda, op, view, count, DTYPE_F32);
}

int cuda_reserve_scratch(struct cuda *cuda, size_t bytes, struct error *err) {
    if (bytes <= cuda->scratch_bytes) return 0;
    void *scratch = NULL;
    if (cuda->lost) return error_set(err, cuda->failure.code, "%s", cuda->failure.message);
    cudaError_t status = cudaStreamSynchronize(cuda->stream);
    if (!status) status = cudaFree(cuda->scratch);
    cuda->scratch = NULL;
    cuda->scratch_bytes = 0;
    if (!status) status = cudaMalloc(&scratch, bytes);
    if (status) {
        (void)cudaGetLastError();
        return error_set(err, cuda_error_code(status), "CUDA device %d: %.1f MiB of scratch memory: %s",
                         cuda->device, (double)bytes / (1 << 20), cudaGetErrorString(status));
    }
    cuda->scratch = (unsigned char *)scratch;
    cuda->scratch_bytes = bytes;
    return 0;
}

void *cuda_scratch(struct cuda *cuda, enum cuda_operation op, size_t bytes) {
    struct error err = {0, ""};
    if (!cuda_ready(cuda)) return NULL;
    if (!cuda_reserve_scratch(cuda, bytes ? bytes : 1, &err)) return cuda->scratch;
    cuda_fail(cuda, err.code, op, "%s", err.message);
    return NULL;
}

static int grow_table(struct cuda *cuda, struct cuda_table *table, size_t bytes, struct error *err) {
    if (bytes <= table->capacity) return 0;
    if (cuda->lost) return error_set(err, cuda->failure.code, "%s", cuda->failure.message);
    memory_free(table->host);
    table->host = NULL;
    table->bytes = table->capacity = 0;
    cudaError_t status = cudaStreamSynchronize(cuda->stream);
    if (!status) status = cudaFree(table->device);
    table->device = NULL;
    TRY(memory_alloc(&table->host, bytes, 1, err));
    if (!status) status = cudaMalloc(&table->device, bytes);
    if (status) {
        (void)cudaGetLastError();
        return error_set(err, cuda_error_code(status), "CUDA device %d: a table of %zu bytes: %s",
                         cuda->device, bytes, cudaGetErrorString(status));
    }
    table->capacity = bytes;
    return 0;
}

int cuda_reserve_tables(struct cuda *cuda, size_t bytes, struct error *err) {
    for (int i = 0; i < CUDA_TABLES; i++) TRY(grow_table(cuda, &cuda->tables[i], bytes, err));
    return 0;
}

const void *cuda_numbers(struct cuda *cuda, enum cuda_operation op, const void *numbers, size_t bytes) {
    struct cuda_table *oldest = &cuda->tables[0];
    struct error err = {0, ""};
    if (!cuda_ready(cuda)) return NULL;
    cuda->table_clock++;
    for (int i = 0; i < CUDA_TABLES; i++) {
        struct cuda_table *table = &cuda->tables[i];
        if (table->capacity && table->bytes == bytes && !memcmp(table->host, numbers, bytes)) {
            table->used = cuda->table_clock;
            return table->device;
        }
        if (table->used < oldest->used) oldest = table;
    }
    if (bytes > oldest->capacity && grow_table(cuda, oldest, cuda_most(2 * bytes, 4096), &err)) {
        cuda_fail(cuda, err.code, op, "%s", err.message);
        return NULL;
    }
    oldest->bytes = 0; /* good again when all is copied */
    if (!cuda_copy_in(cuda, op, oldest->device, numbers, bytes)) return NULL;
    memcpy(oldest->host, numbers, bytes);
    oldest->bytes = bytes;
    oldest->used = cuda->table_clock;
    return oldest->device;
}

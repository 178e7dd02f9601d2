#include "train/cpu/memory.h"

#include "base/memory.h"
#include "train/cpu/cpu.h"
#include <string.h>
#include <sys/mman.h>

enum {
    BUFFER_ALIGNMENT = 256,
    HUGE_PAGE = 2 << 20, /* bytes, where the system has such */
    LARGE = 8 << 20,     /* buffers of so many bytes are mappings of their own */
    PIECE = 1 << 20      /* bytes that a thread takes at a time */
};

static unsigned char *aligned(void *block, size_t alignment) {
    return (unsigned char *)block + (alignment - (uintptr_t)block % alignment) % alignment;
}

/* Zeroed memory that becomes resident where it is touched. Huge pages, where the system gives them, save
 * large operations many misses of the address cache. */
static int map(struct buffer *buffer, struct error *err) {
    buffer->mapped = buffer->bytes + HUGE_PAGE;
    buffer->block = mmap(NULL, buffer->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (buffer->block == MAP_FAILED)
        return error_set(err, ERROR_MEMORY, "out of memory for %zu bytes", buffer->bytes);
    buffer->data = aligned(buffer->block, HUGE_PAGE);
    (void)madvise(buffer->data, buffer->bytes, MADV_HUGEPAGE);
    return 0;
}

static int allocate(struct buffer *buffer, struct error *err) {
    TRY(memory_alloc(&buffer->block, buffer->bytes + BUFFER_ALIGNMENT, 1, err));
    buffer->data = aligned(buffer->block, BUFFER_ALIGNMENT);
    return 0;
}

int cpu_buffer_create(size_t bytes, struct buffer **out, struct error *err) {
    struct buffer *buffer;
    *out = NULL;
    if (bytes > SIZE_MAX - HUGE_PAGE) return error_set(err, ERROR_MEMORY, "a buffer of %zu bytes", bytes);
    TRY(memory_alloc(&buffer, 1, sizeof *buffer, err));
    buffer->bytes = bytes;
    int code = bytes < LARGE ? allocate(buffer, err) : map(buffer, err);
    if (code) {
        memory_free(buffer);
        return code;
    }
    *out = buffer;
    return 0;
}

void cpu_buffer_destroy(struct buffer **buffer) {
    if (!*buffer) return;
    if ((*buffer)->mapped)
        munmap((*buffer)->block, (*buffer)->mapped);
    else
        memory_free((*buffer)->block);
    memory_free(*buffer);
    *buffer = NULL;
}

static int buffer_create(struct backend *b, size_t bytes, struct buffer **out, struct error *err) {
    (void)b;
    return cpu_buffer_create(bytes, out, err);
}

static void buffer_destroy(struct backend *b, struct buffer **buffer) {
    (void)b;
    cpu_buffer_destroy(buffer);
}

static void *host_pointer(struct backend *b, struct buffer *buffer) {
    (void)b;
    return buffer ? buffer->data : NULL;
}

/* Bytes at a view of any dtype, or NULL after a failure. */
static unsigned char *bytes_at(struct cpu *cpu, const char *operation, struct view view, size_t count) {
    if (view.buffer && cpu_room(view) >= count)
        return view.buffer->data + view.offset * dtype_bytes(view.dtype);
    cpu_fail(cpu, ERROR_INTERNAL, operation, "%zu elements at %zu leave the buffer of %zu bytes", count,
             view.offset, view.buffer ? view.buffer->bytes : 0);
    return NULL;
}

static void upload(struct backend *b, struct view to, const void *from, size_t count) {
    if (count == 0) return;
    unsigned char *at = bytes_at(cpu_of(b), "upload", to, count);
    if (at) memcpy(at, from, count * dtype_bytes(to.dtype));
}

static void download(struct backend *b, struct view from, void *to, size_t count) {
    if (count == 0) return;
    unsigned char *at = bytes_at(cpu_of(b), "download", from, count);
    if (at) memcpy(to, at, count * dtype_bytes(from.dtype));
}

static void zero(struct backend *b, size_t n, struct view x) {
    if (n == 0 || !cpu_ready(cpu_of(b))) return;
    unsigned char *at = bytes_at(cpu_of(b), "zero", x, n);
    if (!at) return;
    size_t bytes = n * dtype_bytes(x.dtype);
#pragma omp parallel for num_threads(cpu_of(b)->threads) schedule(static) if (bytes > PIECE)
    for (size_t i = 0; i < bytes; i += PIECE) memset(at + i, 0, bytes - i < PIECE ? bytes - i : PIECE);
}

static float widen(uint16_t half) {
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* To the nearest, ties to even; a NaN stays one. */
static uint16_t narrow(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (value != value) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static void copy(struct backend *b, size_t n, struct view from, struct view to) {
    struct cpu *cpu = cpu_of(b);
    if (n == 0 || !cpu_ready(cpu)) return;
    const unsigned char *source = bytes_at(cpu, "copy", from, n);
    unsigned char *target = bytes_at(cpu, "copy", to, n);
    if (!source || !target) return;
    if (from.dtype == to.dtype) {
        memmove(target, source, n * dtype_bytes(to.dtype));
    } else if (from.dtype == DTYPE_BF16 && to.dtype == DTYPE_F32) {
        const uint16_t *half = (const uint16_t *)(const void *)source;
        float *single = (float *)(void *)target;
        for (size_t i = 0; i < n; i++) single[i] = widen(half[i]);
    } else if (from.dtype == DTYPE_F32 && to.dtype == DTYPE_BF16) {
        const float *single = (const float *)(const void *)source;
        uint16_t *half = (uint16_t *)(void *)target;
        for (size_t i = 0; i < n; i++) half[i] = narrow(single[i]);
    } else {
        cpu_fail(cpu, ERROR_UNSUPPORTED, "copy", "converts between F32 and BF16 only");
    }
}

void cpu_install_memory(struct backend *b) {
    b->buffer_create = buffer_create;
    b->buffer_destroy = buffer_destroy;
    b->host_pointer = host_pointer;
    b->upload = upload;
    b->download = download;
    b->zero = zero;
    b->copy = copy;
}

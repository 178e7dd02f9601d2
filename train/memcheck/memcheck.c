#include "train/memcheck/memcheck.h"

#include "base/memory.h"
#include "train/cpu/cpu.h"
#include "train/memcheck/loan.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct memcheck *memcheck_of(struct backend *b) {
    return (struct memcheck *)b;
}

void memcheck_fail(struct memcheck *m, int code, const char *operation, const char *format, ...) {
    if (m->failure.code) return;
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    error_set(&m->failure, code, "%s: %s", operation, message);
}

static int buffer_create(struct backend *b, size_t bytes, struct buffer **out, struct error *err) {
    (void)b;
    struct buffer *buffer;
    *out = NULL;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (bytes > SIZE_MAX - page) return error_set(err, ERROR_MEMORY, "a buffer of %zu bytes", bytes);
    TRY(memory_alloc(&buffer, 1, sizeof *buffer, err));
    buffer->bytes = bytes;
    buffer->mapped = bytes ? (bytes + page - 1) / page * page : page;
    buffer->pages = mmap(NULL, buffer->mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (buffer->pages == MAP_FAILED) {
        memory_free(buffer);
        return error_set(err, ERROR_MEMORY, "no memory for a buffer of %zu bytes", bytes);
    }
    *out = buffer;
    return 0;
}

static void buffer_destroy(struct backend *b, struct buffer **buffer) {
    (void)b;
    if (!*buffer) return;
    munmap((*buffer)->pages, (*buffer)->mapped);
    memory_free(*buffer);
    *buffer = NULL;
}

void loan_unlock(struct buffer *buffer) {
    mprotect(buffer->pages, buffer->mapped, PROT_READ | PROT_WRITE);
}

void loan_lock(struct buffer *buffer) {
    mprotect(buffer->pages, buffer->mapped, PROT_NONE);
}

static void *host_pointer(struct backend *b, struct buffer *buffer) {
    (void)b;
    (void)buffer;
    return NULL;
}

/* Whether `count` elements lie inside of the view's buffer; a failure otherwise. */
static bool inside(struct backend *b, const char *operation, struct view view, size_t count) {
    if (loan_room(view) >= count) return true;
    memcheck_fail(memcheck_of(b), ERROR_INTERNAL, operation, "%zu elements at %zu leave the buffer", count,
                  view.offset);
    return false;
}

static void upload(struct backend *b, struct view to, const void *from, size_t count) {
    size_t size = dtype_bytes(to.dtype);
    if (count == 0 || !inside(b, "upload", to, count)) return;
    loan_unlock(to.buffer);
    memcpy(to.buffer->pages + to.offset * size, from, count * size);
    loan_lock(to.buffer);
}

static void download(struct backend *b, struct view from, void *to, size_t count) {
    size_t size = dtype_bytes(from.dtype);
    if (count == 0 || !inside(b, "download", from, count)) return;
    loan_unlock(from.buffer);
    memcpy(to, from.buffer->pages + from.offset * size, count * size);
    loan_lock(from.buffer);
}

static int reserve(struct backend *b, int rows, int hidden, int vocabulary, int targets, struct error *err) {
    struct backend *inner = memcheck_of(b)->inner;
    return inner->reserve(inner, rows, hidden, vocabulary, targets, err);
}

static size_t scratch_bytes(struct backend *b, int rows, int hidden, int vocabulary, int targets) {
    struct backend *inner = memcheck_of(b)->inner;
    return inner->scratch_bytes(inner, rows, hidden, vocabulary, targets);
}

static void memory(struct backend *b, size_t *left, size_t *total) {
    struct backend *inner = memcheck_of(b)->inner;
    inner->memory(inner, left, total);
}

static int check(struct backend *b, struct error *err) {
    struct memcheck *m = memcheck_of(b);
    int code = m->failure.code;
    m->failure.code = 0;
    return code ? error_set(err, code, "%s", m->failure.message) : 0;
}

static void keep_failure(struct memcheck *m) {
    struct error err = {0};
    if (m->inner->check(m->inner, &err) && !m->failure.code) m->failure = err;
}

static void stamp(struct backend *b, int i) {
    struct memcheck *m = memcheck_of(b);
    m->inner->stamp(m->inner, i);
    keep_failure(m);
}

static double stamp_seconds(struct backend *b, int from, int to) {
    struct memcheck *m = memcheck_of(b);
    double seconds = m->inner->stamp_seconds(m->inner, from, to);
    keep_failure(m);
    return m->failure.code ? 0.0 : seconds;
}

static void destroy(struct backend *b) {
    struct memcheck *m = memcheck_of(b);
    backend_destroy(&m->inner);
    memory_free(m);
}

int memcheck_wrap(struct backend *inner, struct backend **out, struct error *err) {
    struct memcheck *m;
    TRY(memory_alloc(&m, 1, sizeof *m, err));
    m->inner = inner;
    struct backend *b = &m->base;
    b->name = "memcheck";
    b->activations = inner->activations;
    b->buffer_create = buffer_create;
    b->buffer_destroy = buffer_destroy;
    b->host_pointer = host_pointer;
    b->upload = upload;
    b->download = download;
    b->reserve = reserve;
    b->scratch_bytes = scratch_bytes;
    b->memory = memory;
    b->check = check;
    b->stamp = stamp;
    b->stamp_seconds = stamp_seconds;
    b->destroy = destroy;
    memcheck_install_operations(b);
    *out = b;
    return 0;
}

int memcheck_backend_create(int threads, struct backend **out, struct error *err) {
    struct backend *inner;
    TRY(cpu_backend_create(threads, &inner, err));
    int code = memcheck_wrap(inner, out, err);
    if (code) backend_destroy(&inner);
    return code;
}

#include "train/cpu/cpu.h"

#include "base/memory.h"
#include "train/cpu/few.h"
#include "train/cpu/memory.h"
#include "train/cpu/weight_gradient.h"
#include <omp.h>
#include <stdarg.h>
#include <stdio.h>

enum {
    RESERVED_HEAD_DIM = 256,
    RESERVED_FORWARD = 8 /* feed-forward sizes are less than so many hidden sizes */
};

void cpu_fail(struct cpu *cpu, int code, const char *operation, const char *format, ...) {
    if (cpu->failure.code) return;
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    error_set(&cpu->failure, code, "%s: %s", operation, message);
}

size_t cpu_room(struct view view) {
    if (!view.buffer) return 0;
    size_t elements = view.buffer->bytes / dtype_bytes(view.dtype);
    return view.offset < elements ? elements - view.offset : 0;
}

static void *place(struct cpu *cpu, const char *operation, struct view view, size_t count, enum dtype dtype) {
    static const char *const names[] = {"F32", "F64", "I32", "BF16"};
    if (!cpu_ready(cpu)) return NULL;
    if (count == 0) return cpu; /* anything but NULL */
    if (!view.buffer) {
        cpu_fail(cpu, ERROR_INTERNAL, operation, "an operand of %zu elements is absent", count);
    } else if (view.dtype != dtype) {
        cpu_fail(cpu, ERROR_UNSUPPORTED, operation, "an operand is %s, expected %s", names[view.dtype],
                 names[dtype]);
    } else if (cpu_room(view) < count) {
        cpu_fail(cpu, ERROR_INTERNAL, operation,
                 "an operand of %zu elements at %zu leaves its buffer of %zu bytes", count, view.offset,
                 view.buffer->bytes);
    } else {
        return view.buffer->data + view.offset * dtype_bytes(dtype);
    }
    return NULL;
}

float *cpu_f32(struct cpu *cpu, const char *operation, struct view view, size_t count) {
    return place(cpu, operation, view, count, DTYPE_F32);
}

double *cpu_f64(struct cpu *cpu, const char *operation, struct view view, size_t count) {
    return place(cpu, operation, view, count, DTYPE_F64);
}

int32_t *cpu_i32(struct cpu *cpu, const char *operation, struct view view, size_t count) {
    return place(cpu, operation, view, count, DTYPE_I32);
}

const int32_t *cpu_indices(struct cpu *cpu, const char *operation, struct view view, size_t count,
                           size_t bound) {
    const int32_t *index = place(cpu, operation, view, count, DTYPE_I32);
    for (size_t i = 0; index && i < count; i++) {
        if (index[i] >= 0 && (size_t)index[i] < bound) continue;
        cpu_fail(cpu, ERROR_INTERNAL, operation, "index %d at %zu is not in 0..%lld", index[i], i,
                 (long long)bound - 1);
        return NULL;
    }
    return index;
}

bool cpu_sizes(struct cpu *cpu, const char *operation, int a, int b, int c) {
    if (!cpu_ready(cpu)) return false;
    if (a >= 0 && b >= 0 && c >= 0) return true;
    cpu_fail(cpu, ERROR_INTERNAL, operation, "negative size among %d, %d, %d", a, b, c);
    return false;
}

static int grow(struct cpu *cpu, size_t bytes, struct error *err) {
    if (cpu->scratch && bytes <= cpu->scratch->bytes) return 0;
    cpu_buffer_destroy(&cpu->scratch);
    return cpu_buffer_create(bytes, &cpu->scratch, err);
}

void *cpu_scratch(struct cpu *cpu, const char *operation, size_t bytes) {
    struct error err = {0};
    if (!cpu_ready(cpu)) return NULL;
    if (!grow(cpu, bytes ? bytes : 1, &err)) return cpu->scratch->data;
    cpu_fail(cpu, err.code, operation, "%s", err.message);
    return NULL;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static size_t scratch_bytes(struct backend *b, int rows, int hidden, int vocabulary, int targets) {
    struct cpu *cpu = cpu_of(b);
    size_t bytes = cpu_rmsnorm_scratch(hidden);
    /* <dO, O> of every row and head in the backward pass; there are fewer heads than hidden columns */
    size_t inner = sizeof(float) * (size_t)rows * (size_t)hidden;
    bytes = larger(bytes, cpu_attention_scratch(cpu->threads, RESERVED_HEAD_DIM) + inner);
    bytes = larger(bytes, weight_gradient_scratch(cpu->threads, rows));
    bytes = larger(bytes, cpu_cross_entropy_scratch(cpu->threads, targets, hidden, vocabulary, true));
    bytes = larger(bytes, few_bytes(rows < FEW_ROWS ? rows : FEW_ROWS, RESERVED_FORWARD * hidden));
    return larger(bytes, cpu_argmax_scratch(cpu->threads, hidden));
}

static int reserve(struct backend *b, int rows, int hidden, int vocabulary, int targets, struct error *err) {
    if (rows < 0 || hidden < 0 || vocabulary < 0 || targets < 0)
        return error_set(err, ERROR_INTERNAL, "reserve: negative size among %d, %d, %d, %d", rows, hidden,
                         vocabulary, targets);
    return grow(cpu_of(b), scratch_bytes(b, rows, hidden, vocabulary, targets), err);
}

static void memory(struct backend *b, size_t *left, size_t *total) {
    (void)b;
    *left = *total = 0;
}

static int check(struct backend *b, struct error *err) {
    struct cpu *cpu = cpu_of(b);
    struct error failure = cpu->failure;
    cpu->failure.code = 0;
    return failure.code ? error_set(err, failure.code, "%s", failure.message) : 0;
}

static void destroy(struct backend *b) {
    struct cpu *cpu = cpu_of(b);
    gemm_destroy(&cpu->gemm);
    cpu_buffer_destroy(&cpu->scratch);
    memory_free(cpu);
}

int cpu_backend_create(int threads, struct backend **out, struct error *err) {
    struct cpu *cpu;
    TRY(memory_alloc(&cpu, 1, sizeof *cpu, err));
    cpu->threads = threads > 0 ? threads : omp_get_max_threads();
    int code = gemm_create(cpu->threads, &cpu->gemm, err);
    if (code) {
        memory_free(cpu);
        return code;
    }
    struct backend *b = &cpu->base;
    b->name = "cpu";
    b->reserve = reserve;
    b->scratch_bytes = scratch_bytes;
    b->memory = memory;
    b->check = check;
    b->destroy = destroy;
    cpu_install_memory(b);
    cpu_install_stamps(b);
    cpu_install_vectors(b);
    cpu_install_matmul(b);
    cpu_install_rows(b);
    cpu_install_rmsnorm(b);
    cpu_install_rope(b);
    cpu_install_attention(b);
    cpu_install_attention_backward(b);
    cpu_install_attention_cached(b);
    cpu_install_gated(b);
    cpu_install_cross_entropy(b);
    cpu_install_linear_argmax(b);
    cpu_install_optimizer(b);
    *out = b;
    return 0;
}

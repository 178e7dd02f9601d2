#include "train/cpu/cpu.h"
#include "train/cpu/few.h"
#include "train/cpu/gemm.h"
#include "train/cpu/weight_gradient.h"

static void matmul(struct backend *b, bool transpose_a, bool transpose_b, int m, int n, int k, float alpha,
                   struct view a, int lda, struct view bm, int ldb, float beta, struct view c, int ldc) {
    struct cpu *cpu = cpu_of(b);
    if (!cpu_sizes(cpu, "matmul", m, n, k) || m == 0 || n == 0) return;
    if (lda < (transpose_a ? m : k) || ldb < (transpose_b ? k : n) || ldc < n) {
        cpu_fail(cpu, ERROR_INTERNAL, "matmul",
                 "leading dimensions %d, %d, %d are too small for %d x %d x %d", lda, ldb, ldc, m, n, k);
        return;
    }
    const float *left = cpu_f32(cpu, "matmul", a, transpose_a ? cpu_span(k, m, lda) : cpu_span(m, k, lda));
    const float *right = cpu_f32(cpu, "matmul", bm, transpose_b ? cpu_span(n, k, ldb) : cpu_span(k, n, ldb));
    float *out = cpu_f32(cpu, "matmul", c, cpu_span(m, n, ldc));
    if (!left || !right || !out) return;
    if (k == 0 || alpha == 0.0f) { /* libraries differ here */
        for (int i = 0; i < m; i++)
            for (int j = 0; j < n; j++) {
                float *at = out + (size_t)i * (size_t)ldc + (size_t)j;
                *at = beta == 0.0f ? 0.0f : beta * *at;
            }
        return;
    }
    int status = 0, threads = cpu->threads;
    if (!transpose_a && transpose_b) {
        void *room = cpu_scratch(cpu, "matmul", few_room(m, k));
        if (room)
            status =
                few_linear(cpu->gemm, threads, m, n, k, alpha, left, lda, right, ldb, beta, out, ldc, room);
    } else {
        status = gemm_multiply(cpu->gemm, transpose_a, transpose_b, m, n, k, alpha, left, lda, right, ldb,
                               beta, out, ldc);
    }
    if (status)
        cpu_fail(cpu, ERROR_DEVICE, "matmul", "the GEMM library gave status %d for %d x %d x %d", status, m,
                 n, k);
}

static void linear_gradient(struct backend *b, const struct linear_gradient *args) {
    static const char name[] = "linear_gradient";
    struct cpu *cpu = cpu_of(b);
    if (!cpu_sizes(cpu, name, args->rows, args->out, args->in) || !args->rows || !args->out || !args->in)
        return;
    bool aligned = args->alignment.buffer != NULL;
    size_t rows = (size_t)args->rows, out = (size_t)args->out, in = (size_t)args->in;
    struct weight_gradient work = {.rows = args->rows,
                                   .out = args->out,
                                   .in = args->in,
                                   .input = cpu_f32(cpu, name, args->input, rows * in),
                                   .output_gradient = cpu_f32(cpu, name, args->output_gradient, rows * out)};
    if (args->gradient.buffer) work.gradient = cpu_f32(cpu, name, args->gradient, out * in);
    if (aligned) {
        work.direction = cpu_f32(cpu, name, args->direction, out * in);
        work.slot = cpu_indices(cpu, name, args->slot, rows, cpu_room(args->alignment));
        work.alignment = cpu_f64(cpu, name, args->alignment, 1);
    }
    void *scratch = cpu_scratch(cpu, name, aligned ? weight_gradient_scratch(cpu->threads, args->rows) : 0);
    if (!cpu_ready(cpu)) return;
    int status = weight_gradient_add(cpu->gemm, cpu->threads, &work, scratch);
    if (status)
        cpu_fail(cpu, ERROR_DEVICE, name, "the GEMM library gave status %d for %d x %d x %d", status,
                 args->out, args->in, args->rows);
}

void cpu_install_matmul(struct backend *b) {
    b->linear_gradient = linear_gradient;
    b->matmul = matmul;
}

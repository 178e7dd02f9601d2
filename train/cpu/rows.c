/* Rows chosen by indices: embeddings, gathers, scatters, and dot products of rows. */
#include "train/cpu/cpu.h"
#include "train/cpu/kernels.h"

enum { DOT_ROWS = 1024, SMALL = 16384 };

/* Rows of `hidden` elements from the view to the end of its buffer. */
static size_t rows_in(struct view view, int hidden) {
    return hidden > 0 ? cpu_room(view) / (size_t)hidden : 0;
}

static size_t area(int rows, int columns) {
    return (size_t)rows * (size_t)columns;
}

static CPU_KERNEL void kernel_copy_row(int n, float factor, const float *from, float *to) {
    for (int d = 0; d < n; d++) to[d] = factor * from[d];
}

static CPU_KERNEL void kernel_add_row(int n, float factor, const float *from, float *to) {
    for (int d = 0; d < n; d++) to[d] += factor * from[d];
}

static void take_rows(struct cpu *cpu, const char *operation, int rows, int hidden, float factor,
                      struct view index, struct view from, struct view to) {
    if (!cpu_sizes(cpu, operation, rows, hidden, 0) || rows == 0 || hidden == 0) return;
    const int32_t *id = cpu_indices(cpu, operation, index, (size_t)rows, rows_in(from, hidden));
    const float *table = cpu_f32(cpu, operation, from, (size_t)hidden);
    float *out = cpu_f32(cpu, operation, to, area(rows, hidden));
    if (!id || !table || !out) return;
#pragma omp parallel for num_threads(cpu->threads) schedule(static) if (area(rows, hidden) > SMALL)
    for (int t = 0; t < rows; t++)
        kernel_copy_row(hidden, factor, table + area(id[t], hidden), out + area(t, hidden));
}

static void embed(struct backend *b, int rows, int hidden, float factor, struct view ids, struct view table,
                  struct view out) {
    take_rows(cpu_of(b), "embed", rows, hidden, factor, ids, table, out);
}

static void gather_rows(struct backend *b, int rows, int hidden, struct view index, struct view from,
                        struct view to) {
    take_rows(cpu_of(b), "gather_rows", rows, hidden, 1.0f, index, from, to);
}

static void scatter_rows(struct backend *b, int rows, int columns, struct view index, struct view from,
                         struct view to) {
    static const char name[] = "scatter_rows";
    struct cpu *cpu = cpu_of(b);
    if (!cpu_sizes(cpu, name, rows, columns, 0) || rows == 0 || columns == 0) return;
    const int32_t *id = cpu_indices(cpu, name, index, (size_t)rows, rows_in(to, columns));
    const float *source = cpu_f32(cpu, name, from, area(rows, columns));
    float *table = cpu_f32(cpu, name, to, (size_t)columns);
    if (!id || !source || !table) return;
#pragma omp parallel for num_threads(cpu->threads) schedule(static) if (area(rows, columns) > SMALL)
    for (int t = 0; t < rows; t++)
        kernel_copy_row(columns, 1.0f, source + area(t, columns), table + area(id[t], columns));
}

/* Each thread owns the target rows that are its own modulo the number of threads: no two write the same row,
 * and a row's additions come in the order of t whatever the number of threads. */
static void add_rows(struct cpu *cpu, const char *operation, int rows, int hidden, float factor,
                     struct view index, struct view from, struct view to) {
    if (!cpu_sizes(cpu, operation, rows, hidden, 0) || rows == 0 || hidden == 0) return;
    const int32_t *id = cpu_indices(cpu, operation, index, (size_t)rows, rows_in(to, hidden));
    const float *source = cpu_f32(cpu, operation, from, area(rows, hidden));
    float *table = cpu_f32(cpu, operation, to, (size_t)hidden);
    if (!id || !source || !table) return;
    int shares = area(rows, hidden) > SMALL ? cpu->threads : 1;
#pragma omp parallel for num_threads(shares) schedule(static)
    for (int share = 0; share < shares; share++)
        for (int t = 0; t < rows; t++)
            if (id[t] % shares == share)
                kernel_add_row(hidden, factor, source + area(t, hidden), table + area(id[t], hidden));
}

static void embed_backward(struct backend *b, int rows, int hidden, float factor, struct view ids,
                           struct view dout, struct view table_gradient) {
    add_rows(cpu_of(b), "embed_backward", rows, hidden, factor, ids, dout, table_gradient);
}

static void scatter_add_rows(struct backend *b, int rows, int hidden, struct view index, struct view from,
                             struct view to) {
    add_rows(cpu_of(b), "scatter_add_rows", rows, hidden, 1.0f, index, from, to);
}

static void row_dot(struct backend *b, int rows, int columns, struct view x, struct view y, struct view slot,
                    struct view alignment) {
    struct cpu *cpu = cpu_of(b);
    if (!cpu_sizes(cpu, "row_dot", rows, columns, 0) || rows == 0) return;
    const float *left = cpu_f32(cpu, "row_dot", x, area(rows, columns));
    const float *right = cpu_f32(cpu, "row_dot", y, area(rows, columns));
    const int32_t *to = cpu_indices(cpu, "row_dot", slot, (size_t)rows, cpu_room(alignment));
    double *sums = cpu_f64(cpu, "row_dot", alignment, 1);
    if (!left || !right || !to || !sums) return;
    double dots[DOT_ROWS];
    for (int start = 0; start < rows; start += DOT_ROWS) {
        int count = rows - start < DOT_ROWS ? rows - start : DOT_ROWS;
#pragma omp parallel for num_threads(cpu->threads) schedule(static) if (area(count, columns) > SMALL)
        for (int t = 0; t < count; t++)
            dots[t] =
                cpu_dot((size_t)columns, left + area(start + t, columns), right + area(start + t, columns));
        for (int t = 0; t < count; t++) sums[to[start + t]] += dots[t];
    }
}

void cpu_install_rows(struct backend *b) {
    b->embed = embed;
    b->embed_backward = embed_backward;
    b->gather_rows = gather_rows;
    b->scatter_add_rows = scatter_add_rows;
    b->scatter_rows = scatter_rows;
    b->row_dot = row_dot;
}

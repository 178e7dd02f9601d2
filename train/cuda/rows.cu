/* Rows chosen by indices: embeddings, gathers, scatters; a block a row. An index that is out of bounds is
 * told by the next check, and its row is left out. */
#include "train/cuda/kernels.h"

enum { ROW_THREADS = CUDA_THREADS / 2 };

static size_t rows_in(struct view view, int hidden) {
    return hidden > 0 ? cuda_room(view) / (size_t)hidden : 0;
}

static size_t area(int rows, int columns) {
    return (size_t)rows * (size_t)columns;
}

template <typename F, typename T>
static __global__ void kernel_take(int hidden, float factor, const int32_t *index, size_t bound,
                                   const F *from, T *to, struct trouble *trouble, enum cuda_operation op) {
    size_t row = blockIdx.x;
    int id = index[row];
    if (!in_bounds(trouble, op, row, id, bound)) return;
    for (int d = (int)threadIdx.x; d < hidden; d += (int)blockDim.x)
        put(to, row * hidden + d, factor * get(from, (size_t)id * hidden + d));
}

/* to[index[i]] = from[i], or += where `adds`. */
template <typename T>
static __global__ void kernel_give(int hidden, bool adds, const int32_t *index, size_t bound, const T *from,
                                   T *to, struct trouble *trouble, enum cuda_operation op) {
    size_t row = blockIdx.x;
    int id = index[row];
    if (!in_bounds(trouble, op, row, id, bound)) return;
    for (int d = (int)threadIdx.x; d < hidden; d += (int)blockDim.x) {
        size_t at = (size_t)id * hidden + d;
        put(to, at, (adds ? get(to, at) : 0.0f) + get(from, row * hidden + d));
    }
}

/* Of activations; or of weights, as products with activations like `to` see them. */
static void take_rows(struct cuda *cuda, enum cuda_operation op, int rows, int hidden, float factor,
                      struct view index, struct view from, bool weights, struct view to) {
    if (!cuda_sizes(cuda, op, rows, hidden, 0) || rows == 0 || hidden == 0) return;
    if (!cuda_is_activation(cuda, op, from) || !cuda_is_activation(cuda, op, to)) return;
    const int32_t *id = (const int32_t *)cuda_read(cuda, op, index, (size_t)rows, DTYPE_I32);
    const enum dtype dtype = weights ? to.dtype : from.dtype;
    const void *table = weights ? cuda_weights(cuda, op, from, (size_t)hidden, dtype)
                                : cuda_read(cuda, op, from, (size_t)hidden, dtype);
    void *out = cuda_write(cuda, op, to, area(rows, hidden), to.dtype);
    if (!id || !table || !out) return;
    WITH_TYPE(
        dtype, F,
        WITH_TYPE(to.dtype, T,
                  cuda_launch(cuda, op, kernel_take<F, T>, (unsigned)rows, ROW_THREADS, 0, hidden, factor, id,
                              rows_in(from, hidden), (const F *)table, (T *)out, cuda->trouble, op)));
}

static void embed(struct backend *b, int rows, int hidden, float factor, struct view ids, struct view table,
                  struct view out) {
    take_rows(cuda_of(b), CUDA_EMBED, rows, hidden, factor, ids, table, true, out);
}

static void gather_rows(struct backend *b, int rows, int hidden, struct view index, struct view from,
                        struct view to) {
    take_rows(cuda_of(b), CUDA_GATHER_ROWS, rows, hidden, 1.0f, index, from, false, to);
}

static void give_rows(struct cuda *cuda, enum cuda_operation op, bool adds, int rows, int hidden,
                      struct view index, struct view from, struct view to) {
    if (!cuda_sizes(cuda, op, rows, hidden, 0) || rows == 0 || hidden == 0) return;
    if (!cuda_is_activation(cuda, op, to)) return;
    const int32_t *id = (const int32_t *)cuda_read(cuda, op, index, (size_t)rows, DTYPE_I32);
    const void *source = cuda_read(cuda, op, from, area(rows, hidden), to.dtype);
    void *table = cuda_write(cuda, op, to, (size_t)hidden, to.dtype);
    if (!id || !source || !table) return;
    WITH_TYPE(to.dtype, T,
              cuda_launch(cuda, op, kernel_give<T>, (unsigned)rows, ROW_THREADS, 0, hidden, adds, id,
                          rows_in(to, hidden), (const T *)source, (T *)table, cuda->trouble, op));
}

static void scatter_rows(struct backend *b, int rows, int columns, struct view index, struct view from,
                         struct view to) {
    give_rows(cuda_of(b), CUDA_SCATTER_ROWS, false, rows, columns, index, from, to);
}

static void scatter_add_rows(struct backend *b, int rows, int hidden, struct view index, struct view from,
                             struct view to) {
    give_rows(cuda_of(b), CUDA_SCATTER_ADD_ROWS, true, rows, hidden, index, from, to);
}

void cuda_install_rows(struct backend *b) {
    b->embed = embed;
    b->gather_rows = gather_rows;
    b->scatter_rows = scatter_rows;
    b->scatter_add_rows = scatter_add_rows;
}

/* Alignments: dot products of rows, added up by slot in a fixed order. */
#include "train/cuda/kernels.h"

enum {
    ROW_THREADS = CUDA_THREADS / 2,
#ifdef ADAPT_EMULATION
    SLOT_BLOCKS = 2
#else
    SLOT_BLOCKS = 32
#endif
};

template <typename T> static __global__ void kernel_dots(int columns, const T *x, const T *y, double *dots) {
    KERNEL_SHARED(memory);
    size_t start = (size_t)blockIdx.x * columns;
    double sum = 0.0;
    for (int c = (int)threadIdx.x; c < columns; c += (int)blockDim.x)
        sum += (double)get(x, start + c) * (double)get(y, start + c);
    sum = row_sum(sum, (double *)memory);
    if (threadIdx.x == 0) dots[blockIdx.x] = sum;
}

/* How many slots there are is known to nobody: block s takes those that are s modulo SLOT_BLOCKS, from the
 * smallest on. */
static __global__ void kernel_add_by_slot(int rows, const double *dots, const int32_t *slot, size_t bound,
                                          double *sums, struct trouble *trouble, enum cuda_operation op) {
    KERNEL_SHARED(memory);
    double *room = (double *)memory;                /* [warps] */
    int *least = (int *)(room + blockDim.x / WARP); /* [warps] */
    int done = -1;                                  /* slots up to this one */
    for (;;) {
        int next = 0x7fffffff;
        for (int t = (int)threadIdx.x; t < rows; t += (int)blockDim.x) {
            int s = slot[t];
            if (s >= 0 && s % SLOT_BLOCKS == (int)blockIdx.x && s > done && s < next) next = s;
            if (blockIdx.x == 0 && done < 0) in_bounds(trouble, op, (size_t)t, s, bound);
        }
        for (int lane = WARP / 2; lane > 0; lane /= 2) {
            int other = __shfl_xor_sync(ALL_LANES, next, lane);
            if (other < next) next = other;
        }
        __syncthreads(); /* whoever reads the last ones is through */
        if (threadIdx.x % WARP == 0) least[threadIdx.x / WARP] = next;
        __syncthreads();
        done = least[0];
        for (unsigned w = 1; w < blockDim.x / WARP; w++)
            if (least[w] < done) done = least[w];
        if (done == 0x7fffffff || (size_t)done >= bound) return; /* the whole block */
        double sum = 0.0;
        for (int t = (int)threadIdx.x; t < rows; t += (int)blockDim.x)
            if (slot[t] == done) sum += dots[t];
        sum = row_sum(sum, room);
        if (threadIdx.x == 0) sums[done] += sum;
    }
}

void cuda_add_by_slot(struct cuda *cuda, enum cuda_operation op, int rows, const double *dots,
                      const int32_t *slot, size_t bound, double *sums) {
    cuda_launch(cuda, op, kernel_add_by_slot, SLOT_BLOCKS, CUDA_THREADS,
                CUDA_THREADS / WARP * (sizeof(double) + sizeof(int)), rows, dots, slot, bound, sums,
                cuda->trouble, op);
}

size_t cuda_row_dot_scratch(int rows) {
    return sizeof(double) * (size_t)rows;
}

static void row_dot(struct backend *b, int rows, int columns, struct view x, struct view y, struct view slot,
                    struct view alignment) {
    struct cuda *cuda = cuda_of(b);
    const enum cuda_operation op = CUDA_ROW_DOT;
    if (!cuda_sizes(cuda, op, rows, columns, 0) || rows == 0 || !cuda_is_activation(cuda, op, x)) return;
    size_t count = (size_t)rows * (size_t)columns;
    const void *left = cuda_read(cuda, op, x, count, x.dtype),
               *right = cuda_read(cuda, op, y, count, x.dtype);
    const int32_t *to = (const int32_t *)cuda_read(cuda, op, slot, (size_t)rows, DTYPE_I32);
    double *sums = (double *)cuda_write(cuda, op, alignment, 1, DTYPE_F64);
    double *dots = (double *)cuda_scratch(cuda, op, cuda_row_dot_scratch(rows));
    if (!left || !right || !to || !sums || !dots) return;
    WITH_TYPE(x.dtype, T,
              cuda_launch(cuda, op, kernel_dots<T>, (unsigned)rows, ROW_THREADS,
                          ROW_THREADS / WARP * sizeof(double), columns, (const T *)left, (const T *)right,
                          dots));
    cuda_add_by_slot(cuda, op, rows, dots, to, cuda_room(alignment), sums);
}

void cuda_install_row_dot(struct backend *b) {
    b->row_dot = row_dot;
}

#include "train/cuda/kernels.h"

enum {
#ifdef ADAPT_EMULATION
    PIECES = 16,
#else
    PIECES = 256, /* partial sums of the weight's gradient, whatever the device */
#endif
    NARROW = 512 /* columns up to which a warp takes a row, several of them a block */
};

struct rows_shape {
    dim3 blocks, threads;
    size_t shared;
};

static struct rows_shape shape_of(int rows, int columns) {
    struct rows_shape shape;
    unsigned across = columns <= NARROW ? (unsigned)WARP : (unsigned)CUDA_THREADS,
             rows_a_block = CUDA_THREADS / across;
    shape.threads = dim3(across, rows_a_block);
    shape.blocks = dim3(((unsigned)rows + rows_a_block - 1) / rows_a_block);
    shape.shared = rows_a_block * (across / WARP) * sizeof(float);
    return shape;
}

template <typename T>
static __global__ void kernel_rmsnorm(int rows, int columns, float epsilon, float offset, const T *x,
                                      const float *w, T *y, float *rstd) {
    KERNEL_SHARED(memory);
    int row = (int)(blockIdx.x * blockDim.y + threadIdx.y);
    bool inside = row < rows; /* all threads take part in the sums */
    size_t start = (size_t)row * columns;
    float sum = 0.0f;
    for (int c = (int)threadIdx.x; inside && c < columns; c += (int)blockDim.x)
        sum += get(x, start + c) * get(x, start + c);
    sum = row_sum(sum, (float *)memory);
    if (!inside) return;
    float factor = 1.0f / sqrtf(sum / (float)columns + epsilon);
    for (int c = (int)threadIdx.x; c < columns; c += (int)blockDim.x)
        put(y, start + c, get(x, start + c) * factor * (offset + w[c]));
    if (threadIdx.x == 0) rstd[row] = factor;
}

static void rmsnorm(struct backend *b, int rows, int columns, float epsilon, float offset, struct view x,
                    struct view w, struct view y, struct view rstd) {
    const enum cuda_operation op = CUDA_RMSNORM;
    struct cuda *cuda = cuda_of(b);
    if (!cuda_sizes(cuda, op, rows, columns, 0) || rows == 0 || columns == 0) return;
    if (!cuda_is_activation(cuda, op, x)) return;
    size_t all = (size_t)rows * (size_t)columns;
    const void *in = cuda_read(cuda, op, x, all, x.dtype);
    const float *weight = (const float *)cuda_read(cuda, op, w, (size_t)columns, DTYPE_F32);
    void *out = cuda_write(cuda, op, y, all, x.dtype);
    float *scale = (float *)cuda_write(cuda, op, rstd, (size_t)rows, DTYPE_F32);
    if (!in || !weight || !out || !scale) return;
    struct rows_shape shape = shape_of(rows, columns);
    WITH_TYPE(x.dtype, T,
              cuda_launch(cuda, op, kernel_rmsnorm<T>, shape.blocks, shape.threads, shape.shared, rows,
                          columns, epsilon, offset, (const T *)in, weight, (T *)out, scale));
}

/* With xhat = x rstd and g = dy (offset + w): dx = rstd (g - xhat mean(g xhat)). */
template <typename T>
static __global__ void kernel_backward(int rows, int columns, float offset, const T *x, const float *w,
                                       const float *rstd, const T *dy, bool accumulate, T *dx) {
    KERNEL_SHARED(memory);
    int row = (int)(blockIdx.x * blockDim.y + threadIdx.y);
    bool inside = row < rows;
    size_t start = (size_t)row * columns;
    float sum = 0.0f;
    for (int c = (int)threadIdx.x; inside && c < columns; c += (int)blockDim.x)
        sum += get(dy, start + c) * (offset + w[c]) * get(x, start + c);
    sum = row_sum(sum, (float *)memory);
    if (!inside) return;
    float factor = rstd[row], pull = factor * factor * factor * sum / (float)columns;
    for (int c = (int)threadIdx.x; c < columns; c += (int)blockDim.x) {
        float value = factor * get(dy, start + c) * (offset + w[c]) - pull * get(x, start + c);
        put(dx, start + c, (accumulate ? get(dx, start + c) : 0.0f) + value);
    }
}

/* The block's threads have a column each by threadIdx.x, and parts of its sum by threadIdx.y; the first of
 * them get the sum. */
static __device__ __forceinline__ float column_sum(float part, float *room) {
    room[threadIdx.y * WARP + threadIdx.x] = part;
    __syncthreads();
    for (unsigned y = 1; threadIdx.y == 0 && y < blockDim.y; y++) part += room[y * WARP + threadIdx.x];
    return part;
}

/* parts[piece, c]: a piece's rows' part in the weight's gradient. */
template <typename T>
static __global__ void kernel_weight_parts(int rows, int columns, int length, const T *x, const float *rstd,
                                           const T *dy, float *parts) {
    KERNEL_SHARED(memory);
    int c = (int)(blockIdx.x * WARP + threadIdx.x), piece = (int)blockIdx.y;
    int end = (piece + 1) * length < rows ? (piece + 1) * length : rows;
    float sum = 0.0f;
    for (int r = piece * length + (int)threadIdx.y; c < columns && r < end; r += (int)blockDim.y)
        sum += get(dy, (size_t)r * columns + c) * get(x, (size_t)r * columns + c) * rstd[r];
    sum = column_sum(sum, (float *)memory);
    if (threadIdx.y == 0 && c < columns) parts[(size_t)piece * columns + c] = sum;
}

static __global__ void kernel_weight(int columns, int pieces, const float *parts, float *dw) {
    KERNEL_SHARED(memory);
    int c = (int)(blockIdx.x * WARP + threadIdx.x);
    float sum = 0.0f;
    for (int p = (int)threadIdx.y; c < columns && p < pieces; p += (int)blockDim.y)
        sum += parts[(size_t)p * columns + c];
    sum = column_sum(sum, (float *)memory);
    if (threadIdx.y == 0 && c < columns) dw[c] += sum;
}

size_t cuda_rmsnorm_scratch(int columns) {
    return sizeof(float) * PIECES * (size_t)columns;
}

static void rmsnorm_backward(struct backend *b, int rows, int columns, float offset, struct view x,
                             struct view w, struct view rstd, struct view dy, bool accumulate, struct view dx,
                             struct view dw) {
    const enum cuda_operation op = CUDA_RMSNORM_BACKWARD;
    struct cuda *cuda = cuda_of(b);
    if (!cuda_sizes(cuda, op, rows, columns, 0) || rows == 0 || columns == 0) return;
    if (!cuda_is_activation(cuda, op, x)) return;
    size_t width = (size_t)columns, all = (size_t)rows * width;
    const void *in = cuda_read(cuda, op, x, all, x.dtype), *above = cuda_read(cuda, op, dy, all, x.dtype);
    const float *weight = (const float *)cuda_read(cuda, op, w, width, DTYPE_F32);
    const float *scale = (const float *)cuda_read(cuda, op, rstd, (size_t)rows, DTYPE_F32);
    void *below = cuda_write(cuda, op, dx, all, x.dtype);
    float *total = dw.buffer ? (float *)cuda_write(cuda, op, dw, width, DTYPE_F32) : NULL;
    float *parts = (float *)cuda_scratch(cuda, op, cuda_rmsnorm_scratch(columns));
    if (!in || !above || !weight || !scale || !below || !cuda_ready(cuda)) return;
    struct rows_shape shape = shape_of(rows, columns);
    int length = (rows + PIECES - 1) / PIECES, pieces = (rows + length - 1) / length;
    const unsigned across = ((unsigned)columns + WARP - 1) / WARP;
    const dim3 threads(WARP, CUDA_THREADS / WARP);
    WITH_TYPE(x.dtype, T, {
        if (total) /* first: dx may overwrite dy */
            cuda_launch(cuda, op, kernel_weight_parts<T>, dim3(across, (unsigned)pieces), threads,
                        CUDA_THREADS * sizeof(float), rows, columns, length, (const T *)in, scale,
                        (const T *)above, parts);
        cuda_launch(cuda, op, kernel_backward<T>, shape.blocks, shape.threads, shape.shared, rows, columns,
                    offset, (const T *)in, weight, scale, (const T *)above, accumulate, (T *)below);
    });
    if (total)
        cuda_launch(cuda, op, kernel_weight, dim3(across), threads, CUDA_THREADS * sizeof(float), columns,
                    pieces, parts, total);
}

void cuda_install_rmsnorm(struct backend *b) {
    b->rmsnorm = rmsnorm;
    b->rmsnorm_backward = rmsnorm_backward;
}

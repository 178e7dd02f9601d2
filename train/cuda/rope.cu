#include "train/cuda/kernels.h"

/* A block a row. */
template <typename T>
static __global__ void kernel_rope(int heads, int half, float sign, const int32_t *position, size_t bound,
                                   const float *table, T *x, struct trouble *trouble) {
    size_t row = blockIdx.x;
    int at = position[row];
    if (!in_bounds(trouble, CUDA_ROPE, row, at, bound)) return;
    const float *cosine = table + (size_t)at * 2 * half, *sine = cosine + half;
    T *mine = x + row * heads * 2 * half;
    for (int i = (int)threadIdx.x; i < heads * half; i += (int)blockDim.x) {
        int c = i % half;
        size_t first = (size_t)(i / half) * 2 * half + c, second = first + half;
        float a = get(mine, first), b = get(mine, second), s = sign * sine[c];
        put(mine, first, a * cosine[c] - b * s);
        put(mine, second, b * cosine[c] + a * s);
    }
}

static void rope(struct backend *b, int rows, int heads, int head_dim, bool inverse, struct view position,
                 struct view table, struct view x) {
    struct cuda *cuda = cuda_of(b);
    if (!cuda_sizes(cuda, CUDA_ROPE, rows, heads, head_dim) || rows == 0 || heads == 0 || head_dim == 0)
        return;
    if (head_dim % 2) {
        cuda_fail(cuda, ERROR_UNSUPPORTED, CUDA_ROPE, "an odd head dimension, %d", head_dim);
        return;
    }
    if (!cuda_is_activation(cuda, CUDA_ROPE, x)) return;
    size_t width = (size_t)head_dim;
    const int32_t *at = (const int32_t *)cuda_read(cuda, CUDA_ROPE, position, (size_t)rows, DTYPE_I32);
    const float *angle = (const float *)cuda_read(cuda, CUDA_ROPE, table, width, DTYPE_F32);
    void *data = cuda_write(cuda, CUDA_ROPE, x, (size_t)rows * (size_t)heads * width, x.dtype);
    if (!at || !angle || !data) return;
    WITH_TYPE(x.dtype, T,
              cuda_launch(cuda, CUDA_ROPE, kernel_rope<T>, (unsigned)rows, CUDA_THREADS / 2, 0, heads,
                          head_dim / 2, inverse ? -1.0f : 1.0f, at, cuda_room(table) / width, angle,
                          (T *)data, cuda->trouble));
}

void cuda_install_rope(struct backend *b) {
    b->rope = rope;
}

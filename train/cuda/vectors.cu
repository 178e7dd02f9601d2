/* Operations on whole vectors. */
#include "train/cuda/kernels.h"

#ifdef ADAPT_EMULATION
enum { SUMS = 64 };
#else
enum { SUMS = 1024 }; /* blocks of a dot product, whatever the device */
#endif

template <typename T> static __global__ void kernel_scale(size_t n, float a, T *x) {
    for (size_t i = first_element(); i < n; i += element_stride()) put(x, i, a * get(x, i));
}

static void scale(struct backend *b, size_t n, float a, struct view x) {
    struct cuda *cuda = cuda_of(b);
    if (!cuda_is_activation(cuda, CUDA_SCALE, x)) return;
    void *data = cuda_write(cuda, CUDA_SCALE, x, n, x.dtype);
    if (!data || n == 0) return;
    WITH_TYPE(
        x.dtype, T,
        cuda_launch(cuda, CUDA_SCALE, kernel_scale<T>, cuda_blocks(n), CUDA_THREADS, 0, n, a, (T *)data));
}

template <typename T> static __global__ void kernel_add(size_t n, float a, const T *x, T *y) {
    for (size_t i = first_element(); i < n; i += element_stride()) put(y, i, get(y, i) + a * get(x, i));
}

static void add(struct backend *b, size_t n, float a, struct view x, struct view y) {
    struct cuda *cuda = cuda_of(b);
    if (!cuda_is_activation(cuda, CUDA_ADD, y)) return;
    const void *from = cuda_read(cuda, CUDA_ADD, x, n, y.dtype);
    void *to = cuda_write(cuda, CUDA_ADD, y, n, y.dtype);
    if (!from || !to || n == 0) return;
    WITH_TYPE(y.dtype, T,
              cuda_launch(cuda, CUDA_ADD, kernel_add<T>, cuda_blocks(n), CUDA_THREADS, 0, n, a,
                          (const T *)from, (T *)to));
}

/* Block s sums a piece of its own, so that a sum is the same on every device. */
static __global__ void kernel_dot(size_t n, size_t length, const float *x, const float *y, double *sums) {
    KERNEL_SHARED(memory);
    size_t start = blockIdx.x * length, end = start + length < n ? start + length : n;
    double sum = 0.0;
    for (size_t i = start + threadIdx.x; i < end; i += blockDim.x) sum += (double)x[i] * (double)y[i];
    sum = row_sum(sum, (double *)memory);
    if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

static __global__ void kernel_add_sums(int count, const double *sums, double *result) {
    KERNEL_SHARED(memory);
    double sum = 0.0;
    for (int i = (int)threadIdx.x; i < count; i += (int)blockDim.x) sum += sums[i];
    sum = row_sum(sum, (double *)memory);
    if (threadIdx.x == 0) *result += sum;
}

size_t cuda_dot_scratch(void) {
    return SUMS * sizeof(double);
}

static void dot(struct backend *b, size_t n, struct view x, struct view y, struct view result) {
    struct cuda *cuda = cuda_of(b);
    const float *left = (const float *)cuda_read(cuda, CUDA_DOT, x, n, DTYPE_F32);
    const float *right = (const float *)cuda_read(cuda, CUDA_DOT, y, n, DTYPE_F32);
    double *total = (double *)cuda_write(cuda, CUDA_DOT, result, 1, DTYPE_F64);
    double *sums = (double *)cuda_scratch(cuda, CUDA_DOT, cuda_dot_scratch());
    if (!left || !right || !total || !sums || n == 0) return;
    size_t room = CUDA_THREADS / WARP * sizeof(double);
    size_t length = ((n + SUMS - 1) / SUMS + CUDA_THREADS - 1) / CUDA_THREADS * CUDA_THREADS;
    unsigned blocks = (unsigned)((n + length - 1) / length);
    cuda_launch(cuda, CUDA_DOT, kernel_dot, blocks, CUDA_THREADS, room, n, length, left, right, sums);
    cuda_launch(cuda, CUDA_DOT, kernel_add_sums, 1, CUDA_THREADS, room, (int)blocks, sums, total);
}

/* A norm that is not a number gives a factor that is not one: a broken gradient must not pass as a small one.
 */
static __global__ void kernel_clip(float limit, const double *squares, float *factor) {
    double norm = sqrt(*squares);
    *factor = limit <= 0.0f || norm <= (double)limit ? 1.0f : (float)((double)limit / norm);
}

static void clip_factor(struct backend *b, float limit, struct view squares, struct view factor) {
    struct cuda *cuda = cuda_of(b);
    const double *sum = (const double *)cuda_read(cuda, CUDA_CLIP_FACTOR, squares, 1, DTYPE_F64);
    float *out = (float *)cuda_write(cuda, CUDA_CLIP_FACTOR, factor, 1, DTYPE_F32);
    if (sum && out) cuda_launch(cuda, CUDA_CLIP_FACTOR, kernel_clip, 1, 1, 0, limit, sum, out);
}

void cuda_install_vectors(struct backend *b) {
    b->scale = scale;
    b->add = add;
    b->dot = dot;
    b->clip_factor = clip_factor;
}

/* The embedding's gradient, in a fixed order without atomic additions: the first row of a batch with a token
 * adds up all rows with it. Each block looks for its token among the others, which reads T ids for each of T
 * rows: for a batch of 16,384 rows one gigabyte from the cache, once a pass, and nothing is sorted or kept.
 */
#include "train/cuda/kernels.h"

template <typename T>
static __global__ void kernel_embed_backward(int rows, int hidden, float factor, const int32_t *ids,
                                             size_t bound, const T *dout, float *gradient,
                                             struct trouble *trouble) {
    KERNEL_SHARED(memory);
    unsigned char *same = memory; /* [blockDim.x] */
    int row = (int)blockIdx.x, id = ids[row];
    if (!in_bounds(trouble, CUDA_EMBED_BACKWARD, (size_t)row, id, bound)) return; /* the whole block */
    int before = 0;
    for (int start = 0; start < row && !before; start += (int)blockDim.x) {
        int t = start + (int)threadIdx.x;
        before = __syncthreads_count(t < row && ids[t] == id);
    }
    if (before) return; /* the first row with this token does it */
    for (int start = row; start < rows; start += (int)blockDim.x) {
        int t = start + (int)threadIdx.x,
            end = rows - start < (int)blockDim.x ? rows - start : (int)blockDim.x;
        bool mine = t < rows && ids[t] == id;
        __syncthreads(); /* whoever reads the last piece is through */
        same[threadIdx.x] = mine;
        if (!__syncthreads_count(mine)) continue;
        for (int d = (int)threadIdx.x; d < hidden; d += (int)blockDim.x) {
            float sum = gradient[(size_t)id * hidden + d];
            for (int i = 0; i < end; i++)
                if (same[i]) sum += factor * get(dout, (size_t)(start + i) * hidden + d);
            gradient[(size_t)id * hidden + d] = sum;
        }
    }
}

static void embed_backward(struct backend *b, int rows, int hidden, float factor, struct view ids,
                           struct view dout, struct view table_gradient) {
    const enum cuda_operation op = CUDA_EMBED_BACKWARD;
    struct cuda *cuda = cuda_of(b);
    if (!cuda_sizes(cuda, op, rows, hidden, 0) || rows == 0 || hidden == 0) return;
    if (!cuda_is_activation(cuda, op, dout)) return;
    size_t bound = cuda_room(table_gradient) / (size_t)hidden;
    const int32_t *id = (const int32_t *)cuda_read(cuda, op, ids, (size_t)rows, DTYPE_I32);
    const void *from = cuda_read(cuda, op, dout, (size_t)rows * (size_t)hidden, dout.dtype);
    float *to = (float *)cuda_write(cuda, op, table_gradient, (size_t)hidden, DTYPE_F32);
    if (!id || !from || !to) return;
    WITH_TYPE(dout.dtype, T,
              cuda_launch(cuda, op, kernel_embed_backward<T>, (unsigned)rows, CUDA_THREADS, CUDA_THREADS,
                          rows, hidden, factor, id, bound, (const T *)from, to, cuda->trouble));
}

void cuda_install_embedding(struct backend *b) {
    b->embed_backward = embed_backward;
}

/* Alignments of a linear layer: <dy_t^T x_t, G> = dy_t . (x_t G^T), so one product more with the direction G,
 * a piece of its rows at a time, and a dot product a row. */
#include "train/cuda/kernels.h"

enum {
#ifdef ADAPT_EMULATION
    PIECE = 16 << 10,
    STEP = 8
#else
    PIECE =
        8 << 20, /* products that exist at once: few enough to stay in the cache until they are added up */
    STEP =
        64 /* rows of the direction in a piece are a multiple of it: all pieces are as aligned as the first */
#endif
};

static int piece_rows(int rows) {
    int fit = PIECE / (rows > 0 ? rows : 1) / STEP * STEP;
    return fit > STEP ? fit : STEP;
}

/* What the pieces of up to so many rows take: fewer rows come in longer pieces, so their own product may be
 * larger. */
static size_t products_bytes(int rows) {
    return (cuda_most((size_t)rows * STEP, PIECE) * sizeof(float) + 255) / 256 * 256;
}

size_t cuda_align_scratch(int rows) {
    return products_bytes(rows) + sizeof(double) * (size_t)rows;
}

bool cuda_alignment_find(struct cuda *cuda, enum cuda_operation op, struct view direction, struct view slot,
                         struct view alignment, struct cuda_alignment *to) {
    size_t weights = (size_t)to->out * (size_t)to->in;
    to->direction = cuda_weights(cuda, op, direction, weights, to->dtype);
    to->slot = (const int32_t *)cuda_read(cuda, op, slot, (size_t)to->rows, DTYPE_I32);
    to->slots = cuda_room(alignment);
    to->sums = (double *)cuda_write(cuda, op, alignment, 1, DTYPE_F64);
    return cuda_ready(cuda);
}

/* dots[row] (+)= <dy[row, offset .. offset+count-1], products[row]>, the first piece sets; a block a row of
 * `out` numbers. */
template <typename T>
static __global__ void kernel_piece(int out, int offset, int count, const T *dy, const float *products,
                                    double *dots) {
    KERNEL_SHARED(memory);
    size_t row = blockIdx.x;
    double sum = 0.0;
    for (int c = (int)threadIdx.x; c < count; c += (int)blockDim.x)
        sum += (double)get(dy, row * out + offset + c) * (double)products[row * count + c];
    sum = row_sum(sum, (double *)memory);
    if (threadIdx.x == 0) dots[row] = (offset ? dots[row] : 0.0) + sum;
}

void cuda_align(struct cuda *cuda, enum cuda_operation op, const struct cuda_alignment *a) {
    float *products = (float *)a->scratch;
    double *dots = (double *)(void *)((unsigned char *)a->scratch + products_bytes(a->rows));
    const unsigned char *direction = (const unsigned char *)a->direction;
    const int piece = piece_rows(a->rows);
    for (int offset = 0; offset < a->out; offset += piece) {
        int count = a->out - offset < piece ? a->out - offset : piece;
        struct cuda_product p = {
            false,    true,     a->rows,
            count,    a->in,    1.0f,
            0.0f,     a->input, direction + (size_t)offset * (size_t)a->in * dtype_bytes(a->dtype),
            products, a->in,    a->in,
            count,    a->dtype, DTYPE_F32};
        cuda_multiply(cuda, op, &p);
        WITH_TYPE(a->dtype, T,
                  cuda_launch(cuda, op, kernel_piece<T>, (unsigned)a->rows, CUDA_THREADS,
                              CUDA_THREADS / WARP * sizeof(double), a->out, offset, count,
                              (const T *)a->output_gradient, products, dots));
    }
    cuda_add_by_slot(cuda, op, a->rows, dots, a->slot, a->slots, a->sums);
}

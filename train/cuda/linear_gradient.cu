/* The gradient of a linear layer's weight, and alignments: <dy_t^T x_t, G> = dy_t . (x_t G^T), so one product more with the
 * direction, a piece of its rows at a time, and a dot product a row. */
#include "train/cuda/kernels.h"

enum {
#ifdef ADAPT_EMULATION
    PIECE = 24
#else
    PIECE = 2048 /* rows of the weight */
#endif
};

static size_t products_bytes(int rows) {
    return ((size_t)rows * PIECE * sizeof(float) + 255) / 256 * 256;
}

size_t cuda_linear_gradient_scratch(int rows) {
    return products_bytes(rows) + sizeof(double) * (size_t)rows;
}

/* Device memory of what alignments need; false after a failure. */
struct alignment {
    const unsigned char *direction;
    const int32_t *slot;
    double *sums;
    unsigned char *scratch;
};

static bool find_alignment(struct cuda *cuda, const char *name, const struct linear_gradient *args,
                           struct alignment *to) {
    size_t weights = (size_t)args->out * (size_t)args->in;
    to->direction = (const unsigned char *)cuda_weights(cuda, name, args->direction, weights, args->input.dtype);
    to->slot = (const int32_t *)cuda_read(cuda, name, args->slot, (size_t)args->rows, DTYPE_I32);
    to->sums = (double *)cuda_write(cuda, name, args->alignment, 1, DTYPE_F64);
    to->scratch = (unsigned char *)cuda_scratch(cuda, name, cuda_linear_gradient_scratch(args->rows));
    return cuda_ready(cuda);
}

static void align(struct cuda *cuda, const char *name, const struct linear_gradient *args, const struct alignment *to,
                  const void *x, const void *dy) {
    enum dtype dtype = args->input.dtype;
    float *products = (float *)(void *)to->scratch;
    double *dots = (double *)(void *)(to->scratch + products_bytes(args->rows));
    for (int offset = 0; offset < args->out; offset += PIECE) {
        int count = args->out - offset < PIECE ? args->out - offset : PIECE;
        struct cuda_product p = {false, true, args->rows, count, args->in, 1.0f, 0.0f, x,
                                 to->direction + (size_t)offset * (size_t)args->in * dtype_bytes(dtype), products,
                                 args->in, args->in, count, dtype, DTYPE_F32};
        cuda_multiply(cuda, name, &p);
        cuda_add_piece(cuda, name, dtype, args->rows, args->out, offset, count, dy, products, dots);
    }
    cuda_add_by_slot(cuda, name, args->rows, dots, to->slot, cuda_room(args->alignment), to->sums);
}

static void gradient(struct backend *b, const struct linear_gradient *args) {
    const char *name = cuda_operation_names[CUDA_LINEAR_GRADIENT];
    struct cuda *cuda = cuda_of(b);
    if (!cuda_sizes(cuda, name, args->rows, args->out, args->in) || !args->rows || !args->out || !args->in) return;
    enum dtype dtype = args->input.dtype;
    if (!cuda_is_activation(cuda, name, args->input)) return;
    size_t rows = (size_t)args->rows;
    const void *x = cuda_read(cuda, name, args->input, rows * (size_t)args->in, dtype);
    const void *dy = cuda_read(cuda, name, args->output_gradient, rows * (size_t)args->out, dtype);
    float *to = NULL;
    if (args->gradient.buffer)
        to = (float *)cuda_write(cuda, name, args->gradient, (size_t)args->out * (size_t)args->in, DTYPE_F32);
    struct alignment alignment = {};
    bool aligns = args->alignment.buffer != NULL;
    if (aligns && !find_alignment(cuda, name, args, &alignment)) return;
    if (!x || !dy || !cuda_ready(cuda)) return;
    struct cuda_product p = {true, false, args->out, args->in, args->rows, 1.0f, 1.0f, dy, x, to, args->out, args->in,
                             args->in, dtype, DTYPE_F32};
    if (to) cuda_multiply(cuda, name, &p);
    if (aligns) align(cuda, name, args, &alignment, x, dy);
}

void cuda_install_linear_gradient(struct backend *b) {
    b->linear_gradient = gradient;
}

/* The gradient of a linear layer's weight, and alignments. */
#include "train/cuda/kernels.h"

static void gradient(struct backend *b, const struct linear_gradient *args) {
    const enum cuda_operation op = CUDA_LINEAR_GRADIENT;
    struct cuda *cuda = cuda_of(b);
    if (!cuda_sizes(cuda, op, args->rows, args->out, args->in) || !args->rows || !args->out || !args->in)
        return;
    enum dtype dtype = args->input.dtype;
    if (!cuda_is_activation(cuda, op, args->input)) return;
    size_t rows = (size_t)args->rows;
    const void *x = cuda_read(cuda, op, args->input, rows * (size_t)args->in, dtype);
    const void *dy = cuda_read(cuda, op, args->output_gradient, rows * (size_t)args->out, dtype);
    float *to = NULL;
    if (args->gradient.buffer)
        to = (float *)cuda_write(cuda, op, args->gradient, (size_t)args->out * (size_t)args->in, DTYPE_F32);
    struct cuda_alignment alignment = {args->rows, args->out, args->in, dtype, x,   dy,
                                       NULL,       NULL,      0,        NULL,  NULL};
    bool aligns = args->alignment.buffer != NULL;
    if (aligns && !cuda_alignment_find(cuda, op, args->direction, args->slot, args->alignment, &alignment))
        return;
    if (aligns) alignment.scratch = cuda_scratch(cuda, op, cuda_align_scratch(args->rows));
    if (!x || !dy || !cuda_ready(cuda)) return;
    struct cuda_product p = {true, false, args->out, args->in, args->rows, 1.0f,  1.0f,     dy,
                             x,    to,    args->out, args->in, args->in,   dtype, DTYPE_F32};
    if (to) cuda_multiply(cuda, op, &p);
    if (aligns) cuda_align(cuda, op, &alignment);
}

void cuda_install_linear_gradient(struct backend *b) {
    b->linear_gradient = gradient;
}

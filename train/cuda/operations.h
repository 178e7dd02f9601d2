/* The operations by number, as kernels and the functions that serve them are told, and by name, as messages
 * say. */
#ifndef ADAPT_TRAIN_CUDA_OPERATIONS_H
#define ADAPT_TRAIN_CUDA_OPERATIONS_H

/* X(number, name) */
#define CUDA_OPERATIONS(X)                                                                                   \
    X(CUDA_OPEN, "open")                                                                                     \
    X(CUDA_CHECK, "check")                                                                                   \
    X(CUDA_STAMP, "stamp")                                                                                   \
    X(CUDA_STAMP_SECONDS, "stamp_seconds")                                                                   \
    X(CUDA_SUM_SECONDS, "seconds of sums")                                                                   \
    X(CUDA_UPLOAD, "upload")                                                                                 \
    X(CUDA_DOWNLOAD, "download")                                                                             \
    X(CUDA_POINTER, "device_pointer")                                                                        \
    X(CUDA_ZERO, "zero")                                                                                     \
    X(CUDA_COPY, "copy")                                                                                     \
    X(CUDA_SCALE, "scale")                                                                                   \
    X(CUDA_ADD, "add")                                                                                       \
    X(CUDA_DOT, "dot")                                                                                       \
    X(CUDA_CLIP_FACTOR, "clip_factor")                                                                       \
    X(CUDA_ADAMW, "adamw")                                                                                   \
    X(CUDA_SGD, "sgd")                                                                                       \
    X(CUDA_PRECONDITION, "precondition")                                                                     \
    X(CUDA_MATMUL, "matmul")                                                                                 \
    X(CUDA_LINEAR_GRADIENT, "linear_gradient")                                                               \
    X(CUDA_EMBED, "embed")                                                                                   \
    X(CUDA_EMBED_BACKWARD, "embed_backward")                                                                 \
    X(CUDA_GATHER_ROWS, "gather_rows")                                                                       \
    X(CUDA_SCATTER_ADD_ROWS, "scatter_add_rows")                                                             \
    X(CUDA_SCATTER_ROWS, "scatter_rows")                                                                     \
    X(CUDA_ROW_DOT, "row_dot")                                                                               \
    X(CUDA_RMSNORM, "rmsnorm")                                                                               \
    X(CUDA_RMSNORM_BACKWARD, "rmsnorm_backward")                                                             \
    X(CUDA_ROPE, "rope")                                                                                     \
    X(CUDA_ATTENTION, "attention")                                                                           \
    X(CUDA_ATTENTION_BACKWARD, "attention_backward")                                                         \
    X(CUDA_CACHED_ATTENTION, "cached_attention")                                                             \
    X(CUDA_GATED, "gated")                                                                                   \
    X(CUDA_GATED_BACKWARD, "gated_backward")                                                                 \
    X(CUDA_CROSS_ENTROPY, "linear_cross_entropy")                                                            \
    X(CUDA_LINEAR_ARGMAX, "linear_argmax")

enum cuda_operation {
#define CUDA_NUMBER(number, name) number,
    CUDA_OPERATIONS(CUDA_NUMBER)
#undef CUDA_NUMBER
};
extern const char *const cuda_operation_names[];

#endif

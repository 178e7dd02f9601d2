/* The gate of the feed-forward block. GELU's tanh form is x sigmoid(2u) with u = sqrt(2/pi) (x + 0.044715
 * x^3), because (1 + tanh u) / 2 = sigmoid(2u): one exponential, and no cancellation for negative x. */
#include "train/cuda/kernels.h"

#define GELU_SLOPE 1.5957691216057308f /* 2 sqrt(2/pi) */
#define GELU_CUBE  0.044715f

static __device__ __forceinline__ float sigmoid(float x) {
    return 1.0f / (1.0f + expf(-x));
}

template <typename T>
static __global__ void kernel_gated(size_t n, bool gelu, const T *gate, const T *up, T *out) {
    for (size_t i = first_element(); i < n; i += element_stride()) {
        float x = get(gate, i);
        float s = sigmoid(gelu ? GELU_SLOPE * (x + GELU_CUBE * x * x * x) : x);
        put(out, i, x * s * get(up, i));
    }
}

template <typename T>
static __global__ void kernel_gated_backward(size_t n, bool gelu, const T *gate, const T *up, const T *dout,
                                             T *dgate, T *dup) {
    for (size_t i = first_element(); i < n; i += element_stride()) {
        float x = get(gate, i), u = get(up, i), d = get(dout, i);
        float s = sigmoid(gelu ? GELU_SLOPE * (x + GELU_CUBE * x * x * x) : x);
        float inner = gelu ? GELU_SLOPE * (1.0f + 3.0f * GELU_CUBE * x * x) : 1.0f;
        put(dgate, i, d * u * s * (1.0f + x * (1.0f - s) * inner));
        put(dup, i, d * x * s);
    }
}

static bool known(struct cuda *cuda, enum cuda_operation op, enum activation activation) {
    if (activation == ACTIVATION_SILU || activation == ACTIVATION_GELU_TANH) return cuda_ready(cuda);
    cuda_fail(cuda, ERROR_UNSUPPORTED, op, "activation %d", (int)activation);
    return false;
}

static void gated(struct backend *b, size_t n, enum activation activation, struct view gate, struct view up,
                  struct view out) {
    struct cuda *cuda = cuda_of(b);
    if (!cuda_is_activation(cuda, CUDA_GATED, out)) return;
    const void *x = cuda_read(cuda, CUDA_GATED, gate, n, out.dtype),
               *u = cuda_read(cuda, CUDA_GATED, up, n, out.dtype);
    void *y = cuda_write(cuda, CUDA_GATED, out, n, out.dtype);
    if (!x || !u || !y || !known(cuda, CUDA_GATED, activation) || n == 0) return;
    bool gelu = activation == ACTIVATION_GELU_TANH;
    WITH_TYPE(out.dtype, T,
              cuda_launch(cuda, CUDA_GATED, kernel_gated<T>, cuda_blocks(n), CUDA_THREADS, 0, n, gelu,
                          (const T *)x, (const T *)u, (T *)y));
}

static void gated_backward(struct backend *b, size_t n, enum activation activation, struct view gate,
                           struct view up, struct view dout, struct view dgate, struct view dup) {
    const enum cuda_operation op = CUDA_GATED_BACKWARD;
    struct cuda *cuda = cuda_of(b);
    if (!cuda_is_activation(cuda, op, dout)) return;
    const void *x = cuda_read(cuda, op, gate, n, dout.dtype), *u = cuda_read(cuda, op, up, n, dout.dtype);
    const void *d = cuda_read(cuda, op, dout, n, dout.dtype);
    void *dx = cuda_write(cuda, op, dgate, n, dout.dtype), *du = cuda_write(cuda, op, dup, n, dout.dtype);
    if (!x || !u || !d || !dx || !du || !known(cuda, op, activation) || n == 0) return;
    bool gelu = activation == ACTIVATION_GELU_TANH;
    WITH_TYPE(dout.dtype, T,
              cuda_launch(cuda, op, kernel_gated_backward<T>, cuda_blocks(n), CUDA_THREADS, 0, n, gelu,
                          (const T *)x, (const T *)u, (const T *)d, (T *)dx, (T *)du));
}

void cuda_install_gated(struct backend *b) {
    b->gated = gated;
    b->gated_backward = gated_backward;
}

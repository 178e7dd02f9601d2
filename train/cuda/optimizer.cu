/* Steps of the optimizers, each one pass over its float32 vectors. The gradient's factor stays on the device.
 */
#include "train/cuda/kernels.h"

#include <float.h>

/* Settings as a kernel takes them; gradient_scale NULL: 1. */
struct step {
    float learning_rate, beta1, beta2, epsilon, weight_decay, correction1, correction2;
    const float *gradient_scale;
};

static bool step_of(struct cuda *cuda, enum cuda_operation op, const struct adamw_step *from,
                    struct step *to) {
    struct step step = {from->learning_rate, from->beta1,       from->beta2,       from->epsilon,
                        from->weight_decay,  from->correction1, from->correction2, NULL};
    *to = step;
    if (!from->gradient_scale.buffer) return cuda_ready(cuda);
    to->gradient_scale = (const float *)cuda_read(cuda, op, from->gradient_scale, 1, DTYPE_F32);
    return to->gradient_scale != NULL;
}

/* Moments that decay for ever must not end as denormals. */
static __device__ __forceinline__ float flush(float x) {
    return fabsf(x) < FLT_MIN ? 0.0f : x;
}

static __global__ void kernel_adamw(size_t n, struct step step, const float *g, float *m, float *v,
                                    float *w) {
    const float scale = step.gradient_scale ? *step.gradient_scale : 1.0f;
    const float rate = step.learning_rate / step.correction1,
                keep = 1.0f - step.learning_rate * step.weight_decay;
    const float root = 1.0f / sqrtf(step.correction2);
    for (size_t i = first_element(); i < n; i += element_stride()) {
        float gi = scale * g[i];
        float mi = flush(step.beta1 * m[i] + (1.0f - step.beta1) * gi);
        float vi = flush(step.beta2 * v[i] + (1.0f - step.beta2) * gi * gi);
        m[i] = mi;
        v[i] = vi;
        w[i] = keep * w[i] - rate * mi / (sqrtf(vi) * root + step.epsilon);
    }
}

static void adamw(struct backend *b, size_t n, const struct adamw_step *settings, struct view g,
                  struct view m, struct view v, struct view w) {
    struct cuda *cuda = cuda_of(b);
    struct step step;
    const float *gradient = (const float *)cuda_read(cuda, CUDA_ADAMW, g, n, DTYPE_F32);
    float *first = (float *)cuda_write(cuda, CUDA_ADAMW, m, n, DTYPE_F32);
    float *second = (float *)cuda_write(cuda, CUDA_ADAMW, v, n, DTYPE_F32);
    float *weight = (float *)cuda_write(cuda, CUDA_ADAMW, w, n, DTYPE_F32);
    if (!gradient || !first || !second || !weight || !step_of(cuda, CUDA_ADAMW, settings, &step) || n == 0)
        return;
    cuda_launch(cuda, CUDA_ADAMW, kernel_adamw, cuda_blocks(n), CUDA_THREADS, 0, n, step, gradient, first,
                second, weight);
}

static __global__ void kernel_sgd(size_t n, struct step step, const float *g, float *w) {
    const float keep = 1.0f - step.learning_rate * step.weight_decay;
    const float rate = step.learning_rate * (step.gradient_scale ? *step.gradient_scale : 1.0f);
    for (size_t i = first_element(); i < n; i += element_stride()) w[i] = keep * w[i] - rate * g[i];
}

static void sgd(struct backend *b, size_t n, const struct adamw_step *settings, struct view g,
                struct view w) {
    struct cuda *cuda = cuda_of(b);
    struct step step;
    const float *gradient = (const float *)cuda_read(cuda, CUDA_SGD, g, n, DTYPE_F32);
    float *weight = (float *)cuda_write(cuda, CUDA_SGD, w, n, DTYPE_F32);
    if (!gradient || !weight || !step_of(cuda, CUDA_SGD, settings, &step) || n == 0) return;
    cuda_launch(cuda, CUDA_SGD, kernel_sgd, cuda_blocks(n), CUDA_THREADS, 0, n, step, gradient, weight);
}

static __global__ void kernel_precondition(size_t n, struct step step, const float *v, float *g) {
    const float top = (1.0f - step.beta1) / step.correction1, root = 1.0f / sqrtf(step.correction2);
    for (size_t i = first_element(); i < n; i += element_stride())
        g[i] *= top / (sqrtf(v[i]) * root + step.epsilon);
}

static void precondition(struct backend *b, size_t n, const struct adamw_step *settings, struct view v,
                         struct view g) {
    struct cuda *cuda = cuda_of(b);
    struct adamw_step unscaled = *settings;
    struct step step;
    unscaled.gradient_scale = view_none();
    const float *second = (const float *)cuda_read(cuda, CUDA_PRECONDITION, v, n, DTYPE_F32);
    float *gradient = (float *)cuda_write(cuda, CUDA_PRECONDITION, g, n, DTYPE_F32);
    if (!second || !gradient || !step_of(cuda, CUDA_PRECONDITION, &unscaled, &step) || n == 0) return;
    cuda_launch(cuda, CUDA_PRECONDITION, kernel_precondition, cuda_blocks(n), CUDA_THREADS, 0, n, step,
                second, gradient);
}

void cuda_install_optimizer(struct backend *b) {
    b->adamw = adamw;
    b->sgd = sgd;
    b->precondition = precondition;
}

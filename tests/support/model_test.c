#include "tests/support/model_test.h"

#include "base/memory.h"
#include "base/random.h"
#include "tests/support/backend_test.h"
#include "train/optimizer.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const char *const golden_variants[] = {"llama_4",  "llama_5",  "qwen3_4", "qwen3_5",
                                       "gemma3_4", "gemma3_5", NULL};

/* --- a model on a backend */

void fixture_open(struct model_fixture *f, const char *backend, const char *folder) {
    memset(f, 0, sizeof *f);
    MUST(test_backend_create(backend, 0, &f->backend, err));
    MUST(model_config_load(folder, &f->config, err));
    MUST(parameter_layout_create(&f->config, &f->layout, err));
    struct view *views[] = {&f->parameters, &f->gradient, &f->direction, &f->spare};
    for (int i = 0; i < 4; i++) {
        MUST(f->backend->buffer_create(f->backend, f->layout->elements * sizeof(float), &f->buffers[i], err));
        *views[i] = (struct view){f->buffers[i], 0, DTYPE_F32};
    }
    MUST(parameters_load(folder, f->layout, f->backend, f->parameters, err));
}

void fixture_close(struct model_fixture *f) {
    for (int i = 0; i < 4; i++) f->backend->buffer_destroy(f->backend, &f->buffers[i]);
    parameter_layout_destroy(&f->layout);
    backend_destroy(&f->backend);
}

float *fixture_download(struct model_fixture *f, struct view vector) {
    float *numbers;
    MUST(memory_alloc(&numbers, f->layout->elements, sizeof *numbers, err));
    f->backend->download(f->backend, vector, numbers, f->layout->elements);
    MUST(f->backend->check(f->backend, err));
    return numbers;
}

void fixture_upload(struct model_fixture *f, const float *numbers, struct view vector) {
    f->backend->upload(f->backend, vector, numbers, f->layout->elements);
    MUST(f->backend->check(f->backend, err));
}

void fixture_randomise(struct model_fixture *f, struct view vector, uint32_t stream) {
    struct random_key key = {1, RANDOM_TEST, stream};
    float *numbers;
    MUST(memory_alloc(&numbers, f->layout->elements, sizeof *numbers, err));
    for (int i = 0; i < f->layout->count; i++) {
        const struct parameter *p = &f->layout->parameters[i];
        size_t end = p->offset + (size_t)p->rows * (size_t)p->columns;
        for (size_t at = p->offset; at < end; at++) numbers[at] = (float)random_normal(key, at);
    }
    fixture_upload(f, numbers, vector);
    memory_free(numbers);
}

double fixture_dot(struct model_fixture *f, struct view x, struct view y) {
    float *a = fixture_download(f, x), *b = fixture_download(f, y);
    double sum = 0;
    for (size_t i = 0; i < f->layout->elements; i++) sum += (double)a[i] * (double)b[i];
    memory_free(a);
    memory_free(b);
    return sum;
}

void fixture_pass(struct model_fixture *f, const struct batch *batch, int slots, struct view gradient,
                  struct view direction, float *loss, double *alignment) {
    struct model *model;
    struct model_limits limits = {
        .rows = batch->rows, .targets = batch->targets, .slots = slots, .training = true};
    MUST(model_create(f->backend, &f->config, f->layout, &limits, &model, err));
    MUST(model_forward(model, f->parameters, batch, err));
    if (loss) MUST(model_losses(model, loss, NULL, err));
    MUST(model_backward(model, 1, gradient, direction, err));
    MUST(model_take_sums(model, NULL, alignment, err));
    model_destroy(&model);
}

/* --- recorded models */

static const struct safetensors_tensor *find(const struct golden *g, const char *name) {
    const struct safetensors_tensor *tensor = safetensors_find(g->file, name);
    if (!tensor) fail_msg("%s/golden.safetensors: no tensor %s", g->folder, name);
    return tensor;
}

static void *copy_bytes(const struct golden *g, const char *name, enum safetensors_dtype dtype,
                        size_t *count) {
    const struct safetensors_tensor *tensor = find(g, name);
    unsigned char *bytes;
    assert_int_equal(tensor->dtype, dtype);
    MUST(memory_alloc(&bytes, tensor->bytes, 1, err));
    memcpy(bytes, tensor->data, tensor->bytes);
    if (count) *count = tensor->elements;
    return bytes;
}

float *golden_floats(const struct golden *g, const char *name, size_t *count) {
    return copy_bytes(g, name, SAFETENSORS_F32, count);
}

double *golden_doubles(const struct golden *g, const char *name, size_t *count) {
    return copy_bytes(g, name, SAFETENSORS_F64, count);
}

void golden_open(struct golden *g, const char *tests, const char *variant) {
    char path[600];
    memset(g, 0, sizeof *g);
    snprintf(g->folder, sizeof g->folder, "%s/golden/model/%s", tests, variant);
    snprintf(path, sizeof path, "%s/golden.safetensors", g->folder);
    MUST(safetensors_open(path, &g->file, err));
    int32_t *lengths = copy_bytes(g, "lengths", SAFETENSORS_I32, NULL);
    int32_t *prompts = copy_bytes(g, "prompts", SAFETENSORS_I32, NULL);
    float *weights = golden_floats(g, "weights", NULL);
    g->ids = copy_bytes(g, "ids", SAFETENSORS_I32, NULL);
    for (int k = 0, at = 0; k < GOLDEN_SEQUENCES; at += lengths[k++]) {
        g->sequences[k] = (struct example){g->ids + at, lengths[k], prompts[k]};
        g->weights[k] = weights[k];
        g->rows += lengths[k] - 1;
        g->targets += lengths[k] - prompts[k];
    }
    memory_free(lengths);
    memory_free(prompts);
    memory_free(weights);
}

void golden_close(struct golden *g) {
    memory_free(g->ids);
    safetensors_close(&g->file);
}

struct batch *golden_batch(const struct golden *g, int first, int last) {
    struct batch *batch;
    MUST(batch_create(g->rows, g->targets, GOLDEN_SEQUENCES, &batch, err));
    for (int k = first; k <= last; k++) {
        assert_true(batch_fits(batch, &g->sequences[k]));
        batch_add_example(batch, &g->sequences[k], k, g->weights[k] / (float)g->targets);
    }
    return batch;
}

/* --- a recorded model, opened */

void variant_open(struct variant *v, const char *backend, const char *tests, const char *name) {
    v->name = name;
    v->backend = backend;
    golden_open(&v->golden, tests, name);
    fixture_open(&v->model, backend, v->golden.folder);
}

void variant_close(struct variant *v) {
    fixture_close(&v->model);
    golden_close(&v->golden);
}

void variant_each(const char *backend, const char *tests, void (*test)(struct variant *)) {
    for (int i = 0; golden_variants[i]; i++) {
        struct variant v;
        variant_open(&v, backend, tests, golden_variants[i]);
        test(&v);
        variant_close(&v);
    }
}

void variant_expect(const struct variant *v, const char *what, double error, double tolerance) {
    print_message("  %-9s %-9s %-24s error %.2e (at most %.0e)\n", v->backend, v->name, what, error,
                  tolerance);
    if (!(error <= tolerance)) fail_msg("%s: %s: error %g, at most %g", v->name, what, error, tolerance);
}

struct model *variant_model(struct variant *v, const struct batch *batch, bool training) {
    struct model *model;
    struct model_limits limits = {.rows = batch->rows, .targets = batch->targets, .training = training};
    MUST(model_create(v->model.backend, &v->model.config, v->model.layout, &limits, &model, err));
    return model;
}

static double worse(double largest, double got, double recorded) {
    double error = fabs(got - recorded) / recorded;
    return error <= largest ? largest : isnan(error) ? INFINITY : error;
}

struct trained variant_train(struct variant *v) {
    /* As in tests/golden/model/record.py. */
    const struct optimizer_settings settings = {.kind = OPTIMIZER_ADAMW,
                                                .beta1 = 0.9,
                                                .beta2 = 0.99,
                                                .epsilon = 1e-8,
                                                .weight_decay = 0.1,
                                                .clip = 0.5};
    struct model_fixture *m = &v->model;
    struct batch *batch = golden_batch(&v->golden, 0, GOLDEN_SEQUENCES - 1);
    struct optimizer *optimizer;
    struct trained found = {0, 0};
    size_t steps;
    double *losses = golden_doubles(&v->golden, "steps.losses", &steps);
    double *norms = golden_doubles(&v->golden, "steps.norms", NULL);
    float *loss = test_floats((size_t)batch->targets);
    MUST(optimizer_create(m->backend, m->layout, &settings, &optimizer, err));
    for (size_t s = 0; s < steps; s++) {
        double sum = 0, norm;
        m->backend->zero(m->backend, m->layout->elements, m->gradient);
        fixture_pass(m, batch, 0, m->gradient, view_none(), loss, NULL);
        for (int n = 0; n < batch->targets; n++) sum += (double)batch->target_weight[n] * (double)loss[n];
        MUST(optimizer_step(optimizer, 5e-3, m->gradient, m->parameters, &norm, err));
        found.losses = worse(found.losses, sum, losses[s]);
        found.norms = worse(found.norms, norm, norms[s]);
    }
    optimizer_destroy(&optimizer);
    memory_free(losses);
    memory_free(norms);
    memory_free(loss);
    batch_destroy(&batch);
    return found;
}

float *test_floats(size_t count) {
    float *numbers;
    MUST(memory_alloc(&numbers, count, sizeof *numbers, err));
    return numbers;
}

double largest_error(const float *a, const float *b, size_t count, double floor) {
    double largest = 0;
    for (size_t i = 0; i < count; i++) {
        double error = fabs((double)a[i] - (double)b[i]) / (fabs((double)b[i]) + floor);
        if (!(error <= largest)) largest = isnan(error) ? INFINITY : error;
    }
    return largest;
}

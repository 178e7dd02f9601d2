/* The backward pass of whole models: gradients and trajectories against what transformers computed
 * (tests/golden/model), fused alignments against one backward pass a slot, gradients against finite
 * differences. BACKEND-ARGUMENT */
#include "tests/support/model_test.h"

#include "base/memory.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* float32 against float32, sums in another order */
static const double GRADIENT_TOLERANCE = 1e-4, ALIGNMENT_TOLERANCE = 2e-5, TRAJECTORY_TOLERANCE = 1e-4;
static const double DIFFERENCE_TOLERANCE = 1e-3, ROUNDING_TOLERANCE = 1e-6;

static const char *backend_name;

/* Every tensor's gradient, relative to the tensor's largest entry. */
static void gradient_variant(struct variant *f) {
    struct batch *batch = golden_batch(&f->golden, 0, GOLDEN_SEQUENCES - 1);
    fixture_pass(&f->model, batch, 0, f->model.gradient, view_none(), NULL, NULL);
    float *gradient = fixture_download(&f->model, f->model.gradient);
    double worst = 0, covered = 0;
    for (int i = 0; i < f->model.layout->count; i++) {
        const struct parameter *p = &f->model.layout->parameters[i];
        char name[128];
        size_t count;
        snprintf(name, sizeof name, "gradient.%s", p->name);
        float *expected = golden_floats(&f->golden, name, &count);
        assert_int_equal(count, (size_t)p->rows * (size_t)p->columns);
        double largest = 0, difference = 0;
        for (size_t j = 0; j < count; j++) largest = fmax(largest, fabs((double)expected[j]));
        for (size_t j = 0; j < count; j++) {
            double d = fabs((double)gradient[p->offset + j] - (double)expected[j]) / largest;
            if (!(d <= difference)) difference = isnan(d) ? INFINITY : d;
        }
        if (!(difference <= GRADIENT_TOLERANCE))
            fail_msg("%s: gradient of %s: %g", f->name, p->name, difference);
        worst = fmax(worst, difference);
        covered += (double)count;
        memory_free(expected);
    }
    assert_true(covered == (double)f->model.layout->numbers);
    variant_expect(f, "gradient", worst, GRADIENT_TOLERANCE);
    memory_free(gradient);
    batch_destroy(&batch);
}
static void test_gradient(void **state) {
    (void)state;
    variant_each(backend_name, TEST_SOURCE_DIR, gradient_variant);
}

/* The recorded alignments: each sequence's gradient with the parameters themselves. */
static void recorded_alignments_variant(struct variant *f) {
    struct batch *batch = golden_batch(&f->golden, 0, GOLDEN_SEQUENCES - 1);
    double fused[GOLDEN_SEQUENCES] = {0}, *expected = golden_doubles(&f->golden, "alignments", NULL),
           error = 0;
    fixture_pass(&f->model, batch, GOLDEN_SEQUENCES, view_none(), f->model.parameters, NULL, fused);
    for (int k = 0; k < GOLDEN_SEQUENCES; k++)
        error = fmax(error, fabs(fused[k] - expected[k]) / (fabs(expected[k]) + 0.1));
    variant_expect(f, "recorded alignments", error, ALIGNMENT_TOLERANCE);
    memory_free(expected);
    batch_destroy(&batch);
}

/* Fused alignments with a random direction, against one backward pass and one inner product for each slot;
 * with and without a gradient at the same time, which must not change but for the order of its sums. */
static void fused_alignments_variant(struct variant *f) {
    struct model_fixture *m = &f->model;
    struct batch *batch = golden_batch(&f->golden, 0, GOLDEN_SEQUENCES - 1);
    double fused[GOLDEN_SEQUENCES + 1] = {[0] = 1000}, only[GOLDEN_SEQUENCES + 1] = {0}, error = 0;
    fixture_randomise(m, m->direction, 7);
    fixture_pass(m, batch, GOLDEN_SEQUENCES + 1, m->gradient, m->direction, NULL, fused);
    fixture_pass(m, batch, GOLDEN_SEQUENCES + 1, view_none(), m->direction, NULL, only);
    fused[0] -= 1000; /* alignments are added to what is there */
    double size = sqrt(fixture_dot(m, m->direction, m->direction));
    for (int k = 0; k < GOLDEN_SEQUENCES; k++) {
        struct batch *one = golden_batch(&f->golden, k, k);
        m->backend->zero(m->backend, m->layout->elements, m->spare);
        fixture_pass(m, one, 0, m->spare, view_none(), NULL, NULL);
        double plain = fixture_dot(m, m->spare, m->direction);
        /* Relative to what the product of the two lengths would give for a random pair of directions. */
        double scale = sqrt(fixture_dot(m, m->spare, m->spare)) * size / sqrt((double)m->layout->numbers);
        error = fmax(error, fmax(fabs(fused[k] - plain), fabs(only[k] - plain)) / scale);
        if (isnan(fused[k]) || isnan(only[k])) error = INFINITY;
        batch_destroy(&one);
    }
    assert_true(fused[GOLDEN_SEQUENCES] == 0 && only[GOLDEN_SEQUENCES] == 0);
    variant_expect(f, "fused alignments", error, ALIGNMENT_TOLERANCE);
    m->backend->zero(m->backend, m->layout->elements, m->spare);
    fixture_pass(m, batch, 0, m->spare, view_none(), NULL, NULL);
    double length = sqrt(fixture_dot(m, m->spare, m->spare));
    m->backend->add(m->backend, m->layout->elements, -1.0f, m->gradient, m->spare);
    variant_expect(f, "gradient beside them", sqrt(fixture_dot(m, m->spare, m->spare)) / length,
                   ROUNDING_TOLERANCE);
    batch_destroy(&batch);
}
static void test_alignments(void **state) {
    (void)state;
    variant_each(backend_name, TEST_SOURCE_DIR, recorded_alignments_variant);
    variant_each(backend_name, TEST_SOURCE_DIR, fused_alignments_variant);
}

/* The objective at parameters + step * direction, in double. */
static double objective_at(struct variant *f, struct model *model, const struct batch *batch, double step,
                           float *loss) {
    struct model_fixture *m = &f->model;
    m->backend->copy(m->backend, m->layout->elements, m->parameters, m->spare);
    m->backend->add(m->backend, m->layout->elements, (float)step, m->direction, m->spare);
    MUST(model_forward(model, m->spare, batch, err));
    MUST(model_losses(model, loss, NULL, err));
    double sum = 0;
    for (int n = 0; n < batch->targets; n++) sum += (double)batch->target_weight[n] * (double)loss[n];
    return sum;
}

static void differences_variant(struct variant *f) {
    struct model_fixture *m = &f->model;
    struct batch *batch = golden_batch(&f->golden, 0, GOLDEN_SEQUENCES - 1);
    struct model *model = variant_model(f, batch, false);
    float *loss = test_floats((size_t)batch->targets);
    double worst = 0;
    fixture_pass(m, batch, 0, m->gradient, view_none(), NULL, NULL);
    double length = sqrt(fixture_dot(m, m->gradient, m->gradient));
    for (uint32_t k = 0; k < 4; k++) {
        fixture_randomise(m, m->direction, 20 + k);
        double slope = fixture_dot(m, m->gradient, m->direction), h = 3e-4;
        /* Four points: the error of the formula is O(h^4), that of float32 losses about 1e-7 / h. */
        double near = objective_at(f, model, batch, h, loss) - objective_at(f, model, batch, -h, loss);
        double far = objective_at(f, model, batch, 2 * h, loss) - objective_at(f, model, batch, -2 * h, loss);
        double difference = (8 * near - far) / (12 * h);
        double error = fabs(difference - slope) / length;
        worst = error <= worst ? worst : isnan(error) ? INFINITY : error;
    }
    variant_expect(f, "finite differences", worst, DIFFERENCE_TOLERANCE);
    memory_free(loss);
    model_destroy(&model);
    batch_destroy(&batch);
}
static void test_differences(void **state) {
    (void)state;
    variant_each(backend_name, TEST_SOURCE_DIR, differences_variant);
}

/* --- training */

static int compare_names(const void *a, const void *b) {
    const struct parameter *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

/* Tensors after the recorded steps: their sums, squares and first numbers. */
static void check_trained(struct variant *f) {
    enum { HEADS = 8 };
    const struct parameter_layout *layout = f->model.layout;
    size_t count = (size_t)layout->count, recorded;
    const struct parameter **sorted;
    MUST(memory_alloc(&sorted, count, sizeof *sorted, err));
    for (size_t i = 0; i < count; i++) sorted[i] = &layout->parameters[i];
    qsort(sorted, count, sizeof *sorted, compare_names);
    double *sums = golden_doubles(&f->golden, "steps.sums", &recorded);
    double *squares = golden_doubles(&f->golden, "steps.squares", NULL);
    float *heads = golden_floats(&f->golden, "steps.heads", NULL);
    float *weights = fixture_download(&f->model, f->model.parameters);
    assert_int_equal(recorded, count);
    double error = 0, error_heads = 0;
    for (size_t i = 0; i < count; i++) {
        size_t length = (size_t)sorted[i]->rows * (size_t)sorted[i]->columns;
        const float *w = weights + sorted[i]->offset;
        double sum = 0, square = 0;
        for (size_t j = 0; j < length; j++) {
            sum += (double)w[j];
            square += (double)w[j] * (double)w[j];
        }
        error = fmax(error, fabs(sum - sums[i]) / sqrt((double)length));
        error = fmax(error, fabs(square - squares[i]) / squares[i]);
        if (isnan(square)) error = INFINITY;
        error_heads = fmax(error_heads, largest_error(w, heads + i * HEADS, HEADS, 1));
    }
    variant_expect(f, "trained tensors", error, TRAJECTORY_TOLERANCE);
    variant_expect(f, "trained numbers", error_heads, TRAJECTORY_TOLERANCE);
    memory_free(sorted);
    memory_free(sums);
    memory_free(squares);
    memory_free(heads);
    memory_free(weights);
}

static void trajectory_variant(struct variant *f) {
    struct trained found = variant_train(f);
    variant_expect(f, "losses of six steps", found.losses, TRAJECTORY_TOLERANCE);
    variant_expect(f, "norms of six steps", found.norms, TRAJECTORY_TOLERANCE);
    check_trained(f);
}
static void test_trajectory(void **state) {
    (void)state;
    variant_each(backend_name, TEST_SOURCE_DIR, trajectory_variant);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradient),
        cmocka_unit_test(test_alignments),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_trajectory),
    };
    if (argc < 2) {
        fprintf(stderr, "usage: %s BACKEND\n", argv[0]);
        return 2;
    }
    backend_name = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}

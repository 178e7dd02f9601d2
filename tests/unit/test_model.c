/* Whole models against what transformers computed (tests/golden/model), and against themselves: packing,
 * prefixes, fused alignments, finite differences. BACKEND-ARGUMENT */
#include "tests/support/model_test.h"

#include "base/memory.h"
#include "train/optimizer.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* float32 against float32, sums in another order */
static const double LOGIT_TOLERANCE = 5e-5, LOSS_TOLERANCE = 1e-5, GRADIENT_TOLERANCE = 1e-4;
static const double ALIGNMENT_TOLERANCE = 2e-5, TRAJECTORY_TOLERANCE = 1e-4;
static const double SAME_TOLERANCE = 5e-5; /* the same numbers, packed otherwise */
static const double DIFFERENCE_TOLERANCE = 1e-3;

static const char *backend_name;

struct fixture {
    struct model_fixture model;
    struct golden golden;
    const char *variant;
};

static void open_variant(struct fixture *f, const char *variant) {
    f->variant = variant;
    golden_open(&f->golden, TEST_SOURCE_DIR, variant);
    fixture_open(&f->model, backend_name, f->golden.folder);
}

static void close_variant(struct fixture *f) {
    fixture_close(&f->model);
    golden_close(&f->golden);
}

/* Runs `test` on every recorded model. */
static void each_variant(void (*test)(struct fixture *)) {
    for (int i = 0; golden_variants[i]; i++) {
        struct fixture f;
        open_variant(&f, golden_variants[i]);
        test(&f);
        close_variant(&f);
    }
}

static void expect(const struct fixture *f, const char *what, double error, double tolerance) {
    print_message("  %-9s %-9s %-24s error %.2e (at most %.0e)\n", backend_name, f->variant, what, error,
                  tolerance);
    if (!(error <= tolerance)) fail_msg("%s: %s: error %g, at most %g", f->variant, what, error, tolerance);
}

static struct model *make_model(struct fixture *f, const struct batch *batch, bool training) {
    struct model *model;
    struct model_limits limits = {.rows = batch->rows, .targets = batch->targets, .training = training};
    MUST(model_create(f->model.backend, &f->model.config, f->model.layout, &limits, &model, err));
    return model;
}

static float *new_floats(size_t count) {
    float *numbers;
    MUST(memory_alloc(&numbers, count, sizeof *numbers, err));
    return numbers;
}

/* --- forward */

/* Packed logits, losses and greedy flags of both kinds of model. */
static void check_forward(struct fixture *f, bool training) {
    struct batch *batch = golden_batch(&f->golden, 0, GOLDEN_SEQUENCES - 1);
    struct model *model = make_model(f, batch, training);
    size_t vocabulary = (size_t)f->model.config.vocabulary, targets = (size_t)batch->targets, count;
    float *logits = new_floats(targets * vocabulary), *loss = new_floats(targets);
    float *expected = golden_floats(&f->golden, "logits", &count);
    float *expected_loss = golden_floats(&f->golden, "losses", NULL);
    int32_t *greedy;
    MUST(memory_alloc(&greedy, targets, sizeof *greedy, err));
    assert_int_equal(count, targets * vocabulary);
    MUST(model_forward(model, f->model.parameters, batch, err));
    MUST(model_logits(model, logits, err));
    MUST(model_losses(model, loss, greedy, err));
    expect(f, training ? "logits, training" : "logits", largest_error(logits, expected, count, 1),
           LOGIT_TOLERANCE);
    expect(f, training ? "losses, training" : "losses", largest_error(loss, expected_loss, targets, 1),
           LOSS_TOLERANCE);
    for (size_t n = 0; n < targets; n++) {
        const float *row = expected + n * vocabulary;
        int best = 0;
        for (int v = 1; v < (int)vocabulary; v++)
            if (row[v] > row[best]) best = v;
        assert_int_equal(greedy[n], best == batch->target_id[n]);
    }
    memory_free(logits);
    memory_free(loss);
    memory_free(expected);
    memory_free(expected_loss);
    memory_free(greedy);
    model_destroy(&model);
    batch_destroy(&batch);
}

static void forward_variant(struct fixture *f) {
    check_forward(f, false);
    check_forward(f, true);
}
static void test_forward(void **state) {
    (void)state;
    each_variant(forward_variant);
}

/* Each sequence alone gives what it gives within a packed batch. */
static void packing_variant(struct fixture *f) {
    struct batch *all = golden_batch(&f->golden, 0, GOLDEN_SEQUENCES - 1);
    float *packed = new_floats((size_t)all->targets), *alone = new_floats((size_t)all->targets);
    float *whole, *parts;
    fixture_pass(&f->model, all, 0, f->model.gradient, view_none(), packed, NULL);
    for (int k = 0, at = 0; k < GOLDEN_SEQUENCES; k++) {
        struct batch *one = golden_batch(&f->golden, k, k);
        fixture_pass(&f->model, one, 0, f->model.spare, view_none(), alone + at, NULL);
        at += one->targets;
        batch_destroy(&one);
    }
    expect(f, "packed losses", largest_error(packed, alone, (size_t)all->targets, 1), SAME_TOLERANCE);
    whole = fixture_download(&f->model, f->model.gradient);
    parts = fixture_download(&f->model, f->model.spare);
    expect(f, "packed gradient", largest_error(whole, parts, f->model.layout->elements, 0.1), SAME_TOLERANCE);
    memory_free(whole);
    memory_free(parts);
    memory_free(packed);
    memory_free(alone);
    batch_destroy(&all);
}
static void test_packing(void **state) {
    (void)state;
    each_variant(packing_variant);
}

/* Two continuations that share a context, as segments with a prefix, and each as one plain sequence. */
static void prefix_variant(struct fixture *f) {
    const struct example *sequence = &f->golden.sequences[2];
    enum { SHARED = 11, TAIL = 7 };
    int32_t tails[2][TAIL];
    float shared[2 * TAIL], plain[2 * TAIL];
    struct batch *batch;
    MUST(batch_create(100, 100, 4, &batch, err));
    int prefix = batch_add_segment(batch, sequence->ids, SHARED, 0, 0);
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < TAIL; i++) tails[k][i] = sequence->ids[k ? TAIL - i : SHARED + i];
        int start = batch_add_segment(batch, tails[k], TAIL, prefix, SHARED);
        for (int i = 0; i < TAIL; i++) assert_true(batch_add_target(batch, start + i, 5 + i, 1));
    }
    struct model *model = make_model(f, batch, false);
    MUST(model_forward(model, f->model.parameters, batch, err));
    MUST(model_losses(model, shared, NULL, err));
    model_destroy(&model);
    batch_clear(batch);
    for (int k = 0; k < 2; k++) {
        int32_t ids[SHARED + TAIL];
        memcpy(ids, sequence->ids, SHARED * sizeof *ids);
        memcpy(ids + SHARED, tails[k], sizeof tails[k]);
        int start = batch_add_segment(batch, ids, SHARED + TAIL, 0, 0);
        for (int i = 0; i < TAIL; i++) assert_true(batch_add_target(batch, start + SHARED + i, 5 + i, 1));
    }
    model = make_model(f, batch, false);
    MUST(model_forward(model, f->model.parameters, batch, err));
    MUST(model_losses(model, plain, NULL, err));
    model_destroy(&model);
    expect(f, "prefix", largest_error(shared, plain, 2 * TAIL, 1), SAME_TOLERANCE);
    batch_destroy(&batch);
}
static void test_prefix(void **state) {
    (void)state;
    each_variant(prefix_variant);
}

/* --- backward */

/* Every tensor's gradient, relative to the tensor's largest entry. */
static void gradient_variant(struct fixture *f) {
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
            fail_msg("%s: gradient of %s: %g", f->variant, p->name, difference);
        worst = fmax(worst, difference);
        covered += (double)count;
        memory_free(expected);
    }
    assert_true(covered == (double)f->model.layout->numbers);
    expect(f, "gradient", worst, GRADIENT_TOLERANCE);
    memory_free(gradient);
    batch_destroy(&batch);
}
static void test_gradient(void **state) {
    (void)state;
    each_variant(gradient_variant);
}

/* The recorded alignments: each sequence's gradient with the parameters themselves. */
static void recorded_alignments_variant(struct fixture *f) {
    struct batch *batch = golden_batch(&f->golden, 0, GOLDEN_SEQUENCES - 1);
    double fused[GOLDEN_SEQUENCES] = {0}, *expected = golden_doubles(&f->golden, "alignments", NULL),
           error = 0;
    fixture_pass(&f->model, batch, GOLDEN_SEQUENCES, view_none(), f->model.parameters, NULL, fused);
    for (int k = 0; k < GOLDEN_SEQUENCES; k++)
        error = fmax(error, fabs(fused[k] - expected[k]) / (fabs(expected[k]) + 0.1));
    expect(f, "recorded alignments", error, ALIGNMENT_TOLERANCE);
    memory_free(expected);
    batch_destroy(&batch);
}

/* Fused alignments with a random direction, against one backward pass and one inner product for each slot;
 * with and without a gradient at the same time, which must not change. */
static void fused_alignments_variant(struct fixture *f) {
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
    expect(f, "fused alignments", error, ALIGNMENT_TOLERANCE);
    m->backend->zero(m->backend, m->layout->elements, m->spare);
    fixture_pass(m, batch, 0, m->spare, view_none(), NULL, NULL);
    float *with = fixture_download(m, m->gradient), *without = fixture_download(m, m->spare);
    assert_memory_equal(with, without, m->layout->elements * sizeof *with);
    memory_free(with);
    memory_free(without);
    batch_destroy(&batch);
}
static void test_alignments(void **state) {
    (void)state;
    each_variant(recorded_alignments_variant);
    each_variant(fused_alignments_variant);
}

/* The objective at parameters + step * direction, in double. */
static double objective_at(struct fixture *f, struct model *model, const struct batch *batch, double step,
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

static void differences_variant(struct fixture *f) {
    struct model_fixture *m = &f->model;
    struct batch *batch = golden_batch(&f->golden, 0, GOLDEN_SEQUENCES - 1);
    struct model *model = make_model(f, batch, false);
    float *loss = new_floats((size_t)batch->targets);
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
    expect(f, "finite differences", worst, DIFFERENCE_TOLERANCE);
    memory_free(loss);
    model_destroy(&model);
    batch_destroy(&batch);
}
static void test_differences(void **state) {
    (void)state;
    each_variant(differences_variant);
}

/* --- training */

static int compare_names(const void *a, const void *b) {
    const struct parameter *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

/* Tensors after the recorded steps: their sums, squares and first numbers. */
static void check_trained(struct fixture *f) {
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
    expect(f, "trained tensors", error, TRAJECTORY_TOLERANCE);
    expect(f, "trained numbers", error_heads, TRAJECTORY_TOLERANCE);
    memory_free(sorted);
    memory_free(sums);
    memory_free(squares);
    memory_free(heads);
    memory_free(weights);
}

static void trajectory_variant(struct fixture *f) {
    struct model_fixture *m = &f->model;
    const struct optimizer_settings settings = {.kind = OPTIMIZER_ADAMW,
                                                .beta1 = 0.9,
                                                .beta2 = 0.99,
                                                .epsilon = 1e-8,
                                                .weight_decay = 0.1,
                                                .clip = 0.5};
    struct batch *batch = golden_batch(&f->golden, 0, GOLDEN_SEQUENCES - 1);
    struct optimizer *optimizer;
    size_t steps;
    double *losses = golden_doubles(&f->golden, "steps.losses", &steps);
    double *norms = golden_doubles(&f->golden, "steps.norms", NULL);
    float *loss = new_floats((size_t)batch->targets);
    double error = 0, error_norm = 0;
    MUST(optimizer_create(m->backend, m->layout, &settings, &optimizer, err));
    for (size_t s = 0; s < steps; s++) {
        double sum = 0, norm;
        m->backend->zero(m->backend, m->layout->elements, m->gradient);
        fixture_pass(m, batch, 0, m->gradient, view_none(), loss, NULL);
        for (int n = 0; n < batch->targets; n++) sum += (double)batch->target_weight[n] * (double)loss[n];
        MUST(optimizer_step(optimizer, 5e-3, m->gradient, m->parameters, &norm, err));
        error = fmax(error, fabs(sum - losses[s]) / losses[s]);
        error_norm = fmax(error_norm, fabs(norm - norms[s]) / norms[s]);
        if (isnan(sum)) error = INFINITY;
    }
    expect(f, "losses of six steps", error, TRAJECTORY_TOLERANCE);
    expect(f, "norms of six steps", error_norm, TRAJECTORY_TOLERANCE);
    check_trained(f);
    optimizer_destroy(&optimizer);
    memory_free(losses);
    memory_free(norms);
    memory_free(loss);
    batch_destroy(&batch);
}
static void test_trajectory(void **state) {
    (void)state;
    each_variant(trajectory_variant);
}

/* --- misuse */

static void test_misuse(void **state) {
    (void)state;
    struct fixture f;
    struct error failure = {0};
    double alignment[1];
    open_variant(&f, "llama_5");
    struct model_fixture *m = &f.model;
    struct batch *batch = golden_batch(&f.golden, 0, 1);
    struct model *model = make_model(&f, batch, false);
    float *loss = new_floats((size_t)batch->targets);
    assert_int_equal(model_losses(model, loss, NULL, &failure), ERROR_INTERNAL);
    MUST(model_forward(model, m->parameters, batch, err));
    assert_int_equal(model_backward(model, 1, m->gradient, view_none(), NULL, NULL, &failure),
                     ERROR_INTERNAL);
    int32_t kept = batch->id[3];
    batch->id[3] = m->config.vocabulary;
    assert_int_equal(model_forward(model, m->parameters, batch, &failure), ERROR_INPUT);
    assert_non_null(strstr(failure.message, "token 3"));
    assert_int_equal(model_losses(model, loss, NULL, &failure), ERROR_INTERNAL);
    batch->id[3] = kept;
    batch->target_row[1] = batch->target_row[0];
    assert_int_equal(model_forward(model, m->parameters, batch, &failure), ERROR_INTERNAL);
    model_destroy(&model);
    batch_destroy(&batch);

    batch = golden_batch(&f.golden, 0, 1);
    model = make_model(&f, batch, true);
    struct batch *large = golden_batch(&f.golden, 0, 2);
    assert_int_equal(model_forward(model, m->parameters, large, &failure), ERROR_INTERNAL);
    MUST(model_forward(model, m->parameters, batch, err));
    assert_int_equal(model_backward(model, 1, view_none(), m->direction, NULL, alignment, &failure),
                     ERROR_INTERNAL);
    MUST(model_backward(model, 1, m->gradient, view_none(), loss, NULL, err));
    /* the second would read what the first overwrote; the losses are still there */
    assert_int_equal(model_backward(model, 1, m->gradient, view_none(), loss, NULL, &failure),
                     ERROR_INTERNAL);
    MUST(model_losses(model, loss, NULL, err));
    batch_clear(batch); /* nothing to do is fine */
    MUST(model_forward(model, m->parameters, batch, err));
    MUST(model_losses(model, loss, NULL, err));
    MUST(model_backward(model, 1, m->gradient, view_none(), loss, NULL, err));
    model_destroy(&model);
    assert_null(model);
    memory_free(loss);
    batch_destroy(&batch);
    batch_destroy(&large);
    close_variant(&f);
}

/* The plan asks for what is allocated, and a model for training keeps more. */
static void test_bytes(void **state) {
    (void)state;
    struct fixture f;
    open_variant(&f, "gemma3_5");
    struct model_limits limits = {.rows = 100, .targets = 10, .slots = 3, .training = false};
    size_t inference = model_bytes(&f.model.config, &limits);
    limits.training = true;
    size_t training = model_bytes(&f.model.config, &limits);
    assert_true(inference > 0 && training > 2 * inference);
    limits.rows = 200;
    assert_true(model_bytes(&f.model.config, &limits) > training);
    close_variant(&f);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward),    cmocka_unit_test(test_packing),
        cmocka_unit_test(test_prefix),     cmocka_unit_test(test_gradient),
        cmocka_unit_test(test_alignments), cmocka_unit_test(test_differences),
        cmocka_unit_test(test_trajectory), cmocka_unit_test(test_misuse),
        cmocka_unit_test(test_bytes),
    };
    if (argc < 2) {
        fprintf(stderr, "usage: %s BACKEND\n", argv[0]);
        return 2;
    }
    backend_name = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}

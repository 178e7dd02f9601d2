/* The forward pass of whole models against what transformers computed (tests/golden/model) and against
 * itself: packing, prefixes; and what callers must not do. BACKEND-ARGUMENT */
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
static const double LOGIT_TOLERANCE = 5e-5, LOSS_TOLERANCE = 1e-5;
static const double SAME_TOLERANCE = 5e-5; /* the same numbers, packed otherwise */

static const char *backend_name;

/* Packed logits, losses and greedy flags of both kinds of model. */
static void check_forward(struct variant *f, bool training) {
    struct batch *batch = golden_batch(&f->golden, 0, GOLDEN_SEQUENCES - 1);
    struct model *model = variant_model(f, batch, training);
    size_t vocabulary = (size_t)f->model.config.vocabulary, targets = (size_t)batch->targets, count;
    float *logits = test_floats(targets * vocabulary), *loss = test_floats(targets);
    float *expected = golden_floats(&f->golden, "logits", &count);
    float *expected_loss = golden_floats(&f->golden, "losses", NULL);
    int32_t *greedy;
    MUST(memory_alloc(&greedy, targets, sizeof *greedy, err));
    assert_int_equal(count, targets * vocabulary);
    MUST(model_forward(model, f->model.parameters, batch, err));
    MUST(model_logits(model, logits, err));
    MUST(model_losses(model, loss, greedy, err));
    variant_expect(f, training ? "logits, training" : "logits", largest_error(logits, expected, count, 1),
                   LOGIT_TOLERANCE);
    variant_expect(f, training ? "losses, training" : "losses",
                   largest_error(loss, expected_loss, targets, 1), LOSS_TOLERANCE);
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

static void forward_variant(struct variant *f) {
    check_forward(f, false);
    check_forward(f, true);
}
static void test_forward(void **state) {
    (void)state;
    variant_each(backend_name, TEST_SOURCE_DIR, forward_variant);
}

/* Each sequence alone gives what it gives within a packed batch. */
static void packing_variant(struct variant *f) {
    struct batch *all = golden_batch(&f->golden, 0, GOLDEN_SEQUENCES - 1);
    float *packed = test_floats((size_t)all->targets), *alone = test_floats((size_t)all->targets);
    float *whole, *parts;
    fixture_pass(&f->model, all, 0, f->model.gradient, view_none(), packed, NULL);
    for (int k = 0, at = 0; k < GOLDEN_SEQUENCES; k++) {
        struct batch *one = golden_batch(&f->golden, k, k);
        fixture_pass(&f->model, one, 0, f->model.spare, view_none(), alone + at, NULL);
        at += one->targets;
        batch_destroy(&one);
    }
    variant_expect(f, "packed losses", largest_error(packed, alone, (size_t)all->targets, 1), SAME_TOLERANCE);
    whole = fixture_download(&f->model, f->model.gradient);
    parts = fixture_download(&f->model, f->model.spare);
    variant_expect(f, "packed gradient", largest_error(whole, parts, f->model.layout->elements, 0.1),
                   SAME_TOLERANCE);
    memory_free(whole);
    memory_free(parts);
    memory_free(packed);
    memory_free(alone);
    batch_destroy(&all);
}
static void test_packing(void **state) {
    (void)state;
    variant_each(backend_name, TEST_SOURCE_DIR, packing_variant);
}

/* Two continuations that share a context, as segments with a prefix, and each as one plain sequence. */
static void prefix_variant(struct variant *f) {
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
    struct model *model = variant_model(f, batch, false);
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
    model = variant_model(f, batch, false);
    MUST(model_forward(model, f->model.parameters, batch, err));
    MUST(model_losses(model, plain, NULL, err));
    model_destroy(&model);
    variant_expect(f, "prefix", largest_error(shared, plain, 2 * TAIL, 1), SAME_TOLERANCE);
    batch_destroy(&batch);
}
static void test_prefix(void **state) {
    (void)state;
    variant_each(backend_name, TEST_SOURCE_DIR, prefix_variant);
}

/* --- misuse */

static void test_misuse(void **state) {
    (void)state;
    struct variant f;
    struct error failure = {0};
    variant_open(&f, backend_name, TEST_SOURCE_DIR, "llama_5");
    struct model_fixture *m = &f.model;
    struct batch *batch = golden_batch(&f.golden, 0, 1);
    struct model *model = variant_model(&f, batch, false);
    float *loss = test_floats((size_t)batch->targets);
    assert_int_equal(model_losses(model, loss, NULL, &failure), ERROR_INTERNAL);
    MUST(model_forward(model, m->parameters, batch, err));
    assert_int_equal(model_backward(model, 1, m->gradient, view_none(), &failure), ERROR_INTERNAL);
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
    model = variant_model(&f, batch, true);
    struct batch *large = golden_batch(&f.golden, 0, 2);
    assert_int_equal(model_forward(model, m->parameters, large, &failure), ERROR_INTERNAL);
    MUST(model_forward(model, m->parameters, batch, err));
    assert_int_equal(model_backward(model, 1, view_none(), m->direction, &failure), ERROR_INTERNAL);
    MUST(model_backward(model, 1, m->gradient, view_none(), err));
    /* the second would read what the first overwrote; the losses are still there */
    assert_int_equal(model_backward(model, 1, m->gradient, view_none(), &failure), ERROR_INTERNAL);
    MUST(model_losses(model, loss, NULL, err));
    batch_clear(batch); /* nothing to do is fine */
    MUST(model_forward(model, m->parameters, batch, err));
    MUST(model_losses(model, loss, NULL, err));
    MUST(model_backward(model, 1, m->gradient, view_none(), err));
    model_destroy(&model);
    assert_null(model);
    memory_free(loss);
    batch_destroy(&batch);
    batch_destroy(&large);
    variant_close(&f);
}

/* --- sums */

/* Several passes leave sums by slot that are taken once; a pass that failed on the device is told then, and
 * leaves nothing for the next. */
static void sums_variant(struct variant *f) {
    struct model_fixture *m = &f->model;
    struct error failure = {0};
    struct batch *batch = golden_batch(&f->golden, 0, GOLDEN_SEQUENCES - 1);
    const struct model_limits limits = {
        .rows = batch->rows, .targets = batch->targets, .slots = GOLDEN_SEQUENCES, .training = true};
    struct model *model;
    double expected[GOLDEN_SEQUENCES] = {0}, sums[GOLDEN_SEQUENCES] = {0}, worst = 0;
    float *loss = test_floats((size_t)batch->targets);
    MUST(model_create(m->backend, &m->config, m->layout, &limits, &model, err));
    MUST(model_forward(model, m->parameters, batch, err));
    MUST(model_losses(model, loss, NULL, err));
    for (int n = 0; n < batch->targets; n++) expected[batch->target_slot[n]] += 3 * (double)loss[n];
    MUST(model_add_losses(model, err));
    MUST(model_backward(model, 1, m->gradient, view_none(), err));
    MUST(model_forward(model, m->parameters, batch, err));
    MUST(model_backward(model, 1, m->gradient, view_none(), err));
    MUST(model_take_sums(model, sums, NULL, err));
    for (int k = 0; k < GOLDEN_SEQUENCES; k++) {
        double error = fabs(sums[k] - expected[k]) / expected[k];
        if (!(error <= worst)) worst = isnan(error) ? INFINITY : error;
    }
    variant_expect(f, "sums of losses", worst, SAME_TOLERANCE);

    struct view beyond = view_at(m->parameters, m->layout->elements);
    MUST(model_forward(model, beyond, batch, err));
    MUST(model_backward(model, 1, m->gradient, view_none(), err));
    assert_int_not_equal(model_take_sums(model, sums, NULL, &failure), 0);
    memset(sums, 0, sizeof sums);
    MUST(model_forward(model, m->parameters, batch, err));
    MUST(model_add_losses(model, err));
    MUST(model_take_sums(model, sums, NULL, err));
    for (int k = 0; k < GOLDEN_SEQUENCES; k++)
        assert_true(fabs(3 * sums[k] - expected[k]) <= SAME_TOLERANCE * expected[k]);
    memory_free(loss);
    model_destroy(&model);
    batch_destroy(&batch);
}
static void test_sums(void **state) {
    (void)state;
    variant_each(backend_name, TEST_SOURCE_DIR, sums_variant);
}

/* The plan asks for what is allocated, and a model for training keeps more. */
static void test_bytes(void **state) {
    (void)state;
    struct variant f;
    variant_open(&f, backend_name, TEST_SOURCE_DIR, "gemma3_5");
    struct model_limits limits = {.rows = 100, .targets = 10, .slots = 3, .training = false};
    size_t inference = model_bytes(&f.model.config, &limits);
    limits.training = true;
    size_t training = model_bytes(&f.model.config, &limits);
    assert_true(inference > 0 && training > 2 * inference);
    limits.rows = 200;
    assert_true(model_bytes(&f.model.config, &limits) > training);
    variant_close(&f);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward), cmocka_unit_test(test_packing), cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_misuse),  cmocka_unit_test(test_sums),    cmocka_unit_test(test_bytes),
    };
    if (argc < 2) {
        fprintf(stderr, "usage: %s BACKEND\n", argv[0]);
        return 2;
    }
    backend_name = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}

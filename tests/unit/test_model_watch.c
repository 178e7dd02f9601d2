/* What model_backward tells of the gradient is true: what it calls final does not change any more.
 * BACKEND-ARGUMENT */
#include "tests/support/model_test.h"

#include "base/memory.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *backend_name;

/* Copies of what was called final, as it was then. */
struct witness {
    struct model_fixture *model;
    float *seen;  /* [elements] */
    size_t first; /* seen from here on */
    int calls;
};

static void witness_final(void *context, size_t first) {
    struct witness *w = context;
    struct backend *b = w->model->backend;
    assert_true(first < w->first || (first == 0 && w->first == 0));
    b->download(b, view_at(w->model->gradient, first), w->seen + first, w->first - first);
    w->first = first;
    w->calls++;
}

static void watch_variant(struct variant *f) {
    struct model_fixture *m = &f->model;
    struct batch *batch = golden_batch(&f->golden, 0, GOLDEN_SEQUENCES - 1);
    struct model *model = variant_model(f, batch, true);
    size_t n = m->layout->elements;
    struct witness witness = {.model = m, .seen = test_floats(n), .first = n};
    const struct gradient_watcher watcher = {witness_final, &witness};
    MUST(model_forward(model, m->parameters, batch, err));
    model_watch_gradient(model, &watcher);
    MUST(model_backward(model, 1, m->gradient, view_none(), err));
    assert_int_equal(witness.first, 0);
    /* often enough for sums to go on beside: more than once a layer */
    assert_true(witness.calls > 2 * m->config.layers);
    float *gradient = fixture_download(m, m->gradient);
    for (size_t i = 0; i < n; i++)
        if (memcmp(&gradient[i], &witness.seen[i], sizeof *gradient))
            fail_msg("%s: element %zu was called final at %.9g and became %.9g", f->name, i,
                     (double)witness.seen[i], (double)gradient[i]);
    /* The next pass has no watcher. */
    int calls = witness.calls;
    MUST(model_forward(model, m->parameters, batch, err));
    MUST(model_backward(model, 1, m->gradient, view_none(), err));
    assert_int_equal(witness.calls, calls);
    memory_free(gradient);
    memory_free(witness.seen);
    model_destroy(&model);
    batch_destroy(&batch);
}

static void test_final_is_final(void **state) {
    (void)state;
    variant_each(backend_name, TEST_SOURCE_DIR, watch_variant);
}

/* Without targets there is nothing to compute, and all of the gradient is final; without a gradient nobody is
 * told. */
static void empty_variant(struct variant *f) {
    struct model_fixture *m = &f->model;
    struct batch *batch, *full = golden_batch(&f->golden, 0, GOLDEN_SEQUENCES - 1);
    double alignment[1] = {0};
    size_t n = m->layout->elements;
    struct witness witness = {.model = m, .seen = test_floats(n), .first = n};
    const struct gradient_watcher watcher = {witness_final, &witness};
    const struct model_limits limits = {
        .rows = full->rows, .targets = full->targets, .slots = 1, .training = true};
    struct model *model;
    MUST(model_create(m->backend, &m->config, m->layout, &limits, &model, err));
    MUST(batch_create(4, 4, 1, &batch, err));
    batch_add_segment(batch, full->id, 3, 0, 0);
    MUST(model_forward(model, m->parameters, batch, err));
    model_watch_gradient(model, &watcher);
    MUST(model_backward(model, 1, m->gradient, view_none(), err));
    assert_true(witness.calls == 1 && witness.first == 0);
    batch_add_target(batch, 2, full->id[3], 1);
    MUST(model_forward(model, m->parameters, batch, err));
    model_watch_gradient(model, &watcher);
    MUST(model_backward(model, 1, view_none(), m->direction, err));
    MUST(model_take_sums(model, NULL, alignment, err));
    assert_int_equal(witness.calls, 1);
    memory_free(witness.seen);
    model_destroy(&model);
    batch_destroy(&batch);
    batch_destroy(&full);
}

static void test_nothing_to_tell(void **state) {
    (void)state;
    variant_each(backend_name, TEST_SOURCE_DIR, empty_variant);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_final_is_final),
        cmocka_unit_test(test_nothing_to_tell),
    };
    if (argc < 2) {
        fprintf(stderr, "usage: %s BACKEND\n", argv[0]);
        return 2;
    }
    backend_name = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}

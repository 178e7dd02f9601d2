/* Models that compute their layers again in the backward pass: the same bits as models that keep everything,
 * in less memory. BACKEND-ARGUMENT */
#include "tests/support/model_test.h"

#include "base/memory.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SLOTS = GOLDEN_SEQUENCES };

static const char *backend_name;

/* One of the two models, and what came out of it. */
struct side {
    struct model *model;
    struct view gradient;
    float *numbers; /* the gradient, downloaded */
    float *forward;
    double loss[SLOTS], alignment[SLOTS];
};

static void side_open(struct side *side, struct variant *v, int recompute, struct view gradient) {
    const struct golden *g = &v->golden;
    struct model_limits limits = {
        .rows = g->rows, .targets = g->targets, .slots = SLOTS, .training = true, .recompute = recompute};
    *side = (struct side){.gradient = gradient};
    MUST(model_create(v->model.backend, &v->model.config, v->model.layout, &limits, &side->model, err));
    side->forward = test_floats((size_t)g->targets);
}

static void side_close(struct side *side) {
    model_destroy(&side->model);
    memory_free(side->numbers);
    memory_free(side->forward);
}

/* A forward pass, what may be asked between the passes, and a backward pass, which adds to what is there. */
static void side_run(struct side *side, struct variant *v, const struct batch *batch, struct view direction) {
    float *logits = test_floats((size_t)batch->targets * (size_t)v->model.config.vocabulary);
    MUST(model_forward(side->model, v->model.parameters, batch, err));
    MUST(model_losses(side->model, side->forward, NULL, err));
    MUST(model_logits(side->model, logits, err));
    MUST(model_backward(side->model, 0.7f, side->gradient, direction, err));
    MUST(model_take_sums(side->model, side->loss, side->alignment, err));
    memory_free(logits);
    memory_free(side->numbers);
    side->numbers = fixture_download(&v->model, side->gradient);
}

static void expect_same(const struct variant *v, const struct side *plain, const struct side *again,
                        const struct batch *batch) {
    size_t targets = (size_t)batch->targets;
    double squares = 0;
    assert_memory_equal(again->forward, plain->forward, targets * sizeof(float));
    assert_memory_equal(again->loss, plain->loss, sizeof plain->loss);
    assert_memory_equal(again->alignment, plain->alignment, sizeof plain->alignment);
    assert_memory_equal(again->numbers, plain->numbers, v->model.layout->elements * sizeof(float));
    for (size_t i = 0; i < v->model.layout->elements; i++)
        squares += (double)plain->numbers[i] * (double)plain->numbers[i];
    assert_true(squares > 0);
}

/* Several examples a batch, then fewer, then all again with alignments alone: a layer's state is that of its
 * own batch. */
static void same_bits_variant(struct variant *v) {
    struct side plain, again;
    fixture_randomise(&v->model, v->model.direction, 3);
    side_open(&plain, v, RECOMPUTE_NONE, v->model.gradient);
    side_open(&again, v, RECOMPUTE_LAYER, v->model.spare);
    static const struct {
        int first, last;
        bool gradient, alignments;
    } passes[] = {
        {0, SLOTS - 1, true, true}, {1, 2, true, false}, {0, SLOTS - 1, false, true}, {2, 2, true, true}};
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++) {
        struct batch *batch = golden_batch(&v->golden, passes[i].first, passes[i].last);
        struct view direction = passes[i].alignments ? v->model.direction : view_none();
        side_run(&plain, v, batch, direction);
        side_run(&again, v, batch, direction);
        expect_same(v, &plain, &again, batch);
        batch_destroy(&batch);
    }
    for (int k = 0; k < SLOTS; k++) assert_true(plain.alignment[k] != 0);
    side_close(&plain);
    side_close(&again);
}
static void test_same_bits(void **state) {
    (void)state;
    variant_each(backend_name, TEST_SOURCE_DIR, same_bits_variant);
}

/* --- memory */

/* Bytes asked of buffer_create, which goes on as before. */
static struct {
    int (*create)(struct backend *b, size_t bytes, struct buffer **out, struct error *err);
    size_t bytes;
} counted;

static int counting_create(struct backend *b, size_t bytes, struct buffer **out, struct error *err) {
    counted.bytes += bytes;
    return counted.create(b, bytes, out, err);
}

static size_t taken(struct variant *v, const struct model_limits *limits) {
    struct backend *b = v->model.backend;
    struct model *model;
    counted.create = b->buffer_create;
    counted.bytes = 0;
    b->buffer_create = counting_create;
    MUST(model_create(b, &v->model.config, v->model.layout, limits, &model, err));
    b->buffer_create = counted.create;
    model_destroy(&model);
    return counted.bytes;
}

static size_t padded(int rows, int columns) {
    return ((size_t)rows * (size_t)columns * sizeof(float) + 255) / 256 * 256;
}

/* What a layer keeps beside its input: query and attention; key and value; lse; the stream; gate and up; what
 * is normed behind the blocks. */
static size_t layer_bytes(const struct model_config *c, int rows, int behind) {
    size_t bytes = 2 * padded(rows, c->heads * c->head_dim) + 2 * padded(rows, c->kv_heads * c->head_dim) +
                   padded(rows, c->heads) + padded(behind, c->hidden) + 2 * padded(behind, c->feed_forward);
    if (c->norm_after_blocks) bytes += 2 * padded(behind, c->hidden) + 2 * padded(behind, 1);
    return bytes;
}

static void bytes_variant(struct variant *v) {
    const struct model_config *c = &v->model.config;
    struct model_limits limits = {.rows = 300, .targets = 70, .slots = 2, .training = true};
    size_t plain = model_bytes(c, &limits), layers = (size_t)c->layers;
    assert_int_equal(taken(v, &limits), plain);
    limits.recompute = RECOMPUTE_LAYER;
    size_t again = model_bytes(c, &limits);
    assert_int_equal(taken(v, &limits), again);
    size_t kept =
        (layers - 1) * layer_bytes(c, limits.rows, limits.rows) + layer_bytes(c, limits.rows, limits.targets);
    assert_int_equal(plain - again, kept - layer_bytes(c, limits.rows, limits.rows));
    assert_true(again < plain);
    limits.training = false; /* where nothing is kept, nothing is computed again */
    size_t inference = model_bytes(c, &limits);
    limits.recompute = RECOMPUTE_NONE;
    assert_int_equal(inference, model_bytes(c, &limits));
}
static void test_bytes(void **state) {
    (void)state;
    variant_each(backend_name, TEST_SOURCE_DIR, bytes_variant);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_bits), cmocka_unit_test(test_bytes)};
    if (argc < 2) {
        fprintf(stderr, "usage: %s BACKEND\n", argv[0]);
        return 2;
    }
    backend_name = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}

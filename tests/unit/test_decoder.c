/* Decoding through the cache against the whole text through model_forward: token by token, in chunks, forked,
 * many sequences at a time; and the pages that come and go. BACKEND-ARGUMENT */
#include "tests/support/model_test.h"
#include "train/decoder.h"

#include "base/memory.h"
#include "base/random.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT = 300, SEQUENCES = 6 };

static const double SAME_TOLERANCE = 2e-5; /* the same numbers, summed in another order */

static const char *backend_name;

/* A decoder on a recorded model, and what the model says of whole texts. */
struct bench {
    struct variant *v;
    struct decoder *decoder;
    int vocabulary;
    int32_t *text[SEQUENCES]; /* [TEXT] */
    float *logits[SEQUENCES]; /* [TEXT, vocabulary] by model_forward; NULL while nobody has asked */
    double worst;
};

static void whole_text(struct bench *b, int s) {
    struct batch *batch;
    struct model *model;
    b->logits[s] = test_floats((size_t)TEXT * (size_t)b->vocabulary);
    MUST(batch_create(TEXT, TEXT, 1, &batch, err));
    assert_int_equal(batch_add_segment(batch, b->text[s], TEXT, 0, 0), 0);
    for (int t = 0; t < TEXT; t++) assert_true(batch_add_target(batch, t, 0, 1));
    model = variant_model(b->v, batch, false);
    MUST(model_forward(model, b->v->model.parameters, batch, err));
    MUST(model_logits(model, b->logits[s], err));
    model_destroy(&model);
    batch_destroy(&batch);
}

/* What the model says after so many tokens of a text. */
static const float *logits_after(struct bench *b, int text, int tokens) {
    if (!b->logits[text]) whole_text(b, text);
    return b->logits[text] + (size_t)(tokens - 1) * (size_t)b->vocabulary;
}

static void bench_open(struct bench *b, struct variant *v, const struct decoder_limits *limits) {
    memset(b, 0, sizeof *b);
    b->v = v;
    b->vocabulary = v->model.config.vocabulary;
    for (int s = 0; s < SEQUENCES; s++) {
        MUST(memory_alloc(&b->text[s], TEXT, sizeof **b->text, err));
        struct random_key key = {.seed = 1, .purpose = RANDOM_TEST, .stream = (uint32_t)(s < 3 ? 0 : s)};
        for (int t = 0; t < TEXT; t++)
            b->text[s][t] = (int32_t)random_below(key, (uint64_t)t, (uint64_t)b->vocabulary);
        /* The first three texts begin alike. */
        if (s == 1) b->text[s][TEXT / 2] = (b->text[s][TEXT / 2] + 1) % b->vocabulary;
        if (s == 2) b->text[s][TEXT / 3] = (b->text[s][TEXT / 3] + 1) % b->vocabulary;
    }
    MUST(decoder_create(v->model.backend, &v->model.config, v->model.layout, v->model.parameters, limits,
                        &b->decoder, err));
}

static void bench_close(struct bench *b) {
    decoder_destroy(&b->decoder);
    for (int s = 0; s < SEQUENCES; s++) {
        memory_free(b->text[s]);
        memory_free(b->logits[s]);
    }
}

static int best_of(const float *logits, int vocabulary) {
    int best = 0;
    for (int t = 1; t < vocabulary; t++)
        if (logits[t] > logits[best]) best = t;
    return best;
}

static void note(struct bench *b, const float *logits, const float *expected) {
    double error = largest_error(logits, expected, (size_t)b->vocabulary, 1);
    if (!(error <= b->worst)) b->worst = error;
}

/* Feeds tokens `from` .. `from + count - 1` of a text and compares what follows the last one. */
static void feed_text(struct bench *b, int sequence, int text, int from, int count) {
    struct decoder_feed feed = {sequence, b->text[text] + from, count, true};
    float *logits = test_floats((size_t)b->vocabulary);
    const float *expected = logits_after(b, text, from + count);
    int32_t best = -7;
    assert_int_equal(decoder_length(b->decoder, sequence), from);
    MUST(decoder_step(b->decoder, &feed, 1, &best, logits, err));
    assert_int_equal(decoder_length(b->decoder, sequence), from + count);
    note(b, logits, expected);
    assert_int_equal(best, best_of(logits, b->vocabulary));
    memory_free(logits);
}

static const struct decoder_limits roomy = {
    .rows = TEXT, .sequences = SEQUENCES, .positions = TEXT, .tokens = SEQUENCES * (TEXT + 64)};

static int64_t all_pages(const struct bench *b, const struct decoder_limits *limits) {
    struct decoder *fresh;
    const struct model_fixture *f = &b->v->model;
    MUST(decoder_create(f->backend, &f->config, f->layout, f->parameters, limits, &fresh, err));
    int64_t pages = decoder_free_pages(fresh);
    decoder_destroy(&fresh);
    return pages;
}

static void one_by_one(struct variant *v) {
    struct bench b;
    int sequence;
    bench_open(&b, v, &roomy);
    MUST(decoder_open(b.decoder, TEXT, &sequence, err));
    for (int t = 0; t < TEXT; t++) feed_text(&b, sequence, 0, t, 1);
    variant_expect(v, "token by token", b.worst, SAME_TOLERANCE);
    decoder_close(b.decoder, sequence);
    assert_int_equal(decoder_free_pages(b.decoder), all_pages(&b, &roomy));
    bench_close(&b);
}
static void test_one_by_one(void **state) {
    (void)state;
    variant_each(backend_name, TEST_SOURCE_DIR, one_by_one);
}

/* Chunks of all sizes, on both sides of what one row, a window (5) and a page are. */
static void in_chunks(struct variant *v) {
    static const int chunks[][4] = {
        {TEXT, 0}, {1, 6, 293, 0}, {63, 1, 1, 235}, {64, 64, 64, 108}, {7, 90, 3, 200}};
    struct bench b;
    bench_open(&b, v, &roomy);
    for (int i = 0; i < 5; i++) {
        int sequence;
        MUST(decoder_open(b.decoder, TEXT, &sequence, err));
        for (int j = 0, at = 0; j < 4 && chunks[i][j]; at += chunks[i][j++])
            feed_text(&b, sequence, i, at, chunks[i][j]);
        assert_int_equal(decoder_length(b.decoder, sequence), TEXT);
    }
    variant_expect(v, "in chunks", b.worst, SAME_TOLERANCE);
    bench_close(&b);
}
static void test_chunks(void **state) {
    (void)state;
    variant_each(backend_name, TEST_SOURCE_DIR, in_chunks);
}

/* The second text begins like the first up to its middle, the third up to its third. */
static void forked(struct variant *v) {
    struct bench b;
    int first, second, third, kept, page;
    bench_open(&b, v, &roomy);
    page = decoder_page_tokens(b.decoder);
    int64_t all = decoder_free_pages(b.decoder);
    MUST(decoder_open(b.decoder, TEXT, &first, err));
    feed_text(&b, first, 0, 0, TEXT / 2);
    int64_t before = decoder_free_pages(b.decoder);
    assert_true(decoder_fits(b.decoder, first, TEXT / 2, TEXT));
    MUST(decoder_fork(b.decoder, first, TEXT / 2, TEXT, &second, &kept, err));
    assert_int_equal(kept, TEXT / 2 / page * page);
    assert_int_equal(decoder_length(b.decoder, second), kept);
    assert_int_equal(decoder_free_pages(b.decoder), before);
    /* Each goes on as if it were alone, in turns, the first further than the second's pages. */
    for (int t = TEXT / 2; t < TEXT; t += 50) {
        feed_text(&b, first, 0, t, 50);
        if (t == TEXT / 2) feed_text(&b, second, 1, kept, TEXT / 2 - kept + 1);
        feed_text(&b, second, 1, decoder_length(b.decoder, second),
                  TEXT - 50 - decoder_length(b.decoder, second) > 7 ? 7 : 1);
    }
    /* The first is now far behind what a window reaches: layers with one have let the beginning go. */
    MUST(decoder_fork(b.decoder, first, TEXT / 3, TEXT, &third, &kept, err));
    assert_int_equal(kept, v->model.config.window ? 0 : TEXT / 3 / page * page);
    decoder_close(b.decoder, first);
    if (kept) feed_text(&b, third, 2, kept, 40);
    if (!kept) feed_text(&b, third, 2, 0, TEXT - 1);
    feed_text(&b, second, 1, decoder_length(b.decoder, second), 20);
    feed_text(&b, third, 2, decoder_length(b.decoder, third), 1);
    variant_expect(v, "forked", b.worst, SAME_TOLERANCE);
    decoder_close(b.decoder, second);
    decoder_close(b.decoder, third);
    assert_int_equal(decoder_free_pages(b.decoder), all);
    bench_close(&b);
}
static void test_forked(void **state) {
    (void)state;
    variant_each(backend_name, TEST_SOURCE_DIR, forked);
}

/* Many sequences in a pass come and go in a cache that cannot hold them all: each gives what its text gives,
 * with a number of tokens a pass of its own, asked for or not. */
static void come_and_go(struct variant *v) {
    enum { PASSES = 120, ROWS = 100, VOCABULARY = 200 };
    static const struct decoder_limits tight = {
        .rows = ROWS, .sequences = 4, .positions = TEXT, .tokens = 700};
    struct random_key key = {.seed = 5, .purpose = RANDOM_TEST};
    struct bench b;
    int text[SEQUENCES], open = 0, finished = 0, refused = 0;
    uint64_t draws = 0;
    bool busy[SEQUENCES] = {false};
    float *logits = test_floats((size_t)SEQUENCES * VOCABULARY);
    bench_open(&b, v, &tight);
    assert_in_range(b.vocabulary, 2, VOCABULARY);
    int64_t all = decoder_free_pages(b.decoder);
    for (int pass = 0, next = 0; pass < PASSES; pass++) {
        while (decoder_fits(b.decoder, -1, 0, TEXT)) {
            int sequence;
            MUST(decoder_open(b.decoder, TEXT, &sequence, err));
            assert_in_range(sequence, 0, 3);
            assert_false(busy[sequence]);
            busy[sequence] = true;
            text[sequence] = next++ % SEQUENCES;
            open++;
        }
        refused += open < 4;
        struct decoder_feed feed[SEQUENCES];
        const float *expected[SEQUENCES];
        int32_t best[SEQUENCES], likely[SEQUENCES];
        int feeds = 0, asked = 0, left = ROWS;
        for (int i = 0; i < 4; i++) {
            int s = (i + pass) % 4, length = busy[s] ? decoder_length(b.decoder, s) : TEXT,
                room = TEXT - length;
            if (!room || left < 1 || random_below(key, draws++, 6) == 0) continue;
            int most = room < left ? room : left;
            int count =
                random_below(key, draws++, 2) ? 1 : 1 + (int)random_below(key, draws++, (uint64_t)most);
            feed[feeds] =
                (struct decoder_feed){s, b.text[text[s]] + length, count, random_below(key, draws++, 4) > 0};
            if (feed[feeds++].predict) {
                expected[asked] = logits_after(&b, text[s], length + count);
                likely[asked] = best_of(expected[asked], b.vocabulary);
                asked++;
            }
            left -= count;
        }
        bool with_logits = pass % 3 == 0;
        MUST(decoder_step(b.decoder, feed, feeds, best, with_logits ? logits : NULL, err));
        for (int i = 0; i < asked; i++) {
            if (with_logits) note(&b, logits + (size_t)i * (size_t)b.vocabulary, expected[i]);
            /* The same token, or one as likely. */
            assert_in_range(best[i], 0, b.vocabulary - 1);
            assert_true(expected[i][likely[i]] - expected[i][best[i]] <= 1e-4f);
        }
        for (int s = 0; s < 4; s++) {
            if (!busy[s] || (decoder_length(b.decoder, s) < TEXT && random_below(key, draws++, 25))) continue;
            decoder_close(b.decoder, s);
            busy[s] = false;
            open--;
            finished++;
        }
    }
    variant_expect(v, "sequences come and go", b.worst, SAME_TOLERANCE);
    assert_true(finished > 10 && refused > 10);
    for (int s = 0; s < 4; s++) decoder_close(b.decoder, s); /* some are closed already */
    assert_int_equal(decoder_free_pages(b.decoder), all);
    memory_free(logits);
    bench_close(&b);
}
static void test_come_and_go(void **state) {
    (void)state;
    variant_each(backend_name, TEST_SOURCE_DIR, come_and_go);
}

/* What is asked for does not change what a sequence holds, and the token is the same with and without logits.
 */
static void greedy(struct variant *v) {
    struct bench b;
    int one, other;
    bench_open(&b, v, &roomy);
    float *logits = test_floats((size_t)b.vocabulary);
    MUST(decoder_open(b.decoder, TEXT, &one, err));
    MUST(decoder_open(b.decoder, TEXT, &other, err));
    int32_t first = b.text[0][0], second = first;
    for (int t = 0; t < 100; t++) {
        struct decoder_feed feed[2] = {{one, &first, 1, true}, {other, &second, 1, true}};
        int32_t best[2], again;
        if (t % 2) {
            MUST(decoder_step(b.decoder, feed, 2, best, NULL, err));
            first = best[0];
            second = best[1];
        } else {
            MUST(decoder_step(b.decoder, feed, 1, best, logits, err));
            MUST(decoder_step(b.decoder, feed + 1, 1, &again, NULL, err));
            assert_int_equal(best[0], best_of(logits, b.vocabulary));
            first = best[0];
            second = again;
        }
        assert_int_equal(first, second);
    }
    memory_free(logits);
    bench_close(&b);
}
static void test_greedy(void **state) {
    (void)state;
    variant_each(backend_name, TEST_SOURCE_DIR, greedy);
}

static void expect_refused(struct bench *b, const struct decoder_feed *feeds, int count, int code,
                           const char *words) {
    struct error err = {0};
    int32_t best[4];
    int64_t pages = decoder_free_pages(b->decoder);
    assert_int_equal(decoder_step(b->decoder, feeds, count, best, NULL, &err), code);
    if (!strstr(err.message, words)) fail_msg("'%s' lacks '%s'", err.message, words);
    assert_int_equal(decoder_free_pages(b->decoder), pages);
}

static void test_misuse(void **state) {
    (void)state;
    static const struct decoder_limits small = {.rows = 70, .sequences = 2, .positions = 140, .tokens = 192};
    struct variant v;
    struct bench b;
    struct error told = {0};
    struct decoder *none;
    int one, other, third, kept;
    variant_open(&v, backend_name, TEST_SOURCE_DIR, "llama_5");
    bench_open(&b, &v, &small);
    int64_t all = decoder_free_pages(b.decoder);
    assert_int_equal(all, 3);
    assert_false(decoder_fits(b.decoder, -1, 0, 141));
    assert_false(decoder_fits(b.decoder, -1, 0, 0));
    assert_false(decoder_fits(b.decoder, 1, 0, 10));
    MUST(decoder_open(b.decoder, 100, &one, err));
    assert_true(decoder_fits(b.decoder, -1, 0, 64));
    assert_false(decoder_fits(b.decoder, -1, 0, 65)); /* two pages are set aside */
    assert_int_equal(decoder_open(b.decoder, 65, &other, &told), ERROR_INTERNAL);
    MUST(decoder_open(b.decoder, 64, &other, err));
    assert_false(decoder_fits(b.decoder, -1, 0, 1)); /* no third number */
    assert_int_equal(decoder_fork(b.decoder, one, 0, 1, &third, &kept, &told), ERROR_INTERNAL);

    const int32_t *ids = b.text[0];
    int32_t bad[] = {1, b.vocabulary, -1};
    expect_refused(&b, (struct decoder_feed[]){{one, ids, 40, true}, {other, ids, 31, true}}, 2,
                   ERROR_INTERNAL, "71 tokens");
    expect_refused(&b, (struct decoder_feed[]){{one, ids, 4, true}, {one, ids, 3, true}}, 2, ERROR_INTERNAL,
                   "before");
    expect_refused(&b, (struct decoder_feed[]){{one, ids, 0, true}}, 1, ERROR_INTERNAL, "0 tokens");
    expect_refused(&b, (struct decoder_feed[]){{2, ids, 1, true}}, 1, ERROR_INTERNAL, "not open");
    expect_refused(&b, (struct decoder_feed[]){{other, ids, 65, true}}, 1, ERROR_INTERNAL, "of 64");
    expect_refused(&b, (struct decoder_feed[]){{one, ids, 4, true}, {other, bad, 2, true}}, 2, ERROR_INPUT,
                   "token 1");
    expect_refused(&b, (struct decoder_feed[]){{one, bad + 2, 1, true}}, 1, ERROR_INPUT, "token 0");
    assert_int_equal(decoder_length(b.decoder, one), 0);
    MUST(decoder_step(b.decoder, NULL, 0, NULL, NULL, err));

    /* None of that did harm, and a sequence gets all that was promised. */
    feed_text(&b, one, 0, 0, 70);
    feed_text(&b, other, 1, 0, 64);
    feed_text(&b, one, 0, 70, 30);
    assert_int_equal(decoder_free_pages(b.decoder), 0);
    expect_refused(&b, (struct decoder_feed[]){{one, ids, 1, true}}, 1, ERROR_INTERNAL, "of 100");
    assert_true(b.worst <= SAME_TOLERANCE);
    decoder_close(b.decoder, one);
    expect_refused(&b, (struct decoder_feed[]){{one, ids, 1, true}}, 1, ERROR_INTERNAL, "not open");
    assert_int_equal(decoder_length(b.decoder, one), 0);
    decoder_close(b.decoder, other);
    assert_int_equal(decoder_free_pages(b.decoder), all);

    struct decoder_limits limits = small;
    limits.tokens = 139;
    assert_int_equal(decoder_create(v.model.backend, &v.model.config, v.model.layout, v.model.parameters,
                                    &limits, &none, &told),
                     ERROR_INTERNAL);
    assert_null(none);
    bench_close(&b);
    variant_close(&v);
}

/* Weights that are no numbers are told, not decoded. */
static void test_nan(void **state) {
    (void)state;
    struct variant v;
    struct bench b;
    int sequence;
    variant_open(&v, backend_name, TEST_SOURCE_DIR, "llama_5");
    bench_open(&b, &v, &roomy);
    float *logits = test_floats((size_t)b.vocabulary);
    float *weights = fixture_download(&v.model, v.model.parameters);
    weights[v.model.layout->final_norm] = NAN;
    fixture_upload(&v.model, weights, v.model.parameters);
    MUST(decoder_open(b.decoder, TEXT, &sequence, err));
    for (int with = 0; with < 2; with++) {
        struct decoder_feed feed = {sequence, b.text[0], 3, true};
        struct error err = {0};
        int32_t best;
        assert_int_equal(decoder_step(b.decoder, &feed, 1, &best, with ? logits : NULL, &err), ERROR_NUMERIC);
    }
    memory_free(logits);
    memory_free(weights);
    bench_close(&b);
    variant_close(&v);
}

static void test_bytes(void **state) {
    (void)state;
    struct variant v;
    variant_open(&v, backend_name, TEST_SOURCE_DIR, "gemma3_5");
    const struct model_config *c = &v.model.config;
    struct decoder_limits limits = {.rows = 64, .sequences = 4, .positions = 10000, .tokens = 40000};
    size_t before = decoder_bytes(c, &limits);
    int full = 0;
    for (int layer = 0; layer < c->layers; layer++) full += !c->windowed[layer];
    assert_in_range(full, 1, c->layers - 1);
    /* More tokens cost keys and values in the layers without a window, and none in the others. */
    limits.tokens += 64 * 100;
    size_t page = 2 * sizeof(float) * 64 * (size_t)(c->kv_heads * c->head_dim);
    assert_int_equal(decoder_bytes(c, &limits) - before, 100 * page * (size_t)full);
    variant_close(&v);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_by_one),  cmocka_unit_test(test_chunks), cmocka_unit_test(test_forked),
        cmocka_unit_test(test_come_and_go), cmocka_unit_test(test_greedy), cmocka_unit_test(test_misuse),
        cmocka_unit_test(test_nan),         cmocka_unit_test(test_bytes),
    };
    if (argc < 2) {
        fprintf(stderr, "usage: %s BACKEND\n", argv[0]);
        return 2;
    }
    backend_name = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}

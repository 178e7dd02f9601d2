/* The generation engine against a plain loop that feeds each prompt alone. BACKEND-ARGUMENT: runs on the
 * backend named by argv[1]. */
#include "base/machine.h"
#include "base/memory.h"
#include "base/random.h"
#include "eval/generation/generation_limits.h"
#include "tests/support/eval_model.h"
#include "tests/support/generation_reference.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const char *backend_name = "cpu"; /* set once by main, before the tests */

enum { COUNT = 30, IDS = 230, POSITIONS = 300, BEGIN = EVAL_MODEL_IDS - 2, END = EVAL_MODEL_IDS - 1 };

struct prompts {
    int32_t ids[COUNT][IDS];
    struct generation_request requests[COUNT];
};

/* Long and short prompts. Of thirty, ten begin with the same 35 tokens (less than a page), six of them with
 * the same 70 and three with 130; ten others have 90 in common, and five of these 150. Two more are the same
 * as one of them, and its beginning. */
static void make_prompts(struct prompts *p, int most_new) {
    static const int shared_first[] = {35, 70, 130}, shared_second[] = {90, 150};
    struct random_key key = {.seed = 31, .purpose = RANDOM_TEST};
    uint64_t draw = 0;
    for (int i = 0; i < COUNT; i++) {
        int shared = i % 3 == 0 ? shared_first[i / 3 % 3] : i % 3 == 1 ? shared_second[i / 3 % 2] : 0;
        int length = shared + 1 + (int)random_below(key, draw++, i % 7 ? 20 : IDS - 151);
        for (int t = 0; t < length; t++)
            p->ids[i][t] = t < shared ? (t * (i % 3 ? 53 : 37) + 11) % 256
                                      : (int32_t)random_below(key, draw++, EVAL_MODEL_IDS);
        int max_new = 1 + (int)random_below(key, draw++, (uint64_t)most_new);
        p->requests[i] = (struct generation_request){p->ids[i], length, max_new, (size_t)i};
    }
    p->requests[8].ids = p->requests[3].ids;
    p->requests[8].length = p->requests[3].length;
    p->requests[14].ids = p->requests[6].ids;
    p->requests[14].length = p->requests[6].length - 3;
}

static void make_model_on(const char *backend, enum eval_model_kind kind, struct eval_fixture *f) {
    eval_fixture_make(backend, kind, false, true, f);
    f->config.max_positions = POSITIONS;
    /* Less of a token's own embedding in the stream, else the tied model says the same token for ever. */
    if (kind == EVAL_MODEL_WINDOW) f->config.embedding_factor = 0.1f;
}

static void make_model(enum eval_model_kind kind, struct eval_fixture *f) {
    make_model_on(backend_name, kind, f);
}

static void free_answers(struct generation_answer *answers) {
    for (int i = 0; i < COUNT; i++) text_free(&answers[i].text);
    memset(answers, 0, COUNT * sizeof *answers);
}

static void run(const struct eval_model *model, struct generation_work *work, int64_t cache_bytes,
                struct generation_answer *answers, struct generation_counts *counts) {
    struct generation_answers all = {.answers = answers, .count = COUNT};
    struct error err = {0};
    free_answers(answers);
    work->done = generation_answer_take;
    work->context = &all;
    if (generation_run(model, work, cache_bytes, counts, &err)) fail_msg("%s", err.message);
    assert_int_equal(all.taken, work->count);
}

static int64_t prompt_tokens(const struct generation_work *work) {
    int64_t tokens = 0;
    for (size_t i = 0; i < work->count; i++) tokens += work->requests[i].length;
    return tokens;
}

static int64_t generated_tokens(const struct generation_answer *answers) {
    int64_t tokens = 0;
    for (int i = 0; i < COUNT; i++) tokens += answers[i].count;
    return tokens;
}

/* The smallest cache that generation_run takes for passes of at least `rows` tokens. */
static int64_t least_bytes(const struct eval_model *model, struct generation_work *work, int rows) {
    struct generation_order order;
    struct generation_limits limits;
    int64_t low = 0, high = INT64_C(1) << 32;
    assert_int_equal(generation_order_create(work->requests, work->count, &order, NULL), 0);
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        int code = generation_limits_choose(model, &order, work->temperature > 0, middle, &limits, NULL);
        if (code) assert_int_equal(code, ERROR_MEMORY);
        if (code || limits.decoder.rows < rows) {
            low = middle;
        } else {
            high = middle;
        }
    }
    generation_order_free(&order);
    return high;
}

/* Any number of rows, any order and little memory: the reference's answers. `hits` gets how many of them are
 * shorter than they might be. */
static void compare(enum eval_model_kind kind, const struct prompts *prompts, struct generation_work *work,
                    int *hits) {
    static const int rows[] = {0, 1, 2, 7, 40, 1000};
    static struct generation_answer references[COUNT], answers[COUNT];
    static struct generation_request reversed[COUNT];
    struct eval_fixture plain, f;
    int certain = 0, variants = 0;
    /* Every operation of memcheck copies all that it touches: no more of them than it takes. */
    bool slow = strcmp(backend_name, "cpu");
    make_model_on("cpu", kind, &plain);
    make_model(kind, &f);
    *hits = 0;
    work->requests = prompts->requests;
    work->count = COUNT;
    for (int i = 0; i < COUNT; i++) {
        generation_reference(&plain.model, work, &prompts->requests[i], &references[i]);
        reversed[COUNT - 1 - i] = prompts->requests[i];
        *hits += references[i].count < prompts->requests[i].max_new;
    }
    for (int variant = 0; variant < 8; variant++) {
        struct generation_counts counts;
        struct eval_model model = f.model;
        int64_t cache = 0;
        if (slow && variant != 4 && variant != 7) continue;
        work->requests = variant % 2 ? reversed : prompts->requests;
        model.batch_rows = variant < 6 ? rows[variant] : rows[variant - 3];
        if (variant >= 6) cache = least_bytes(&model, work, variant == 6 ? 1 : model.batch_rows);
        run(&model, work, cache, answers, &counts);
        for (size_t i = 0; i < COUNT; i++) certain += generation_answer_check(i, &answers[i], &references[i]);
        variants++;
        assert_int_equal(counts.prompt_tokens, prompt_tokens(work));
        assert_int_equal(counts.generated_tokens, generated_tokens(answers));
        for (int i = 0; i < COUNT; i++) assert_true(counts.passes >= answers[i].count);
        if (model.batch_rows > 0) {
            /* Each token but the last of each request is fed. */
            int64_t fed = counts.prompt_tokens - counts.shared_tokens + counts.generated_tokens - COUNT;
            assert_true(counts.passes * model.batch_rows >= fed);
        }
        /* Of whole pages of 64: 3 x 64 + 3 x 128 - 128, and 5 x 64 + 5 x 128 - 128. */
        if (variant < 6) assert_true(counts.shared_tokens >= 448 + 832);
        assert_true(counts.shared_tokens < counts.prompt_tokens);
    }
    assert_true(certain > variants * COUNT * 3 / 4);
    eval_fixture_free(&plain);
    eval_fixture_free(&f);
    free_answers(references);
    free_answers(answers);
}

static void greedy(enum eval_model_kind kind) {
    static struct prompts prompts;
    struct generation_work work = {0};
    int hits;
    make_prompts(&prompts, 25);
    compare(kind, &prompts, &work, &hits);
    assert_int_equal(hits, 0);
}

static void greedy_plain(void **state) {
    (void)state;
    greedy(EVAL_MODEL_PLAIN);
}

static void greedy_window(void **state) {
    (void)state;
    greedy(EVAL_MODEL_WINDOW);
}

/* Two neighbouring ASCII bytes of a text, behind a place. */
static void pick_stop(const struct generation_answer *answer, size_t from, char out[3]) {
    const char *text = text_string(&answer->text);
    for (size_t i = from; i + 1 < answer->text.length; i++) {
        if (text[i] > ' ' && text[i] < 127 && text[i + 1] > ' ' && text[i + 1] < 127) {
            memcpy(out, text + i, 2);
            out[2] = '\0';
            return;
        }
    }
    fail_msg("no stop string in \"%s\"", text);
}

/* Stop strings that span tokens, a special token's text, end tokens, in all combinations. */
static void endings(enum eval_model_kind kind) {
    static struct prompts prompts;
    struct eval_fixture f;
    char picked[3][3];
    int32_t ends[2] = {END, 0};
    make_model_on("cpu", kind, &f);
    make_prompts(&prompts, 25);
    static const int sources[] = {4, 17, 23};
    for (int i = 0; i < 3; i++) {
        struct generation_answer answer = {0};
        struct generation_work none = {0};
        struct generation_request request = prompts.requests[sources[i]];
        request.max_new = 100;
        generation_reference(&f.model, &none, &request, &answer);
        pick_stop(&answer, (size_t)i * 3, picked[i]);
        ends[1] = answer.ids[6];
        prompts.requests[sources[i]].max_new = 60; /* so that it comes so far */
        text_free(&answer.text);
    }
    const char *const stops[] = {picked[0], "<s>", picked[1], picked[2], "the"};
    for (int s = 0; s < 3; s++) {
        struct generation_work work = {
            .stops = stops, .stop_count = s == 1 ? 0 : 5, .end_ids = ends, .end_count = s == 0 ? 0 : 2};
        int hits;
        compare(kind, &prompts, &work, &hits);
        assert_true(hits >= (s == 1 ? 1 : 3));
    }
    eval_fixture_free(&f);
}

static void endings_plain(void **state) {
    (void)state;
    endings(EVAL_MODEL_PLAIN);
}

static void endings_window(void **state) {
    (void)state;
    endings(EVAL_MODEL_WINDOW);
}

static void samples(void **state) {
    (void)state;
    static struct prompts prompts;
    static const double temperatures[] = {0.3, 1.5}, top_p[] = {1.0, 0.7};
    make_prompts(&prompts, 15);
    for (int i = 0; i < 2; i++) {
        struct generation_work work = {
            .temperature = temperatures[i], .top_p = top_p[i], .seed = 40 + (uint64_t)i};
        int hits;
        compare(EVAL_MODEL_PLAIN, &prompts, &work, &hits);
    }
}

/* Stems that leave no room for the next request are given up, and nothing else changes. */
static void little_memory(enum eval_model_kind kind) {
    enum { LENGTH = 280, NEW = 20, STEM = 128, FEW = 4 };
    static struct generation_answer roomy[COUNT], tight[COUNT];
    static int32_t ids[FEW][LENGTH];
    struct generation_request requests[FEW];
    struct generation_counts counts;
    struct eval_fixture f;
    make_model(kind, &f);
    for (int i = 0; i < FEW; i++) {
        for (int t = 0; t < LENGTH; t++)
            ids[i][t] = t < STEM ? (t * 7 + i / 2) % 256 : (t * i + i + t / 7) % 256;
        requests[i] = (struct generation_request){ids[i], LENGTH, NEW, (size_t)i};
    }
    struct generation_work work = {.requests = requests, .count = FEW};
    f.model.batch_rows = 200;
    run(&f.model, &work, 0, roomy, &counts);
    assert_int_equal(counts.shared_tokens, 2 * STEM);
    /* The second stem is computed ahead, but of no use: as many tokens as the first one saves. */
    run(&f.model, &work, least_bytes(&f.model, &work, 200), tight, &counts);
    if (kind == EVAL_MODEL_PLAIN) assert_int_equal(counts.shared_tokens, 0);
    for (int i = 0; i < FEW; i++) {
        assert_int_equal(tight[i].count, NEW);
        assert_memory_equal(tight[i].ids, roomy[i].ids, NEW * sizeof(int32_t));
    }
    free_answers(roomy);
    free_answers(tight);
    eval_fixture_free(&f);
}

static void little_memory_gives_stems_up(void **state) {
    (void)state;
    little_memory(EVAL_MODEL_PLAIN);
    little_memory(EVAL_MODEL_WINDOW);
}

/* The same prompt under other indices yields other samples, the same under the same. */
static void samples_differ_by_index(void **state) {
    (void)state;
    enum { NEW = 20 };
    static struct generation_answer answers[COUNT];
    static struct generation_request requests[COUNT];
    int32_t ids[100];
    struct eval_fixture f;
    struct generation_counts counts;
    int same = 0;
    make_model(EVAL_MODEL_PLAIN, &f);
    for (int t = 0; t < 100; t++) ids[t] = t;
    for (size_t i = 0; i < COUNT; i++) requests[i] = (struct generation_request){ids, 100, NEW, i};
    struct generation_work work = {
        .requests = requests, .count = COUNT, .temperature = 1.0, .top_p = 1.0, .seed = 3};
    run(&f.model, &work, 0, answers, &counts);
    for (int i = 1; i < COUNT; i++) same += !memcmp(answers[i].ids, answers[0].ids, NEW * sizeof(int32_t));
    assert_true(same <= 2);
    assert_int_equal(counts.shared_tokens, (COUNT - 1) * 64);
    free_answers(answers);
    eval_fixture_free(&f);
}

/* ---- the texts */

struct seen {
    char text[64];
    size_t length;
    int count, calls;
    int64_t progress[4];
};

static int keep(void *context, size_t index, const char *text, size_t length, const int32_t *ids, int count,
                struct error *err) {
    struct seen *seen = context;
    (void)index;
    (void)ids;
    (void)err;
    seen->calls++;
    seen->length = length;
    seen->count = count;
    assert_true(length < sizeof seen->text);
    memcpy(seen->text, text, length + 1);
    return 0;
}

static void keep_progress(void *context, int64_t done, int64_t total) {
    struct seen *seen = context;
    seen->progress[0]++;
    seen->progress[1] = done;
    seen->progress[2] = total;
}

static int refuse(void *context, size_t index, const char *text, size_t length, const int32_t *ids, int count,
                  struct error *err) {
    (void)text;
    (void)length;
    (void)ids;
    (void)count;
    *(int *)context += 1;
    return error_set(err, ERROR_IO, "no place for %zu", index);
}

/* The first token is the stop string: an empty text of one token. */
static void first_token_stops(void **state) {
    (void)state;
    struct eval_fixture f;
    struct generation_answer answer = {0};
    struct generation_counts counts;
    struct error err = {0};
    make_model(EVAL_MODEL_PLAIN, &f);
    for (int32_t first = 0; first < 256; first++) {
        int32_t ids[2] = {first, 7};
        struct generation_request request = {ids, 2, 30, 5};
        struct generation_work work = {.requests = &request, .count = 1};
        struct seen seen = {0};
        char stop[2] = {0};
        generation_reference(&f.model, &work, &request, &answer);
        if (answer.certain < 2 || answer.ids[0] <= ' ' || answer.ids[0] > 126) continue;
        stop[0] = (char)answer.ids[0];
        const char *const stops[] = {"zzzzzz", stop};
        work = (struct generation_work){.requests = &request,
                                        .count = 1,
                                        .stops = stops,
                                        .stop_count = 2,
                                        .done = keep,
                                        .context = &seen,
                                        .progress = keep_progress,
                                        .progress_context = &seen};
        assert_int_equal(generation_run(&f.model, &work, 0, &counts, &err), 0);
        assert_int_equal(seen.calls, 1);
        assert_int_equal(seen.count, 1);
        assert_int_equal(seen.length, 0);
        assert_string_equal(seen.text, "");
        assert_int_equal(seen.progress[0], 1);
        assert_int_equal(seen.progress[1], 1);
        assert_int_equal(seen.progress[2], 1);
        assert_int_equal(counts.passes, 1);
        text_free(&answer.text);
        eval_fixture_free(&f);
        return;
    }
    fail_msg("no prompt gives an ASCII token");
}

static void no_requests(void **state) {
    (void)state;
    struct eval_fixture f;
    struct generation_counts counts = {1, 1, 1, 1};
    struct generation_work work = {0};
    make_model(EVAL_MODEL_PLAIN, &f);
    assert_int_equal(generation_run(&f.model, &work, 0, &counts, NULL), 0);
    assert_int_equal(counts.passes + counts.prompt_tokens + counts.shared_tokens + counts.generated_tokens,
                     0);
    eval_fixture_free(&f);
}

/* ---- errors */

static void expect_error(const struct eval_model *model, struct generation_request request,
                         int64_t cache_bytes, int code, const char *word) {
    struct generation_counts counts;
    struct error err = {0};
    struct seen seen = {0};
    struct generation_work work = {.requests = &request, .count = 1, .done = keep, .context = &seen};
    assert_int_equal(generation_run(model, &work, cache_bytes, &counts, &err), code);
    if (!strstr(err.message, word)) fail_msg("\"%s\" does not say \"%s\"", err.message, word);
    assert_int_equal(seen.calls, 0);
}

static void names_what_is_wrong(void **state) {
    (void)state;
    struct eval_fixture f;
    int32_t ids[POSITIONS] = {1, 2, EVAL_MODEL_IDS, 3, -1};
    make_model(EVAL_MODEL_PLAIN, &f);
    expect_error(&f.model, (struct generation_request){ids, 0, 5, 41}, 0, ERROR_INTERNAL, "request 41");
    expect_error(&f.model, (struct generation_request){ids, 2, 0, 42}, 0, ERROR_INTERNAL, "request 42");
    expect_error(&f.model, (struct generation_request){ids, 2, POSITIONS - 1, 43}, 0, ERROR_INTERNAL,
                 "request 43");
    expect_error(&f.model, (struct generation_request){ids, 3, 5, 44}, 0, ERROR_INTERNAL, "request 44");
    expect_error(&f.model, (struct generation_request){ids + 3, 2, 5, 45}, 0, ERROR_INTERNAL, "request 45");
    expect_error(&f.model, (struct generation_request){ids, 2, 5, SIZE_MAX}, 0, ERROR_INTERNAL, "request");
    expect_error(&f.model, (struct generation_request){ids, 2, 5, 46}, 1, ERROR_MEMORY, "1 bytes");
    eval_fixture_free(&f);
}

static void passes_the_callers_error_on(void **state) {
    (void)state;
    struct eval_fixture f;
    int32_t ids[3] = {1, 2, 3};
    int calls = 0;
    struct generation_request requests[2] = {{ids, 2, 5, 6}, {ids, 3, 7, 9}};
    struct generation_work work = {.requests = requests, .count = 2, .done = refuse, .context = &calls};
    struct generation_counts counts;
    struct error err = {0};
    make_model(EVAL_MODEL_PLAIN, &f);
    assert_int_equal(generation_run(&f.model, &work, 0, &counts, &err), ERROR_IO);
    assert_string_equal(err.message, "request 6: no place for 6");
    assert_int_equal(calls, 1);
    eval_fixture_free(&f);
}

/* A model whose weights broke says so; it does not answer with the first token. */
static void numbers_must_be_finite(void **state) {
    (void)state;
    static const double temperatures[] = {0.0, 1.0};
    for (int kind = 0; kind < 2; kind++) {
        for (int i = 0; i < 2; i++) {
            struct eval_fixture f;
            int32_t ids[3] = {1, 2, 3};
            int calls = 0;
            float nan = NAN;
            struct generation_request request = {ids, 3, 5, 12};
            struct generation_work work = {.requests = &request,
                                           .count = 1,
                                           .done = refuse,
                                           .context = &calls,
                                           .temperature = temperatures[i],
                                           .top_p = 1.0};
            struct generation_counts counts;
            struct error err = {0};
            make_model(kind ? EVAL_MODEL_WINDOW : EVAL_MODEL_PLAIN, &f);
            f.backend->upload(f.backend, view_at(f.model.parameters, f.layout->final_norm + 3), &nan, 1);
            assert_int_equal(generation_run(&f.model, &work, 0, &counts, &err), ERROR_NUMERIC);
            assert_int_equal(calls, 0);
            eval_fixture_free(&f);
        }
    }
}

/* ---- limits */

static void limits_follow_the_work(void **state) {
    (void)state;
    struct eval_fixture f;
    struct generation_order order;
    struct generation_limits limits;
    static struct prompts prompts;
    make_model(EVAL_MODEL_PLAIN, &f);
    make_prompts(&prompts, 25);
    /* A single short request does not take what many would. */
    assert_int_equal(generation_order_create(prompts.requests + 1, 1, &order, NULL), 0);
    assert_int_equal(generation_limits_choose(&f.model, &order, false, INT64_MAX, &limits, NULL), 0);
    int fed = prompts.requests[1].length + prompts.requests[1].max_new - 1;
    assert_int_equal(limits.requests, 1);
    assert_int_equal(limits.decoder.sequences, 1);
    assert_int_equal(limits.decoder.positions, fed);
    assert_true(limits.decoder.tokens <= fed + 65);
    assert_true(limits.decoder.rows <= prompts.requests[1].length);
    generation_order_free(&order);
    /* Many: within any memory that suffices, and more memory is never used for less. */
    assert_int_equal(generation_order_create(prompts.requests, COUNT, &order, NULL), 0);
    struct generation_work work = {.requests = prompts.requests, .count = COUNT};
    int64_t least = least_bytes(&f.model, &work, 1), tokens = 0;
    for (int64_t bytes = least; bytes < 100 * least; bytes += bytes / 3) {
        assert_int_equal(generation_limits_choose(&f.model, &order, false, bytes, &limits, NULL), 0);
        assert_true((int64_t)decoder_bytes(&f.config, &limits.decoder) <= bytes);
        assert_true(limits.decoder.tokens >= limits.decoder.positions);
        if (limits.decoder.rows == 256) {
            assert_true(limits.decoder.tokens >= tokens);
            tokens = limits.decoder.tokens;
        }
    }
    generation_order_free(&order);
    assert_true(machine_memory_free() > 0);
    eval_fixture_free(&f);
}

int main(int argc, char **argv) {
    if (argc > 1) backend_name = argv[1];
    const struct CMUnitTest tests[] = {cmocka_unit_test(greedy_plain),
                                       cmocka_unit_test(greedy_window),
                                       cmocka_unit_test(endings_plain),
                                       cmocka_unit_test(endings_window),
                                       cmocka_unit_test(samples),
                                       cmocka_unit_test(little_memory_gives_stems_up),
                                       cmocka_unit_test(samples_differ_by_index),
                                       cmocka_unit_test(first_token_stops),
                                       cmocka_unit_test(no_requests),
                                       cmocka_unit_test(names_what_is_wrong),
                                       cmocka_unit_test(passes_the_callers_error_on),
                                       cmocka_unit_test(numbers_must_be_finite),
                                       cmocka_unit_test(limits_follow_the_work)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* From texts to ids: the reference's rules (empty contexts, moved white space, begin tokens, truncation). */
#include "eval/requests.h"
#include "tests/support/eval_model.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { BEGIN = EVAL_MODEL_IDS - 2, END = EVAL_MODEL_IDS - 1 };

struct fixture {
    struct eval_fixture model;
    struct arena *arena;
    struct error err;
};

static void make(struct fixture *f, bool adds_begin, bool names_begin) {
    *f = (struct fixture){0};
    eval_fixture_make("cpu", EVAL_MODEL_PLAIN, adds_begin, names_begin, &f->model);
    assert_int_equal(arena_create(&f->arena, NULL), 0);
}

static void drop(struct fixture *f) {
    arena_destroy(&f->arena);
    eval_fixture_free(&f->model);
}

static int encode(struct fixture *f, int max_length, const char *context, const char *continuation,
                  struct request *out) {
    struct request_encoder *encoder;
    f->err = (struct error){0};
    assert_int_equal(request_encoder_create(&f->model.model, max_length, &encoder, NULL), 0);
    int code = request_encode(encoder, context, continuation, f->arena, out, &f->err);
    request_encoder_destroy(&encoder);
    assert_null(encoder);
    return code;
}

/* ids: 'a' stands for a byte's token; numbers from 256 on are merges in the order of eval_model.c, BEGIN,
 * END. */
static void gives(struct fixture *f, int max_length, const char *context, const char *continuation,
                  const int32_t *ids, int length, int scored) {
    struct request request;
    if (encode(f, max_length, context, continuation, &request)) fail_msg("%s", f->err.message);
    assert_int_equal(request.length, length);
    assert_int_equal(request.scored, scored);
    assert_memory_equal(request.ids, ids, (size_t)length * sizeof *ids);
}
#define GIVES(f, max_length, context, continuation, scored, ...)                                             \
    do {                                                                                                     \
        static const int32_t expected_[] = {__VA_ARGS__};                                                    \
        gives(f, max_length, context, continuation, expected_, sizeof expected_ / sizeof expected_[0],       \
              scored);                                                                                       \
    } while (0)

enum { TH = 256, HE, IN, THE, SPACE_T, SPACE_A, SPACE_THE };

static void splits_by_length(void **state) {
    (void)state;
    struct fixture f;
    make(&f, false, true);
    GIVES(&f, 99, "xy", " zin", 3, 'x', 'y', ' ', 'z', IN);
    GIVES(&f, 99, "x", " the", 1, 'x', SPACE_THE);
    /* Tokens merge across the joint: "xt" + "hey" is x,the,y; ctx (x,t) is kept and what follows is
     * whole[2:]. */
    GIVES(&f, 99, "xt", "hey", 1, 'x', 't', 'y');
    drop(&f);
}

static void moves_white_space(void **state) {
    (void)state;
    struct fixture f;
    make(&f, false, true);
    /* "x " + "a": the space joins the continuation's first token. */
    GIVES(&f, 99, "x ", "a", 1, 'x', SPACE_A);
    GIVES(&f, 99, "x\n\n", "y", 3, 'x', '\n', '\n', 'y');
    GIVES(&f, 99, "x\xc2\xa0", "y", 3, 'x', 0xc2, 0xa0, 'y'); /* NO-BREAK SPACE is white space too */
    GIVES(&f, 99, "\tx \t", " a", 3, '\t', 'x', ' ', '\t', SPACE_A);
    drop(&f);
}

static void begins_once(void **state) {
    (void)state;
    struct fixture f;
    make(&f, true, true); /* the tokenizer adds <s> */
    GIVES(&f, 99, "xy", "z", 1, BEGIN, 'x', 'y', 'z');
    GIVES(&f, 99, "<s>xy", "z", 1, BEGIN, 'x', 'y', 'z');        /* not doubled */
    GIVES(&f, 99, " <s>x", "z", 1, BEGIN, ' ', BEGIN, 'x', 'z'); /* only at the very start */
    drop(&f);
    make(&f, false, true);
    GIVES(&f, 99, "xy", "z", 1, 'x', 'y', 'z');
    drop(&f);
}

static void replaces_empty_contexts(void **state) {
    (void)state;
    struct fixture f;
    make(&f, true, true);
    GIVES(&f, 99, "", "xy", 2, BEGIN, 'x', 'y');
    GIVES(&f, 99, "", "<s>xy", 2, BEGIN, 'x',
          'y'); /* the continuation's own begin token becomes the context */
    GIVES(&f, 99, " \n", "xy", 4, BEGIN, ' ', '\n', 'x', 'y');
    struct request request;
    assert_int_equal(encode(&f, 99, "", "", &request), ERROR_INPUT);
    assert_int_equal(encode(&f, 99, "", "<s>", &request), ERROR_INPUT); /* nothing is left to score */
    drop(&f);
    make(&f, false, false); /* no begin token: the end token stands in */
    GIVES(&f, 99, "", "xy", 2, END, 'x', 'y');
    GIVES(&f, 99, "", "</s>xy", 2, END, 'x', 'y');
    GIVES(&f, 99, "</s>x", "y", 1, END, 'x', 'y');
    drop(&f);
}

static void truncates_at_the_left(void **state) {
    (void)state;
    struct fixture f;
    make(&f, true, true);
    GIVES(&f, 5, "vwx", "yz", 2, BEGIN, 'v', 'w', 'x', 'y', 'z'); /* 5 are fed: nothing is lost */
    GIVES(&f, 4, "vwx", "yz", 2, 'v', 'w', 'x', 'y', 'z');
    GIVES(&f, 3, "vwx", "yz", 2, 'w', 'x', 'y', 'z');
    GIVES(&f, 2, "vwx", "yz", 2, 'x', 'y', 'z');
    struct request request;
    assert_int_equal(encode(&f, 4, "vwx", "yz", &request), 0);
    assert_true(request.truncated);
    assert_int_equal(encode(&f, 5, "vwx", "yz", &request), 0);
    assert_false(request.truncated);
    assert_int_equal(encode(&f, 1, "vwx", "yz", &request), ERROR_INPUT);
    assert_non_null(strstr(f.err.message, "a continuation of 2 tokens (at most 1 expected"));
    drop(&f);
}

static void refuses(void **state) {
    (void)state;
    struct fixture f;
    struct request request;
    make(&f, false, true);
    assert_int_equal(encode(&f, 99, "x", "", &request), ERROR_INPUT);
    assert_non_null(strstr(f.err.message, "adds no token"));
    f.model.config.vocabulary = 'y';
    assert_int_equal(encode(&f, 99, "x", "y", &request), ERROR_INPUT);
    assert_non_null(strstr(f.err.message, "gives id 121 (0..120 expected"));
    drop(&f);
}

static void reuses_contexts(void **state) {
    (void)state;
    struct fixture f;
    struct request_encoder *encoder;
    struct request request;
    make(&f, true, true);
    assert_int_equal(request_encoder_create(&f.model.model, 99, &encoder, NULL), 0);
    /* The same context, another, an empty one, and back: whatever is remembered must not show. */
    static const struct {
        const char *context, *continuation;
        int32_t ids[5];
        int length, scored;
    } steps[] = {{"xy", "z", {BEGIN, 'x', 'y', 'z'}, 4, 1}, {"xy", "zz", {BEGIN, 'x', 'y', 'z', 'z'}, 5, 2},
                 {"x", "z", {BEGIN, 'x', 'z'}, 3, 1},       {"", "z", {BEGIN, 'z'}, 2, 1},
                 {"x", "z", {BEGIN, 'x', 'z'}, 3, 1},       {"x ", "z", {BEGIN, 'x', ' ', 'z'}, 4, 2},
                 {"xy", "q", {BEGIN, 'x', 'y', 'q'}, 4, 1}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        assert_int_equal(
            request_encode(encoder, steps[i].context, steps[i].continuation, f.arena, &request, NULL), 0);
        assert_int_equal(request.length, steps[i].length);
        assert_int_equal(request.scored, steps[i].scored);
        assert_memory_equal(request.ids, steps[i].ids, (size_t)request.length * sizeof *request.ids);
    }
    request_encoder_destroy(&encoder);
    drop(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_by_length),      cmocka_unit_test(moves_white_space),
        cmocka_unit_test(begins_once),           cmocka_unit_test(replaces_empty_contexts),
        cmocka_unit_test(truncates_at_the_left), cmocka_unit_test(refuses),
        cmocka_unit_test(reuses_contexts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The log-likelihood engine against one plain forward pass a request, and evaluations on one and on two ranks.
 * BACKEND-ARGUMENT: runs on the backend named by argv[1]. */
#include "base/random.h"
#include "eval/loglikelihood.h"
#include "eval/sharing.h"
#include "tests/support/eval_model.h"
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const double ENGINE_TOLERANCE = 1e-4; /* of a sum over up to 20 tokens, float32 against double */
static const double PACKING_TOLERANCE = 1e-5;

static const char *backend_name = "cpu"; /* set once by main, before the tests */

/* True unless the difference is within the tolerance: a NaN is a failure. */
static bool differs(double a, double b, double tolerance) {
    return !(fabs(a - b) <= tolerance);
}

/* ---- random groups of requests with much in common */

enum { GROUPS = 60, MOST = 5, IDS = 48, REQUESTS = GROUPS * MOST };

struct random_requests {
    int32_t ids[REQUESTS][IDS];
    struct request requests[REQUESTS];
    struct request_group groups[GROUPS];
    int count;
};

static void make_requests(struct random_requests *r) {
    struct random_key key = {.seed = 11, .purpose = RANDOM_TEST};
    uint64_t draw = 0;
    r->count = 0;
    for (int g = 0; g < GROUPS; g++) {
        int count = 1 + (int)random_below(key, draw++, MOST);
        r->groups[g] = (struct request_group){&r->requests[r->count], count, (size_t)r->count};
        int stem = (int)random_below(key, draw++, IDS - 20); /* tokens that all share; may be 0 */
        for (int i = 0; i < count; i++, r->count++) {
            int32_t *ids = r->ids[r->count];
            int length = stem + 2 + (int)random_below(key, draw++, IDS - 2 - (uint64_t)stem);
            if (random_below(key, draw++, 4) == 0) length = stem + 2; /* one-token ends */
            for (int at = 0; at < length; at++) {
                /* Few different ids, so that requests agree beyond the stem by chance. */
                bool common = i > 0 && at < stem;
                ids[at] = common ? r->ids[r->count - 1][at] : (int32_t)random_below(key, draw++, 3) + 'a';
            }
            if (i > 0 && random_below(key, draw++, 8) == 0) { /* the same again, or a beginning of it */
                int other = r->requests[r->count - 1].length;
                length = random_below(key, draw++, 2) && other > 2 ? other - 1 : other;
                memcpy(ids, r->ids[r->count - 1], (size_t)length * sizeof *ids);
            }
            int scored = 1 + (int)random_below(key, draw++, (uint64_t)(length - 1 < 20 ? length - 1 : 20));
            if (random_below(key, draw++, 3)) scored = length - stem - 1 > 0 && length - stem - 1 < length ? length - stem - 1 : 1;
            r->requests[r->count] = (struct request){.ids = ids, .length = length, .scored = scored};
        }
    }
}

static void score_all(const struct eval_fixture *f, const struct random_requests *r, int batch_rows, double *values,
                      bool *greedy, int64_t *tokens) {
    struct error err = {0};
    struct eval_model model = f->model;
    model.batch_rows = batch_rows;
    struct loglikelihood_work work = {.groups = r->groups, .count = GROUPS};
    if (loglikelihood_run(&model, &work, values, greedy, tokens, &err)) fail_msg("%s", err.message);
}

/* Gives some requests the one last token that the model likes best. */
static void make_greedy(const struct eval_fixture *f, struct random_requests *r) {
    for (int i = 0; i < r->count; i += 17) {
        struct request *q = &r->requests[i];
        bool greedy = false;
        q->scored = 1;
        for (int32_t id = 0; id < EVAL_MODEL_IDS && !greedy; id++) {
            r->ids[i][q->length - 1] = id;
            eval_fixture_score(f, q->ids, q->length, 1, &greedy);
        }
        assert_true(greedy);
    }
}

static void equals_plain_passes(enum eval_model_kind kind) {
    struct eval_fixture f;
    struct random_requests *r;
    eval_fixture_make(backend_name, kind, false, true, &f);
    assert_int_equal(memory_alloc(&r, 1, sizeof *r, NULL), 0);
    make_requests(r);
    make_greedy(&f, r);
    static const int sizes[] = {0, 1, 61, 200};
    double values[sizeof sizes / sizeof sizes[0]][REQUESTS];
    bool greedy[sizeof sizes / sizeof sizes[0]][REQUESTS];
    int64_t tokens[sizeof sizes / sizeof sizes[0]], plain = 0;
    int greedy_count = 0;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        score_all(&f, r, sizes[s], values[s], greedy[s], &tokens[s]);
    }
    for (int i = 0; i < r->count; i++) {
        bool best;
        const struct request *q = &r->requests[i];
        double expected = eval_fixture_score(&f, q->ids, q->length, q->scored, &best);
        plain += q->length - 1;
        greedy_count += best;
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            if (differs(values[s][i], expected, ENGINE_TOLERANCE) || greedy[s][i] != best) {
                fail_msg("request %d of %d tokens, %d scored, batches of %d rows: %.9g (greedy %d), expected %.9g (%d)", i,
                         q->length, q->scored, sizes[s], values[s][i], greedy[s][i], expected, best);
            }
            if (differs(values[s][i], values[0][i], PACKING_TOLERANCE)) {
                fail_msg("request %d: %.9g in batches of %d rows, %.9g in large ones", i, values[s][i], sizes[s],
                         values[0][i]);
            }
        }
    }
    assert_in_range(greedy_count, 1, r->count - 1); /* both outcomes were seen */
    assert_true(tokens[0] < plain * 3 / 4);         /* something was shared */
    memory_free(r);
    eval_fixture_free(&f);
}

static void equals_plain_passes_of_llama(void **state) {
    (void)state;
    equals_plain_passes(EVAL_MODEL_PLAIN);
}

static void equals_plain_passes_of_gemma(void **state) {
    (void)state;
    equals_plain_passes(EVAL_MODEL_WINDOW);
}

static void plans_as_little_as_possible(void **state) {
    (void)state;
    static const int32_t a[] = {1, 2, 3, 4, 5, 6}, b[] = {1, 2, 3, 4, 7, 8}, c[] = {1, 2, 3, 9}, d[] = {1, 2, 3, 8};
    /* Contexts 1 2 3 4: the fifth tokens differ and are predicted from the row of 4, so the prefix ends before it. */
    struct request choices[] = {{a, 6, 2, false}, {b, 6, 2, false}};
    struct sharing plan = sharing_plan(choices, 2);
    assert_int_equal(plan.prefix, 3);
    assert_int_equal(plan.rows, 5 + 2);
    assert_int_equal(plan.targets, 4);
    /* Nobody scores what is common: it is shared whole. */
    struct request late[] = {{a, 6, 1, false}, {b, 6, 1, false}};
    plan = sharing_plan(late, 2);
    assert_int_equal(plan.prefix, 4);
    assert_int_equal(plan.rows, 5 + 1);
    assert_int_equal(plan.targets, 2);
    /* One-token continuations of one context: one row more. */
    struct request single[] = {{c, 4, 1, false}, {d, 4, 1, false}};
    plan = sharing_plan(single, 2);
    assert_int_equal(plan.prefix, 2);
    assert_int_equal(plan.rows, 3 + 1);
    /* Common scored tokens are scored once. */
    struct request long_ends[] = {{a, 6, 5, false}, {b, 6, 5, false}};
    plan = sharing_plan(long_ends, 2);
    assert_int_equal(plan.prefix, 3);
    assert_int_equal(plan.targets, 5 + 2);
    /* Nothing in common. */
    static const int32_t x[] = {5, 6};
    struct request strangers[] = {{a, 6, 2, false}, {x, 2, 1, false}};
    plan = sharing_plan(strangers, 2);
    assert_int_equal(plan.prefix, 0);
    assert_int_equal(plan.rows, 5 + 1);
}

/* ---- whole evaluations */

static const char records[] =
    "{\"question\":\"the hat in\",\"choices\":{\"text\":[\"then\",\"there in\",\"a\"],\"label\":[\"A\",\"B\",\"C\"]},\"answerKey\":\"B\"}\n"
    "{\"question\":\"in the end \",\"choices\":{\"text\":[\"hen \",\"xyz\",\"thin\",\"he\"],\"label\":[\"1\",\"2\",\"3\",\"4\"]},\"answerKey\":\"1\"}\n"
    "{\"question\":\"what is a long question that goes on and on, in the end, until it is cut at the left, then?\",\"choices\":{\"text\":[\"no\",\"yes\"],\"label\":[\"A\",\"B\"]},\"answerKey\":\"A\"}\n"
    "{\"question\":\"\",\"choices\":{\"text\":[\"same\",\"same\",\"same one\"],\"label\":[\"A\",\"B\",\"C\"]},\"answerKey\":\"B\"}\n"
    "{\"question\":\"q\",\"choices\":{\"text\":[\"1\",\"22\",\"333\",\"4444\",\"55555\"],\"label\":[\"A\",\"B\",\"C\",\"D\",\"E\"]},\"answerKey\":\"E\"}\n";

struct rank {
    struct eval_fixture fixture; /* of its own, as in a process of its own */
    char path[EVAL_PATH_BYTES];
    int rank;
    struct meeting *meeting;
    int max_length, code;
    struct error err;
    struct eval_result *result;
};

/* Where two threads posing as ranks sum. */
struct meeting {
    pthread_barrier_t barrier;
    double *values[2];
    int sums;
};

static int sum_of_two(void *context, double *values, size_t n, struct error *err) {
    (void)err;
    struct rank *rank = context;
    struct meeting *meeting = rank->meeting;
    meeting->values[rank->rank] = values;
    pthread_barrier_wait(&meeting->barrier);
    if (rank->rank == 0) {
        for (size_t i = 0; i < n; i++) {
            double sum = meeting->values[0][i] + meeting->values[1][i];
            meeting->values[0][i] = meeting->values[1][i] = sum;
        }
        meeting->sums++;
    }
    pthread_barrier_wait(&meeting->barrier);
    return 0;
}

static void *run_rank(void *context) {
    struct rank *rank = context;
    struct eval_settings settings = {.max_length = rank->max_length};
    struct eval_peers peers = {rank->rank, 2, sum_of_two, rank};
    rank->code = eval_run("arc_challenge", rank->path, &rank->fixture.model, &settings, rank->meeting ? &peers : NULL,
                          &rank->result, &rank->err);
    return NULL;
}

static void rank_make(struct rank *rank, int number, struct meeting *meeting, const char *text) {
    *rank = (struct rank){.rank = number, .meeting = meeting};
    eval_fixture_make(backend_name, EVAL_MODEL_PLAIN, true, true, &rank->fixture);
    eval_file_write(rank->fixture.folder, "records.jsonl", text, strlen(text), rank->path);
}

static void rank_free(struct rank *rank) {
    eval_result_destroy(&rank->result);
    eval_fixture_free(&rank->fixture);
}

static void run_two(struct rank ranks[2]) {
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&threads[i], NULL, run_rank, &ranks[i]), 0);
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void compare_results(const struct eval_result *a, const struct eval_result *b) {
    assert_int_equal(a->sample_count, b->sample_count);
    assert_int_equal(a->requests, b->requests);
    assert_string_equal(a->prompt_hash, b->prompt_hash);
    assert_string_equal(a->data_hash, b->data_hash);
    for (int m = 0; m < a->metric_count; m++) {
        assert_true(a->metrics[m].value == b->metrics[m].value);
        assert_true(a->metrics[m].standard_error == b->metrics[m].standard_error);
    }
    for (int64_t i = 0; i < a->sample_count; i++) {
        const struct eval_sample *x = &a->samples[i], *y = &b->samples[i];
        assert_string_equal(x->prediction, y->prediction);
        for (int c = 0; c < x->requests; c++) {
            assert_false(differs(x->log_likelihood[c], y->log_likelihood[c], PACKING_TOLERANCE));
            assert_int_equal(x->greedy[c], y->greedy[c]);
        }
    }
}

static void evaluates_like_plain_passes(void **state) {
    (void)state;
    struct rank alone;
    rank_make(&alone, 0, NULL, records);
    static const int lengths[] = {0, 20}; /* the second cuts the long question off */
    for (size_t l = 0; l < 2; l++) {
        alone.max_length = lengths[l];
        run_rank(&alone);
        if (alone.code) fail_msg("%s", alone.err.message);
        struct eval_result *result = alone.result;
        assert_int_equal(result->sample_count, 5);
        assert_int_equal(result->requests, 17);
        assert_string_equal(result->metrics[result->headline].name, "acc_norm");
        struct request_encoder *encoder;
        struct arena *arena;
        assert_int_equal(arena_create(&arena, NULL), 0);
        assert_int_equal(request_encoder_create(&alone.fixture.model, lengths[l] ? lengths[l] : 160, &encoder, NULL), 0);
        bool truncated = false;
        for (int64_t i = 0; i < result->sample_count; i++) {
            const struct eval_sample *sample = &result->samples[i];
            int best = 0;
            for (int c = 0; c < sample->requests; c++) {
                struct request q;
                bool greedy;
                assert_int_equal(request_encode(encoder, sample->context[c], sample->continuation[c], arena, &q, NULL), 0);
                truncated = truncated || q.truncated;
                double expected = eval_fixture_score(&alone.fixture, q.ids, q.length, q.scored, &greedy);
                assert_false(differs(sample->log_likelihood[c], expected, ENGINE_TOLERANCE));
                assert_int_equal(sample->greedy[c], greedy);
                double length = (double)strlen(sample->continuation[c]) - 1;
                double best_length = (double)strlen(sample->continuation[best]) - 1;
                if (sample->log_likelihood[c] / length > sample->log_likelihood[best] / best_length) best = c;
            }
            assert_int_equal(sample->prediction[0] - '0', best);
            assert_true(sample->metric[1] == (sample->target[0] - '0' == best));
        }
        assert_int_equal(truncated, l == 1);
        request_encoder_destroy(&encoder);
        arena_destroy(&arena);
        eval_result_destroy(&alone.result);
    }
    rank_free(&alone);
}

static void two_ranks_equal_one(void **state) {
    (void)state;
    struct meeting meeting = {0};
    struct rank alone, ranks[2];
    assert_int_equal(pthread_barrier_init(&meeting.barrier, NULL, 2), 0);
    rank_make(&alone, 0, NULL, records);
    run_rank(&alone);
    for (int i = 0; i < 2; i++) rank_make(&ranks[i], i, &meeting, records);
    run_two(ranks);
    for (int i = 0; i < 2; i++) {
        if (ranks[i].code) fail_msg("rank %d: %s", i, ranks[i].err.message);
        compare_results(ranks[i].result, alone.result);
    }
    assert_int_equal(ranks[0].result->tokens, ranks[1].result->tokens);
    assert_int_equal(ranks[0].result->tokens, alone.result->tokens);
    assert_int_equal(meeting.sums, 2);
    for (int i = 0; i < 2; i++) rank_free(&ranks[i]);
    rank_free(&alone);
    pthread_barrier_destroy(&meeting.barrier);
}

/* A failure of one rank ends both, and neither waits for ever. */
static void ranks_fail_together(void **state) {
    (void)state;
    static const struct {
        const char *second;
        int codes[2];
    } cases[] = {{"{}", {ERROR_PEER, ERROR_INPUT}},
                 {"{\"question\":\"q\",\"choices\":{\"text\":[\"a\",\"b\"],\"label\":[\"A\",\"B\"]},\"answerKey\":\"A\"}",
                  {ERROR_INPUT, ERROR_INPUT}}}; /* good, but not the same */
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct meeting meeting = {0};
        struct rank ranks[2];
        assert_int_equal(pthread_barrier_init(&meeting.barrier, NULL, 2), 0);
        rank_make(&ranks[0], 0, &meeting, records);
        rank_make(&ranks[1], 1, &meeting, cases[c].second);
        run_two(ranks);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(ranks[i].code, cases[c].codes[i]);
            assert_null(ranks[i].result);
        }
        if (c == 1) assert_non_null(strstr(ranks[0].err.message, "the ranks read different records"));
        for (int i = 0; i < 2; i++) rank_free(&ranks[i]);
        pthread_barrier_destroy(&meeting.barrier);
    }
}

static void count_progress(void *context, int64_t done, int64_t total) {
    int64_t *last = context;
    assert_true(done > last[0] && done <= total);
    last[0] = done;
    last[1] = total;
}

static void reports_and_refuses(void **state) {
    (void)state;
    struct rank alone;
    struct eval_result *result;
    int64_t progress[2] = {0};
    rank_make(&alone, 0, NULL, records);
    struct eval_settings settings = {.limit = 2, .progress = count_progress, .progress_context = progress};
    assert_int_equal(eval_run("arc_challenge", alone.path, &alone.fixture.model, &settings, NULL, &result, NULL), 0);
    assert_int_equal(result->sample_count, 2);
    assert_int_equal(progress[0], 7);
    assert_int_equal(progress[1], 7);
    eval_result_destroy(&result);
    assert_null(result);

    settings = (struct eval_settings){.limit = 1};
    assert_int_equal(eval_run("arc_challenge", alone.path, &alone.fixture.model, &settings, NULL, &result, NULL), 0);
    assert_true(isnan(result->metrics[0].standard_error));
    eval_result_destroy(&result);

    settings = (struct eval_settings){.max_length = 161};
    assert_int_equal(eval_run("arc_challenge", alone.path, &alone.fixture.model, &settings, NULL, &result, &alone.err),
                     ERROR_INPUT);
    assert_non_null(strstr(alone.err.message, "context length 161 (1..160 expected"));
    settings = (struct eval_settings){.max_length = 2};
    assert_int_equal(eval_run("arc_challenge", alone.path, &alone.fixture.model, &settings, NULL, &result, &alone.err),
                     ERROR_INPUT);
    assert_non_null(strstr(alone.err.message, "records.jsonl:1: choice 1: a continuation of"));
    assert_null(result);

    /* A model that has gone wrong is told, not scored. */
    float bad = NAN;
    struct view weights = alone.fixture.model.parameters;
    alone.fixture.backend->upload(alone.fixture.backend, view_at(weights, alone.fixture.layout->final_norm), &bad, 1);
    settings = (struct eval_settings){0};
    assert_int_equal(eval_run("arc_challenge", alone.path, &alone.fixture.model, &settings, NULL, &result, &alone.err),
                     ERROR_NUMERIC);
    rank_free(&alone);
}

int main(int argc, char **argv) {
    if (argc > 1) backend_name = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_plain_passes_of_llama), cmocka_unit_test(equals_plain_passes_of_gemma),
        cmocka_unit_test(plans_as_little_as_possible),  cmocka_unit_test(evaluates_like_plain_passes),
        cmocka_unit_test(two_ranks_equal_one),          cmocka_unit_test(ranks_fail_together),
        cmocka_unit_test(reports_and_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

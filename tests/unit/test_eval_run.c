/* Whole evaluations, on one rank and on two, against plain forward passes.
 * BACKEND-ARGUMENT: runs on the backend named by argv[1]. */
#include "eval/requests.h"
#include "tests/support/eval_model.h"
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const double SCORE_TOLERANCE = 1e-4; /* of a choice, float32 against double */
static const double PACKING_TOLERANCE = 1e-5;

static const char *backend_name = "cpu"; /* set once by main, before the tests */

/* True unless the difference is within the tolerance: a NaN is a failure. */
static bool differs(double a, double b, double tolerance) {
    return !(fabs(a - b) <= tolerance);
}

static const char records[] =
    "{\"question\":\"the hat in\",\"choices\":{\"text\":[\"then\",\"there "
    "in\",\"a\"],\"label\":[\"A\",\"B\",\"C\"]},\"answerKey\":\"B\"}\n"
    "{\"question\":\"in the end \",\"choices\":{\"text\":[\"hen "
    "\",\"xyz\",\"thin\",\"he\"],\"label\":[\"1\",\"2\",\"3\",\"4\"]},\"answerKey\":\"1\"}\n"
    "{\"question\":\"what is a long question that goes on and on, in the end, until it is cut at the left, "
    "then?\",\"choices\":{\"text\":[\"no\",\"yes\"],\"label\":[\"A\",\"B\"]},\"answerKey\":\"A\"}\n"
    "{\"question\":\"\",\"choices\":{\"text\":[\"same\",\"same\",\"same "
    "one\"],\"label\":[\"A\",\"B\",\"C\"]},\"answerKey\":\"B\"}\n"
    "{\"question\":\"q\",\"choices\":{\"text\":[\"1\",\"22\",\"333\",\"4444\",\"55555\"],\"label\":[\"A\","
    "\"B\",\"C\",\"D\",\"E\"]},\"answerKey\":\"E\"}\n";

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
    struct eval_task task = {"arc_challenge", rank->path, NULL};
    rank->code = eval_run(&task, &rank->fixture.model, &settings, rank->meeting ? &peers : NULL,
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
        assert_int_equal(
            request_encoder_create(&alone.fixture.model, lengths[l] ? lengths[l] : 160, &encoder, NULL), 0);
        bool truncated = false;
        for (int64_t i = 0; i < result->sample_count; i++) {
            const struct eval_sample *sample = &result->samples[i];
            int best = 0;
            for (int c = 0; c < sample->requests; c++) {
                struct request q;
                bool greedy;
                assert_int_equal(
                    request_encode(encoder, sample->context[c], sample->continuation[c], arena, &q, NULL), 0);
                truncated = truncated || q.truncated;
                double expected = eval_fixture_score(&alone.fixture, q.ids, q.length, q.scored, &greedy);
                assert_false(differs(sample->log_likelihood[c], expected, SCORE_TOLERANCE));
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
    assert_int_equal(meeting.sums, 4); /* what was read, readiness, answers, time */
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
                 {"{\"question\":\"q\",\"choices\":{\"text\":[\"a\",\"b\"],\"label\":[\"A\",\"B\"]},"
                  "\"answerKey\":\"A\"}",
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
    assert_int_equal(eval_run(&(struct eval_task){"arc_challenge", alone.path, NULL}, &alone.fixture.model,
                              &settings, NULL, &result, NULL),
                     0);
    assert_int_equal(result->sample_count, 2);
    assert_int_equal(progress[0], 7);
    assert_int_equal(progress[1], 7);
    eval_result_destroy(&result);
    assert_null(result);

    settings = (struct eval_settings){.limit = 1};
    assert_int_equal(eval_run(&(struct eval_task){"arc_challenge", alone.path, NULL}, &alone.fixture.model,
                              &settings, NULL, &result, NULL),
                     0);
    assert_true(isnan(result->metrics[0].standard_error));
    eval_result_destroy(&result);

    settings = (struct eval_settings){.max_length = 161};
    assert_int_equal(eval_run(&(struct eval_task){"arc_challenge", alone.path, NULL}, &alone.fixture.model,
                              &settings, NULL, &result, &alone.err),
                     ERROR_INPUT);
    assert_non_null(strstr(alone.err.message, "context length 161 (1..160 expected"));
    settings = (struct eval_settings){.max_length = 2};
    assert_int_equal(eval_run(&(struct eval_task){"arc_challenge", alone.path, NULL}, &alone.fixture.model,
                              &settings, NULL, &result, &alone.err),
                     ERROR_INPUT);
    assert_non_null(strstr(alone.err.message, "records.jsonl:1: choice 1: a continuation of"));
    assert_null(result);

    /* A model that has gone wrong is told, not scored. */
    float bad = NAN;
    struct view weights = alone.fixture.model.parameters;
    alone.fixture.backend->upload(alone.fixture.backend, view_at(weights, alone.fixture.layout->final_norm),
                                  &bad, 1);
    settings = (struct eval_settings){0};
    assert_int_equal(eval_run(&(struct eval_task){"arc_challenge", alone.path, NULL}, &alone.fixture.model,
                              &settings, NULL, &result, &alone.err),
                     ERROR_NUMERIC);
    rank_free(&alone);
}

int main(int argc, char **argv) {
    if (argc > 1) backend_name = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluates_like_plain_passes),
        cmocka_unit_test(two_ranks_equal_one),
        cmocka_unit_test(ranks_fail_together),
        cmocka_unit_test(reports_and_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

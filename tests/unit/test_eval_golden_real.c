/* Real models on records of our own against lm-evaluation-harness (tests/golden/eval/record_harness_models.py): the
 * log-likelihoods of choices, greedy answers token for token, plain and as chats, and the scores. Skips where models are
 * absent. */
#include "eval/benchmarks/benchmark.h"
#include "eval/evaluate.h"
#include "eval/sandbox/sandbox.h"
#include "eval/scoring/scorer.h"
#include "io/file.h"
#include "io/json.h"
#include "io/tasks/template.h"
#include "tests/support/real_model.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const double LIKELIHOOD_TOLERANCE = 5e-4; /* of a choice: float32 against float32, both with a float64 softmax */
static const double LEAD_TOLERANCE = 2e-3;       /* of a logit: below it, rounding may choose another token */
static const double SCORE_TOLERANCE = 1e-12;     /* double against double */

enum { PATH_BYTES = 1024, GOLDEN_LIMIT = 1 << 22 };

static const cJSON *field(const cJSON *object, const char *name) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!value) fail_msg("the golden file lacks \"%s\"", name);
    return value;
}

/* What a comparison of one benchmark found. */
struct tally {
    double likelihood; /* the largest difference */
    int answers, tied; /* compared; of them those that differ from where rounding may choose */
};

static void compare_likelihoods(const char *benchmark, const struct eval_sample *sample, const cJSON *expected,
                                struct tally *tally) {
    const cJSON *likelihood = field(expected, "log_likelihood")->child, *greedy = field(expected, "greedy")->child;
    assert_int_equal(sample->requests, cJSON_GetArraySize(field(expected, "log_likelihood")));
    for (int i = 0; i < sample->requests; i++, likelihood = likelihood->next, greedy = greedy->next) {
        double difference = fabs(sample->log_likelihood[i] - likelihood->valuedouble);
        if (!(difference <= LIKELIHOOD_TOLERANCE))
            fail_msg("%s, record %lld, choice %d: %.9g, expected %.9g", benchmark, (long long)sample->index, i,
                     sample->log_likelihood[i], likelihood->valuedouble);
        if (difference > tally->likelihood) tally->likelihood = difference;
        assert_int_equal(sample->greedy[i], cJSON_IsTrue(greedy));
        tally->answers++;
    }
}

/* Whether the answer is the reference's; another one is a failure unless rounding had a choice. */
static bool compare_answer(const char *benchmark, const struct eval_sample *sample, const cJSON *expected, struct tally *tally) {
    const char *response = field(expected, "response")->valuestring;
    double lead = field(expected, "lead")->valuedouble;
    tally->answers++;
    if (!strcmp(sample->response[0], response)) return true;
    tally->tied++;
    if (!(lead <= LEAD_TOLERANCE))
        fail_msg("%s, record %lld: answer \"%s\", expected \"%s\"", benchmark, (long long)sample->index, sample->response[0],
                 response);
    return false;
}

static void compare_metrics(const struct eval_result *result, const struct eval_sample *sample, const cJSON *expected) {
    for (int m = 0; m < result->metric_count; m++) {
        char key[64];
        snprintf(key, sizeof key, "%.30s,%.20s", result->metrics[m].name, result->metrics[m].filter);
        const cJSON *value = field(field(expected, "metrics"), key);
        if (cJSON_IsArray(value)) continue; /* by parts: all of them make the metric before it */
        double number = cJSON_IsBool(value) ? cJSON_IsTrue(value) : value->valuedouble;
        if (!(fabs(sample->metric[m] - number) <= SCORE_TOLERANCE))
            fail_msg("%s, record %lld, %s: %g, expected %g", result->benchmark, (long long)sample->index, key, sample->metric[m],
                     number);
    }
}

static void compare_part(const struct eval_result *result, int p, const cJSON *task, struct tally *tally) {
    const struct eval_part *part = &result->parts[p];
    const cJSON *records = field(task, "records");
    assert_string_equal(part->name ? part->name : result->benchmark, field(task, "name")->valuestring);
    assert_true(part->count > 0 && part->count <= cJSON_GetArraySize(records));
    const struct eval_sample *sample = &result->samples[part->first], *end = sample + part->count;
    for (const cJSON *record = records->child; sample < end; record = record->next, sample++) {
        bool same = true;
        if (sample->log_likelihood)
            compare_likelihoods(result->benchmark, sample, record, tally);
        else
            same = compare_answer(result->benchmark, sample, record, tally);
        if (same) compare_metrics(result, sample, record);
    }
}

static bool can_run(const struct benchmark *benchmark) {
    struct sandbox_settings sandbox = {0};
    struct error err = {0};
    if (benchmark->scorer != &scorer_code || !sandbox_check(&sandbox, &err)) return true;
    printf("%s is left out: %s\n", benchmark->name, err.message);
    return false;
}

/* At most `most` records of each file where answers are generated. */
static void compare_run(struct real_model *m, const cJSON *run, int max_new, int most) {
    char path[PATH_BYTES];
    struct error err = {0};
    struct eval_result *result;
    struct tally tally = {0};
    const char *name = field(run, "benchmark")->valuestring;
    const struct benchmark *benchmark = benchmark_find(name);
    assert_non_null(benchmark);
    if (!can_run(benchmark)) return;
    snprintf(path, sizeof path, "%s/golden/eval/records/%s%s", TEST_SOURCE_DIR, name, benchmark->find_parts ? "" : ".jsonl");
    struct eval_task task = {name, path, NULL};
    struct eval_settings settings = {.limit = benchmark_generates(benchmark) ? most : 0,
                                     .shots = -1,
                                     .chat = cJSON_IsString(field(run, "chat")) ? TEMPLATE_CHATML : TEMPLATE_NONE,
                                     .max_new = max_new,
                                     .top_p = 1,
                                     .answers = 1,
                                     .pass_at = 1};
    if (eval_run(&task, &m->model, &settings, NULL, &result, &err)) fail_msg("%s", err.message);
    const cJSON *tasks = field(run, "tasks"), *expected = tasks->child;
    assert_int_equal(result->part_count, cJSON_GetArraySize(tasks));
    for (int p = 0; p < result->part_count; p++, expected = expected->next) compare_part(result, p, expected, &tally);
    printf("%s%s: %d answers, %d at a near tie, largest difference %.3g; %.1f s\n", name,
           settings.chat == TEMPLATE_NONE ? "" : " as a chat", tally.answers, tally.tied, tally.likelihood, result->seconds);
    eval_result_destroy(&result);
}

static void compare_model(const char *name, const char *golden_name, int most) {
    char path[PATH_BYTES];
    cJSON *golden;
    struct real_model m;
    snprintf(path, sizeof path, "%s/golden/eval/harness/%s", TEST_SOURCE_DIR, golden_name);
    assert_int_equal(json_parse_file(path, GOLDEN_LIMIT, &golden, NULL), 0);
    real_model_open(name, &m);
    for (const cJSON *run = field(golden, "runs")->child; run; run = run->next)
        compare_run(&m, run, field(golden, "max_new")->valueint, most);
    real_model_close(&m);
    cJSON_Delete(golden);
}

static void answers_as_the_reference_on_smollm2(void **state) {
    (void)state;
    compare_model(REAL_SMOLLM2, "smollm2_135m_instruct.json", 4);
}

static void answers_as_the_reference_on_gemma3(void **state) {
    (void)state;
    compare_model(REAL_GEMMA3, "gemma3_270m.json", 2); /* a large vocabulary: few, to save time */
}

int main(void) {
    if (real_models_absent()) return REAL_MODELS_SKIPPED;
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers_as_the_reference_on_smollm2),
                                       cmocka_unit_test(answers_as_the_reference_on_gemma3)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

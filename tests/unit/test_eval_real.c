/* Log-likelihoods of real models on real records against a plain reference (tests/golden/eval/record.py).
 * Skips where models or records are absent. */
#include "base/hash.h"
#include "eval/requests.h"
#include "io/file.h"
#include "io/json.h"
#include "tests/support/real_model.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const double REAL_TOLERANCE =
    5e-4; /* of a choice: float32 against float32 with a float64 log-softmax */

enum { PATH_BYTES = 1024, GOLDEN_LIMIT = 1 << 22 };

static const char *data_folder(void) {
    const char *folder = getenv("ADAPT_TEST_DATA");
    return folder ? folder : TEST_SOURCE_DIR "/../../shared";
}

static double number(const cJSON *object, const char *name) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
    assert_true(cJSON_IsNumber(value));
    return value->valuedouble;
}

/* The ids, and where the continuation begins, are the reference's. */
static void compare_ids(struct request_encoder *encoder, const struct eval_sample *sample, int choice,
                        const cJSON *expected) {
    struct arena *arena;
    struct request request;
    struct text text = {0};
    char hex[HASH_HEX_BYTES];
    assert_int_equal(arena_create(&arena, NULL), 0);
    assert_int_equal(
        request_encode(encoder, sample->context[choice], sample->continuation[choice], arena, &request, NULL),
        0);
    assert_int_equal(request.length, (int)number(expected, "length"));
    assert_int_equal(request.scored, (int)number(expected, "scored"));
    for (int i = 0; i < request.length; i++) {
        assert_int_equal(text_printf(&text, NULL, "%s%d", i ? "," : "", request.ids[i]), 0);
    }
    assert_int_equal(hash_bytes(text.data, text.length, hex, NULL), 0);
    assert_string_equal(hex, cJSON_GetObjectItemCaseSensitive(expected, "ids")->valuestring);
    text_free(&text);
    arena_destroy(&arena);
}

/* At most `most` records. */
static void compare_benchmark(struct real_model *m, const cJSON *golden, int most) {
    char path[PATH_BYTES];
    struct error err = {0};
    struct eval_result *result;
    int recorded = cJSON_GetArraySize(golden);
    struct eval_settings settings = {.limit = recorded < most ? recorded : most};
    snprintf(path, sizeof path, "%s/data/benchmarks/%s.jsonl", data_folder(), golden->string);
    struct eval_task task = {golden->string, path, NULL};
    if (eval_run(&task, &m->model, &settings, NULL, &result, &err)) fail_msg("%s", err.message);
    assert_int_equal(result->sample_count, settings.limit);
    struct request_encoder *encoder;
    assert_int_equal(request_encoder_create(&m->model, m->config.max_positions, &encoder, NULL), 0);
    double largest = 0;
    int64_t i = 0;
    for (const cJSON *record = golden->child; i < settings.limit; record = record->next, i++) {
        const struct eval_sample *sample = &result->samples[i];
        assert_int_equal(sample->requests, cJSON_GetArraySize(record));
        for (int c = 0; c < sample->requests; c++) {
            const cJSON *expected = cJSON_GetArrayItem(record, c);
            compare_ids(encoder, sample, c, expected);
            double difference = fabs(sample->log_likelihood[c] - number(expected, "log_likelihood"));
            if (!(difference <= REAL_TOLERANCE)) {
                fail_msg("%s, record %lld, choice %d: %.9g, expected %.9g", golden->string, (long long)i, c,
                         sample->log_likelihood[c], number(expected, "log_likelihood"));
            }
            if (difference > largest) largest = difference;
            assert_int_equal(sample->greedy[c],
                             cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(expected, "greedy")));
        }
    }
    printf("%s: largest difference %.3g over %lld requests; %.2f requests/s, %.1f tokens/s\n", golden->string,
           largest, (long long)result->requests, (double)result->requests / result->seconds,
           (double)result->tokens / result->seconds);
    request_encoder_destroy(&encoder);
    eval_result_destroy(&result);
}

static void compare_model(const char *name, const char *golden_name, int most) {
    char path[PATH_BYTES];
    cJSON *golden;
    struct real_model m;
    snprintf(path, sizeof path, "%s/golden/eval/%s", TEST_SOURCE_DIR, golden_name);
    assert_int_equal(json_parse_file(path, GOLDEN_LIMIT, &golden, NULL), 0);
    real_model_open(name, &m);
    const cJSON *benchmarks = cJSON_GetObjectItemCaseSensitive(golden, "benchmarks");
    assert_int_equal(cJSON_GetArraySize(benchmarks), 4);
    for (const cJSON *benchmark = benchmarks->child; benchmark; benchmark = benchmark->next)
        compare_benchmark(&m, benchmark, most);
    real_model_close(&m);
    cJSON_Delete(golden);
}

static void equals_the_reference_on_smollm2(void **state) {
    (void)state;
    compare_model(REAL_SMOLLM2, "smollm2_135m_instruct.json", 50);
}

static void equals_the_reference_on_gemma3(void **state) {
    (void)state;
    compare_model(REAL_GEMMA3, "gemma3_270m.json", 10); /* a large vocabulary: few, to save time */
}

int main(void) {
    char data[PATH_BYTES];
    snprintf(data, sizeof data, "%s/data/benchmarks/arc_challenge.jsonl", data_folder());
    if (!file_exists(data)) {
        printf("skipped: no %s\n", data);
        return REAL_MODELS_SKIPPED;
    }
    if (real_models_absent()) return REAL_MODELS_SKIPPED;
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_the_reference_on_smollm2),
                                       cmocka_unit_test(equals_the_reference_on_gemma3)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

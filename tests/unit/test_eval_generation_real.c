/* Real models generate, and stop, as transformers' generate does under lm-evaluation-harness's stopping
 * criteria (tests/golden/generation): ids and texts. */
#include "eval/generation/generation.h"
#include "io/file.h"
#include "io/json.h"
#include "tests/support/generation_reference.h"
#include "tests/support/model_test.h"
#include "tests/support/real_model.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { REQUESTS_MAX = 8, STRINGS_MAX = 8, PROMPT_MAX = 256 };

static const cJSON *member(const cJSON *object, const char *name) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!value) fail_msg("no \"%s\" was recorded", name);
    return value;
}

static int read_ids(const cJSON *array, int32_t *ids, int most) {
    int count = 0;
    const cJSON *id;
    cJSON_ArrayForEach(id, array) {
        assert_true(cJSON_IsNumber(id) && count < most);
        ids[count++] = id->valueint;
    }
    return count;
}

/* Fills work->requests and what was recorded of them. */
struct set {
    int32_t prompts[REQUESTS_MAX][PROMPT_MAX], ends[STRINGS_MAX];
    const char *stops[STRINGS_MAX];
    struct generation_request requests[REQUESTS_MAX];
    struct generation_answer recorded[REQUESTS_MAX], answers[REQUESTS_MAX];
    struct generation_work work;
};

static void read_set(const cJSON *json, struct set *set) {
    const cJSON *stop, *request;
    int max_new = member(json, "max_new")->valueint;
    struct generation_work *work = &set->work;
    memset(set, 0, sizeof *set);
    *work = (struct generation_work){.requests = set->requests, .stops = set->stops, .end_ids = set->ends};
    cJSON_ArrayForEach(stop, member(json, "stops")) {
        assert_true(work->stop_count < STRINGS_MAX);
        set->stops[work->stop_count++] = stop->valuestring;
    }
    work->end_count = read_ids(member(json, "ends"), set->ends, STRINGS_MAX);
    cJSON_ArrayForEach(request, member(json, "requests")) {
        size_t i = work->count++;
        assert_true(i < REQUESTS_MAX);
        struct generation_answer *recorded = &set->recorded[i];
        int length = read_ids(member(request, "prompt"), set->prompts[i], PROMPT_MAX);
        const char *text = member(request, "text")->valuestring;
        set->requests[i] = (struct generation_request){set->prompts[i], length, max_new, i};
        recorded->count = read_ids(member(request, "ids"), recorded->ids, GENERATION_NEW_MAX);
        recorded->certain = member(request, "certain")->valueint;
        MUST(text_append(&recorded->text, text, strlen(text), err));
    }
}

/* Returns how many answers were compared to their end. */
static int check_set(const struct eval_model *model, const cJSON *json) {
    static struct set set;
    struct generation_answers all = {.answers = set.answers, .count = REQUESTS_MAX};
    struct generation_counts counts;
    int whole = 0;
    read_set(json, &set);
    set.work.done = generation_answer_take;
    set.work.context = &all;
    MUST(generation_run(model, &set.work, 0, &counts, err));
    assert_int_equal(all.taken, set.work.count);
    for (size_t i = 0; i < set.work.count; i++) {
        whole += generation_answer_check(i, &set.answers[i], &set.recorded[i]);
        text_free(&set.answers[i].text);
        text_free(&set.recorded[i].text);
    }
    return whole;
}

static void check_model(const char *name) {
    char path[2048];
    struct real_model m;
    real_model_open(name, &m);
    cJSON *root;
    snprintf(path, sizeof path, TEST_SOURCE_DIR "/golden/generation/%s.json", name);
    MUST(json_parse_file(path, 1 << 20, &root, err));
    const cJSON *set;
    int whole = 0;
    cJSON_ArrayForEach(set, member(root, "sets")) whole += check_set(&m.model, set);
    print_message("  %s: %d answers as recorded\n", name, whole);
    assert_true(whole >= 14);
    real_model_close(&m);
    cJSON_Delete(root);
}

static void smollm2(void **state) {
    (void)state;
    check_model(REAL_SMOLLM2);
}

static void gemma3(void **state) {
    (void)state;
    check_model(REAL_GEMMA3);
}

int main(void) {
    if (real_models_absent()) return REAL_MODELS_SKIPPED;
    const struct CMUnitTest tests[] = {cmocka_unit_test(smollm2), cmocka_unit_test(gemma3)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

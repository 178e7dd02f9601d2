/* The exemplars that the real files yield are those built into lm-evaluation-harness: for each of bbh's
 * tasks, and for mbpp, by the SHA-256 of what stands before the question (recorded by
 * tests/golden/eval/record_harness.py). Skips where the files are absent. */
#include "base/hash.h"
#include "eval/prompts.h"
#include "io/file.h"
#include "io/json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { PATH_BYTES = 1024, GOLDEN_LIMIT = 1 << 22 };

static void data_path(const char *name, char out[PATH_BYTES]) {
    const char *folder = getenv("ADAPT_TEST_DATA");
    snprintf(out, PATH_BYTES, "%s/data/benchmarks/%s", folder ? folder : TEST_SOURCE_DIR "/../../shared",
             name);
}

static void compare_part(const struct document_set *set, int p, const char *question, const cJSON *examples) {
    char hex[HASH_HEX_BYTES];
    const struct document_part *part = &set->parts[p];
    const struct document *document = &set->documents[part->first];
    size_t length = strlen(document->context[0]), tail = strlen(question);
    assert_true(length > tail);
    assert_string_equal(document->context[0] + length - tail, question);
    assert_int_equal(hash_bytes(document->context[0], length - tail, hex, NULL), 0);
    const cJSON *expected = cJSON_GetObjectItemCaseSensitive(examples, part->name ? part->name : "mbpp");
    assert_non_null(expected);
    if (strcmp(hex, expected->valuestring) != 0)
        fail_msg("%s: other exemplars than the reference's", part->path);
}

static void compare_exemplars(const char *name, const char *file, int parts) {
    char path[PATH_BYTES], golden_path[PATH_BYTES];
    const char *questions[64];
    struct arena *arena;
    struct document_set set = {0};
    struct error err = {0};
    struct eval_settings settings = {.shots = -1};
    const struct benchmark *benchmark = benchmark_find(name);
    cJSON *golden;
    int shots;
    data_path(file, path);
    snprintf(golden_path, sizeof golden_path, "%s/golden/eval/harness/%s.json", TEST_SOURCE_DIR, name);
    assert_int_equal(json_parse_file(golden_path, GOLDEN_LIMIT, &golden, NULL), 0);
    const cJSON *examples = cJSON_GetObjectItemCaseSensitive(golden, "examples");
    assert_int_equal(cJSON_GetArraySize(examples), parts);
    assert_int_equal(arena_create(&arena, NULL), 0);
    assert_int_equal(prompts_shots(benchmark, -1, &shots, NULL), 0);
    if (document_set_load(benchmark, path, NULL, shots, 1, arena, &set, &err)) fail_msg("%s", err.message);
    assert_int_equal(set.part_count, parts);
    for (int p = 0; p < parts; p++) questions[p] = set.documents[set.parts[p].first].context[0];
    if (prompts_assemble(benchmark, &settings, shots, &set, &err)) fail_msg("%s", err.message);
    for (int p = 0; p < parts; p++) compare_part(&set, p, questions[p], examples);
    document_set_free(&set);
    arena_destroy(&arena);
    cJSON_Delete(golden);
}

static void bbh_s_exemplars(void **state) {
    (void)state;
    compare_exemplars("bbh", "bbh", 27);
}

static void mbpp_s_exemplars(void **state) {
    (void)state;
    compare_exemplars("mbpp", "mbpp.jsonl", 1);
}

int main(void) {
    char bbh[PATH_BYTES], mbpp[PATH_BYTES];
    data_path("bbh", bbh);
    data_path("mbpp.jsonl", mbpp);
    if (!file_is_folder(bbh) || !file_exists(mbpp)) {
        printf("skipped: needs %s and %s\n", bbh, mbpp);
        return 77;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(bbh_s_exemplars), cmocka_unit_test(mbpp_s_exemplars)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Checkpoints on disk: what is written comes back bit for bit, and every kind of damage is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "io/file.h"
#include "runner/checkpoint/evaluation_file.h"
#include "runner/checkpoint/store.h"
#include "tests/support/demo_experiment.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t words[] = {0, 1, UINT64_MAX, 0x7ff8000000000001u, 0x8000000000000000u}, more[] = {42};
static float numbers[2][96];

static struct manifest make(struct manifest_shard *shards, struct manifest_section *sections) {
    shards[0] = (struct manifest_shard){.first = 0, .count = 32};
    shards[1] = (struct manifest_shard){.first = 32, .count = 32};
    for (int i = 0; i < 2; i++) {
        store_shard_name(3, i, 2, shards[i].file);
        assert_int_equal(hash_bytes(numbers[i], sizeof numbers[i], shards[i].sha256, NULL), 0);
    }
    sections[0] = (struct manifest_section){"odd \"name\"", words, sizeof words / sizeof *words};
    sections[1] = (struct manifest_section){"more", more, 1};
    sections[2] = (struct manifest_section){"none", more, 0};
    return (struct manifest){.identity = "who",
                             .step = 7,
                             .validations = 2,
                             .elements = 64,
                             .moments = true,
                             .shards = shards,
                             .shard_count = 2,
                             .sections = sections,
                             .section_count = 3};
}

static void test_round_trip(void **state) {
    (void)state;
    struct manifest_shard shards[2];
    struct manifest_section sections[3];
    struct manifest manifest = make(shards, sections), *back;
    const struct manifest_section *found;
    struct text text = {0};
    struct error err = {0};
    assert_int_equal(manifest_print(&manifest, &text, &err), 0);
    assert_int_equal(manifest_parse("m", text.data, text.length, &back, &err), 0);
    assert_string_equal(back->identity, "who");
    assert_int_equal(back->step, 7);
    assert_int_equal(back->validations, 2);
    assert_true(back->moments && !back->trained);
    assert_int_equal(back->shard_count, 2);
    assert_memory_equal(&back->shards[1], &shards[1], sizeof shards[1]);
    assert_int_equal(manifest_find(back, "odd \"name\"", 5, &found, &err), 0);
    assert_memory_equal(found->words, words, sizeof words);
    assert_int_equal(manifest_find(back, "none", 0, &found, &err), 0);
    assert_int_equal(found->count, 0);
    assert_int_equal(manifest_find(back, "more", 2, &found, &err), ERROR_INPUT);
    assert_int_equal(manifest_find(back, "absent", 1, &found, &err), ERROR_INPUT);
    manifest_destroy(&back);
    /* Every bit, every length. */
    for (size_t i = 0; i < text.length; i++) {
        text.data[i] ^= (char)(1 << i % 7);
        assert_int_equal(manifest_parse("m", text.data, text.length, &back, &err), ERROR_INPUT);
        assert_null(back);
        text.data[i] ^= (char)(1 << i % 7);
        assert_int_equal(manifest_parse("m", text.data, i, &back, &err), ERROR_INPUT);
    }
    text_free(&text);
}

/* Sealed, and wrong all the same. */
static void refused(const struct manifest *manifest, const char *says) {
    struct manifest *back;
    struct text text = {0};
    struct error err = {0};
    assert_int_equal(manifest_print(manifest, &text, &err), 0);
    assert_int_equal(manifest_parse("m", text.data, text.length, &back, &err), ERROR_INPUT);
    if (!strstr(err.message, says)) fail_msg("\"%s\" does not say \"%s\"", err.message, says);
    text_free(&text);
}

static void test_wrong_shards(void **state) {
    (void)state;
    struct manifest_shard shards[2];
    struct manifest_section sections[3];
    struct manifest manifest = make(shards, sections);
    shards[1].first = 33;
    refused(&manifest, "does not go on");
    shards[1].first = 32, shards[1].count = 33;
    refused(&manifest, "does not go on");
    shards[1].count = 31;
    refused(&manifest, "hold 63 of 64");
    shards[1].count = 32;
    snprintf(shards[1].file, sizeof shards[1].file, "../escape");
    refused(&manifest, "no good name");
    snprintf(shards[1].file, sizeof shards[1].file, ".hidden");
    refused(&manifest, "no good name");
    store_shard_name(3, 1, 2, shards[1].file);
    shards[1].sha256[10] = '\0';
    refused(&manifest, "no SHA-256");
}

static void write_shards(const char *folder, int64_t number, struct manifest *manifest) {
    struct error err = {0};
    for (int i = 0; i < 2; i++) {
        char *path;
        store_shard_name(number, i, 2, manifest->shards[i].file);
        assert_int_equal(file_join(folder, manifest->shards[i].file, &path, &err), 0);
        assert_int_equal(file_write(path, numbers[i], sizeof numbers[i], &err), 0);
        memory_free(path);
    }
}

static void expect_numbers(const char *folder, const char *expected, int64_t next) {
    int64_t *list, found_next;
    size_t count;
    char text[128] = "";
    assert_int_equal(store_list(folder, &list, &count, &found_next, NULL), 0);
    for (size_t i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%lld ", (long long)list[i]);
    assert_string_equal(text, expected);
    assert_int_equal(found_next, next);
    memory_free(list);
}

static void test_store(void **state) {
    (void)state;
    char base[256], folder[512], path[1024];
    struct manifest_shard shards[2];
    struct manifest_section sections[3];
    struct error err = {0};
    assert_int_equal(demo_folder(base, &err), 0);
    snprintf(folder, sizeof folder, "%s/cell.checkpoint", base);
    expect_numbers(folder, "", 0);
    assert_int_equal(file_make_folder(folder, &err), 0);
    struct manifest manifest = make(shards, sections), *back;
    for (int64_t number = 0; number < 4; number++) {
        write_shards(folder, number, &manifest);
        if (number == 1) continue; /* never made whole */
        assert_int_equal(store_commit(folder, number, &manifest, &err), 0);
    }
    expect_numbers(folder, "3 2 ", 4);
    store_shard_name(1, 0, 2, path + snprintf(path, sizeof path, "%s/", folder));
    assert_false(file_exists(path)); /* older than the two that are kept */
    assert_int_equal(store_read(folder, 3, &back, &err), 0);
    assert_int_equal(store_verify(folder, back, 0, 1, &err), 0);
    /* A shard of another length, of other bits, and none. */
    store_shard_name(3, 1, 2, path + snprintf(path, sizeof path, "%s/", folder));
    assert_int_equal(truncate(path, sizeof numbers[1] - 1), 0);
    assert_int_equal(store_verify(folder, back, 0, 1, &err), ERROR_INPUT);
    assert_int_equal(store_verify(folder, back, 0, 2, &err), 0); /* the other one's */
    assert_int_equal(truncate(path, sizeof numbers[1]), 0);
    assert_int_equal(store_verify(folder, back, 1, 2, &err), ERROR_INPUT);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(store_verify(folder, back, 1, 2, &err), ERROR_IO);
    manifest_destroy(&back);
    store_drop(folder, 3);
    expect_numbers(folder, "2 ", 3);
    assert_int_equal(file_remove_tree(base, &err), 0);
}

static void test_evaluation(void **state) {
    (void)state;
    char base[256], path[512];
    struct error err = {0};
    struct arena *arena;
    assert_int_equal(demo_folder(base, &err), 0);
    assert_int_equal(arena_create(&arena, &err), 0);
    snprintf(path, sizeof path, "%s/e.json", base);
    const double likelihood[] = {-0.1, -INFINITY, NAN};
    const struct archive_sample samples[] = {{"a", "1", "0", likelihood, 3, NULL, 0.25},
                                             {"b\n\"", "", "☃", NULL, 0, "text", 1.0 / 3}};
    const struct archive_metric metrics[] = {{"acc", "none", 0.1, NAN}};
    const struct archive_part parts[] = {{"one", 3, 0.7, 0.01}};
    struct archive_evaluation e = {.benchmark = "bbh",
                                   .category = "reasoning",
                                   .version = "3",
                                   .metric = "acc",
                                   .score = 0.1,
                                   .standard_error = NAN,
                                   .n = 2,
                                   .step = 41,
                                   .share = 0.3,
                                   .shots = 3,
                                   .chat_template = "none",
                                   .data_hash = "d",
                                   .prompt_hash = "p",
                                   .metrics = metrics,
                                   .metric_count = 1,
                                   .parts = parts,
                                   .part_count = 1,
                                   .samples = samples,
                                   .sample_count = 2},
                              back;
    assert_int_equal(evaluation_file_write(path, &e, &err), 0);
    assert_int_equal(evaluation_file_read(path, arena, &back, &err), 0);
    assert_string_equal(back.benchmark, "bbh");
    assert_true(back.score == e.score && isnan(back.standard_error) && back.share == 0.3 && back.step == 41 &&
                back.n == 2);
    assert_true(back.metrics[0].value == 0.1 && isnan(back.metrics[0].standard_error));
    assert_string_equal(back.parts[0].name, "one");
    assert_int_equal(back.samples[0].choices, 3);
    assert_true(back.samples[0].log_likelihood[0] == -0.1 && back.samples[0].log_likelihood[1] == -INFINITY &&
                isnan(back.samples[0].log_likelihood[2]));
    assert_null(back.samples[0].response);
    assert_string_equal(back.samples[1].id, "b\n\"");
    assert_string_equal(back.samples[1].target, "☃");
    assert_string_equal(back.samples[1].response, "text");
    assert_true(back.samples[1].score == 1.0 / 3);
    assert_int_equal(truncate(path, 300), 0);
    assert_int_equal(evaluation_file_read(path, arena, &back, &err), ERROR_INPUT);
    arena_destroy(&arena);
    assert_int_equal(file_remove_tree(base, &err), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip), cmocka_unit_test(test_wrong_shards),
                                       cmocka_unit_test(test_store), cmocka_unit_test(test_evaluation)};
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 96; j++) numbers[i][j] = (float)(100 * i + j);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Errors, memory, texts, hashes and random numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/setting.h"
#include "base/text.h"
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

static void test_error_message_and_context(void **state) {
    (void)state;
    struct error err = {0};
    assert_int_equal(error_set(&err, ERROR_INPUT, "field %s is %d", "x", 3), ERROR_INPUT);
    assert_string_equal(err.message, "field x is 3");
    assert_int_equal(error_context(&err, "file %s", "a.json"), ERROR_INPUT);
    assert_string_equal(err.message, "file a.json: field x is 3");
    errno = ENOSPC;
    assert_int_equal(error_set_errno(&err, "cannot write %s", "b"), ERROR_IO);
    assert_string_equal(err.message, "cannot write b: No space left on device");
    assert_int_equal(error_set(NULL, ERROR_IO, "dropped"), ERROR_IO);
}

static void test_error_long_message_is_cut(void **state) {
    (void)state;
    struct error err = {0};
    char longer[5000];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    error_set(&err, ERROR_INPUT, "%s", longer);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    error_context(&err, "context");
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_memory_equal(err.message, "context: aaa", 12);
    error_context(&err, "%s", longer);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
}

static void test_memory_zeroed_and_overflow(void **state) {
    (void)state;
    struct error err = {0};
    unsigned char *bytes;
    assert_int_equal(memory_alloc(&bytes, 100, 3, &err), 0);
    assert_int_equal((uintptr_t)bytes % 64, 0);
    for (int i = 0; i < 300; i++) assert_int_equal(bytes[i], 0);
    memory_free(bytes);
    assert_int_equal(memory_alloc(&bytes, SIZE_MAX / 2, 3, &err), ERROR_MEMORY);
    assert_null(bytes);
    int *array = NULL;
    size_t capacity = 0;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(memory_reserve(&array, &capacity, (size_t)i + 1, sizeof *array, &err), 0);
        array[i] = i;
    }
    for (int i = 0; i < 1000; i++) assert_int_equal(array[i], i);
    memory_free(array);
}

static void test_arena(void **state) {
    (void)state;
    struct error err = {0};
    struct arena *arena;
    char *small[500], *large;
    assert_int_equal(arena_create(&arena, &err), 0);
    for (int i = 0; i < 500; i++)
        assert_int_equal(arena_copy(arena, "0123456789abcdef", (size_t)(i % 17), &small[i], &err), 0);
    assert_int_equal(arena_alloc(arena, &large, 1 << 20, 1, &err), 0);
    memset(large, 1, 1 << 20);
    for (int i = 0; i < 500; i++) assert_int_equal(strlen(small[i]), i % 17);
    arena_destroy(&arena);
    assert_null(arena);
    arena_destroy(&arena);
}

static void test_text(void **state) {
    (void)state;
    struct error err = {0};
    struct text text = {0};
    assert_string_equal(text_string(&text), "");
    for (int i = 0; i < 100; i++) assert_int_equal(text_printf(&text, &err, "%d,", i), 0);
    assert_int_equal(text_append(&text, "a\0b", 3, &err), 0);
    assert_int_equal(text.length, 10 * 2 + 90 * 3 + 3);
    assert_memory_equal(text.data + text.length - 3, "a\0b", 4);
    text_clear(&text);
    assert_string_equal(text_string(&text), "");
    text_free(&text);
}

static void test_hash(void **state) {
    (void)state;
    struct error err = {0};
    char hex[HASH_HEX_BYTES], other[HASH_HEX_BYTES];
    assert_int_equal(hash_bytes("abc", 3, hex, &err), 0); /* FIPS 180-2, appendix B.1 */
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    struct hash *hash;
    assert_int_equal(hash_create(&hash, &err), 0);
    assert_int_equal(hash_update_string(hash, "ab", &err), 0);
    assert_int_equal(hash_update_string(hash, "c", &err), 0);
    assert_int_equal(hash_finish(&hash, hex, &err), 0);
    assert_null(hash);
    assert_int_equal(hash_create(&hash, &err), 0);
    assert_int_equal(hash_update_string(hash, "a", &err), 0);
    assert_int_equal(hash_update_string(hash, "bc", &err), 0);
    assert_int_equal(hash_finish(&hash, other, &err), 0);
    assert_string_not_equal(hex, other);
    assert_true(hash_short("abc", 3, 0) != hash_short("abd", 3, 0));
    assert_true(hash_short("abc", 3, 0) != hash_short("abc", 3, 1));
}

static void test_random_moments(void **state) {
    (void)state;
    struct random_key key = {42, RANDOM_TEST, 0};
    enum { N = 100000 };
    double mean = 0, square = 0, normal_mean = 0, normal_square = 0;
    for (int i = 0; i < N; i++) {
        double u = random_uniform(key, (uint64_t)i), z = random_normal(key, (uint64_t)i);
        assert_true(u >= 0.0 && u < 1.0);
        mean += u / N;
        square += u * u / N;
        normal_mean += z / N;
        normal_square += z * z / N;
    }
    /* five standard errors of each estimate */
    assert_true(fabs(mean - 0.5) < 5 * 0.2887 / sqrt(N));
    assert_true(fabs(square - 1.0 / 3) < 5 * 0.2981 / sqrt(N));
    assert_true(fabs(normal_mean) < 5 / sqrt(N));
    assert_true(fabs(normal_square - 1.0) < 5 * sqrt(2.0 / N));
}

static void test_random_is_a_pure_function(void **state) {
    (void)state;
    struct random_key a = {1, RANDOM_TEST, 0}, b = {1, RANDOM_TEST, 1}, c = {1, RANDOM_TASK, 0},
                      d = {2, RANDOM_TEST, 0};
    assert_true(random_bits(a, 7) == random_bits(a, 7));
    assert_true(random_bits(a, 7) != random_bits(a, 8));
    assert_true(random_bits(a, 7) != random_bits(b, 7));
    assert_true(random_bits(a, 7) != random_bits(c, 7));
    assert_true(random_bits(a, 7) != random_bits(d, 7));
    for (uint64_t i = 0; i < 1000; i++) assert_true(random_below(a, i, 7) < 7);
}

static void test_permutation_is_a_bijection(void **state) {
    (void)state;
    static const uint64_t counts[] = {1, 2, 3, 5, 16, 17, 100, 1000, 4097};
    static bool seen[4097];
    for (size_t n = 0; n < sizeof counts / sizeof *counts; n++) {
        for (uint32_t stream = 0; stream < 3; stream++) {
            struct random_key key = {9, RANDOM_TEST, stream};
            memset(seen, 0, sizeof seen);
            for (uint64_t i = 0; i < counts[n]; i++) {
                uint64_t to = random_permuted(key, i, counts[n]);
                assert_true(to < counts[n]);
                assert_false(seen[to]);
                seen[to] = true;
            }
        }
    }
}

/* Every element is about equally often first: the chi-square statistic over 10 places stays below its 1e-6
 * quantile. */
static void test_permutation_is_fair(void **state) {
    (void)state;
    enum { PLACES = 10, TRIALS = 20000 };
    int count[PLACES] = {0};
    for (uint32_t trial = 0; trial < TRIALS; trial++)
        count[random_permuted((struct random_key){5, RANDOM_TEST, trial}, 0, PLACES)]++;
    double expected = (double)TRIALS / PLACES, chi = 0;
    for (int i = 0; i < PLACES; i++) chi += (count[i] - expected) * (count[i] - expected) / expected;
    assert_true(chi < 45.1);
}

struct sample {
    double real;
    long long count;
    bool flag;
    int choice;
    const char *text;
};

static void test_setting_defaults(void **state) {
    (void)state;
    static const struct setting table[] = {
        {.name = "real", .kind = SETTING_REAL, .offset = offsetof(struct sample, real), .initial = 0.25},
        {.name = "count", .kind = SETTING_COUNT, .offset = offsetof(struct sample, count), .initial = 7},
        {.name = "flag", .kind = SETTING_FLAG, .offset = offsetof(struct sample, flag), .initial = 1},
        {.name = "choice", .kind = SETTING_CHOICE, .offset = offsetof(struct sample, choice), .initial = 2},
        {.name = "text", .kind = SETTING_TEXT, .offset = offsetof(struct sample, text), .initial_text = "t"},
        {0}};
    struct sample sample;
    setting_defaults(table, &sample);
    assert_true(sample.real == 0.25 && sample.count == 7 && sample.flag && sample.choice == 2);
    assert_string_equal(sample.text, "t");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_message_and_context),
        cmocka_unit_test(test_error_long_message_is_cut),
        cmocka_unit_test(test_memory_zeroed_and_overflow),
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_random_moments),
        cmocka_unit_test(test_random_is_a_pure_function),
        cmocka_unit_test(test_permutation_is_a_bijection),
        cmocka_unit_test(test_permutation_is_fair),
        cmocka_unit_test(test_setting_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

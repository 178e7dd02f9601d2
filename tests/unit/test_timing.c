/* The timing backend does what its inner one does, keeps the time by kind, and lacks no operation. */
#include "train/timing/timing.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

struct pair {
    struct backend *inner, *timing;
};

static struct pair make(void) {
    struct pair pair;
    assert_int_equal(backend_create("cpu", 2, &pair.inner, NULL), 0);
    assert_int_equal(timing_create(pair.inner, &pair.timing, NULL), 0);
    return pair;
}

static void destroy(struct pair *pair) {
    backend_destroy(&pair->timing);
    backend_destroy(&pair->inner);
}

/* Every member behind the name is a function pointer. */
static void no_operation_is_missing(void **state) {
    (void)state;
    struct pair pair = make();
    size_t first = offsetof(struct backend, buffer_create);
    for (size_t at = first; at < sizeof(struct backend); at += sizeof(void (*)(void))) {
        void (*mine)(void), (*theirs)(void);
        memcpy(&mine, (char *)pair.timing + at, sizeof mine);
        memcpy(&theirs, (char *)pair.inner + at, sizeof theirs);
        assert_non_null(theirs);
        assert_non_null(mine);
        assert_true(mine != theirs);
    }
    destroy(&pair);
}

static void results_are_the_inner_ones(void **state) {
    (void)state;
    enum { N = 40 };
    struct pair pair = make();
    struct backend *b = pair.timing;
    struct buffer *buffer;
    float numbers[N * N], product[N * N];
    double seconds[TIMED_COUNT];
    for (int i = 0; i < N * N; i++) numbers[i] = (float)(i % 7 - 3);
    assert_int_equal(b->buffer_create(b, 2 * sizeof numbers, &buffer, NULL), 0);
    struct view x = {buffer, 0, DTYPE_F32}, y = view_at(x, (size_t)N * N);
    b->upload(b, x, numbers, (size_t)N * N);
    timing_take(b, seconds);
    b->matmul(b, false, true, N, N, N, 1, x, N, x, N, 0, y, N);
    assert_int_equal(b->check(b, NULL), 0);
    b->download(b, y, product, (size_t)N * N);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            float sum = 0;
            for (int k = 0; k < N; k++) sum += numbers[i * N + k] * numbers[j * N + k];
            assert_true(product[i * N + j] == sum);
        }
    timing_take(b, seconds);
    for (int i = 0; i < TIMED_COUNT; i++) assert_true(i == TIMED_LINEAR ? seconds[i] > 0 : seconds[i] == 0);
    timing_take(b, seconds);
    assert_true(seconds[TIMED_LINEAR] == 0);
    b->matmul(b, true, false, N, N, N, 1, x, N, x, N, 0, y, N);
    b->matmul(b, false, false, N, N, N, 1, x, N, x, N, 0, y, N);
    timing_take(b, seconds);
    assert_true(seconds[TIMED_LINEAR_WEIGHT] > 0 && seconds[TIMED_LINEAR_INPUT] > 0 &&
                seconds[TIMED_LINEAR] == 0);
    b->buffer_destroy(b, &buffer);
    destroy(&pair);
}

/* A failure of the inner backend is told by the outer one. */
static void failures_pass_through(void **state) {
    (void)state;
    struct pair pair = make();
    struct error err = {0};
    pair.timing->zero(pair.timing, 5, view_none());
    assert_int_not_equal(pair.timing->check(pair.timing, &err), 0);
    assert_non_null(strstr(err.message, "zero"));
    assert_int_equal(pair.timing->check(pair.timing, &err), 0);
    destroy(&pair);
}

static void kinds_have_names(void **state) {
    (void)state;
    for (int i = 0; i < TIMED_COUNT; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(timed_name((enum timed)i), timed_name((enum timed)j));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_operation_is_missing),
        cmocka_unit_test(results_are_the_inner_ones),
        cmocka_unit_test(failures_pass_through),
        cmocka_unit_test(kinds_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

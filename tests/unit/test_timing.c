/* Time stamps; and the timing backend: it does what its inner one does, keeps the time by kind, and lacks no
 * operation. On the backend of BACKEND-ARGUMENT. */
#include "train/timing/timing.h"
#include "tests/support/backend_test.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { N = 96, MANY = 3 * BACKEND_STAMPS }; /* a side of a product; more operations than are kept at a time */

/* Of the time between two stamps, what large products between them take at least: their own stamps, and
 * copies of memcheck, are the rest. */
static const double LARGE_SHARE = 0.5;
static const double CLOCK_ERROR = 1e-6; /* seconds, of a sum of two differences */

struct pair {
    struct backend *inner, *timing;
    struct buffer *buffer;
    struct view x, y; /* [N,N]; x holds small whole numbers */
    float numbers[N * N];
};

static const char *name;

static int make(void **state) {
    static struct pair pair;
    assert_int_equal(test_backend_create(name, 2, &pair.inner, NULL), 0);
    assert_int_equal(timing_create(pair.inner, &pair.timing, NULL), 0);
    struct backend *b = pair.timing;
    assert_int_equal(b->buffer_create(b, 2 * sizeof pair.numbers, &pair.buffer, NULL), 0);
    pair.x = (struct view){pair.buffer, 0, DTYPE_F32};
    pair.y = view_at(pair.x, (size_t)N * N);
    for (int i = 0; i < N * N; i++) pair.numbers[i] = (float)(i % 7 - 3);
    b->upload(b, pair.x, pair.numbers, (size_t)N * N);
    *state = &pair;
    return 0;
}

static int destroy(void **state) {
    struct pair *pair = *state;
    pair->timing->buffer_destroy(pair->timing, &pair->buffer);
    backend_destroy(&pair->timing);
    backend_destroy(&pair->inner);
    return 0;
}

static void multiply(struct pair *pair, struct backend *b, bool transpose_a, bool transpose_b) {
    b->matmul(b, transpose_a, transpose_b, N, N, N, 1, pair->x, N, pair->x, N, 0, pair->y, N);
}

static void expect_failure(struct backend *b, const char *operation) {
    struct error err = {0};
    assert_int_equal(b->check(b, &err), ERROR_INTERNAL);
    assert_non_null(strstr(err.message, operation));
    assert_int_equal(b->check(b, NULL), 0);
}

/* ---- stamps, of a backend alone */

static void stamps_are_in_the_order_of_operations(void **state) {
    struct pair *pair = *state;
    struct backend *b = pair->inner;
    const int last = BACKEND_STAMPS - 1;
    assert_true(b->stamp_seconds(b, 0, 1) == 0); /* nowhere yet */
    b->stamp(b, 0);
    assert_true(b->stamp_seconds(b, 0, 1) == 0 && b->stamp_seconds(b, 1, 0) == 0);
    assert_true(b->stamp_seconds(b, 0, 0) == 0);
    multiply(pair, b, false, true);
    b->stamp(b, 1);
    multiply(pair, b, false, true);
    b->stamp(b, last);
    double first = b->stamp_seconds(b, 0, 1), second = b->stamp_seconds(b, 1, last);
    assert_true(first > 0 && second > 0 && b->stamp_seconds(b, 1, 0) == -first);
    assert_true(fabs(b->stamp_seconds(b, 0, last) - first - second) < CLOCK_ERROR);
    b->stamp(b, 0); /* moves */
    assert_true(b->stamp_seconds(b, last, 0) > 0);
    assert_int_equal(b->check(b, NULL), 0);
}

/* Nothing comes of them, and nobody waits for ever. */
static void stamps_after_a_failure(void **state) {
    struct pair *pair = *state;
    struct backend *b = pair->inner;
    b->stamp(b, 0);
    multiply(pair, b, false, true);
    b->stamp(b, 1);
    b->zero(b, 5, view_none());
    assert_true(b->stamp_seconds(b, 0, 1) == 0);
    b->stamp(b, 1);
    assert_true(b->stamp_seconds(b, 0, 1) == 0);
    expect_failure(b, "zero");
    assert_true(b->stamp_seconds(b, 0, 1) >= 0);
    b->stamp(b, 2);
    multiply(pair, b, false, true);
    b->stamp(b, 3);
    assert_true(b->stamp_seconds(b, 2, 3) > 0);
    for (int i = -1; i <= BACKEND_STAMPS; i += BACKEND_STAMPS + 1) {
        b->stamp(b, i);
        expect_failure(b, "stamp: number");
        assert_true(b->stamp_seconds(b, i, 2) == 0);
        expect_failure(b, "stamp_seconds: number");
        assert_true(b->stamp_seconds(b, 2, i) == 0);
        expect_failure(b, "stamp_seconds: number");
    }
}

/* ---- the timing backend */

/* Every member behind the name is a function pointer. The last ones link devices, where there are such. */
static void no_operation_is_missing(void **state) {
    struct pair *pair = *state;
    size_t first = offsetof(struct backend, buffer_create);
    for (size_t at = first; at < sizeof(struct backend); at += sizeof(void (*)(void))) {
        void (*mine)(void), (*theirs)(void);
        memcpy(&mine, (char *)pair->timing + at, sizeof mine);
        memcpy(&theirs, (char *)pair->inner + at, sizeof theirs);
        assert_true(theirs || at >= offsetof(struct backend, device_pointer));
        assert_true(theirs ? mine && mine != theirs : !mine);
    }
}

static void results_are_the_inner_ones(void **state) {
    struct pair *pair = *state;
    struct backend *b = pair->timing;
    float product[N * N];
    double seconds[TIMED_COUNT];
    timing_take(b, seconds);
    for (int i = 0; i < TIMED_COUNT; i++) assert_true(seconds[i] == 0);
    multiply(pair, b, false, true);
    assert_int_equal(b->check(b, NULL), 0);
    b->download(b, pair->y, product, (size_t)N * N);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            float sum = 0;
            for (int k = 0; k < N; k++) sum += pair->numbers[i * N + k] * pair->numbers[j * N + k];
            assert_true(product[i * N + j] == sum);
        }
    timing_take(b, seconds);
    for (int i = 0; i < TIMED_COUNT; i++) assert_true(i == TIMED_LINEAR ? seconds[i] > 0 : seconds[i] == 0);
    timing_take(b, seconds);
    assert_true(seconds[TIMED_LINEAR] == 0);
    multiply(pair, b, true, false);
    multiply(pair, b, false, false);
    timing_take(b, seconds);
    assert_true(seconds[TIMED_LINEAR_WEIGHT] > 0 && seconds[TIMED_LINEAR_INPUT] > 0 &&
                seconds[TIMED_LINEAR] == 0);
}

static double sum_of(const double *seconds) {
    double sum = 0;
    for (int i = 0; i < TIMED_COUNT; i++) sum += seconds[i];
    return sum;
}

/* What operations take, not what calling them takes: beside stamps around them all. */
static void large_operations_take_the_time(void **state) {
    struct pair *pair = *state;
    struct backend *b = pair->timing;
    double seconds[TIMED_COUNT];
    timing_take(b, seconds);
    b->stamp(b, 0);
    for (int i = 0; i < 30; i++) multiply(pair, b, false, i % 2);
    b->stamp(b, 1);
    timing_take(b, seconds);
    double total = b->stamp_seconds(b, 0, 1), sum = sum_of(seconds);
    assert_true(sum <= total + 30 * CLOCK_ERROR && sum >= LARGE_SHARE * total);
}

/* ---- on a clock that goes on by known steps alone */

struct made_up {
    double now, stamp[BACKEND_STAMPS];
    int asked; /* times */
};
static struct made_up made_up;

static void made_up_scale(struct backend *b, size_t n, float a, struct view x) {
    (void)b, (void)a, (void)x;
    made_up.now += (double)n;
}

static void made_up_zero(struct backend *b, size_t n, struct view x) {
    made_up_scale(b, n, 0, x);
}

static void made_up_embed(struct backend *b, int rows, int hidden, float factor, struct view ids,
                          struct view table, struct view out) {
    (void)hidden, (void)ids, (void)table;
    made_up_scale(b, (size_t)rows, factor, out);
}

static void made_up_stamp(struct backend *b, int i) {
    (void)b;
    made_up.stamp[i] = made_up.now;
    made_up.now += 0.5;
}

static double made_up_seconds(struct backend *b, int from, int to) {
    (void)b;
    made_up.asked++;
    return made_up.stamp[to] - made_up.stamp[from];
}

/* Each of more operations than are kept is counted, once, as what it is. */
static void many_operations_are_added_up(void **state) {
    struct pair *pair = *state;
    struct backend *b = pair->timing, *inner = pair->inner;
    double seconds[TIMED_COUNT], other = 0, embed = 0;
    made_up = (struct made_up){0};
    inner->scale = made_up_scale;
    inner->zero = made_up_zero;
    inner->embed = made_up_embed;
    inner->stamp = made_up_stamp;
    inner->stamp_seconds = made_up_seconds;
    for (int round = 0; round < 3; round++, other = embed = 0) {
        for (int i = 0; i < MANY; i++) {
            int each = i % 11 + 1; /* and half a second is behind the first stamp */
            *(i % 3 == 1 ? &embed : &other) += each + 0.5;
            if (i % 3 == 0) b->scale(b, (size_t)each, 1, pair->x);
            if (i % 3 == 1) b->embed(b, each, 1, 1, pair->x, pair->x, pair->y);
            if (i % 3 == 2) b->zero(b, (size_t)each, pair->x);
        }
        /* Not all are asked for while others are to come. */
        assert_true(made_up.asked > round * MANY && made_up.asked < (round + 1) * MANY);
        timing_take(b, seconds);
        assert_int_equal(made_up.asked, (round + 1) * MANY);
        assert_true(seconds[TIMED_OTHER] == other && seconds[TIMED_EMBED] == embed);
        assert_true(sum_of(seconds) == other + embed);
    }
}

/* A failure of the inner backend is told by the outer one, and its operations count as nothing. */
static void failures_pass_through(void **state) {
    struct pair *pair = *state;
    struct backend *b = pair->timing;
    double seconds[TIMED_COUNT];
    for (int i = 0; i < MANY; i++) b->scale(b, 1, 1, pair->x);
    b->zero(b, 5, view_none());
    multiply(pair, b, false, true);
    timing_take(b, seconds);
    expect_failure(b, "zero");
    timing_take(b, seconds);
    for (int i = 0; i < TIMED_COUNT; i++) assert_true(seconds[i] == 0);
    multiply(pair, b, false, true);
    timing_take(b, seconds);
    assert_true(seconds[TIMED_LINEAR] > 0);
}

static void kinds_have_names(void **state) {
    (void)state;
    for (int i = 0; i < TIMED_COUNT; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(timed_name((enum timed)i), timed_name((enum timed)j));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stamps_are_in_the_order_of_operations, make, destroy),
        cmocka_unit_test_setup_teardown(stamps_after_a_failure, make, destroy),
        cmocka_unit_test_setup_teardown(no_operation_is_missing, make, destroy),
        cmocka_unit_test_setup_teardown(results_are_the_inner_ones, make, destroy),
        cmocka_unit_test_setup_teardown(large_operations_take_the_time, make, destroy),
        cmocka_unit_test_setup_teardown(many_operations_are_added_up, make, destroy),
        cmocka_unit_test_setup_teardown(failures_pass_through, make, destroy),
        cmocka_unit_test(kinds_have_names),
    };
    name = argc > 1 ? argv[1] : "cpu";
    return cmocka_run_group_tests(tests, NULL, NULL);
}

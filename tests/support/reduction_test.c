#include "tests/support/reduction_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/random.h"
#include "runner/reduction.h"
#include "tests/support/linked_group.h"
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* More buckets than are ever on their way at a time, and the last one is short. */
enum { N = 10007, BUCKET = 401, BEFORE = 3 };

struct world {
    struct group group;
    struct backend *backend;
    struct buffer *buffer;
    struct view vector; /* [N], from BEFORE on in its buffer */
    struct reduction *reduction;
};

static const struct linked_case *cases;

static void open_world(struct world *w, const struct linked_case *chosen) {
    struct error err = {0};
    linked_group_open(chosen, &w->group, &w->backend);
    assert_int_equal(w->backend->buffer_create(w->backend, (BEFORE + N) * sizeof(float), &w->buffer, &err),
                     0);
    w->vector = (struct view){w->buffer, BEFORE, DTYPE_F32};
    assert_int_equal(reduction_create(&w->group, w->backend, N, BUCKET, &w->reduction, &err), 0);
}

static void close_world(struct world *w) {
    reduction_destroy(&w->reduction);
    assert_null(w->reduction);
    w->backend->buffer_destroy(w->backend, &w->buffer);
    linked_group_close(&w->group, &w->backend);
}

static void pause_milliseconds(int milliseconds) {
    const struct timespec pause = {.tv_nsec = milliseconds * 1000000L};
    nanosleep(&pause, NULL);
}

static void upload(struct world *w, const float *values) {
    w->backend->upload(w->backend, w->vector, values, N);
}

static void download(struct world *w, float *values) {
    struct error err = {0};
    w->backend->download(w->backend, w->vector, values, N);
    assert_int_equal(w->backend->check(w->backend, &err), 0);
}

/* Small whole numbers: their sums are exact. */
static float whole(int i, int rank, int round) {
    return (float)(i % 100 + (round + 1) * rank);
}

static float whole_sum(int i, int ranks, int round) {
    return (float)(ranks * (i % 100) + (round + 1) * ranks * (ranks - 1) / 2);
}

/* A rank's computation: it finishes the vector from the end in pieces of its own, at a pace of its own. */
static void compute(struct world *w, int round) {
    static float piece[N];
    size_t end = N, step = 97 + 400 * (size_t)((w->group.rank + round) % 3);
    while (end > 0) {
        size_t first = end > step ? end - step : 0;
        for (size_t i = first; i < end; i++) piece[i] = whole((int)i, w->group.rank, round);
        w->backend->upload(w->backend, view_at(w->vector, first), piece + first, end - first);
        reduction_hand_over(w->reduction, first);
        if ((first / step + (size_t)w->group.rank) % 8 == 0) pause_milliseconds(1);
        end = first;
    }
}

static void test_sums_while_computing(void **state) {
    (void)state;
    static float values[N];
    for (const struct linked_case *chosen = cases; chosen->device; chosen++) {
        struct world w;
        struct error err = {0};
        open_world(&w, chosen);
        for (int round = 0; round < 4; round++) {
            reduction_begin(w.reduction, w.vector);
            compute(&w, round);
            assert_int_equal(reduction_finish(w.reduction, &err), 0);
            download(&w, values);
            for (int i = 0; i < N; i++) assert_true(values[i] == whole_sum(i, w.group.size, round));
            double ranks = 1; /* other calls in between */
            assert_int_equal(group_sum(&w.group, &ranks, 1, &err), 0);
            assert_true(ranks == w.group.size);
        }
        close_world(&w);
    }
}

/* The same bits, handed over early or all at the end. */
static void test_the_same_bits(void **state) {
    (void)state;
    static float values[N], early[N], late[N];
    for (const struct linked_case *chosen = cases; chosen->device; chosen++) {
        struct world w;
        struct error err = {0};
        open_world(&w, chosen);
        struct random_key key = {3, RANDOM_TEST, (uint32_t)w.group.rank};
        for (int i = 0; i < N; i++) values[i] = (float)random_normal(key, (uint64_t)i);
        upload(&w, values);
        reduction_begin(w.reduction, w.vector);
        for (size_t first = N - N % 500; first > 0; first -= 500) reduction_hand_over(w.reduction, first);
        assert_int_equal(reduction_finish(w.reduction, &err), 0);
        download(&w, early);
        upload(&w, values);
        assert_int_equal(reduction_sum(w.reduction, w.vector, &err), 0);
        download(&w, late);
        assert_memory_equal(early, late, sizeof early);
        double largest = 0; /* and something was summed */
        for (int i = 0; i < N; i++) largest = fmax(largest, fabs((double)early[i] - (double)values[i]));
        assert_true(w.group.size == 1 || largest > 0.1);
        close_world(&w);
    }
}

/* A rank that fails in its computation hands nothing over and comes to the end: the others are not held up,
 * and what it had is in the sums. Afterwards the sums go on. */
static void test_a_rank_that_fails(void **state) {
    (void)state;
    static float values[N];
    for (const struct linked_case *chosen = cases; chosen->device; chosen++) {
        struct world w;
        struct error err = {0};
        open_world(&w, chosen);
        for (int round = 0; round < 3; round++) {
            bool fails = round == 1 && w.group.rank == w.group.size - 1;
            int code = 0;
            for (int i = 0; i < N; i++) values[i] = fails ? NAN : whole(i, w.group.rank, round);
            upload(&w, values);
            reduction_begin(w.reduction, w.vector);
            if (fails)
                code = error_set(&err, ERROR_DEVICE, "it broke");
            else
                compute(&w, round);
            assert_int_equal(reduction_finish(w.reduction, code ? NULL : &err), 0);
            assert_int_equal(group_agree(&w.group, code, &err), round == 1 ? ERROR_DEVICE : 0);
            download(&w, values);
            for (int i = 0; i < N; i++)
                assert_true(round == 1 ? isnan(values[i]) : values[i] == whole_sum(i, w.group.size, round));
        }
        close_world(&w);
    }
}

/* What is handed over early is summed while the owner does something else. */
static void test_counters(void **state) {
    (void)state;
    static float values[N];
    struct world w;
    struct error err = {0};
    open_world(&w, &cases[0]);
    upload(&w, values);
    assert_int_equal(group_barrier(&w.group, &err), 0);
    reduction_begin(w.reduction, w.vector);
    reduction_hand_over(w.reduction, 0);
    double start = clock_seconds();
    while (clock_seconds() - start < 0.3) { /* a computation that looks in now and then */
        pause_milliseconds(10);
        reduction_hand_over(w.reduction, 0);
    }
    assert_int_equal(reduction_finish(w.reduction, &err), 0);
    struct reduction_counters counters = reduction_take_counters(w.reduction);
    if (w.group.size == 1) {
        assert_true(counters.elements == 0 && counters.early == 0 && counters.overlapped == 0);
    } else {
        assert_int_equal(counters.elements, N);
        assert_int_equal(counters.early, N);
        assert_true(counters.overlapped > 0 && counters.overlapped < 1);
        assert_true(counters.waited >= 0 && counters.waited < 0.2);
    }
    assert_int_equal(reduction_sum(w.reduction, w.vector, &err), 0);
    counters = reduction_take_counters(w.reduction); /* taken, and a plain sum is not counted */
    assert_true(counters.elements == 0 && counters.waited == 0);
    close_world(&w);
}

int reduction_tests(int argc, char **argv, int thread_level) {
    int provided, rank;
    MPI_Init_thread(&argc, &argv, thread_level, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) printf("thread level %d, asked for %d\n", provided, thread_level);
    cases = linked_cases(argc > 1 ? argv[1] : NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums_while_computing),
        cmocka_unit_test(test_the_same_bits),
        cmocka_unit_test(test_a_rank_that_fails),
        cmocka_unit_test(test_counters),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    MPI_Finalize();
    return failed;
}

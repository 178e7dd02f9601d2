/* Groups of ranks: agreement on errors, reductions, waiting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "runner/group.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

static void test_agree_spreads_the_lowest_failure(void **state) {
    (void)state;
    struct error err = {0};
    struct group group;
    assert_int_equal(group_whole(MPI_COMM_WORLD, &group, &err), 0);
    assert_int_equal(group_agree(&group, 0, &err), 0);
    int last = group.size - 1, code = 0;
    if (group.rank == last) code = error_set(&err, ERROR_IO, "disk of rank %d is full", group.rank);
    assert_int_equal(group_agree(&group, code, &err), ERROR_IO);
    char wanted[64];
    snprintf(wanted, sizeof wanted, "disk of rank %d is full", last);
    assert_non_null(strstr(err.message, wanted));
    assert_int_equal(group_agree(&group, 0, &err), 0); /* and goes on */
    group_release(&group);
}

/* Who has heard of a peer's failure already has agreed: it asks nobody, since nobody would answer. */
static void test_agreed_already(void **state) {
    (void)state;
    struct error err = {0};
    struct group group;
    assert_int_equal(group_whole(MPI_COMM_WORLD, &group, &err), 0);
    double sum = 1.0;
    if (group.rank == 0) {
        int code = error_set(&err, ERROR_PEER, "a rank failed");
        assert_int_equal(group_agree(&group, code, &err), ERROR_PEER);
        assert_string_equal(err.message, "a rank failed");
    }
    assert_int_equal(group_sum(&group, &sum, 1, &err), 0); /* the next thing that all do together */
    assert_true(sum == group.size);
    group_release(&group);
}

/* Beside the agreement: one rank's wish, and what needs all of them. */
static void test_votes(void **state) {
    (void)state;
    struct error err = {0};
    struct group group;
    assert_int_equal(group_whole(MPI_COMM_WORLD, &group, &err), 0);
    bool last = group.rank == group.size - 1;
    int votes[3] = {-(int)last, group.rank, last ? 7 : 9};
    assert_int_equal(group_agree_least(&group, 0, votes, 3, &err), 0);
    assert_int_equal(votes[0], -1);
    assert_int_equal(votes[1], 0);
    assert_int_equal(votes[2], 7);
    int vote = group.rank, code = last ? error_set(&err, ERROR_STOPPED, "a signal") : 0;
    assert_int_equal(group_agree_least(&group, code, &vote, 1, &err), ERROR_STOPPED);
    assert_int_equal(vote, 0);
    assert_string_equal(err.message, "a signal"); /* no rank is to blame */
    double all[64], mine = 3.0 * group.rank;
    assert_true(group.size <= 64 && group.local == group.size);
    assert_int_equal(group_gather(&group, &mine, sizeof mine, all, &err), 0);
    for (int i = 0; group.rank == 0 && i < group.size; i++) assert_true(all[i] == 3.0 * i);
    group_release(&group);
}

static void test_sums(void **state) {
    (void)state;
    struct error err = {0};
    struct group group;
    assert_int_equal(group_whole(MPI_COMM_WORLD, &group, &err), 0);
    double n = group.size, values[2] = {group.rank, 1}, high = group.rank, first = group.rank + 5;
    assert_int_equal(group_sum(&group, values, 2, &err), 0);
    assert_true(values[0] == n * (n - 1) / 2 && values[1] == n);
    assert_int_equal(group_max(&group, &high, 1, &err), 0);
    assert_true(high == n - 1);
    assert_int_equal(group_broadcast(&group, &first, 1, &err), 0);
    assert_true(first == 5);
    group_release(&group);
}

/* The last rank comes late: the others wait, and use little processor time for it. */
static void test_wait_is_patient(void **state) {
    (void)state;
    struct error err = {0};
    struct group group;
    const struct timespec late = {.tv_nsec = 400 * 1000 * 1000};
    assert_int_equal(group_whole(MPI_COMM_WORLD, &group, &err), 0);
    assert_int_equal(group_barrier(&group, &err), 0);
    clock_t before = clock();
    double start = clock_seconds();
    if (group.rank == group.size - 1) nanosleep(&late, NULL);
    assert_int_equal(group_wait(&group, &err), 0);
    assert_true(clock_seconds() - start >= 0.4);
    assert_true((double)(clock() - before) / CLOCKS_PER_SEC < 0.2);
    group_release(&group);
}

static void test_split(void **state) {
    (void)state;
    struct error err = {0};
    struct group group;
    int world;
    MPI_Comm_size(MPI_COMM_WORLD, &world);
    assert_int_equal(group_split(MPI_COMM_WORLD, world + 1, &group, &err), ERROR_INPUT);
    assert_int_equal(group_split(MPI_COMM_WORLD, 1, &group, &err), 0);
    assert_int_equal(group.size, 1);
    assert_int_equal(group.count, world);
    group_release(&group);
    if (world < 4) return;
    assert_int_equal(group_split(MPI_COMM_WORLD, 3, &group, &err), 0); /* one rank is left over */
    assert_int_equal(group.count, world / 3);
    assert_true(group.size == 3 || group.size == 0);
    group_release(&group);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agree_spreads_the_lowest_failure),
        cmocka_unit_test(test_agreed_already),
        cmocka_unit_test(test_votes),
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_wait_is_patient),
        cmocka_unit_test(test_split),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    MPI_Finalize();
    return failed;
}

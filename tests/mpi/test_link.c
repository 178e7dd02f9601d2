/* How ranks on GPUs of their own are linked, what is said where they cannot be, and how a link that breaks
 * ends for all of them. (DEVICE-ARGUMENT) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runner/device.h"
#include "runner/reduction.h"
#include "tests/support/linked_group.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 1000 };

static const struct linked_case *cases;

static void need_emulation(void) {
    if (strcmp(cases[0].device, "cuda") || !linked_emulated()) skip();
}

static void test_what_is_chosen(void **state) {
    (void)state;
    for (const struct linked_case *chosen = cases; chosen->device; chosen++) {
        struct group group;
        struct backend *backend;
        linked_group_open(chosen, &group, &backend);
        const char *text = link_describe(&group);
        if (group.size == 1)
            assert_string_equal(text, "none");
        else if (link_peers(&group))
            assert_int_equal(strncmp(text, "NCCL 2.", 7), 0);
        else if (device_uses_host_memory(chosen->device))
            assert_string_equal(text, "MPI");
        else if (chosen->link == LINK_HOST)
            assert_string_equal(text, "MPI through the host's memory (as asked for)");
        else if (chosen->link == LINK_MPI)
            assert_string_equal(text, "MPI (as asked for)");
        linked_group_close(&group, &backend);
    }
}

static void test_ranks_that_share_a_gpu(void **state) {
    (void)state;
    struct error err = {0};
    struct group group;
    struct backend *backend;
    need_emulation();
    setenv("ADAPT_EMULATION_DEVICES", "1", 1);
    assert_int_equal(group_whole(MPI_COMM_WORLD, &group, &err), 0);
    assert_int_equal(device_open(MPI_COMM_WORLD, "cuda", DEVICE_AUTO, 1, &backend, &err), 0);
    assert_int_equal(link_open(&group, backend, LINK_AUTO, &err), 0);
    assert_null(link_peers(&group));
    assert_string_equal(link_describe(&group),
                        "MPI through the host's memory (ranks 0 and 1 have the same GPU)");
    link_close(&group);
    assert_int_equal(link_open(&group, backend, LINK_NCCL, &err), ERROR_DEVICE);
    assert_string_equal(err.message,
                        "link \"nccl\": ranks 0 and 1 have the same GPU (\"auto\" takes what there is)");
    link_close(&group);
    assert_int_equal(link_open(&group, backend, LINK_MPI, &err), ERROR_DEVICE);
    assert_non_null(strstr(err.message, "this MPI does not take device memory"));
    link_close(&group);
    backend_destroy(&backend);
    group_release(&group);
}

/* A rank fails on its way to the others, who would wait for it for ever. */
static void test_a_rank_that_cannot_link(void **state) {
    (void)state;
    struct error err = {0};
    struct group group;
    struct backend *backend;
    char last[16];
    need_emulation();
    assert_int_equal(group_whole(MPI_COMM_WORLD, &group, &err), 0);
    snprintf(last, sizeof last, "%d", group.size);
    setenv("ADAPT_EMULATION_DEVICES", last, 1);
    snprintf(last, sizeof last, "%d", group.size - 1);
    setenv("ADAPT_EMULATION_NCCL_FAILS", last, 1);
    assert_int_equal(device_open(MPI_COMM_WORLD, "cuda", DEVICE_AUTO, 1, &backend, &err), 0);
    assert_int_equal(link_open(&group, backend, LINK_AUTO, &err), 0);
    assert_null(link_peers(&group));
    assert_non_null(strstr(link_describe(&group),
                           "MPI through the host's memory (sums over the ranks: NCCL did "
                           "not link CUDA device 0 with the others'"));
    link_close(&group);
    unsetenv("ADAPT_EMULATION_NCCL_FAILS");
    assert_int_equal(link_open(&group, backend, LINK_NCCL, &err), 0); /* there is nothing left of it */
    assert_non_null(link_peers(&group));
    link_close(&group);
    backend_destroy(&backend);
    group_release(&group);
}

/* All are there, but their sums do not get through, or are none. */
static void test_a_link_that_does_not_work(void **state) {
    (void)state;
    struct error err = {0};
    struct group group;
    struct backend *backend;
    char devices[16];
    need_emulation();
    assert_int_equal(group_whole(MPI_COMM_WORLD, &group, &err), 0);
    snprintf(devices, sizeof devices, "%d", group.size);
    setenv("ADAPT_EMULATION_DEVICES", devices, 1);
    assert_int_equal(device_open(MPI_COMM_WORLD, "cuda", DEVICE_AUTO, 1, &backend, &err), 0);
    setenv("ADAPT_EMULATION_NCCL_BREAKS", "0", 1);
    assert_int_equal(link_open(&group, backend, LINK_NCCL, &err), ERROR_DEVICE);
    assert_non_null(strstr(err.message, "NCCL did not link CUDA device 0 with the others'"));
    unsetenv("ADAPT_EMULATION_NCCL_BREAKS");
    link_close(&group);
    setenv("ADAPT_EMULATION_NCCL_WRONG", "1", 1);
    assert_int_equal(link_open(&group, backend, LINK_NCCL, &err), ERROR_DEVICE);
    assert_non_null(strstr(err.message, "ones add up to"));
    unsetenv("ADAPT_EMULATION_NCCL_WRONG");
    link_close(&group);
    backend_destroy(&backend);
    group_release(&group);
}

/* One rank cannot begin a sum; on the others' devices it would never end. */
static void test_a_rank_that_cannot_begin(void **state) {
    (void)state;
    static float values[N];
    struct error err = {0};
    struct group group;
    struct backend *backend;
    struct buffer *buffer;
    struct reduction *reduction;
    need_emulation();
    linked_group_open(&cases[0], &group, &backend);
    assert_int_equal(backend->buffer_create(backend, sizeof values, &buffer, &err), 0);
    struct view vector = {buffer, 0, DTYPE_F32}, wrong = {buffer, 1, DTYPE_F32};
    bool fails = group.rank == group.size - 1;
    struct peers *peers = link_peers(&group);
    peers->sum(peers, N, fails ? wrong : vector);
    assert_int_equal(link_settle(&group, &err), ERROR_INTERNAL);
    assert_non_null(strstr(err.message, "1000 elements leave their buffer"));
    assert_null(link_peers(&group));
    assert_string_equal(link_describe(&group), "MPI through the host's memory (the link broke)");
    assert_int_equal(backend->check(backend, &err), fails ? ERROR_INTERNAL : 0);
    /* What comes afterwards goes by MPI. */
    for (int i = 0; i < N; i++) values[i] = (float)i;
    backend->upload(backend, vector, values, N);
    assert_int_equal(reduction_create(&group, backend, N, 64, &reduction, &err), 0);
    assert_int_equal(reduction_sum(reduction, vector, &err), 0);
    backend->download(backend, vector, values, N);
    assert_int_equal(backend->check(backend, &err), 0);
    for (int i = 0; i < N; i++) assert_true(values[i] == (float)(group.size * i));
    reduction_destroy(&reduction);
    backend->buffer_destroy(backend, &buffer);
    linked_group_close(&group, &backend);
}

/* Another rank's machine is gone while its part of a sum is awaited: the wait ends with NCCL's reason, be it
 * for everything, for the time, or for the sums' own. */
enum awaited { EVERYTHING, TIME, SUMS_TIME };
static void break_a_sum(enum awaited awaited) {
    struct error err = {0};
    struct group group;
    struct backend *backend;
    struct buffer *buffer;
    need_emulation();
    linked_group_open(&cases[0], &group, &backend);
    assert_int_equal(backend->buffer_create(backend, N * sizeof(float), &buffer, &err), 0);
    struct view vector = {buffer, 0, DTYPE_F32};
    struct peers *peers = link_peers(&group);
    setenv("ADAPT_EMULATION_NCCL_BREAKS", "2", 1); /* the link's own sum is the first */
    peers->sum(peers, N, vector);
    assert_int_equal(link_settle(&group, &err), 0);
    assert_int_equal(backend->check(backend, &err), 0);
    assert_int_equal(group_barrier(&group, &err), 0); /* the first sum is done everywhere */
    backend->stamp(backend, 0);
    peers->sum(peers, N, vector);
    assert_int_equal(link_settle(&group, &err), 0);
    backend->stamp(backend, 1);
    double beside = 1, waited = 1;
    if (awaited == TIME) assert_true(backend->stamp_seconds(backend, 0, 1) == 0);
    if (awaited == SUMS_TIME) {
        peers->seconds(peers, &beside, &waited);
        assert_true(beside == 0 && waited == 0);
    }
    assert_int_equal(backend->check(backend, &err), ERROR_DEVICE);
    assert_non_null(strstr(err.message, "remote process exited or there was a network error"));
    unsetenv("ADAPT_EMULATION_NCCL_BREAKS");
    assert_int_equal(backend->check(backend, &err), 0); /* the device is well, the link is not */
    assert_int_equal(link_settle(&group, &err), ERROR_DEVICE);
    assert_non_null(strstr(err.message, "their link broke earlier"));
    assert_null(link_peers(&group));
    backend->buffer_destroy(backend, &buffer);
    linked_group_close(&group, &backend);
}

static void test_a_sum_that_breaks(void **state) {
    (void)state;
    break_a_sum(EVERYTHING);
    break_a_sum(TIME);
    break_a_sum(SUMS_TIME);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    cases = linked_cases(argc > 1 ? argv[1] : NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_chosen),           cmocka_unit_test(test_ranks_that_share_a_gpu),
        cmocka_unit_test(test_a_rank_that_cannot_link),  cmocka_unit_test(test_a_link_that_does_not_work),
        cmocka_unit_test(test_a_rank_that_cannot_begin), cmocka_unit_test(test_a_sum_that_breaks),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    MPI_Finalize();
    return failed;
}

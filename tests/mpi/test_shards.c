/* Flat vectors shared out among ranks: the shards' bounds, and gathering them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "runner/shards.h"
#include "tests/support/linked_group.h"
#include <math.h>
#include <string.h>

static const struct linked_case *cases;

static void test_ranges_cover_the_vector(void **state) {
    (void)state;
    static const size_t pieces[] = {0, 1, 2, 3, 7, 100, 1001, 33554431};
    static const int ranks[] = {1, 2, 3, 4, 7, 64, 1000};
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        for (size_t r = 0; r < sizeof ranks / sizeof *ranks; r++) {
            size_t at = 0, elements = pieces[p] * PARAMETER_ALIGNMENT, shortest = SIZE_MAX, longest = 0;
            for (int rank = 0; rank < ranks[r]; rank++) {
                struct parameter_range range = shards_range(elements, ranks[r], rank);
                assert_int_equal(range.first, at);
                assert_int_equal(range.count % PARAMETER_ALIGNMENT, 0);
                if (range.count < shortest) shortest = range.count;
                if (range.count > longest) longest = range.count;
                at += range.count;
            }
            assert_int_equal(at, elements);
            assert_true(longest - shortest <= PARAMETER_ALIGNMENT);
        }
    }
}

static float number(size_t i) {
    return (float)(i % 16777213);
}

static void gather(const struct group *group, struct backend *backend, size_t elements) {
    enum { BEFORE = 5 };
    struct error err = {0};
    struct shards *shards;
    struct buffer *buffer;
    float *values;
    struct parameter_range own = shards_range(elements, group->size, group->rank);
    assert_int_equal(shards_create(group, backend, elements, &shards, &err), 0);
    assert_int_equal(backend->buffer_create(backend, (BEFORE + elements) * sizeof(float), &buffer, &err), 0);
    assert_int_equal(memory_alloc(&values, elements, sizeof *values, &err), 0);
    struct view vector = {buffer, BEFORE, DTYPE_F32};
    for (size_t i = 0; i < elements; i++) values[i] = i - own.first < own.count ? number(i) : NAN;
    backend->upload(backend, vector, values, elements);
    assert_int_equal(shards_gather(shards, vector, &err), 0);
    backend->download(backend, vector, values, elements);
    assert_int_equal(backend->check(backend, &err), 0);
    for (size_t i = 0; i < elements; i++) assert_true(values[i] == number(i));
    memory_free(values);
    backend->buffer_destroy(backend, &buffer);
    shards_destroy(&shards);
    assert_null(shards);
}

/* Fewer pieces than ranks, numbers that the ranks do not divide, and more than travels at a time where the
 * host cannot use the memory. */
static void test_gather(void **state) {
    (void)state;
    static const size_t pieces[] = {0, 1, 2, 3, 7, 101, 70001};
    for (const struct linked_case *chosen = cases; chosen->device; chosen++) {
        struct group group;
        struct backend *backend;
        linked_group_open(chosen, &group, &backend);
        for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++)
            gather(&group, backend, pieces[p] * PARAMETER_ALIGNMENT);
        linked_group_close(&group, &backend);
    }
}

static void test_odd_lengths_are_refused(void **state) {
    (void)state;
    struct error err = {0};
    struct group group;
    struct backend *backend;
    struct shards *shards;
    assert_int_equal(group_whole(MPI_COMM_WORLD, &group, &err), 0);
    assert_int_equal(backend_create("cpu", 1, &backend, &err), 0);
    assert_int_equal(shards_create(&group, backend, PARAMETER_ALIGNMENT + 1, &shards, &err), ERROR_INTERNAL);
    assert_null(shards);
    backend_destroy(&backend);
    group_release(&group);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    cases = linked_cases(argc > 1 ? argv[1] : NULL); /* DEVICE-ARGUMENT */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges_cover_the_vector),
        cmocka_unit_test(test_gather),
        cmocka_unit_test(test_odd_lengths_are_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    MPI_Finalize();
    return failed;
}

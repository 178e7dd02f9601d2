/* A rank's share of the vectors in a file: the right elements, by a copy and at once, on every backend.
 * BACKEND-ARGUMENT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "io/file.h"
#include "runner/checkpoint/snapshot.h"
#include "tests/support/backend_test.h"
#include "tests/support/demo_experiment.h"
#include <stdio.h>
#include <string.h>

enum { ELEMENTS = 640, FIRST = 128, COUNT = 192, HELD_FIRST = 64, HELD = 320 };

struct fixture {
    const char *name; /* of the backend */
    struct backend *backend;
    struct buffer *parameters, *moments;
    float values[3][ELEMENTS]; /* the host's copies; moments of the held elements */
    char folder[256], path[1024];
};
static struct fixture fixture;

static struct snapshot_vectors vectors_of(struct fixture *f, bool moments) {
    struct view second = {f->moments, HELD, DTYPE_F32};
    return (struct snapshot_vectors){.backend = f->backend,
                                     .parameters = {f->parameters, 0, DTYPE_F32},
                                     .optimizer = {{HELD_FIRST, HELD}, {f->moments, 0, DTYPE_F32}, second, 5},
                                     .range = {FIRST, COUNT},
                                     .moments = moments};
}

static void fill(struct fixture *f, float base) {
    struct backend *b = f->backend;
    for (int i = 0; i < ELEMENTS; i++)
        for (int v = 0; v < 3; v++) f->values[v][i] = base + (float)(1000 * v + i);
    b->upload(b, (struct view){f->parameters, 0, DTYPE_F32}, f->values[0], ELEMENTS);
    b->upload(b, (struct view){f->moments, 0, DTYPE_F32}, f->values[1], HELD);
    b->upload(b, (struct view){f->moments, HELD, DTYPE_F32}, f->values[2], HELD);
    assert_int_equal(b->check(b, NULL), 0);
}

static int setup(void **state) {
    struct fixture *f = *state = &fixture;
    if (demo_folder(f->folder, NULL) || test_backend_create(f->name, 1, &f->backend, NULL)) return -1;
    snprintf(f->path, sizeof f->path, "%.200s/share", f->folder);
    if (f->backend->buffer_create(f->backend, sizeof f->values[0], &f->parameters, NULL)) return -1;
    return f->backend->buffer_create(f->backend, 2 * HELD * sizeof(float), &f->moments, NULL);
}

static int teardown(void **state) {
    struct fixture *f = *state;
    f->backend->buffer_destroy(f->backend, &f->parameters);
    f->backend->buffer_destroy(f->backend, &f->moments);
    backend_destroy(&f->backend);
    return file_remove_tree(f->folder, NULL);
}

/* Writes, changes the vectors while the file may be on its way, and looks at what came. */
static void write_and_compare(struct fixture *f, struct snapshot *snapshot, bool moments) {
    struct snapshot_vectors vectors = vectors_of(f, moments);
    struct error err = {0};
    char said[HASH_HEX_BYTES], found[HASH_HEX_BYTES];
    float expected[3 * COUNT];
    fill(f, 0.5f);
    memcpy(expected, f->values[0] + FIRST, COUNT * sizeof(float));
    memcpy(expected + COUNT, f->values[1] + FIRST - HELD_FIRST, COUNT * sizeof(float));
    memcpy(expected + 2 * COUNT, f->values[2] + FIRST - HELD_FIRST, COUNT * sizeof(float));
    assert_int_equal(snapshot_begin(snapshot, &vectors, f->path, &err), 0);
    fill(f, 7.5f);
    assert_int_equal(snapshot_finish(snapshot, said, &err), 0);
    assert_true(snapshot_ended(snapshot));
    struct file_map map;
    assert_int_equal(file_map(f->path, &map, &err), 0);
    assert_int_equal(map.length, snapshot_bytes(COUNT, moments));
    assert_memory_equal(map.data, expected, map.length);
    assert_int_equal(hash_bytes(map.data, map.length, found, &err), 0);
    assert_string_equal(said, found);
    file_unmap(&map);
}

static void test_shares(void **state) {
    struct fixture *f = *state;
    for (int copies = 0; copies < 2; copies++) {
        struct snapshot *snapshot;
        struct snapshot_vectors vectors = vectors_of(f, true);
        assert_int_equal(snapshot_create(&vectors, copies, &snapshot, NULL), 0);
        assert_true(snapshot_ended(snapshot));
        for (int i = 0; i < 3; i++) write_and_compare(f, snapshot, true);
        write_and_compare(f, snapshot, false);
        snapshot_destroy(&snapshot);
    }
}

static void test_failures(void **state) {
    struct fixture *f = *state;
    for (int copies = 0; copies < 2; copies++) {
        struct snapshot *snapshot;
        struct snapshot_vectors vectors = vectors_of(f, false);
        struct error err = {0};
        char sha256[HASH_HEX_BYTES];
        assert_int_equal(snapshot_create(&vectors, copies, &snapshot, NULL), 0);
        assert_int_equal(snapshot_begin(snapshot, &vectors, "/nowhere/at/all", &err), 0);
        assert_int_equal(snapshot_finish(snapshot, sha256, &err), ERROR_IO);
        assert_non_null(strstr(err.message, "/nowhere/at/all"));
        write_and_compare(f, snapshot, false); /* and goes on */
        if (copies) {                          /* more than there is room for */
            vectors = vectors_of(f, true);
            assert_int_equal(snapshot_begin(snapshot, &vectors, f->path, &err), ERROR_INTERNAL);
        }
        snapshot_destroy(&snapshot);
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_shares, setup, teardown),
                                       cmocka_unit_test_setup_teardown(test_failures, setup, teardown)};
    if (argc < 2) {
        fprintf(stderr, "usage: %s BACKEND\n", argv[0]);
        return 2;
    }
    fixture.name = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}

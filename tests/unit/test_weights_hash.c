/* What changes the hash of a model folder's weights, and what does not. */
#include "runner/cell/weights_hash.h"

#include "io/file.h"
#include "io/safetensors/safetensors.h"
#include "tests/support/archive_check.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { LARGE = 40000, SMALL = 10 };

static void succeed(int code, const struct error *err) {
    if (code) fail_msg("%s", err->message);
}

static void write_text(const char *folder, const char *name, const char *text) {
    struct error err;
    char path[ARCHIVE_PATH_BYTES];
    archive_path(folder, name, path);
    succeed(file_write(path, text, strlen(text), &err), &err);
}

/* One file of tensors "large" and "small" (either left out where it is NULL). */
static void write_tensors(const char *folder, const char *name, const float *large, const float *small) {
    struct error err;
    char path[ARCHIVE_PATH_BYTES];
    struct safetensors_writer *writer;
    struct safetensors_entry entries[2];
    size_t count = 0;
    if (large) entries[count++] = (struct safetensors_entry){"large", SAFETENSORS_F32, 2, {LARGE / 100, 100}};
    if (small) entries[count++] = (struct safetensors_entry){"small", SAFETENSORS_F32, 1, {SMALL}};
    archive_path(folder, name, path);
    succeed(safetensors_writer_open(path, entries, count, &writer, &err), &err);
    if (large) succeed(safetensors_writer_append(writer, large, LARGE * sizeof *large, &err), &err);
    if (small) succeed(safetensors_writer_append(writer, small, SMALL * sizeof *small, &err), &err);
    succeed(safetensors_writer_commit(&writer, &err), &err);
}

static void hash_of(const char *folder, char hex[HASH_HEX_BYTES]) {
    struct error err;
    succeed(weights_hash(folder, hex, &err), &err);
}

static void test_hash(void **state) {
    (void)state;
    static float large[LARGE], small[SMALL];
    char a[ARCHIVE_PATH_BYTES], b[ARCHIVE_PATH_BYTES], first[HASH_HEX_BYTES], other[HASH_HEX_BYTES];
    for (int i = 0; i < LARGE; i++) large[i] = (float)i;
    for (int i = 0; i < SMALL; i++) small[i] = (float)-i;
    archive_folder_make(a);
    archive_folder_make(b);
    write_text(a, "config.json", "{}");
    write_text(b, "config.json", "{}");
    write_tensors(a, "model.safetensors", large, small);
    hash_of(a, first);

    /* The same in two files of another folder. */
    write_tensors(b, "y.safetensors", large, NULL);
    write_tensors(b, "x.safetensors", NULL, small);
    write_text(
        b, "model.safetensors.index.json",
        "{\"metadata\": {}, \"weight_map\": {\"large\": \"y.safetensors\", \"small\": \"x.safetensors\"}}");
    hash_of(b, other);
    assert_string_equal(other, first);

    /* One small weight; a step of training on all large ones; the first and the last one; the config. */
    small[7] += 1.0f;
    write_tensors(a, "model.safetensors", large, small);
    hash_of(a, other);
    assert_string_not_equal(other, first);
    small[7] -= 1.0f;
    write_tensors(a, "model.safetensors", large, small);
    hash_of(a, other);
    assert_string_equal(other, first);
    for (int i = 0; i < LARGE; i++) large[i] *= 1.001f;
    write_tensors(a, "model.safetensors", large, small);
    hash_of(a, other);
    assert_string_not_equal(other, first);
    for (int i = 0; i < LARGE; i++) large[i] = (float)i;
    static const int ends[] = {0, LARGE - 1};
    for (int i = 0; i < 2; i++) {
        large[ends[i]] += 1.0f;
        write_tensors(a, "model.safetensors", large, small);
        hash_of(a, other);
        assert_string_not_equal(other, first);
        large[ends[i]] -= 1.0f;
    }
    write_tensors(a, "model.safetensors", large, small);
    write_text(a, "config.json", "{\"rope_theta\": 10000}");
    hash_of(a, other);
    assert_string_not_equal(other, first);

    /* No weights: told. */
    struct error err;
    char path[ARCHIVE_PATH_BYTES];
    archive_path(a, "model.safetensors", path);
    unlink(path);
    assert_int_not_equal(weights_hash(a, other, &err), 0);
    archive_folder_remove(a);
    archive_folder_remove(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hash)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Safetensors: files that are well formed, and every way we know in which one can lie. */
#include "io/safetensors/safetensors.h"

#include "base/memory.h"
#include "io/file.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64]; /* of this run */

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/adapt-safetensors-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    return file_remove_tree(folder, NULL);
}

static const char *path_of(const char *name) {
    static char path[4][256];
    static int next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/%s", folder, name);
    return path[next];
}

static void write_bytes(const char *name, const void *bytes, size_t length) {
    assert_int_equal(file_write(path_of(name), bytes, length, NULL), 0);
}

/* A file of this header and so many zero bytes of data; the header's length is as given, or the true one (0).
 */
static void write_file(const char *name, const char *header, uint64_t claimed, size_t data) {
    size_t length = strlen(header);
    unsigned char *bytes = calloc(8 + length + data + 1, 1);
    uint64_t stored = claimed ? claimed : length;
    memcpy(bytes, &stored, 8);
    memcpy(bytes + 8, header, length);
    write_bytes(name, bytes, 8 + length + data);
    free(bytes);
}

static struct safetensors *open_good(const char *name) {
    struct error err = {0};
    struct safetensors *reader;
    if (safetensors_open(path_of(name), &reader, &err)) fail_msg("%s: %s", name, err.message);
    return reader;
}

static void refuse(const char *header, size_t data, const char *expected) {
    struct error err = {0};
    struct safetensors *reader;
    write_file("bad.safetensors", header, 0, data);
    assert_int_equal(safetensors_open(path_of("bad.safetensors"), &reader, &err), ERROR_INPUT);
    assert_null(reader);
    if (!strstr(err.message, expected) || !strstr(err.message, "bad.safetensors"))
        fail_msg("%s: \"%s\", expected \"%s\"", header, err.message, expected);
}

/* --- well formed */

static void test_good(void **state) {
    (void)state;
    write_file("good.safetensors",
               "{\"__metadata__\":{\"format\":\"pt\"},"
               "\"b\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[4,28]},"
               "\"a\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[0,4]},"
               "\"empty\":{\"dtype\":\"I64\",\"shape\":[5,0],\"data_offsets\":[28,28]},"
               "\"scalar\":{\"data_offsets\":[28,29],\"dtype\":\"U8\",\"shape\":[]}}   ",
               0, 29);
    struct safetensors *reader = open_good("good.safetensors");
    assert_int_equal(safetensors_count(reader), 4);
    assert_int_equal(safetensors_files(reader), 1);
    assert_string_equal(safetensors_file_name(reader, 0), "good.safetensors");
    assert_false(safetensors_sharded(reader));
    assert_string_equal(safetensors_at(reader, 0)->name, "a");
    assert_string_equal(safetensors_at(reader, 1)->name, "b");
    const struct safetensors_tensor *b = safetensors_find(reader, "b");
    assert_ptr_equal(b, safetensors_at(reader, 1));
    assert_int_equal(b->dtype, SAFETENSORS_F32);
    assert_int_equal(b->dimensions, 2);
    assert_int_equal(b->shape[0], 2);
    assert_int_equal(b->shape[1], 3);
    assert_int_equal(b->elements, 6);
    assert_int_equal(b->bytes, 24);
    assert_int_equal(b->data - safetensors_find(reader, "a")->data, 4);
    assert_int_equal(safetensors_find(reader, "scalar")->elements, 1);
    assert_int_equal(safetensors_find(reader, "empty")->bytes, 0);
    assert_null(safetensors_find(reader, "c"));
    safetensors_close(&reader);
    assert_null(reader);
    safetensors_close(&reader);

    write_file("none.safetensors", "{}", 0, 0);
    reader = open_good("none.safetensors");
    assert_int_equal(safetensors_count(reader), 0);
    assert_null(safetensors_find(reader, "a"));
    safetensors_close(&reader);
}

/* --- lies */

static void test_refused_headers(void **state) {
    (void)state;
#define TENSOR(fields) "{\"t\":{" fields "}}"
    refuse(TENSOR("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]"), 7, "leave the file");
    refuse(TENSOR("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]"), 9, "belong to none");
    refuse(TENSOR("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]"), 12, "hole");
    refuse(TENSOR("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]"), 8, "leave the file");
    refuse(TENSOR("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]"), 4, "need another number");
    refuse(TENSOR("\"dtype\":\"F33\",\"shape\":[2],\"data_offsets\":[0,8]"), 8, "\"F33\" is unknown");
    refuse(TENSOR("\"dtype\":\"f32\",\"shape\":[2],\"data_offsets\":[0,8]"), 8, "unknown");
    refuse(TENSOR("\"dtype\":3,\"shape\":[2],\"data_offsets\":[0,8]"), 8, "dtype");
    refuse(TENSOR("\"shape\":[2],\"data_offsets\":[0,8]"), 8, "dtype is missing");
    refuse(TENSOR("\"dtype\":\"F32\",\"data_offsets\":[0,8]"), 8, "shape is missing");
    refuse(TENSOR("\"dtype\":\"F32\",\"shape\":[2]"), 8, "data_offsets");
    refuse(TENSOR("\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]"), 8, "shape");
    refuse(TENSOR("\"dtype\":\"F32\",\"shape\":[2.5],\"data_offsets\":[0,10]"), 10, "whole number");
    refuse(TENSOR("\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]"), 8, "whole number");
    refuse(TENSOR("\"dtype\":\"F32\",\"shape\":[\"2\"],\"data_offsets\":[0,8]"), 8, "whole number");
    refuse(TENSOR("\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,8]"), 8, "dimensions");
    refuse(TENSOR("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]"), 8, "two whole numbers");
    refuse(TENSOR("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,8]"), 8, "two whole numbers");
    refuse(TENSOR("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]"), 8, "two whole numbers");
    refuse(TENSOR("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"extra\":1"), 8, "unknown field");
    refuse(TENSOR("\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]"), 8,
           "repeated field");
    /* products that overflow 64 bits, to a small number or to the right one */
    refuse(TENSOR("\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]"), 0,
           "overflows");
    refuse(TENSOR("\"dtype\":\"F64\",\"shape\":[2147483648,1073741824],\"data_offsets\":[0,0]"), 0,
           "need another");
    refuse(TENSOR("\"dtype\":\"F32\",\"shape\":[1e300],\"data_offsets\":[0,8]"), 8, "whole number");
    refuse(TENSOR("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,1e18]"), 8, "two whole numbers");
    refuse("{\"t\":[]}", 0, "not an object");
    refuse("{\"__metadata__\":[]}", 0, "__metadata__");
    refuse("{\"__metadata__\":{\"a\":1}}", 0, "__metadata__.a");
    refuse("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "twice");
    refuse("[]", 0, "begin with '{'");
    refuse(" {}", 0, "begin with '{'");
    refuse("{} {}", 0, "bad.safetensors");
    refuse("{\"t\":", 0, "bad.safetensors");
}

static void test_refused_pairs(void **state) {
    (void)state;
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
           "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
           12, "overlaps");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
           "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
           8, "overlaps");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
           "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[12,20]}}",
           20, "hole");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
           "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}",
           16, "comes twice");
}

static void test_lengths(void **state) {
    (void)state;
    static const uint64_t claims[] = {3, 100, 100000001, UINT64_MAX, UINT64_MAX - 7, 1ull << 63};
    struct error err = {0};
    struct safetensors *reader;
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        write_file("bad.safetensors", "{}", claims[i], 0);
        assert_int_equal(safetensors_open(path_of("bad.safetensors"), &reader, &err), ERROR_INPUT);
        assert_non_null(strstr(err.message, "does not fit"));
    }
    for (size_t length = 0; length <= 8; length++) {
        write_bytes("bad.safetensors", "\0\0\0\0\0\0\0\0", length);
        assert_int_equal(safetensors_open(path_of("bad.safetensors"), &reader, &err), ERROR_INPUT);
    }
    assert_int_equal(safetensors_open(path_of("absent.safetensors"), &reader, &err), ERROR_IO);
    assert_null(reader);
}

/* Cut anywhere, the file is refused and nothing outside it is read. */
static void test_truncated(void **state) {
    (void)state;
    static const char header[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                                 "\"b\":{\"dtype\":\"F16\",\"shape\":[3],\"data_offsets\":[8,14]}}";
    unsigned char bytes[8 + sizeof header - 1 + 14] = {0};
    uint64_t length = sizeof header - 1;
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, sizeof header - 1);
    for (size_t n = 0; n < sizeof bytes; n++) {
        struct safetensors *reader;
        write_bytes("cut.safetensors", bytes, n);
        assert_int_equal(safetensors_open(path_of("cut.safetensors"), &reader, NULL), ERROR_INPUT);
    }
    write_bytes("cut.safetensors", bytes, sizeof bytes);
    struct safetensors *reader = open_good("cut.safetensors");
    safetensors_close(&reader);
}

/* --- folders */

static void write_index(const char *json) {
    write_bytes("model.safetensors.index.json", json, strlen(json));
}

static void refuse_folder(const char *index, const char *expected) {
    struct error err = {0};
    struct safetensors *reader;
    write_index(index);
    assert_int_equal(safetensors_open_folder(folder, &reader, &err), ERROR_INPUT);
    assert_null(reader);
    if (!strstr(err.message, expected)) fail_msg("%s: \"%s\", expected \"%s\"", index, err.message, expected);
}

static void test_folder(void **state) {
    (void)state;
    struct error err = {0};
    struct safetensors *reader;
    unlink(path_of("model.safetensors"));
    unlink(path_of("model.safetensors.index.json"));
    assert_int_equal(safetensors_open_folder(folder, &reader, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "neither"));
#define ONE(name) "{\"" name "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"
    write_file("m-1.safetensors", ONE("a"), 0, 4);
    write_file("m-2.safetensors", ONE("b"), 0, 4);
    write_file("m-3.safetensors", ONE("a"), 0, 4);
    write_index("{\"metadata\":{\"total_size\":8},\"weight_map\":{\"a\":\"m-1.safetensors\",\"b\":\"m-2."
                "safetensors\"}}");
    assert_int_equal(safetensors_open_folder(folder, &reader, &err), 0);
    assert_int_equal(safetensors_count(reader), 2);
    assert_int_equal(safetensors_files(reader), 2);
    assert_true(safetensors_sharded(reader));
    assert_string_equal(safetensors_file_name(reader, safetensors_find(reader, "b")->file),
                        "m-2.safetensors");
    safetensors_close(&reader);

    refuse_folder("{}", "weight_map");
    refuse_folder("[]", "weight_map");
    refuse_folder("{\"weight_map\":{\"a\":3}}", "not a file name");
    refuse_folder("{\"weight_map\":{\"a\":\"../m-1.safetensors\"}}", "not the name");
    refuse_folder("{\"weight_map\":{\"a\":\"/etc/m-1.safetensors\"}}", "not the name");
    refuse_folder("{\"weight_map\":{\"a\":\"x/../m-1.safetensors\"}}", "not the name");
    refuse_folder("{\"weight_map\":{\"a\":\"..\"}}", "not the name");
    refuse_folder("{\"weight_map\":{\"a\":\"\"}}", "not the name");
    refuse_folder("{\"weight_map\":{\"a\":\"config.json\"}}", "not the name");
    refuse_folder("{\"weight_map\":{\"b\":\"m-1.safetensors\"}}", "is not in m-1");
    refuse_folder("{\"weight_map\":{\"a\":\"m-1.safetensors\",\"c\":\"m-1.safetensors\"}}",
                  "\"c\" is not in");
    refuse_folder("{\"weight_map\":{\"a\":\"m-2.safetensors\",\"b\":\"m-1.safetensors\"}}", "is not in");
    refuse_folder(
        "{\"weight_map\":{\"a\":\"m-1.safetensors\",\"b\":\"m-2.safetensors\",\"a\":\"m-1.safetensors\"}}",
        "twice");
    refuse_folder("{\"weight_map\":{\"a\":\"m-1.safetensors\",\"x\":\"m-3.safetensors\"}}", "twice");
    write_index("{\"weight_map\":{\"a\":\"m-9.safetensors\"}}");
    assert_int_equal(safetensors_open_folder(folder, &reader, &err), ERROR_IO);

    write_file("m-2.safetensors",
               "{\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
               "\"c\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
               0, 2);
    refuse_folder("{\"weight_map\":{\"a\":\"m-1.safetensors\",\"b\":\"m-2.safetensors\"}}", "\"c\" of m-2");

    /* A single file goes before an index. */
    write_file("model.safetensors", ONE("z"), 0, 4);
    assert_int_equal(safetensors_open_folder(folder, &reader, &err), 0);
    assert_false(safetensors_sharded(reader));
    assert_non_null(safetensors_find(reader, "z"));
    safetensors_close(&reader);
}

/* --- writing and converting */

static void test_writer(void **state) {
    (void)state;
    static const struct safetensors_entry entries[] = {
        {"model.\"odd\" n\xc3\xa4me", SAFETENSORS_F32, 2, {2, 2}},
        {"half", SAFETENSORS_BF16, 1, {3}},
        {"scalar", SAFETENSORS_I64, 0, {0}},
    };
    unsigned char data[16 + 6 + 8];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (unsigned char)(i * 37);
    struct error err = {0};
    struct safetensors_writer *writer;
    assert_int_equal(safetensors_writer_open(path_of("w.safetensors"), entries, 3, &writer, &err), 0);
    for (size_t at = 0; at < sizeof data; at += 5)
        assert_int_equal(
            safetensors_writer_append(writer, data + at, sizeof data - at < 5 ? sizeof data - at : 5, &err),
            0);
    assert_int_equal(safetensors_writer_append(writer, data, 1, &err), ERROR_INTERNAL);
    assert_false(file_exists(path_of("w.safetensors")));
    assert_int_equal(safetensors_writer_commit(&writer, &err), 0);
    assert_null(writer);
    struct safetensors *reader = open_good("w.safetensors");
    assert_int_equal(safetensors_count(reader), 3);
    for (size_t i = 0, at = 0; i < 3; at += safetensors_at(reader, i++)->bytes) {
        const struct safetensors_tensor *tensor = safetensors_at(reader, i);
        assert_string_equal(tensor->name, entries[i].name);
        assert_int_equal(tensor->dtype, entries[i].dtype);
        assert_memory_equal(tensor->data, data + at, tensor->bytes);
        if (i == 0) assert_int_equal((uintptr_t)tensor->data % 8, 0);
    }
    safetensors_close(&reader);

    assert_int_equal(safetensors_writer_open(path_of("v.safetensors"), entries, 3, &writer, &err), 0);
    assert_int_equal(safetensors_writer_append(writer, data, 20, &err), 0);
    assert_int_equal(safetensors_writer_commit(&writer, &err), ERROR_INTERNAL);
    assert_null(writer);
    assert_false(file_exists(path_of("v.safetensors")));
    char **names;
    size_t count;
    assert_int_equal(file_list(folder, "", &names, &count, &err), 0);
    for (size_t i = 0; i < count; i++) assert_null(strstr(names[i], "v.safetensors"));
    file_free_list(names, count);
}

static void round_trip(enum safetensors_dtype dtype, float number, float expected) {
    unsigned char bytes[5] = {0};
    float back;
    safetensors_write_floats(dtype, &number, 1, bytes + 1); /* at an odd address */
    struct safetensors_tensor tensor = {.dtype = dtype, .data = bytes + 1};
    safetensors_read_floats(&tensor, 0, 1, &back);
    if (isnan(expected))
        assert_true(isnan(back));
    else if (memcmp(&back, &expected, sizeof back))
        fail_msg("%s of %a: %a, expected %a", safetensors_dtype_name(dtype), (double)number, (double)back,
                 (double)expected);
}

/* Ties to even, carries, subnormals, infinities; every 16-bit pattern survives the way there and back. */
static void test_conversions(void **state) {
    (void)state;
    round_trip(SAFETENSORS_F32, 0x1.fffffep-100f, 0x1.fffffep-100f);
    round_trip(SAFETENSORS_BF16, 0x1.01p0f, 0x1.00p0f);
    round_trip(SAFETENSORS_BF16, 0x1.03p0f, 0x1.04p0f);
    round_trip(SAFETENSORS_BF16, 0x1.010002p0f, 0x1.02p0f);
    round_trip(SAFETENSORS_BF16, -0x1.ffp3f, -0x1.0p4f);
    round_trip(SAFETENSORS_BF16, 0x1.fffffep127f, INFINITY);
    round_trip(SAFETENSORS_BF16, NAN, NAN);
    round_trip(SAFETENSORS_BF16, -INFINITY, -INFINITY);
    round_trip(SAFETENSORS_F16, 0x1.002p0f, 0x1.000p0f);
    round_trip(SAFETENSORS_F16, 0x1.006p0f, 0x1.008p0f);
    round_trip(SAFETENSORS_F16, 0x1.ffdp15f, 0x1.ffcp15f);
    round_trip(SAFETENSORS_F16, 65520.0f, INFINITY);
    round_trip(SAFETENSORS_F16, 0x1p-24f, 0x1p-24f);
    round_trip(SAFETENSORS_F16, 0x1p-26f, 0.0f);
    round_trip(SAFETENSORS_F16, NAN, NAN);
    static const enum safetensors_dtype halves[] = {SAFETENSORS_F16, SAFETENSORS_BF16};
    for (int k = 0; k < 2; k++)
        for (uint32_t pattern = 0; pattern < 65536; pattern++) {
            uint16_t half = (uint16_t)pattern, again;
            float number;
            struct safetensors_tensor tensor = {.dtype = halves[k], .data = (unsigned char *)&half};
            safetensors_read_floats(&tensor, 0, 1, &number);
            if (isnan(number)) continue;
            safetensors_write_floats(halves[k], &number, 1, &again);
            assert_int_equal(half, again);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),          cmocka_unit_test(test_refused_headers),
        cmocka_unit_test(test_refused_pairs), cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_truncated),     cmocka_unit_test(test_folder),
        cmocka_unit_test(test_writer),        cmocka_unit_test(test_conversions),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

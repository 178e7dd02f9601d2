/* Memory and operations on whole vectors, on the backend of BACKEND-ARGUMENT. */
#include "base/random.h"
#include "tests/support/op_draw.h"
#include "tests/support/op_test.h"

#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const double F32_EXACT = 0.0, F32_ROUNDED = 1.2e-7; /* relative: one rounding, and a little */
static const double DOT_ERROR = 1e-12;                     /* relative to sum |x y| */

static const size_t lengths[] = {0, 1, 15, 16, 17, 255, 1000, 16384, 16385, 70001, 300000};
enum { LENGTHS = sizeof lengths / sizeof *lengths, LARGE_BYTES = 48 << 20 };
static const enum dtype dtypes[] = {DTYPE_F32, DTYPE_F64, DTYPE_I32, DTYPE_BF16};

static void run_memory(struct op_case *c, int index) {
    struct backend *b = c->backend;
    size_t bytes = lengths[index] * 4;
    op_describe(c, "%zu bytes", bytes);
    struct error err = {0};
    struct buffer *buffer = NULL;
    expect_true(c, !b->buffer_create(b, bytes, &buffer, &err), "buffer_create: %s", err.message);
    struct view view = {buffer, 0, DTYPE_F32};
    double nonzero = 0.0;
    float got[256];
    for (size_t at = 0; at < lengths[index]; at += 256) {
        size_t count = lengths[index] - at < 256 ? lengths[index] - at : 256;
        b->download(b, view_at(view, at), got, count);
        for (size_t i = 0; i < count; i++) nonzero += got[i] != 0.0f;
    }
    expect_true(c, nonzero == 0.0, "a new buffer holds %g numbers that are not 0", nonzero);
    void *pointer = b->host_pointer(b, buffer);
    expect_true(c, (uintptr_t)pointer % 256 == 0, "not aligned to 256 bytes");
    expect_true(c, !pointer == !!strcmp(b->name, "cpu"), "host_pointer is %p", pointer);
    b->buffer_destroy(b, &buffer);
    expect_true(c, !buffer, "buffer_destroy leaves the pointer");
    b->buffer_destroy(b, &buffer);
}

/* Memory of the cpu backend is taken where it is touched. */
static void expect_resident(struct op_case *c, const char *when, unsigned char *data, size_t bytes,
                            size_t least, size_t most) {
    static unsigned char resident[LARGE_BYTES / 4096 + 1];
    size_t page = (size_t)sysconf(_SC_PAGESIZE), count = 0;
    unsigned char *start = data - (uintptr_t)data % page;
    size_t pages = (bytes + page - 1) / page;
    expect_true(c, !mincore(start, bytes, resident), "mincore fails");
    for (size_t i = 0; i < pages; i++) count += resident[i] & 1;
    expect_true(c, count * page >= least && count * page <= most,
                "%zu bytes are resident %s, %zu to %zu expected", count * page, when, least, most);
}

static void run_large(struct op_case *c, int index) {
    enum { TOUCHED = 1000 };
    struct backend *b = c->backend;
    size_t bytes = LARGE_BYTES - (size_t)index * 4096, last = bytes / 4 - 1;
    op_describe(c, "%zu bytes", bytes);
    struct error err = {0};
    struct buffer *buffer;
    float ones[TOUCHED], got[2];
    for (int i = 0; i < TOUCHED; i++) ones[i] = 1.0f;
    for (int round = 0; round < 2;
         round++) { /* the second may get the first one's addresses, but not its numbers */
        expect_true(c, !b->buffer_create(b, bytes, &buffer, &err), "buffer_create: %s", err.message);
        struct view view = {buffer, 0, DTYPE_F32};
        unsigned char *data = b->host_pointer(b, buffer);
        expect_true(c, (uintptr_t)data % 256 == 0, "not aligned to 256 bytes");
        if (data) expect_resident(c, "at first", data, bytes, 0, 0);
        b->upload(b, view, ones, TOUCHED);
        /* in pages of the usual size or one or two huge ones */
        if (data) expect_resident(c, "after a touch", data, bytes, sizeof ones, 4 << 20);
        b->download(b, view_at(view, TOUCHED - 1), got, 2);
        expect_true(c, got[0] == 1.0f && got[1] == 0.0f, "%g, %g are read", (double)got[0], (double)got[1]);
        b->download(b, view_at(view, last), got, 1);
        expect_true(c, got[0] == 0.0f, "the last number is %g", (double)got[0]);
        b->upload(b, view_at(view, last), ones, 1);
        b->buffer_destroy(b, &buffer);
        expect_true(c, !buffer, "buffer_destroy leaves the pointer");
    }
}

/* What is reserved for a model's largest batch does for all smaller ones: no operation takes memory of its
 * own then. */
static void run_scratch(struct op_case *c, int index) {
    enum { DRAWS = 20000, SIZES = 4 };
    static const char *const names[] = {"rows", "hidden", "targets"};
    static const double most[SIZES] = {20000, 8000, 20000, 300000};
    struct random_key key = {.seed = (uint64_t)index, .purpose = RANDOM_TEST, .stream = c->streams++};
    struct backend *b = c->backend;
    op_describe(c, "%s", names[index]);
    for (uint64_t i = 0; i < DRAWS; i++) {
        int n[SIZES];
        for (int s = 0; s < SIZES; s++)
            n[s] = (int)pow(most[s], random_uniform(key, i * (SIZES + 1) + (uint64_t)s));
        size_t room = b->scratch_bytes(b, n[0], n[1], n[3], n[2]);
        int large = n[index], small = (int)random_below(key, i * (SIZES + 1) + SIZES, (uint64_t)large);
        n[index] = small;
        size_t need = b->scratch_bytes(b, n[0], n[1], n[3], n[2]);
        expect_true(c, need <= room,
                    "rows %d, hidden %d, vocabulary %d, targets %d take %zu bytes, but %zu with %d %s", n[0],
                    n[1], n[3], n[2], need, room, large, names[index]);
    }
}

/* Operations on the targets' rows alone are served, too. */
static void run_reserved(struct op_case *c, int index) {
    enum { ROWS = 40000, SLOTS = 3 };
    struct backend *b = c->backend;
    struct error err = {0};
    size_t before, after, total;
    bool targets = index; /* or so many rows */
    op_describe(c, "%s", targets ? "targets" : "rows");
    struct array *x = array_filled(c, DTYPE_F32, ROWS, 1.0), *y = array_filled(c, DTYPE_F32, ROWS, 0.5);
    struct array *slot = array_indices(c, ROWS, SLOTS), *sums = array_filled(c, DTYPE_F64, SLOTS, 0.0);
    expect_true(c, !b->reserve(b, targets ? 8 : ROWS, 2, 50, targets ? ROWS : 8, &err), "reserve: %s",
                err.message);
    b->memory(b, &before, &total);
    b->row_dot(b, ROWS, 1, x->view, y->view, slot->view, sums->view);
    b->memory(b, &after, &total);
    expect_true(c, before == after, "%zu bytes were free, then %zu", before, after);
}

static void check_zero(struct op_case *c, size_t n, enum dtype dtype) {
    op_describe(c, "n %zu, dtype %d", n, (int)dtype);
    struct array *x = array_filled(c, dtype, n, 3.0);
    c->backend->zero(c->backend, n, x->view);
    expect_close(c, "x", x, op_numbers(c, n), F32_EXACT, F32_EXACT);
}

static void check_scale(struct op_case *c, size_t n, enum dtype dtype) {
    (void)dtype;
    op_describe(c, "n %zu", n);
    struct array *x = array_random(c, n, 1.0);
    double *want = op_copy(c, x->value, n);
    for (size_t i = 0; i < n; i++) want[i] *= (double)-0.3f;
    c->backend->scale(c->backend, n, -0.3f, x->view);
    expect_close(c, "x", x, want, F32_EXACT, F32_ROUNDED);
}

static void check_add(struct op_case *c, size_t n, enum dtype dtype) {
    (void)dtype;
    op_describe(c, "n %zu", n);
    struct array *x = array_random(c, n, 1.0), *y = array_random(c, n, 1.0);
    double *want = op_copy(c, y->value, n);
    for (size_t i = 0; i < n; i++) want[i] += (double)1.7f * x->value[i];
    c->backend->add(c->backend, n, 1.7f, x->view, y->view);
    expect_close(c, "y", y, want, 1e-6, F32_ROUNDED);
    expect_unchanged(c, "x", x);
}

static void check_copy(struct op_case *c, size_t n, enum dtype dtype) {
    op_describe(c, "n %zu, dtype %d", n, (int)dtype);
    struct array *from = array_indices(c, n, 30000), *to = array_output(c, dtype, n);
    struct array *typed = array_given(c, dtype, n, from->value);
    c->backend->copy(c->backend, n, typed->view, to->view);
    expect_close(c, "copy", to, typed->value, F32_EXACT, F32_EXACT);
}

/* Every finite number of bfloat16 is one of float32. */
static void check_conversion(struct op_case *c, size_t n, enum dtype dtype) {
    (void)dtype;
    op_describe(c, "n %zu, bfloat16", n);
    struct array *from = array_indices(c, n, 0x7f80), *half = array_given(c, DTYPE_BF16, n, from->value),
                 *single = array_output(c, DTYPE_F32, n), *back = array_output(c, DTYPE_BF16, n);
    double *want = op_numbers(c, n);
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = (uint32_t)from->value[i] << 16;
        float value;
        memcpy(&value, &bits, sizeof value);
        want[i] = (double)value;
    }
    c->backend->copy(c->backend, n, half->view, single->view);
    expect_close(c, "numbers", single, want, F32_EXACT, F32_EXACT);
    c->backend->copy(c->backend, n, single->view, back->view);
    expect_close(c, "bits", back, half->value, F32_EXACT, F32_EXACT);
}

/* Bits of bfloat16 as numbers: rounding to the nearest even, infinities, and back. */
static void run_bf16(struct op_case *c, int index) {
    static const struct {
        double value, bits;
    } cases[] = {{1.0, 0x3f80},           {-2.5, 0xc020},         {0.0, 0},
                 {INFINITY, 0x7f80},      {1.00390625, 0x3f80},   {1.01171875, 0x3f82},
                 {1.0039064, 0x3f81},     {3.4028234e38, 0x7f80}, {-1e-40, 0x8001},
                 {3.38953139e38, 0x7f7f}, {0.333333343, 0x3eab},  {-INFINITY, 0xff80}};
    op_describe(c, "%.9g", cases[index].value);
    struct array *single = array_filled(c, DTYPE_F32, 3, cases[index].value),
                 *half = array_output(c, DTYPE_BF16, 3);
    double want[3] = {cases[index].bits, cases[index].bits, cases[index].bits}, back[3];
    c->backend->copy(c->backend, 3, single->view, half->view);
    expect_close(c, "bits", half, want, F32_EXACT, F32_EXACT);
    c->backend->copy(c->backend, 3, half->view, single->view);
    uint32_t bits = (uint32_t)cases[index].bits << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    for (int i = 0; i < 3; i++) back[i] = (double)value;
    expect_close(c, "back", single, back, F32_EXACT, F32_EXACT);
}

static void run_bf16_nan(struct op_case *c, int index) {
    (void)index;
    op_describe(c, "NaN");
    double nans[2] = {NAN, NAN};
    struct array *single = array_filled(c, DTYPE_F32, 2, NAN), *half = array_output(c, DTYPE_BF16, 2);
    c->backend->copy(c->backend, 2, single->view, half->view);
    c->backend->zero(c->backend, 2, single->view);
    c->backend->copy(c->backend, 2, half->view, single->view);
    expect_close(c, "there and back", single, nans, F32_EXACT, F32_EXACT);
}

static void check_dot(struct op_case *c, size_t n, enum dtype dtype) {
    (void)dtype;
    op_describe(c, "n %zu", n);
    struct array *x = array_random(c, n, 1.0), *y = array_random(c, n, 1e3);
    struct array *result = array_filled(c, DTYPE_F64, 1, 5.0);
    double want = 5.0, size = 5.0;
    for (size_t i = 0; i < n; i++) {
        want += x->value[i] * y->value[i];
        size += fabs(x->value[i] * y->value[i]);
    }
    c->backend->dot(c->backend, n, x->view, y->view, result->view);
    expect_close(c, "result", result, &want, DOT_ERROR * size, 0.0);
    struct array *squares = array_filled(c, DTYPE_F64, 1, 0.0);
    want = 0.0;
    for (size_t i = 0; i < n; i++) want += x->value[i] * x->value[i];
    c->backend->dot(c->backend, n, x->view, x->view, squares->view);
    expect_close(c, "squares", squares, &want, 0.0, DOT_ERROR);
}

/* Each on all lengths, the first two on all dtypes. */
enum { CHECKS = 6 };
static void (*const checks[CHECKS])(struct op_case *c, size_t n, enum dtype dtype) = {
    check_zero, check_copy, check_scale, check_add, check_dot, check_conversion};

static void run_typed(struct op_case *c, int index) {
    checks[index % 2](c, lengths[index / 2 % LENGTHS], dtypes[index / 2 / LENGTHS]);
}

static void run_floats(struct op_case *c, int index) {
    checks[2 + index % 4](c, lengths[index / 4], DTYPE_F32);
}

static void run_random(struct op_case *c, int index) {
    size_t n = (size_t)op_size(c, 0, 300000);
    enum dtype dtype = dtypes[op_draw(c, 4)];
    op_draw_shifts(c);
    checks[index % CHECKS](c, n, dtype);
}

static void run_clip(struct op_case *c, int index) {
    static const struct {
        double limit, squares, factor;
    } cases[] = {{1.0, 4.0, 0.5},  {1.0, 1.0, 1.0},      {2.0, 0.0, 1.0}, {0.0, 9.0, 1.0},
                 {-1.0, 9.0, 1.0}, {0.5, 1e20, 0.5e-10}, {1.0, NAN, NAN}, {1.0, INFINITY, 0.0}};
    op_describe(c, "limit %g, squares %g", cases[index].limit, cases[index].squares);
    struct array *squares = array_filled(c, DTYPE_F64, 1, cases[index].squares),
                 *factor = array_output(c, DTYPE_F32, 1);
    c->backend->clip_factor(c->backend, (float)cases[index].limit, squares->view, factor->view);
    expect_close(c, "factor", factor, &cases[index].factor, 0.0, F32_ROUNDED);
}

/* What must be told by check, once, and must not harm. */
static void run_failures(struct op_case *c, int index) {
    struct backend *b = c->backend;
    struct array *x = array_random(c, 100, 1.0), *other = array_filled(c, DTYPE_F64, 100, 1.0);
    struct view beyond = view_at(x->view, 200);
    struct array *ids = array_filled(c, DTYPE_I32, 2, index == 5 ? -1 : 1000),
                 *row = array_output(c, DTYPE_F32, 100);
    switch (index) {
    case 0:
        op_describe(c, "a vector that leaves its buffer");
        b->scale(b, 100, 2.0f, beyond);
        expect_failure(c, ERROR_INTERNAL, "scale");
        break;
    case 1:
        op_describe(c, "an absent operand");
        b->add(b, 100, 2.0f, view_none(), x->view);
        expect_failure(c, ERROR_INTERNAL, "add");
        break;
    case 2:
        op_describe(c, "another dtype");
        b->scale(b, 100, 2.0f, other->view);
        expect_failure(c, ERROR_UNSUPPORTED, "scale");
        break;
    case 3:
        op_describe(c, "the first failure is kept");
        b->add(b, 100, 2.0f, view_none(), x->view);
        b->scale(b, 100, 2.0f, beyond);
        expect_failure(c, ERROR_INTERNAL, "add");
        b->scale(b, 100, 1.0f, x->view); /* works again */
        expect_good(c);
        break;
    case 4:
    case 5:
        op_describe(c, index == 4 ? "an id beyond the table" : "a negative id");
        b->embed(b, 2, 50, 1.0f, ids->view, x->view, row->view);
        expect_failure(c, ERROR_INTERNAL, "embed");
        break;
    case 6:
        op_describe(c, "a negative size");
        b->embed(b, -1, 50, 1.0f, ids->view, x->view, row->view);
        expect_failure(c, ERROR_INTERNAL, "embed");
        break;
    case 7:
        op_describe(c, "a download beyond the end");
        b->download(b, beyond, (float[4]){0}, 4);
        expect_failure(c, ERROR_INTERNAL, "download");
        break;
    default:
        op_describe(c, "a conversion that is not there");
        b->copy(b, 10, other->view, row->view);
        expect_failure(c, ERROR_UNSUPPORTED, "copy");
    }
    expect_unchanged(c, "x", x);
}

static void run_names(struct op_case *c, int index) {
    static const char *const names[] = {"cuda:x", "abacus", "", "cuda:", "cpu2"};
    op_describe(c, "'%s'", names[index]);
    struct error err = {0};
    struct backend *b = c->backend;
    expect_true(c, backend_create(names[index], 1, &b, &err) == ERROR_INPUT, "the backend was created");
    expect_true(c, !b, "there is a pointer");
    expect_true(c, strstr(err.message, "cpu"), "'%s' does not say what there is", err.message);
    expect_true(c, strstr(err.message, names[index]), "'%s' does not say what was asked for", err.message);
    bool listed = false;
    for (const char *const *name = backend_names(); *name; name++) listed |= !strcmp(*name, c->backend->name);
    expect_true(c, listed, "backend_names lacks '%s'", c->backend->name);
}

int main(int argc, char **argv) {
    static const struct op_suite suites[] = {{"memory", LENGTHS, run_memory},
                                             {"large", 2, run_large},
                                             {"scratch", 3, run_scratch},
                                             {"reserved", 2, run_reserved},
                                             {"vectors", 2 * 4 * LENGTHS, run_typed},
                                             {"float_vectors", 4 * LENGTHS, run_floats},
                                             {"random_vectors", 60, run_random},
                                             {"bf16", 12, run_bf16},
                                             {"bf16_nan", 1, run_bf16_nan},
                                             {"clip_factor", 8, run_clip},
                                             {"failures", 9, run_failures},
                                             {"names", 5, run_names},
                                             {NULL, 0, NULL}};
    return op_test_main(argc, argv, suites);
}

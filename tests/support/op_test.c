#include "tests/support/op_test.h"

#include "base/memory.h"
#include "base/random.h"
#include "tests/support/backend_test.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 64, DIRECTIONS = 3, SHOWN_FAILURES = 5 };

static const double OUTPUT_NOISE = 4e-7; /* relative error of a forward operation's outputs */
static const double guard_value = -12345.0;

static void fail(struct op_case *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void fail(struct op_case *c, const char *format, ...) {
    if (++c->failures > SHOWN_FAILURES) return;
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    fprintf(stderr, "FAIL %s %s %d (%s): %s\n", c->rerun, c->suite, c->index, c->description, message);
}

static void must(int code, const struct error *err) {
    if (!code) return;
    fprintf(stderr, "the test itself failed: %s\n", err->message);
    exit(1);
}

void op_describe(struct op_case *c, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(c->description, sizeof c->description, format, arguments);
    va_end(arguments);
}

double *op_numbers(struct op_case *c, size_t count) {
    struct error err = {0};
    double *numbers;
    must(memory_alloc(&numbers, count, sizeof *numbers, &err), &err);
    must(memory_reserve(&c->blocks, &c->block_capacity, c->block_count + 1, sizeof *c->blocks, &err), &err);
    c->blocks[c->block_count++] = numbers;
    return numbers;
}

double *op_copy(struct op_case *c, const double *numbers, size_t count) {
    double *copy = op_numbers(c, count);
    if (count) memcpy(copy, numbers, count * sizeof *copy);
    return copy;
}

int op_draw(struct op_case *c, int bound) {
    struct random_key key = {.seed = (uint64_t)c->index, .purpose = RANDOM_TEST, .stream = c->streams++};
    return (int)random_below(key, 0, (uint64_t)bound);
}

bool op_happens(struct op_case *c, int often) {
    return op_draw(c, 100) < often;
}

/* ---- arrays */

static double widen(uint16_t bits) {
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return (double)value;
}

/* To the nearest, ties to even; a NaN stays one. */
static uint16_t narrow(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return isnan(value) ? 0x7fff : (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static void encode(struct view view, bool bits, size_t count, const double *values, void *bytes) {
    for (size_t i = 0; i < count; i++) {
        if (view.dtype == DTYPE_F32) ((float *)bytes)[i] = (float)values[i];
        if (view.dtype == DTYPE_F64) ((double *)bytes)[i] = values[i];
        if (view.dtype == DTYPE_I32) ((int32_t *)bytes)[i] = (int32_t)values[i];
        if (view.dtype == DTYPE_BF16)
            ((uint16_t *)bytes)[i] = bits ? (uint16_t)values[i] : narrow((float)values[i]);
    }
}

static void decode(struct view view, bool bits, size_t count, const void *bytes, double *values) {
    for (size_t i = 0; i < count; i++) {
        if (view.dtype == DTYPE_F32) values[i] = (double)((const float *)bytes)[i];
        if (view.dtype == DTYPE_F64) values[i] = ((const double *)bytes)[i];
        if (view.dtype == DTYPE_I32) values[i] = (double)((const int32_t *)bytes)[i];
        if (view.dtype == DTYPE_BF16) {
            uint16_t half = ((const uint16_t *)bytes)[i];
            values[i] = bits ? (double)half : widen(half);
        }
    }
}

/* The numbers of `count` device elements, into `values`. */
static void fetch(struct op_case *c, struct view view, bool bits, size_t count, double *values) {
    struct error err = {0};
    void *bytes;
    must(memory_alloc(&bytes, count, dtype_bytes(view.dtype), &err), &err);
    c->backend->download(c->backend, view, bytes, count);
    decode(view, bits, count, bytes, values);
    memory_free(bytes);
}

static void store(struct op_case *c, struct view view, bool bits, size_t count, double *values) {
    struct error err = {0};
    void *bytes;
    must(memory_alloc(&bytes, count, dtype_bytes(view.dtype), &err), &err);
    encode(view, bits, count, values, bytes);
    decode(view, bits, count, bytes, values);
    c->backend->upload(c->backend, view, bytes, count);
    memory_free(bytes);
}

static double guard_of(enum dtype dtype) {
    return dtype == DTYPE_BF16 ? 12345.0 : guard_value;
}

static struct array *given(struct op_case *c, enum dtype dtype, bool bits, size_t count,
                           const double *values) {
    struct error err = {0};
    struct array *array;
    must(memory_alloc(&array, 1, sizeof *array, &err), &err);
    array->count = count;
    array->value = op_numbers(c, count);
    array->bits = bits;
    array->next = c->arrays;
    c->arrays = array;
    array->view = (struct view){NULL, 0, dtype};
    size_t bytes = (c->shift + count + 2 * GUARD) * dtype_bytes(dtype);
    must(c->backend->buffer_create(c->backend, bytes, &array->view.buffer, &err), &err);
    double guard[GUARD];
    for (int i = 0; i < GUARD; i++) guard[i] = guard_of(dtype);
    array->view.offset = c->shift;
    store(c, array->view, true, GUARD, guard);
    store(c, view_at(array->view, GUARD + count), true, GUARD, guard);
    array->view = view_at(array->view, GUARD);
    array_write(c, array, values);
    return array;
}

struct array *array_given(struct op_case *c, enum dtype dtype, size_t count, const double *values) {
    return given(c, dtype, true, count, values);
}

void array_write(struct op_case *c, struct array *array, const double *values) {
    if (array->count == 0) return;
    memmove(array->value, values, array->count * sizeof *values);
    store(c, array->view, array->bits, array->count, array->value);
}

const double *array_read(struct op_case *c, struct array *array) {
    double guard[GUARD];
    struct view start = array->view;
    fetch(c, start, array->bits, array->count, array->value);
    start.offset -= GUARD;
    for (int side = 0; side < 2; side++) {
        fetch(c, side ? view_at(array->view, array->count) : start, true, GUARD, guard);
        for (int i = 0; i < GUARD; i++)
            if (!(guard[i] == guard_of(array->view.dtype)))
                fail(c, "wrote outside of an array of %zu: guard %d %s it holds %g", array->count, i,
                     side ? "behind" : "before", guard[i]);
    }
    return array->value;
}

static double *random_numbers(struct op_case *c, size_t count, double spread) {
    struct random_key key = {.seed = (uint64_t)c->index, .purpose = RANDOM_TEST, .stream = c->streams++};
    double *values = op_numbers(c, count);
    for (size_t i = 0; i < count; i++) values[i] = spread * random_normal(key, i);
    return values;
}

struct array *array_random(struct op_case *c, size_t count, double spread) {
    return array_given(c, DTYPE_F32, count, random_numbers(c, count, spread));
}

struct array *activations_random(struct op_case *c, size_t count, double spread) {
    return activations_given(c, count, random_numbers(c, count, spread));
}

struct array *activations_given(struct op_case *c, size_t count, const double *values) {
    return given(c, c->backend->activations, false, count, values);
}

struct array *activations_output(struct op_case *c, size_t count) {
    double *values = op_numbers(c, count);
    for (size_t i = 0; i < count; i++) values[i] = 777.0;
    return activations_given(c, count, values);
}

struct array *array_filled(struct op_case *c, enum dtype dtype, size_t count, double value) {
    double *values = op_numbers(c, count);
    for (size_t i = 0; i < count; i++) values[i] = value;
    return array_given(c, dtype, count, values);
}

struct array *array_output(struct op_case *c, enum dtype dtype, size_t count) {
    return array_filled(c, dtype, count, dtype == DTYPE_I32 || dtype == DTYPE_BF16 ? 777 : NAN);
}

struct array *array_indices(struct op_case *c, size_t count, size_t bound) {
    struct random_key key = {.seed = (uint64_t)c->index, .purpose = RANDOM_TEST, .stream = c->streams++};
    double *values = op_numbers(c, count);
    for (size_t i = 0; i < count; i++) values[i] = (double)random_below(key, i, bound);
    return array_given(c, DTYPE_I32, count, values);
}

/* ---- * expectations */

void expect_good(struct op_case *c) {
    struct error err = {0};
    if (c->backend->check(c->backend, &err)) fail(c, "check: %s", err.message);
}

void expect_failure(struct op_case *c, int code, const char *words) {
    struct error err = {0};
    int got = c->backend->check(c->backend, &err);
    if (got != code || !strstr(err.message, words))
        fail(c, "check gave %d '%s', expected %d and '%s'", got, err.message, code, words);
}

void expect_true(struct op_case *c, bool condition, const char *format, ...) {
    if (condition) return;
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    fail(c, "%s", message);
}

static bool close_enough(double got, double want, double allowed) {
    if (isnan(want)) return isnan(got);
    if (isinf(want)) return got == want;
    return fabs(got - want) <= allowed;
}

void expect_within(struct op_case *c, const char *what, struct array *got, const double *want,
                   const double *allowed) {
    array_read(c, got);
    size_t wrong = 0, worst = 0;
    for (size_t i = 0; i < got->count; i++) {
        if (close_enough(got->value[i], want[i], allowed[i])) continue;
        if (!wrong++ || !(fabs(got->value[i] - want[i]) <= fabs(got->value[worst] - want[worst]))) worst = i;
    }
    if (wrong)
        fail(c, "%s: %zu of %zu differ; worst [%zu] is %.9g, expected %.9g within %.3g", what, wrong,
             got->count, worst, got->value[worst], want[worst], allowed[worst]);
}

void expect_close(struct op_case *c, const char *what, struct array *got, const double *want, double absolute,
                  double relative) {
    double *allowed = op_numbers(c, got->count);
    for (size_t i = 0; i < got->count; i++) allowed[i] = absolute + relative * fabs(want[i]);
    expect_within(c, what, got, want, allowed);
}

void expect_unchanged(struct op_case *c, const char *what, struct array *array) {
    double *before = op_copy(c, array->value, array->count);
    expect_close(c, what, array, before, 0.0, 0.0);
}

double array_weighted(struct op_case *c, struct array *array, const double *weights) {
    array_read(c, array);
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < array->count; i++) {
        sum += weights[i] * array->value[i];
        squares += weights[i] * weights[i] * array->value[i] * array->value[i];
    }
    c->magnitude = sqrt(squares);
    return sum;
}

/* f at x + amount * direction, up to the rounding of x to float. */
static double value_at(struct op_case *c, double (*f)(struct op_case *, void *), void *context,
                       struct array *x, const double *home, const double *direction, double amount) {
    double *values = op_numbers(c, x->count);
    for (size_t i = 0; i < x->count; i++) values[i] = home[i] + amount * direction[i];
    array_write(c, x, values);
    return f(c, context);
}

void expect_gradient(struct op_case *c, const char *what, double (*f)(struct op_case *c, void *context),
                     void *context, struct array *x, const double *gradient, double step, double relative) {
    double *home = op_copy(c, x->value, x->count);
    for (int d = 0; d < DIRECTIONS; d++) {
        struct random_key key = {.seed = (uint64_t)c->index, .purpose = RANDOM_TEST, .stream = c->streams++};
        double *u = op_numbers(c, x->count), inner = 0.0, norm = 0.0, length = 0.0;
        for (size_t i = 0; i < x->count; i++) {
            u[i] = random_normal(key, i);
            inner += gradient[i] * u[i];
            norm += gradient[i] * gradient[i];
            length += u[i] * u[i];
        }
        double h = length > 0.0 ? step * sqrt((double)x->count / length) : step;
        double near = value_at(c, f, context, x, home, u, h) - value_at(c, f, context, x, home, u, -h);
        double far = value_at(c, f, context, x, home, u, 2 * h) - value_at(c, f, context, x, home, u, -2 * h);
        double found = (8.0 * near - far) / (12.0 * h);
        double allowed = relative * sqrt(norm) + OUTPUT_NOISE * c->magnitude / h;
        if (!(fabs(found - inner) <= allowed))
            fail(c, "%s: differences give %.9g along direction %d, the gradient %.9g (tolerance %g)", what,
                 found, d, inner, allowed);
    }
    array_write(c, x, home);
}

/* ---- * running */

void op_release(struct op_case *c) {
    while (c->arrays) {
        struct array *array = c->arrays;
        c->arrays = array->next;
        c->backend->buffer_destroy(c->backend, &array->view.buffer);
        memory_free(array);
    }
    for (size_t i = 0; i < c->block_count; i++) memory_free(c->blocks[i]);
    memory_free(c->blocks);
    c->blocks = NULL;
    c->block_count = c->block_capacity = 0;
}

/* On a backend of its own: its scratch memory is no larger than the case made it. */
static bool run_case(const struct op_suite *suite, int index, const char *name, const char *rerun) {
    struct op_case c = {.suite = suite->name, .index = index, .rerun = rerun};
    struct error err = {0};
    must(test_backend_create(name, 0, &c.backend, &err), &err);
    suite->run(&c, index);
    expect_good(&c);
    op_release(&c);
    backend_destroy(&c.backend);
    return c.failures == 0;
}

static int usage(const char *program, const struct op_suite *suites) {
    fprintf(stderr, "usage: %s BACKEND [SUITE [CASE[-LAST]]]; suites:", program);
    for (const struct op_suite *s = suites; s->name; s++)
        fprintf(stderr, " %s (0..%d)", s->name, s->cases - 1);
    fprintf(stderr, "\n");
    return 2;
}

/* The numbers of the cases that the argument asks for, or of all. */
static void cases_of(const struct op_suite *suite, const char *argument, int *first, int *last) {
    *first = 0;
    *last = suite->cases - 1;
    if (!argument) return;
    const char *dash = strchr(argument, '-');
    *first = atoi(argument);
    int asked = dash ? atoi(dash + 1) : *first;
    *last = !strcmp(suite->name, "random") || asked < *last ? asked : *last;
}

int op_test_main(int argc, char **argv, const struct op_suite *suites) {
    if (argc < 2 || argc > 4) return usage(argv[0], suites);
    const char *slash = strrchr(argv[0], '/');
    char rerun[256];
    snprintf(rerun, sizeof rerun, "%s %s", slash ? slash + 1 : argv[0], argv[1]);
    int failed = 0, ran = 0;
    for (const struct op_suite *suite = suites; suite->name; suite++) {
        if (argc > 2 && strcmp(argv[2], suite->name)) continue;
        int bad = 0, first, last, before = ran;
        cases_of(suite, argc > 3 ? argv[3] : NULL, &first, &last);
        for (int i = first; i <= last; i++, ran++) bad += !run_case(suite, i, argv[1], rerun);
        printf("%s %s: %d cases, %d failed\n", bad ? "FAIL" : "ok  ", suite->name, ran - before, bad);
        failed += bad > 0;
    }
    return ran ? failed : usage(argv[0], suites);
}

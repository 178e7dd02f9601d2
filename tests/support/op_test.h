/* Tests of single operations: suites of numbered cases, run on the backend that the program's first argument
 * names.
 *
 *     test_NAME BACKEND [SUITE [CASE]]
 *
 * where CASE may be FIRST-LAST. A suite called "random" draws its cases from their numbers, of which there is
 * no end; without CASE it runs as many as it is said to have.
 *
 * Values live twice: on the device as float or int32, and here as exactly the same numbers in double, which
 * the references of reference_ops.h compute with. Device arrays stand between guards that must not change. */
#ifndef ADAPT_TESTS_SUPPORT_OP_TEST_H
#define ADAPT_TESTS_SUPPORT_OP_TEST_H

#include "train/backend.h"

/* An array on the device and its numbers. Owned by its case. */
struct array {
    struct view view; /* of the first element behind the guard */
    size_t count;
    double *value; /* [count] what was uploaded, or what array_read last found; for I32 too */
    bool bits;     /* of BF16: `value` holds the bits, as a number, not what they stand for */
    struct array *next;
};

struct op_case {
    struct backend *backend;
    const char *suite;
    int index;             /* which case of the suite */
    char description[256]; /* the shape, set by op_describe */
    unsigned streams;      /* random streams drawn from so far */
    size_t shift;          /* elements by which new arrays are less aligned than others */
    int failures;
    double magnitude; /* of the terms that array_weighted last summed: the root of their squares */
    struct array *arrays;
    const char *rerun; /* the program and the backend */
    void **blocks;     /* memory of op_numbers */
    size_t block_count, block_capacity;
};

struct op_suite {
    const char *name;
    int cases;
    void (*run)(struct op_case *c, int index); /* reports through the expectations below */
};

/* `main` of a test program; suites end with a NULL name. The number of failed suites is the exit status. */
int op_test_main(int argc, char **argv, const struct op_suite *suites);

/* The buffers and numbers of a case. */
void op_release(struct op_case *c);

/* Says what the case is, for messages. */
void op_describe(struct op_case *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* `count` zeroed doubles that live as long as the case. */
double *op_numbers(struct op_case *c, size_t count);
/* A copy of numbers. */
double *op_copy(struct op_case *c, const double *numbers, size_t count);

/* The case's next random number of 0..bound-1; one of several; `often` times of a hundred. */
int op_draw(struct op_case *c, int bound);
#define OP_DRAW_OF(c, all) ((all)[op_draw(c, (int)(sizeof(all) / sizeof *(all)))])
bool op_happens(struct op_case *c, int often);

/* New arrays: normal random numbers times `spread`; one value everywhere; given numbers; junk that an
 * operation has to overwrite; random indices below a bound. */
struct array *array_random(struct op_case *c, size_t count, double spread);
struct array *array_filled(struct op_case *c, enum dtype dtype, size_t count, double value);
struct array *array_given(struct op_case *c, enum dtype dtype, size_t count, const double *values);
struct array *array_output(struct op_case *c, enum dtype dtype, size_t count);
struct array *array_indices(struct op_case *c, size_t count, size_t bound);
/* The same of the dtype that the backend's activations have, whose `value` holds numbers: rounded random
 * ones; given ones, rounded; junk. */
struct array *activations_random(struct op_case *c, size_t count, double spread);
struct array *activations_given(struct op_case *c, size_t count, const double *values);
struct array *activations_output(struct op_case *c, size_t count);
/* Uploads other numbers, rounded to the array's dtype, which `value` then holds. */
void array_write(struct op_case *c, struct array *array, const double *values);
/* Downloads the array into `value` and checks the guards on both sides. */
const double *array_read(struct op_case *c, struct array *array);

/* `check` finds no failure, or finds one whose message contains `words`. */
void expect_good(struct op_case *c);
void expect_failure(struct op_case *c, int code, const char *words);
/* Any condition. */
void expect_true(struct op_case *c, bool condition, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Reads the array and compares: |got - want| <= absolute + relative * |want| for each element; a NaN never
 * passes unless both are. */
void expect_close(struct op_case *c, const char *what, struct array *got, const double *want, double absolute,
                  double relative);
/* The same with an allowed difference for each element. */
void expect_within(struct op_case *c, const char *what, struct array *got, const double *want,
                   const double *allowed);
/* Reads the array and finds the very numbers it held before. */
void expect_unchanged(struct op_case *c, const char *what, struct array *array);

/* Central differences of fourth order: along a few random directions u, (8 (f(x+hu) - f(x-hu)) - (f(x+2hu) -
 * f(x-2hu))) / 12h against <gradient, u>, within `relative` of |gradient| (about the size of either) and the
 * noise of float outputs over h. f runs the forward operation and returns array_weighted of its output. The
 * array is left as it was. */
void expect_gradient(struct op_case *c, const char *what, double (*f)(struct op_case *c, void *context),
                     void *context, struct array *x, const double *gradient, double step, double relative);

/* Weighted sum of an array's device contents, for the above. */
double array_weighted(struct op_case *c, struct array *array, const double *weights);

#endif

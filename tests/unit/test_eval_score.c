/* Choices, means and standard errors. */
#include "eval/score.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stddef.h>
#include <cmocka.h>

static const double SCORE_TOLERANCE = 1e-15;

static void assert_near(double actual, double expected) {
    if (!(fabs(actual - expected) <= SCORE_TOLERANCE)) fail_msg("%.17g, expected %.17g", actual, expected);
}

static void chooses(void **state) {
    (void)state;
    int32_t points[] = {10, 5, 20, 5};
    struct document document = {.requests = 4, .points = points};
    static const struct {
        double values[4];
        int likeliest, by_length;
    } cases[] = {{{-10, -8, -9, -8}, 1, 2}, /* -1, -1.6, -0.45, -1.6 */
                 {{-5, -5, -5, -5}, 0, 2},  /* ties: the lowest index */
                 {{-3, -1, -4, -1}, 1, 1},  /* -0.3, -0.2, -0.2, -0.2 */
                 {{-9, -9, -30, -1}, 3, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(choose_likeliest(&document, cases[i].values), cases[i].likeliest);
        assert_int_equal(choose_likeliest_by_length(&document, cases[i].values), cases[i].by_length);
    }
    points[0] = 0; /* an empty choice is never the likeliest by length */
    assert_int_equal(choose_likeliest_by_length(&document, cases[0].values), 2);
    assert_int_equal(choose_likeliest_by_length(&document, (double[]){-1, -90, -90, -90}), 2);
}

static void averages(void **state) {
    (void)state;
    double mean, error;
    score_mean((double[]){1, 0, 1, 1}, 4, 1, &mean, &error);
    assert_near(mean, 0.75);
    assert_near(error, 0.25); /* sqrt(0.75 / 3) / 2 */
    score_mean((double[]){1, 9, 2, 9, 4, 9}, 3, 2, &mean, &error);
    assert_near(mean, 7.0 / 3);
    assert_near(error, sqrt(14.0 / 3 / 2 / 3)); /* squares 16/9 + 1/9 + 25/9 */
    score_mean((double[]){0, 0}, 2, 1, &mean, &error);
    assert_near(mean, 0);
    assert_near(error, 0);
    score_mean((double[]){1}, 1, 1, &mean, &error);
    assert_near(mean, 1);
    assert_true(isnan(error));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(chooses), cmocka_unit_test(averages)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

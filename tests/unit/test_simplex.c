/* The simplex: softmax with a floor, its pullback, entropy, and logits of any size. */
#include "solver/simplex.h"

#include "base/random.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { TASKS_MAX = 64 };
static const double sum_tolerance = 1e-12;

static double normal(uint64_t index) {
    return random_normal((struct random_key){.seed = 7, .purpose = RANDOM_TEST}, index);
}

/* Fails on NaN too. */
static void assert_near(double actual, double expected, double tolerance) {
    if (!(fabs(actual - expected) <= tolerance))
        fail_msg("%.17g, expected %.17g (within %g)", actual, expected, tolerance);
}

static void softmax_equals_its_definition(void **state) {
    (void)state;
    const double logits[3] = {0.0, 1.0, -2.0};
    double share[3], sum = exp(0.0) + exp(1.0) + exp(-2.0);
    simplex_softmax(3, logits, share);
    for (int k = 0; k < 3; k++) assert_near(share[k], exp(logits[k]) / sum, 1e-15);
    simplex_floored(3, logits, 0.3, share);
    for (int k = 0; k < 3; k++) assert_near(share[k], 0.7 * exp(logits[k]) / sum + 0.1, 1e-15);
}

static void shares_sum_to_one_and_keep_the_floor(void **state) {
    (void)state;
    static const double scales[] = {0.0, 1.0, 30.0, 1e3, 1e300}, floors[] = {0.0, 1e-9, 0.02, 0.999};
    for (int n = 1; n <= TASKS_MAX; n++) {
        for (int s = 0; s < 5; s++) {
            for (int f = 0; f < 4; f++) {
                double logits[TASKS_MAX], share[TASKS_MAX], sum = 0.0;
                for (int k = 0; k < n; k++) logits[k] = scales[s] * normal((uint64_t)(n * 100 + k));
                simplex_floored(n, logits, floors[f], share);
                for (int k = 0; k < n; k++) {
                    assert_true(share[k] >= floors[f] / n);
                    sum += share[k];
                }
                assert_near(sum, 1.0, sum_tolerance);
            }
        }
    }
}

static void a_common_shift_changes_nothing(void **state) {
    (void)state;
    double logits[5], moved[5], share[5], shifted[5];
    for (int k = 0; k < 5; k++) {
        logits[k] = (double)k * 0.25;
        moved[k] = logits[k] + 1024.0; /* exact */
    }
    simplex_floored(5, logits, 0.02, share);
    simplex_floored(5, moved, 0.02, shifted);
    for (int k = 0; k < 5; k++) assert_true(share[k] == shifted[k]);
}

static void pullback_equals_finite_differences(void **state) {
    (void)state;
    const double step = 1e-5, tolerance = 1e-9;
    static const double floors[] = {0.0, 0.02, 0.5};
    for (int f = 0; f < 3; f++) {
        double logits[6], gradient[6], out[6];
        for (int k = 0; k < 6; k++) {
            logits[k] = normal((uint64_t)k);
            gradient[k] = normal((uint64_t)k + 50);
        }
        simplex_pullback(6, logits, floors[f], gradient, out);
        for (int j = 0; j < 6; j++) {
            double value[2], old = logits[j];
            for (int side = 0; side < 2; side++) {
                double share[6];
                logits[j] = old + (side ? step : -step);
                simplex_floored(6, logits, floors[f], share);
                value[side] = 0.0;
                for (int k = 0; k < 6; k++) value[side] += gradient[k] * share[k];
            }
            logits[j] = old;
            assert_near(out[j], (value[1] - value[0]) / (2 * step), tolerance);
        }
        simplex_pullback(6, logits, floors[f], gradient, gradient); /* in place */
        for (int k = 0; k < 6; k++) assert_true(gradient[k] == out[k]);
    }
}

static void entropy_of_known_points(void **state) {
    (void)state;
    const double uniform[4] = {0.25, 0.25, 0.25, 0.25}, corner[4] = {0.0, 1.0, 0.0, 0.0},
                 pair[4] = {0.5, 0.0, 0.5, 0.0};
    assert_near(simplex_entropy(4, uniform), log(4.0), 1e-15);
    assert_true(simplex_entropy(4, corner) == 0.0);
    assert_near(simplex_entropy(4, pair), log(2.0), 1e-15);
}

static void limits_and_centres(void **state) {
    (void)state;
    double logits[4] = {-1e6, 3.0, 1.0, 2.0};
    simplex_limit(4, logits, 10.0);
    assert_near(logits[1] - logits[0], 10.0, 1e-12);
    assert_near(logits[1] - logits[2], 2.0, 1e-12);
    assert_near(logits[1] - logits[3], 1.0, 1e-12);
    assert_near(logits[0] + logits[1] + logits[2] + logits[3], 0.0, 1e-12);
    double large[3] = {1.5e308, 1.5e308, 1.5e308}; /* their sum overflows */
    simplex_centre(3, large);
    for (int k = 0; k < 3; k++) assert_near(large[k], 0.0, 1e293);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(softmax_equals_its_definition),
        cmocka_unit_test(shares_sum_to_one_and_keep_the_floor),
        cmocka_unit_test(a_common_shift_changes_nothing),
        cmocka_unit_test(pullback_equals_finite_differences),
        cmocka_unit_test(entropy_of_known_points),
        cmocka_unit_test(limits_and_centres),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The smooth worst case: closed form against a plain reference in extended precision, and the online sum, in
 * any order and over any partition, against the closed form. */
#include "solver/worst_case.h"

#include "base/random.h"
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { TASKS = 20, PARTS_MAX = 6, ORDERS = 50 };
static const double tolerance = 1e-13; /* relative to the largest value */
static const double temperatures[] = {0.0, DBL_TRUE_MIN, 1e-300, 1e-6, 0.01, 0.3,
                                      1.0, 100.0,        1e6,    1e12, 1e300};
enum { TEMPERATURES = sizeof temperatures / sizeof temperatures[0] };

static const struct random_key key = {.seed = 11, .purpose = RANDOM_TEST};

static void assert_near(double actual, double expected, double bound) {
    if (!(fabs(actual - expected) <= bound))
        fail_msg("%.17g, expected %.17g (within %g)", actual, expected, bound);
}

static void make_losses(double scale, double *loss) {
    for (int k = 0; k < TASKS; k++) loss[k] = scale * (1.0 + random_uniform(key, (uint64_t)k));
    loss[7] = loss[3]; /* a tie */
}

/* T log mean exp(v / T) and the softmax by the definitions, in extended precision, shifted by the maximum. */
static double plain_objective(double temperature, int tasks, const double *value, double *weight) {
    long double maximum = value[0], sum = 0.0L, excess = 0.0L;
    for (int k = 1; k < tasks; k++) maximum = fmaxl(maximum, value[k]);
    for (int k = 0; k < tasks; k++) {
        long double below = value[k] - maximum;
        long double term = temperature > 0.0 ? expl(below / temperature) : below < 0.0L ? 0.0L : 1.0L;
        weight[k] = (double)term;
        sum += term;
        excess += temperature > 0.0 ? expm1l(below / temperature) : 0.0L;
    }
    for (int k = 0; k < tasks; k++) weight[k] = (double)(weight[k] / sum);
    return (double)(temperature > 0.0 ? maximum + temperature * log1pl(excess / tasks) : maximum);
}

static void values_and_slopes(void **state) {
    (void)state;
    const double reference[2] = {0.5, 4.0};
    struct worst_case worst_case = {.objective = OBJECTIVE_LOSS};
    double slope;
    assert_true(worst_case_value(&worst_case, 1, 3.0, &slope) == 3.0 && slope == 1.0);
    worst_case.reference = reference;
    worst_case.objective = OBJECTIVE_EXCESS;
    assert_true(worst_case_value(&worst_case, 1, 3.0, &slope) == -1.0 && slope == 1.0);
    worst_case.objective = OBJECTIVE_RATIO;
    assert_true(worst_case_value(&worst_case, 1, 3.0, &slope) == 0.75 && slope == 0.25);
    assert_true(worst_case_value(&worst_case, 0, 3.0, NULL) == 6.0);
}

static void closed_form_equals_the_definition(void **state) {
    (void)state;
    static const double scales[] = {1e-3, 1.0, 1e4};
    for (int t = 0; t < TEMPERATURES; t++) {
        for (int s = 0; s < 3; s++) {
            double loss[TASKS], weight[TASKS], expected[TASKS], sum = 0.0;
            make_losses(scales[s], loss);
            struct worst_case worst_case = {.temperature = temperatures[t]};
            double objective = worst_case_objective(&worst_case, TASKS, loss, weight);
            assert_near(objective, plain_objective(temperatures[t], TASKS, loss, expected),
                        tolerance * scales[s]);
            assert_true(objective == worst_case_objective(&worst_case, TASKS, loss, NULL));
            for (int k = 0; k < TASKS; k++) {
                assert_near(weight[k], expected[k], tolerance);
                sum += weight[k];
            }
            assert_near(sum, 1.0, tolerance);
        }
    }
}

static void extremes_are_the_maximum_and_the_mean(void **state) {
    (void)state;
    double loss[TASKS], weight[TASKS], mean = 0.0, maximum = 0.0;
    make_losses(1.0, loss);
    for (int k = 0; k < TASKS; k++) {
        mean += loss[k] / TASKS;
        maximum = fmax(maximum, loss[k]);
    }
    struct worst_case worst_case = {.temperature = 1e12};
    assert_near(worst_case_objective(&worst_case, TASKS, loss, weight), mean, tolerance);
    for (int k = 0; k < TASKS; k++) assert_near(weight[k], 1.0 / TASKS, 1e-12);
    worst_case.temperature = 1e-12;
    assert_near(worst_case_objective(&worst_case, TASKS, loss, NULL), maximum, 1e-10);
    worst_case.temperature = 0.0;
    assert_true(worst_case_objective(&worst_case, TASKS, loss, weight) == maximum);
    for (int k = 0; k < TASKS; k++) assert_true(weight[k] == (loss[k] == maximum ? 1.0 : 0.0));
    const double tied[3] = {2.0, 1.0, 2.0};
    assert_true(worst_case_objective(&worst_case, 3, tied, weight) == 2.0);
    assert_true(weight[0] == 0.5 && weight[1] == 0.0 && weight[2] == 0.5);
}

/* Accumulates sum_j w_j x_j the way a backward pass does: terms in some order, over some parts that are
 * combined at the end. */
static double accumulate(double temperature, const double *value, const double *term, const int *order,
                         int parts, double *total) {
    struct worst_case_sum sum[PARTS_MAX];
    double gathered[PARTS_MAX] = {0.0}, maximum = -INFINITY, result = 0.0;
    for (int p = 0; p < parts; p++) sum[p] = worst_case_sum_empty();
    for (int i = 0; i < TASKS; i++) {
        int p = order[i] * 7 % parts, k = order[i]; /* with 6 parts, some get several and none is equal */
        double rescale, weight = worst_case_sum_add(&sum[p], temperature, value[k], &rescale);
        assert_true(rescale >= 0.0 && rescale <= 1.0 && weight >= 0.0 && weight <= 1.0);
        gathered[p] = gathered[p] * rescale + weight * term[k];
    }
    for (int p = 0; p < parts; p++) maximum = fmax(maximum, sum[p].maximum);
    *total = 0.0;
    for (int p = 0; p < parts; p++) {
        double factor = worst_case_sum_factor(&sum[p], temperature, maximum);
        *total += factor * sum[p].sum;
        result += factor * gathered[p];
    }
    return result / *total;
}

static void online_equals_closed_form_in_any_order_and_partition(void **state) {
    (void)state;
    double loss[TASKS], term[TASKS], weight[TASKS];
    make_losses(1.0, loss);
    loss[12] = loss[5] = 2.5; /* the largest, twice */
    for (int k = 0; k < TASKS; k++) term[k] = random_normal(key, 1000 + (uint64_t)k);
    for (int t = 0; t < TEMPERATURES; t++) {
        struct worst_case worst_case = {.temperature = temperatures[t]};
        worst_case_objective(&worst_case, TASKS, loss, weight);
        double expected = 0.0;
        for (int k = 0; k < TASKS; k++) expected += weight[k] * term[k];
        for (uint32_t o = 0; o < ORDERS; o++) {
            int order[TASKS], parts = 1 + (int)(o % PARTS_MAX);
            struct random_key shuffle = {.seed = 5, .purpose = RANDOM_TEST, .stream = o};
            for (int i = 0; i < TASKS; i++) order[i] = (int)random_permuted(shuffle, (uint64_t)i, TASKS);
            double total, result = accumulate(temperatures[t], loss, term, order, parts, &total);
            assert_near(result, expected, tolerance);
            if (temperatures[t] > 1e-3 &&
                temperatures[t] < 1e3) { /* the objective, too, follows from the sum */
                double objective = worst_case_objective(&worst_case, TASKS, loss, NULL);
                assert_near(2.5 + temperatures[t] * log(total / TASKS), objective, 1e-12);
            }
        }
    }
}

static void an_empty_part_counts_nothing(void **state) {
    (void)state;
    struct worst_case_sum empty = worst_case_sum_empty();
    for (int t = 0; t < TEMPERATURES; t++)
        assert_true(worst_case_sum_factor(&empty, temperatures[t], 3.0) == 0.0);
    double rescale;
    assert_true(worst_case_sum_add(&empty, 0.5, -1e308, &rescale) == 1.0);
    assert_true(rescale == 0.0 && empty.sum == 1.0 && empty.maximum == -1e308);
}

static void nan_is_never_swallowed(void **state) {
    (void)state;
    const double loss[3] = {1.0, NAN, 2.0};
    for (int t = 0; t < TEMPERATURES; t++) {
        struct worst_case worst_case = {.temperature = temperatures[t]};
        assert_true(isnan(worst_case_objective(&worst_case, 3, loss, NULL)));
        struct worst_case_sum sum = worst_case_sum_empty();
        double rescale;
        for (int k = 0; k < 3; k++) worst_case_sum_add(&sum, temperatures[t], loss[k], &rescale);
        assert_true(isnan(sum.sum));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_slopes),
        cmocka_unit_test(closed_form_equals_the_definition),
        cmocka_unit_test(extremes_are_the_maximum_and_the_mean),
        cmocka_unit_test(online_equals_closed_form_in_any_order_and_partition),
        cmocka_unit_test(an_empty_part_counts_nothing),
        cmocka_unit_test(nan_is_never_swallowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

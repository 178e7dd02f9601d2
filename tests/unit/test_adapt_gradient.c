/* ADAPT's meta-gradient against finite differences of J on a toy that can be unrolled in closed form:
 * quadratic validation losses L_j(theta) = b_j + 1/2 sum_i a_ji (theta_i - c_ji)^2, fixed training gradients
 * g_k, one inner step theta' = theta - eta P sum_k p_k g_k with a diagonal preconditioner P. J is evaluated
 * in extended precision from its definition and shares no code with solver/. */
#include "solver/adapt.h"
#include "solver/simplex.h"

#include "base/random.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { TASKS = 7, DIMENSIONS = 11 };
static const double gradient_tolerance = 1e-6; /* relative to the gradient's largest component */

struct toy {
    double theta[DIMENSIONS], scaling[DIMENSIONS]; /* P */
    double train_gradient[TASKS][DIMENSIONS];
    double curvature[TASKS][DIMENSIONS], centre[TASKS][DIMENSIONS], offset[TASKS];
    double reference[TASKS], logits[TASKS];
    double rate; /* eta */
};

struct variant {
    double temperature, entropy, floor;
    int objective, lookahead, normalise;
    bool scaled;
};

static double draw(uint32_t stream, int index) {
    struct random_key key = {.seed = 3, .purpose = RANDOM_TEST, .stream = stream};
    return random_normal(key, (uint64_t)index);
}

static void make_toy(struct toy *toy, bool scaled) {
    toy->rate = 0.05;
    for (int i = 0; i < DIMENSIONS; i++) {
        toy->theta[i] = draw(0, i);
        toy->scaling[i] = scaled ? exp(draw(1, i)) : 1.0;
    }
    for (int k = 0; k < TASKS; k++) {
        toy->offset[k] = 1.0 + fabs(draw(2, k));
        toy->reference[k] = 0.5 + fabs(draw(3, k));
        toy->logits[k] = draw(4, k);
        for (int i = 0; i < DIMENSIONS; i++) {
            toy->train_gradient[k][i] = draw(5, k * DIMENSIONS + i);
            toy->curvature[k][i] = fabs(draw(6, k * DIMENSIONS + i));
            toy->centre[k][i] = draw(7, k * DIMENSIONS + i);
        }
    }
}

/* ---- the reference */

static void step_of(const struct toy *toy, const long double *share, long double *theta) {
    for (int i = 0; i < DIMENSIONS; i++) {
        long double sum = 0.0L;
        for (int k = 0; k < TASKS; k++) sum += share[k] * toy->train_gradient[k][i];
        theta[i] = toy->theta[i] - toy->rate * toy->scaling[i] * sum;
    }
}

static long double task_loss(const struct toy *toy, int task, const long double *theta) {
    long double loss = toy->offset[task];
    for (int i = 0; i < DIMENSIONS; i++) {
        long double distance = theta[i] - toy->centre[task][i];
        loss += 0.5L * toy->curvature[task][i] * distance * distance;
    }
    return loss;
}

/* J at the mixture `share` (any vector, so that it can be differentiated along each share), the outer part
 * divided by `divisor`. Without lookahead the unrolled step is taken relative to `base`, so that at share =
 * base the losses are those at theta: the function whose derivative the cheap variant is. */
static long double plain_objective(const struct toy *toy, const struct variant *variant,
                                   const long double *share, const long double *base, long double divisor) {
    long double moved[TASKS], theta[DIMENSIONS], value[TASKS], maximum = -INFINITY, sum = 0.0L,
                                                               entropy = 0.0L;
    for (int k = 0; k < TASKS; k++)
        moved[k] = share[k] - (variant->lookahead == LOOKAHEAD_EXACT ? 0.0L : base[k]);
    step_of(toy, moved, theta);
    for (int j = 0; j < TASKS; j++) {
        value[j] = task_loss(toy, j, theta);
        if (variant->objective == OBJECTIVE_EXCESS) value[j] -= toy->reference[j];
        if (variant->objective == OBJECTIVE_RATIO) value[j] /= toy->reference[j];
        maximum = fmaxl(maximum, value[j]);
        entropy -= share[j] * logl(share[j]);
    }
    long double temperature = variant->temperature, outer = maximum;
    if (temperature > 0.0L) {
        for (int j = 0; j < TASKS; j++) sum += expm1l((value[j] - maximum) / temperature);
        outer += temperature * log1pl(sum / TASKS);
    }
    return outer / divisor - variant->entropy * entropy;
}

static void plain_shares(const struct variant *variant, const long double *logits, long double *share) {
    long double sum = 0.0L;
    for (int k = 0; k < TASKS; k++) sum += expl(logits[k]);
    for (int k = 0; k < TASKS; k++)
        share[k] = (1.0L - variant->floor) * expl(logits[k]) / sum + (long double)variant->floor / TASKS;
}

/* Five-point central difference of J along variable `index` of the shares (or of the logits). */
static long double difference(const struct toy *toy, const struct variant *variant, bool by_logits, int index,
                              long double divisor) {
    static const long double coefficient[4] = {1.0L / 12, -8.0L / 12, 8.0L / 12, -1.0L / 12};
    static const int offset[4] = {-2, -1, 1, 2};
    long double logits[TASKS], base[TASKS], result = 0.0L;
    /* Short against the scale on which the softmax over tasks changes. */
    long double step = variant->temperature > 0.0 ? 1e-3L * fminl(0.1L, variant->temperature) : 1e-4L;
    for (int k = 0; k < TASKS; k++) logits[k] = toy->logits[k];
    plain_shares(variant, logits, base);
    for (int s = 0; s < 4; s++) {
        long double share[TASKS], moved[TASKS];
        memcpy(share, base, sizeof share);
        memcpy(moved, logits, sizeof moved);
        if (by_logits) {
            moved[index] += offset[s] * step;
            plain_shares(variant, moved, share);
        } else {
            share[index] += offset[s] * step;
        }
        result += coefficient[s] * plain_objective(toy, variant, share, base, divisor);
    }
    return result / step;
}

/* ---- what a run would do */

/* L and d_k = < g_k, P G > as a trainer makes them, G accumulated task by task with the online softmax. */
static void measure(const struct toy *toy, const struct variant *variant, const struct worst_case *worst_case,
                    const double *share, double *loss, double *alignment) {
    long double full[TASKS], theta[DIMENSIONS];
    double direction[DIMENSIONS] = {0.0};
    for (int k = 0; k < TASKS; k++) full[k] = variant->lookahead == LOOKAHEAD_EXACT ? share[k] : 0.0L;
    step_of(toy, full, theta);
    struct worst_case_sum sum = worst_case_sum_empty();
    for (int j = 0; j < TASKS; j++) {
        double slope, rescale;
        loss[j] = (double)task_loss(toy, j, theta);
        double value = worst_case_value(worst_case, j, loss[j], &slope);
        double weight = worst_case_sum_add(&sum, worst_case->temperature, value, &rescale);
        for (int i = 0; i < DIMENSIONS; i++) {
            double gradient = toy->curvature[j][i] * ((double)theta[i] - toy->centre[j][i]);
            direction[i] = direction[i] * rescale + weight * slope * gradient;
        }
    }
    for (int k = 0; k < TASKS; k++) {
        alignment[k] = 0.0;
        for (int i = 0; i < DIMENSIONS; i++)
            alignment[k] += toy->train_gradient[k][i] * toy->scaling[i] * direction[i] / sum.sum;
    }
}

static double relative_error(const double *actual, const long double *expected) {
    double scale = 0.0, worst = 0.0;
    for (int k = 0; k < TASKS; k++) scale = fmax(scale, (double)fabsl(expected[k]));
    for (int k = 0; k < TASKS; k++) {
        double error = fabs(actual[k] - (double)expected[k]) / scale;
        if (!(error <= worst)) worst = error; /* NaN too */
    }
    return worst;
}

/* The relative errors of dJ/dp and dJ/dphi; *objective_error that of J itself. */
static void check_variant(const struct variant *variant, double *share_error, double *logit_error,
                          double *objective_error) {
    struct toy toy;
    make_toy(&toy, variant->scaled);
    struct adapt_settings settings = {.temperature = variant->temperature,
                                      .entropy = variant->entropy,
                                      .floor = variant->floor,
                                      .objective = variant->objective,
                                      .normalise = variant->normalise};
    struct worst_case worst_case = {variant->temperature, variant->objective, toy.reference};
    double share[TASKS], loss[TASKS], alignment[TASKS], by_share[TASKS], by_logits[TASKS];
    simplex_floored(TASKS, toy.logits, variant->floor, share);
    measure(&toy, variant, &worst_case, share, loss, alignment);
    adapt_share_gradient(&settings, TASKS, toy.rate, alignment, share, by_share);
    adapt_logit_gradient(&settings, TASKS, toy.rate, alignment, toy.logits, by_logits);

    /* What normalising means: the outer part of J is measured in units of eta * mean |d|. */
    long double divisor = 1.0L, expected_share[TASKS], expected_logits[TASKS], logits[TASKS], base[TASKS];
    if (variant->normalise == ADAPT_NORMALISE_MEAN) {
        divisor = 0.0L;
        for (int k = 0; k < TASKS; k++) divisor += toy.rate * fabsl((long double)alignment[k]) / TASKS;
    }
    for (int k = 0; k < TASKS; k++) {
        logits[k] = toy.logits[k];
        expected_share[k] = difference(&toy, variant, false, k, divisor);
        expected_logits[k] = difference(&toy, variant, true, k, divisor);
    }
    *share_error = relative_error(by_share, expected_share);
    *logit_error = relative_error(by_logits, expected_logits);
    plain_shares(variant, logits, base);
    double expected = (double)plain_objective(&toy, variant, base, base, 1.0L);
    *objective_error =
        fabs(adapt_objective(&settings, &worst_case, TASKS, loss, share) - expected) / fabs(expected);
}

static void meta_gradient_equals_finite_differences(void **state) {
    (void)state;
    static const double temperatures[] = {0.0, 1e-4, 0.01, 0.3, 1.0, 100.0, 1e6},
                        entropies[] = {0.0, 0.3, 5.0};
    static const double floors[] = {0.0, 0.02, 0.5};
    static const int objectives[] = {OBJECTIVE_LOSS, OBJECTIVE_EXCESS, OBJECTIVE_RATIO};
    double worst[3] = {0.0, 0.0, 0.0};
    int count = 0;
    for (int index = 0; index < 7 * 3 * 3 * 3 * 2 * 2 * 2; index++) {
        int at = index;
        struct variant variant;
        variant.temperature = temperatures[at % 7], at /= 7;
        variant.entropy = entropies[at % 3], at /= 3;
        variant.floor = floors[at % 3], at /= 3;
        variant.objective = objectives[at % 3], at /= 3;
        variant.lookahead = at % 2 ? LOOKAHEAD_EXACT : LOOKAHEAD_NONE, at /= 2;
        variant.normalise = at % 2 ? ADAPT_NORMALISE_MEAN : ADAPT_NORMALISE_NONE, at /= 2;
        variant.scaled = at % 2;
        double error[3];
        check_variant(&variant, &error[0], &error[1], &error[2]);
        for (int e = 0; e < 3; e++) {
            if (!(error[e] <= gradient_tolerance))
                fail_msg("%s: relative error %g at T %g, beta %g, floor %g, objective %d, lookahead %d, "
                         "normalise %d, P %d",
                         e == 0   ? "dJ/dp"
                         : e == 1 ? "dJ/dphi"
                                  : "J",
                         error[e], variant.temperature, variant.entropy, variant.floor, variant.objective,
                         variant.lookahead, variant.normalise, variant.scaled);
            worst[e] = fmax(worst[e], error[e]);
        }
        count++;
    }
    print_message("%d variants; largest relative error of dJ/dp %.2g, of dJ/dphi %.2g, of J %.2g\n", count,
                  worst[0], worst[1], worst[2]);
}

/* The check itself must notice a wrong gradient: the cheap variant is not the derivative of the exact
 * objective. */
static void the_check_can_fail(void **state) {
    (void)state;
    struct toy toy;
    make_toy(&toy, false);
    struct variant exact = {.temperature = 0.3, .lookahead = LOOKAHEAD_EXACT}, cheap = exact;
    cheap.lookahead = LOOKAHEAD_NONE;
    struct adapt_settings settings = {.temperature = 0.3, .normalise = ADAPT_NORMALISE_NONE};
    struct worst_case worst_case = {.temperature = 0.3};
    double share[TASKS], loss[TASKS], alignment[TASKS], gradient[TASKS];
    long double expected[TASKS];
    simplex_floored(TASKS, toy.logits, 0.0, share);
    measure(&toy, &cheap, &worst_case, share, loss, alignment);
    adapt_logit_gradient(&settings, TASKS, toy.rate, alignment, toy.logits, gradient);
    for (int k = 0; k < TASKS; k++) expected[k] = difference(&toy, &exact, true, k, 1.0L);
    assert_true(relative_error(gradient, expected) > 1e-3);
}

/* Descent on the exact gradient must end where J cannot be lowered on the simplex: all dJ/dp_k equal. */
static void check_stationary(int update, double rate) {
    struct toy toy;
    make_toy(&toy, false);
    struct variant variant = {.temperature = 0.3, .entropy = 0.1, .lookahead = LOOKAHEAD_EXACT};
    struct adapt_settings settings = {.temperature = 0.3,
                                      .entropy = 0.1,
                                      .rate = rate,
                                      .interval = 1,
                                      .update = update,
                                      .normalise = ADAPT_NORMALISE_NONE};
    double size[TASKS], loss[TASKS], alignment[TASKS], gradient[TASKS], low = INFINITY, high = -INFINITY;
    for (int k = 0; k < TASKS; k++) size[k] = 1.0;
    struct method_problem problem = {.tasks = TASKS, .size = size};
    struct method_signal signal = {
        .learning_rate = toy.rate, .validation_loss = loss, .alignment = alignment};
    struct mixture *mixture;
    assert_int_equal(mixture_create(&method_adapt, &settings, &problem, &mixture, NULL), 0);
    double first = NAN;
    for (int i = 0; i < 20000; i++) {
        measure(&toy, &variant, &mixture_plan(mixture)->worst_case, mixture_shares(mixture), loss, alignment);
        assert_int_equal(mixture_update(mixture, &signal, NULL), 0);
        if (i == 0) first = mixture_view(mixture).objective;
    }
    measure(&toy, &variant, &mixture_plan(mixture)->worst_case, mixture_shares(mixture), loss, alignment);
    adapt_share_gradient(&settings, TASKS, toy.rate, alignment, mixture_shares(mixture), gradient);
    for (int k = 0; k < TASKS; k++) {
        low = fmin(low, gradient[k]);
        high = fmax(high, gradient[k]);
    }
    assert_true(high - low <= 1e-9);
    assert_true(mixture_view(mixture).objective < first);
    mixture_destroy(&mixture);
}

static void descent_ends_at_a_stationary_point(void **state) {
    (void)state;
    check_stationary(ADAPT_MIRROR, 1.0);
    check_stationary(ADAPT_SOFTMAX, 5.0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meta_gradient_equals_finite_differences),
        cmocka_unit_test(the_check_can_fail),
        cmocka_unit_test(descent_ends_at_a_stationary_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* ADAPT as a running method: its update rules against plain formulas, its invariances, what it refuses, and
 * that a saved state continues bit for bit. */
#include "solver/adapt.h"

#include "base/random.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { TASKS = 6, STATE_MAX = 128, UPDATES = 40 };
static const double sizes[TASKS] = {1, 2, 3, 4, 5, 6};
static const double rule_tolerance = 1e-14, sum_tolerance = 1e-12;

static void assert_near(double actual, double expected, double bound) {
    if (!(fabs(actual - expected) <= bound))
        fail_msg("%.17g, expected %.17g (within %g)", actual, expected, bound);
}

static double draw(uint32_t stream, int index) {
    struct random_key key = {.seed = 21, .purpose = RANDOM_TEST, .stream = stream};
    return random_normal(key, (uint64_t)index);
}

static struct adapt_settings defaults(void) {
    struct adapt_settings settings;
    setting_defaults(method_adapt.settings, &settings);
    return settings;
}

static struct mixture *start(const struct adapt_settings *settings) {
    struct method_problem problem = {.tasks = TASKS, .size = sizes};
    struct mixture *mixture;
    assert_int_equal(mixture_create(&method_adapt, settings, &problem, &mixture, NULL), 0);
    return mixture;
}

/* Update number `update` of a made-up run: losses about 2, alignments of any sign, sometimes one not
 * measured. */
struct signal_arrays {
    double loss[TASKS], alignment[TASKS];
};
static struct method_signal made_up(int update, struct signal_arrays *arrays) {
    for (int k = 0; k < TASKS; k++) {
        arrays->loss[k] = 2.0 + 0.5 * draw(1, update * TASKS + k);
        arrays->alignment[k] = 1e-3 * (0.5 + draw(2, update * TASKS + k));
        if ((update + k) % 5 == 4) arrays->alignment[k] = NAN;
    }
    return (struct method_signal){
        .learning_rate = 1e-5, .validation_loss = arrays->loss, .alignment = arrays->alignment};
}

static void run(struct mixture *mixture, int from, int to) {
    for (int u = from; u < to; u++) {
        struct signal_arrays arrays;
        struct method_signal signal = made_up(u, &arrays);
        assert_int_equal(mixture_update(mixture, &signal, NULL), 0);
    }
}

/* Every combination of the choices that change the rule; false after the last. */
static bool variant(int index, struct adapt_settings *settings) {
    *settings = defaults();
    settings->update = index % 2;
    settings->normalise = index / 2 % 2;
    settings->optimizer = index / 4 % 2;
    settings->floor = index / 8 % 2 ? 0.0 : 0.02;
    settings->rate =
        settings->normalise == ADAPT_NORMALISE_MEAN || settings->optimizer == ADAPT_ADAM ? 0.3 : 1.0;
    return index < 16;
}

static void defaults_are_the_documented_ones(void **state) {
    (void)state;
    struct adapt_settings s = defaults();
    assert_true(s.temperature == 1.0 && s.entropy == 0.3 && s.floor == 0.02 && s.rate == 0.05 &&
                s.averaging == 0.7);
    assert_true(s.interval == 10 && s.probe == 2 && s.validation_batch == 4);
    assert_int_equal(s.objective, OBJECTIVE_LOSS);
    assert_int_equal(s.update, ADAPT_MIRROR);
    assert_int_equal(s.lookahead, LOOKAHEAD_NONE);
    assert_int_equal(s.precondition, PRECONDITION_ADAMW);
    assert_int_equal(s.normalise, ADAPT_NORMALISE_MEAN);
    assert_int_equal(s.optimizer, ADAPT_SGD);
}

/* Three updates by the formulas, written out. */
static void rules_equal_their_formulas(void **state) {
    (void)state;
    struct adapt_settings settings;
    for (int index = 0; variant(index, &settings); index++) {
        struct mixture *mixture = start(&settings);
        double q[TASKS], average[TASKS] = {0}, first[TASKS] = {0}, second[TASKS] = {0};
        for (int k = 0; k < TASKS; k++) q[k] = 1.0 / TASKS;
        for (int u = 0; u < 3; u++) {
            struct signal_arrays arrays;
            struct method_signal signal = made_up(u, &arrays);
            double mean = 0.0, gradient[TASKS], inner = 0.0, common = 0.0, sum = 0.0;
            for (int k = 0; k < TASKS; k++) { /* none is missing here */
                arrays.alignment[k] = 1e-3 * (0.5 + draw(3, u * TASKS + k));
                mean += fabs(arrays.alignment[k]) / TASKS;
            }
            double factor = settings.normalise == ADAPT_NORMALISE_MEAN ? 1.0 / mean : 1e-5;
            for (int k = 0; k < TASKS; k++) {
                double pull = factor * arrays.alignment[k];
                average[k] = u ? 0.7 * average[k] + 0.3 * pull : pull;
            }
            assert_int_equal(mixture_update(mixture, &signal, NULL), 0);

            for (int k = 0; k < TASKS; k++) {
                double p = (1.0 - settings.floor) * q[k] + settings.floor / TASKS;
                gradient[k] = -average[k] + 0.3 * (log(p) + 1.0);
                inner += q[k] * gradient[k];
            }
            for (int k = 0; k < TASKS; k++) {
                if (settings.update == ADAPT_SOFTMAX)
                    gradient[k] = (1.0 - settings.floor) * q[k] * (gradient[k] - inner);
                assert_near(mixture_view(mixture).meta_gradient[k], gradient[k], rule_tolerance);
                common += gradient[k] / TASKS;
            }
            for (int k = 0; k < TASKS; k++) {
                double step = gradient[k] - common;
                if (settings.optimizer == ADAPT_ADAM) {
                    first[k] = 0.9 * first[k] + 0.1 * step;
                    second[k] = 0.999 * second[k] + 0.001 * step * step;
                    step = first[k] / (1.0 - pow(0.9, u + 1)) /
                           (sqrt(second[k] / (1.0 - pow(0.999, u + 1))) + 1e-8);
                }
                q[k] *= exp(-settings.rate * step);
                sum += q[k];
            }
            for (int k = 0; k < TASKS; k++) {
                q[k] /= sum;
                double p = (1.0 - settings.floor) * q[k] + settings.floor / TASKS;
                assert_near(mixture_shares(mixture)[k], p, rule_tolerance);
            }
        }
        mixture_destroy(&mixture);
    }
}

static void shares_stay_on_the_simplex_above_the_floor(void **state) {
    (void)state;
    struct adapt_settings settings;
    static const double scales[] = {1e-300, 1e-12, 1.0, 1e12, 1e300};
    for (int index = 0; variant(index, &settings); index++) {
        for (int s = 0; s < 5; s++) {
            settings.rate = 1.0;
            struct mixture *mixture = start(&settings);
            for (int u = 0; u < 200; u++) {
                struct signal_arrays arrays;
                struct method_signal signal = made_up(u, &arrays);
                for (int k = 0; k < TASKS; k++) arrays.alignment[k] *= scales[s] * (u < 100 ? 1.0 : -1.0);
                signal.learning_rate = 1.0;
                assert_int_equal(mixture_update(mixture, &signal, NULL), 0);
                double sum = 0.0;
                for (int k = 0; k < TASKS; k++) {
                    assert_true(mixture_shares(mixture)[k] >= settings.floor / TASKS);
                    sum += mixture_shares(mixture)[k];
                }
                assert_near(sum, 1.0, sum_tolerance);
                struct mixture_view view = mixture_view(mixture);
                assert_true(isfinite(view.entropy) && isfinite(view.objective));
            }
            mixture_destroy(&mixture);
        }
    }
}

static void check_refused(struct mixture *mixture, const struct method_signal *signal, const char *naming) {
    double before[STATE_MAX], after[STATE_MAX];
    size_t count = mixture_state_count(mixture);
    assert_true(count <= STATE_MAX);
    struct error err = {0};
    mixture_state_save(mixture, before);
    assert_int_equal(mixture_update(mixture, signal, &err), ERROR_NUMERIC);
    if (!strstr(err.message, naming)) fail_msg("\"%s\" does not name \"%s\"", err.message, naming);
    mixture_state_save(mixture, after);
    assert_memory_equal(before, after, count * sizeof(double));
}

static void numbers_that_are_not_finite_change_nothing(void **state) {
    (void)state;
    static const double bad[] = {NAN, INFINITY, -INFINITY};
    struct adapt_settings settings = defaults();
    struct mixture *mixture = start(&settings);
    run(mixture, 0, 3);
    for (int k = 0; k < TASKS; k++) {
        char naming[16] = "task X";
        naming[5] = (char)('0' + k);
        for (int b = 0; b < 3; b++) {
            struct signal_arrays arrays;
            struct method_signal signal = made_up(3, &arrays);
            arrays.loss[k] = bad[b];
            check_refused(mixture, &signal, naming);
            signal = made_up(3, &arrays);
            arrays.alignment[k] = bad[b];
            if (!isnan(bad[b])) check_refused(mixture, &signal, naming);
            signal = made_up(3, &arrays);
            signal.learning_rate = bad[b];
            check_refused(mixture, &signal, "learning rate");
        }
    }
    struct signal_arrays arrays;
    struct method_signal signal = made_up(3, &arrays);
    for (int k = 0; k < TASKS; k++) arrays.alignment[k] = k % 2 ? 1.7e308 : -1.7e308;
    for (int k = 0; k < TASKS; k++)
        arrays.loss[k] = k ? -1.7e308 : 1.7e308; /* finite, but not their differences */
    settings = defaults();
    settings.temperature = 1e-3;
    int code = mixture_update(mixture, &signal, NULL); /* either way the state must stay usable */
    assert_true(code == 0 || code == ERROR_NUMERIC);
    run(mixture, 4, 6);
    mixture_destroy(&mixture);

    settings.normalise = ADAPT_NORMALISE_NONE;
    mixture = start(&settings);
    signal = made_up(3, &arrays);
    signal.learning_rate = 1e300;
    for (int k = 0; k < TASKS; k++) arrays.alignment[k] = k == 4 ? 1e300 : 1.0;
    check_refused(mixture, &signal, "task 4"); /* their product overflows */
    mixture_destroy(&mixture);
}

static void a_saved_state_continues_bit_for_bit(void **state) {
    (void)state;
    struct adapt_settings settings;
    for (int index = 0; variant(index, &settings); index++) {
        settings.objective = OBJECTIVE_EXCESS;
        struct mixture *straight = start(&settings), *resumed = start(&settings);
        assert_int_equal(mixture_set_reference(straight, sizes, NULL), 0);
        double saved[STATE_MAX], one[STATE_MAX], other[STATE_MAX];
        size_t count = mixture_state_count(straight);
        run(straight, 0, UPDATES / 2);
        mixture_state_save(straight, saved);
        run(straight, UPDATES / 2, UPDATES);
        assert_int_equal(mixture_state_load(resumed, saved, count, NULL), 0); /* brings the reference along */
        run(resumed, UPDATES / 2, UPDATES);
        mixture_state_save(straight, one);
        mixture_state_save(resumed, other);
        assert_memory_equal(one, other, count * sizeof(double));
        assert_memory_equal(mixture_shares(straight), mixture_shares(resumed), TASKS * sizeof(double));
        mixture_destroy(&straight);
        mixture_destroy(&resumed);
    }
}

/* d enters as it was measured, so a constant on all losses moves J and nothing else. */
static void a_constant_on_all_losses_moves_only_the_objective(void **state) {
    (void)state;
    struct adapt_settings settings = defaults();
    struct mixture *plain = start(&settings), *raised = start(&settings);
    for (int u = 0; u < UPDATES; u++) {
        struct signal_arrays arrays;
        struct method_signal signal = made_up(u, &arrays);
        assert_int_equal(mixture_update(plain, &signal, NULL), 0);
        for (int k = 0; k < TASKS; k++) arrays.loss[k] += 8.0;
        assert_int_equal(mixture_update(raised, &signal, NULL), 0);
        assert_memory_equal(mixture_shares(plain), mixture_shares(raised), TASKS * sizeof(double));
        assert_near(mixture_view(raised).objective, mixture_view(plain).objective + 8.0, 1e-12);
    }
    mixture_destroy(&plain);
    mixture_destroy(&raised);
    /* ... and the weights that G is made with do not change either. */
    struct worst_case worst_case = {.temperature = 0.3};
    double loss[TASKS], weight[TASKS], same[TASKS];
    for (int k = 0; k < TASKS; k++) loss[k] = draw(1, k);
    worst_case_objective(&worst_case, TASKS, loss, weight);
    for (int k = 0; k < TASKS; k++) loss[k] += 8.0;
    worst_case_objective(&worst_case, TASKS, loss, same);
    for (int k = 0; k < TASKS; k++) assert_near(same[k], weight[k], 1e-13);
}

static void scaling_all_alignments_changes_nothing_when_normalised(void **state) {
    (void)state;
    struct adapt_settings settings = defaults();
    struct mixture *plain = start(&settings), *scaled = start(&settings);
    for (int u = 0; u < UPDATES; u++) {
        struct signal_arrays arrays;
        struct method_signal signal = made_up(u, &arrays);
        assert_int_equal(mixture_update(plain, &signal, NULL), 0);
        for (int k = 0; k < TASKS; k++) arrays.alignment[k] *= 1048576.0; /* exact */
        signal.learning_rate = 0.5;
        assert_int_equal(mixture_update(scaled, &signal, NULL), 0);
        for (int k = 0; k < TASKS; k++)
            assert_near(mixture_shares(scaled)[k], mixture_shares(plain)[k], 1e-14);
    }
    mixture_destroy(&plain);
    mixture_destroy(&scaled);
}

static void permuting_the_tasks_permutes_the_mixture(void **state) {
    (void)state;
    static const int order[TASKS] = {3, 0, 5, 1, 4, 2};
    struct adapt_settings settings;
    for (int index = 0; variant(index, &settings); index++) {
        struct mixture *plain = start(&settings), *permuted = start(&settings);
        for (int u = 0; u < UPDATES; u++) {
            struct signal_arrays arrays, moved;
            struct method_signal signal = made_up(u, &arrays);
            assert_int_equal(mixture_update(plain, &signal, NULL), 0);
            for (int k = 0; k < TASKS; k++) {
                moved.loss[k] = arrays.loss[order[k]];
                moved.alignment[k] = arrays.alignment[order[k]];
            }
            signal.validation_loss = moved.loss;
            signal.alignment = moved.alignment;
            assert_int_equal(mixture_update(permuted, &signal, NULL), 0);
            /* Sums in another order round differently; Adam divides by gradients near 0 and so magnifies
             * that. */
            double bound = settings.optimizer == ADAPT_ADAM ? 1e-6 : 1e-12;
            for (int k = 0; k < TASKS; k++)
                assert_near(mixture_shares(permuted)[k], mixture_shares(plain)[order[k]], bound);
        }
        mixture_destroy(&plain);
        mixture_destroy(&permuted);
    }
}

static void a_task_without_a_measurement_keeps_its_last(void **state) {
    (void)state;
    struct adapt_settings settings = defaults();
    settings.normalise = ADAPT_NORMALISE_NONE; /* then, at learning rate 1, averages are of d itself */
    struct mixture *mixture = start(&settings);
    double loss[TASKS] = {1, 1, 1, 1, 1, 1}, alignment[TASKS] = {1.0, 2.0, 3.0, NAN, NAN, NAN};
    struct method_signal signal = {.learning_rate = 1.0, .validation_loss = loss, .alignment = alignment};
    assert_int_equal(mixture_update(mixture, &signal, NULL), 0);
    struct mixture_view view = mixture_view(mixture);
    assert_true(view.alignment[0] == 1.0 && view.alignment[1] == 2.0 && view.alignment[2] == 3.0);
    assert_true(isnan(view.alignment[3]));
    assert_near(view.meta_gradient[3], view.meta_gradient[1], 1e-15); /* counts as the mean of the measured */
    const double next[TASKS] = {NAN, 12.0, NAN, 5.0, NAN, NAN};
    signal.alignment = next;
    assert_int_equal(mixture_update(mixture, &signal, NULL), 0);
    assert_true(view.alignment[0] == 1.0 && view.alignment[2] == 3.0 && view.alignment[3] == 5.0);
    assert_near(view.alignment[1], 0.7 * 2.0 + 0.3 * 12.0, 1e-15);
    mixture_destroy(&mixture);

    settings.normalise = ADAPT_NORMALISE_MEAN;
    alignment[0] = 1.0, alignment[1] = -2.0, alignment[2] = 3.0;
    signal.alignment = alignment;
    mixture = start(&settings); /* the mean size is that of the measured ones */
    assert_int_equal(mixture_update(mixture, &signal, NULL), 0);
    view = mixture_view(mixture);
    for (int k = 0; k < 3; k++) assert_near(view.alignment[k], alignment[k] / 2.0, 1e-15);
    assert_true(isnan(view.alignment[3]));
    mixture_destroy(&mixture);

    mixture = start(&settings); /* nothing measured at all: nothing to learn from */
    const double none[TASKS] = {NAN, NAN, NAN, NAN, NAN, NAN}, zero[TASKS] = {0};
    signal.alignment = none;
    for (int u = 0; u < 3; u++) assert_int_equal(mixture_update(mixture, &signal, NULL), 0);
    signal.alignment = zero;
    assert_int_equal(mixture_update(mixture, &signal, NULL), 0);
    for (int k = 0; k < TASKS; k++) assert_near(mixture_shares(mixture)[k], 1.0 / TASKS, 1e-15);
    mixture_destroy(&mixture);
}

/* Alignments shrink by orders of magnitude at the start of a run; what was measured then must not outweigh
 * all that follows. */
static void a_huge_first_measurement_is_soon_forgotten(void **state) {
    (void)state;
    struct adapt_settings settings = defaults();
    struct mixture *mixture = start(&settings);
    double loss[TASKS] = {1, 1, 1, 1, 1, 1}, alignment[TASKS] = {5e6, 1e6, 1e6, 1e6, 1e6, 1e6};
    struct method_signal signal = {.learning_rate = 1.0, .validation_loss = loss, .alignment = alignment};
    assert_int_equal(mixture_update(mixture, &signal, NULL), 0);
    for (int k = 0; k < TASKS; k++) alignment[k] = k ? 1.0 : 0.0;
    for (int u = 0; u < 20; u++) assert_int_equal(mixture_update(mixture, &signal, NULL), 0);
    assert_true(mixture_shares(mixture)[0] < 1.0 / TASKS);
    mixture_destroy(&mixture);
}

/* A task that was pushed to the floor for long must not need as long to come back (the logits do not wind
 * up). */
static void a_task_at_the_floor_comes_back(void **state) {
    (void)state;
    struct adapt_settings settings = defaults();
    settings.rate = 0.3;
    settings.averaging = 0.0;
    settings.entropy = 0.0;
    struct mixture *mixture = start(&settings);
    double loss[TASKS] = {1, 1, 1, 1, 1, 1}, alignment[TASKS] = {-5, 1, 1, 1, 1, 1};
    struct method_signal signal = {.learning_rate = 1.0, .validation_loss = loss, .alignment = alignment};
    for (int u = 0; u < 5000; u++) assert_int_equal(mixture_update(mixture, &signal, NULL), 0);
    assert_true(mixture_shares(mixture)[0] < 1.2 * settings.floor / TASKS);
    alignment[0] = 5.0;
    for (int u = 0; u < 50; u++) assert_int_equal(mixture_update(mixture, &signal, NULL), 0);
    assert_true(mixture_shares(mixture)[0] > 1.0 / TASKS);
    mixture_destroy(&mixture);
}

/* A toy run: the loss of a learnable task falls with its share, task 0 is noise (its loss stays; its
 * gradients agree only weakly with its own validation gradient). Returns the noise task's final share. */
static double noise_share(int objective, double temperature, double entropy) {
    struct adapt_settings settings = defaults();
    settings.objective = objective;
    settings.temperature = temperature;
    settings.entropy = entropy;
    struct mixture *mixture = start(&settings);
    double reference[TASKS], loss[TASKS], alignment[TASKS], weight[TASKS];
    for (int k = 0; k < TASKS; k++) {
        loss[k] = 3.5;
        reference[k] = k ? 0.2 : 3.3;
    }
    assert_int_equal(mixture_set_reference(mixture, reference, NULL), 0);
    for (int u = 0; u < 300; u++) {
        for (int k = 0; k < TASKS; k++) {
            double learned = k ? 0.05 * mixture_shares(mixture)[k] * loss[k] / (1 + 0.2 * k)
                               : 0.0; /* later tasks are harder */
            loss[k] = fmax(k ? 0.1 : 3.3, loss[k] - learned);
        }
        worst_case_objective(&mixture_plan(mixture)->worst_case, TASKS, loss, weight);
        for (int k = 0; k < TASKS; k++)
            alignment[k] = weight[k] * (k ? loss[k] : 0.5) + 0.01 * draw(9, u * TASKS + k);
        struct method_signal signal = {
            .learning_rate = 1e-3, .validation_loss = loss, .alignment = alignment};
        assert_int_equal(mixture_update(mixture, &signal, NULL), 0);
    }
    double share = mixture_shares(mixture)[0];
    mixture_destroy(&mixture);
    return share;
}

static void a_reference_or_a_mild_worst_case_contains_a_noise_task(void **state) {
    (void)state;
    double sharp = noise_share(OBJECTIVE_LOSS, 0.1, 0.01), mean = noise_share(OBJECTIVE_LOSS, 100.0, 0.3);
    double excess = noise_share(OBJECTIVE_EXCESS, 1.0, 0.3), ratio = noise_share(OBJECTIVE_RATIO, 1.0, 0.3);
    assert_true(sharp >
                0.9); /* the failure that the defaults avoid: raw losses, sharply, weakly regularised */
    assert_true(excess < 1.5 / TASKS);
    assert_true(ratio < 0.5);
    assert_true(mean < sharp && excess < mean);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_the_documented_ones),
        cmocka_unit_test(rules_equal_their_formulas),
        cmocka_unit_test(shares_stay_on_the_simplex_above_the_floor),
        cmocka_unit_test(numbers_that_are_not_finite_change_nothing),
        cmocka_unit_test(a_saved_state_continues_bit_for_bit),
        cmocka_unit_test(a_constant_on_all_losses_moves_only_the_objective),
        cmocka_unit_test(scaling_all_alignments_changes_nothing_when_normalised),
        cmocka_unit_test(permuting_the_tasks_permutes_the_mixture),
        cmocka_unit_test(a_task_without_a_measurement_keeps_its_last),
        cmocka_unit_test(a_huge_first_measurement_is_soon_forgotten),
        cmocka_unit_test(a_task_at_the_floor_comes_back),
        cmocka_unit_test(a_reference_or_a_mild_worst_case_contains_a_noise_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

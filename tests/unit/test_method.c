/* The registry, the static mixtures against their closed forms, and what every running mixture promises. */
#include "solver/method.h"

#include "solver/adapt.h"
#include "solver/static_methods.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { TASKS = 4 };
static const double sizes[TASKS] = {100.0, 400.0, 25.0, 1600.0};
static const double tolerance = 1e-15;

static void assert_near(double actual, double expected, double bound) {
    if (!(fabs(actual - expected) <= bound))
        fail_msg("%.17g, expected %.17g (within %g)", actual, expected, bound);
}

/* Any method's settings, at their defaults. */
union settings {
    struct adapt_settings adapt;
    struct temperature_settings temperature;
    struct stratified_settings stratified;
};

static struct mixture *start(const char *name, const union settings *settings) {
    const struct method *method = method_find(name);
    assert_non_null(method);
    assert_true(method->settings_bytes <= sizeof *settings);
    struct method_problem problem = {.tasks = TASKS, .size = sizes};
    struct mixture *mixture;
    struct error err;
    assert_int_equal(mixture_create(method, settings, &problem, &mixture, &err), 0);
    return mixture;
}

static union settings defaults(const char *name) {
    union settings settings;
    memset(&settings, 0, sizeof settings);
    setting_defaults(method_find(name)->settings, &settings);
    return settings;
}

static void registry_is_complete(void **state) {
    (void)state;
    static const char *const names[] = {"uniform", "proportional", "temperature", "stratified", "adapt"};
    int count = 0;
    for (const struct method *const *method = method_list(); *method; method++, count++) {
        assert_ptr_equal(method_find((*method)->name), *method);
        assert_non_null((*method)->meaning);
        assert_true((*method)->settings_bytes >= 1);
        assert_true(!(*method)->plan == !(*method)->update); /* an online method has both */
        for (const struct setting *row = (*method)->settings; row->name; row++) {
            assert_non_null(row->meaning);
            assert_true(row->offset < (*method)->settings_bytes);
            if (row->kind == SETTING_REAL || row->kind == SETTING_COUNT)
                assert_true(row->low <= row->initial && row->initial <= row->high);
        }
    }
    assert_int_equal(count, sizeof names / sizeof *names);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) assert_non_null(method_find(names[i]));
    assert_null(method_find("adap"));
    assert_null(method_find(""));
}

static void quotas_are_for_stratified_alone(void **state) {
    (void)state;
    for (const struct method *const *method = method_list(); *method; method++)
        assert_true((*method)->quota == !strcmp((*method)->name, "stratified"));
}

static void check_shares(const char *name, const union settings *settings, const double *expected) {
    struct mixture *mixture = start(name, settings);
    double sum = 0.0;
    for (int k = 0; k < TASKS; k++) {
        assert_near(mixture_shares(mixture)[k], expected[k], tolerance);
        sum += mixture_shares(mixture)[k];
    }
    assert_near(sum, 1.0, 1e-12);
    struct mixture_view view = mixture_view(mixture);
    assert_ptr_equal(view.share, mixture_shares(mixture));
    double entropy = 0.0;
    for (int k = 0; k < TASKS; k++) entropy -= expected[k] * log(expected[k]);
    assert_near(view.entropy, entropy, 1e-14);
    if (strcmp(name, "adapt")) {
        assert_null(view.logits);
        assert_null(view.alignment);
        assert_null(view.meta_gradient);
        assert_int_equal(mixture_plan(mixture)->needs, 0);
        for (int64_t step = 0; step < 30; step++) assert_false(mixture_due(mixture, step));
        struct error err;
        struct method_signal signal = {0};
        assert_int_equal(mixture_update(mixture, &signal, &err), ERROR_INTERNAL);
    }
    assert_true(isnan(view.objective));
    mixture_destroy(&mixture);
    assert_null(mixture);
}

static void static_shares_equal_their_closed_forms(void **state) {
    (void)state;
    const double uniform[TASKS] = {0.25, 0.25, 0.25, 0.25};
    const double proportional[TASKS] = {100.0 / 2125.0, 400.0 / 2125.0, 25.0 / 2125.0, 1600.0 / 2125.0};
    const double roots[TASKS] = {10.0 / 75.0, 20.0 / 75.0, 5.0 / 75.0, 40.0 / 75.0}; /* T = 2 */
    double fifth[TASKS], sum = 0.0;
    for (int k = 0; k < TASKS; k++) sum += pow(sizes[k], 0.2);
    for (int k = 0; k < TASKS; k++) fifth[k] = pow(sizes[k], 0.2) / sum;

    union settings settings = defaults("uniform");
    check_shares("uniform", &settings, uniform);
    check_shares("proportional", &settings, proportional);
    settings = defaults("temperature");
    assert_true(settings.temperature.temperature == 5.0);
    check_shares("temperature", &settings, fifth);
    settings.temperature.temperature = 2.0;
    check_shares("temperature", &settings, roots);
    settings.temperature.temperature = 1.0;
    check_shares("temperature", &settings, proportional);
    settings = defaults("stratified");
    check_shares("stratified", &settings, uniform);
    settings.stratified.mixture = STRATIFIED_PROPORTIONAL;
    check_shares("stratified", &settings, proportional);
    settings = defaults("adapt");
    check_shares("adapt", &settings, uniform);
}

static void extreme_temperatures_stay_on_the_simplex(void **state) {
    (void)state;
    const double huge[3] = {1e300, 1e-300, 1.0};
    static const double temperatures[] = {0.01, 1.0, 1e9};
    for (int t = 0; t < 3; t++) {
        struct temperature_settings settings = {.temperature = temperatures[t]};
        struct method_problem problem = {.tasks = 3, .size = huge};
        struct mixture *mixture;
        assert_int_equal(mixture_create(method_find("temperature"), &settings, &problem, &mixture, NULL), 0);
        const double *share = mixture_shares(mixture);
        assert_near(share[0] + share[1] + share[2], 1.0, 1e-12);
        assert_true(share[0] >= share[2] && share[2] >= share[1]);
        mixture_destroy(&mixture);
    }
}

static void bad_problems_are_refused_by_task(void **state) {
    (void)state;
    static const double bad[] = {0.0, -1.0, NAN, INFINITY};
    struct error err;
    struct mixture *mixture;
    union settings settings = defaults("uniform");
    for (int i = 0; i < 4; i++) {
        double size[3] = {1.0, 2.0, bad[i]};
        struct method_problem problem = {.tasks = 3, .size = size};
        assert_int_equal(mixture_create(&method_uniform, &settings, &problem, &mixture, &err), ERROR_INPUT);
        assert_non_null(strstr(err.message, "task 2"));
        assert_null(mixture);
    }
    struct method_problem none = {.tasks = 0, .size = sizes};
    assert_int_equal(mixture_create(&method_uniform, &settings, &none, &mixture, &err), ERROR_INPUT);
    settings = defaults("adapt");
    settings.adapt.rate = 1.5;
    struct method_problem problem = {.tasks = TASKS, .size = sizes};
    assert_int_equal(mixture_create(&method_adapt, &settings, &problem, &mixture, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "rate: 1.5 is out of range (0 <= rate <= 1"));
    settings.adapt.normalise = ADAPT_NORMALISE_NONE;
    assert_int_equal(mixture_create(&method_adapt, &settings, &problem, &mixture, &err), 0);
    mixture_destroy(&mixture);
    mixture_destroy(&mixture);
}

static void plan_and_due_follow_the_settings(void **state) {
    (void)state;
    union settings settings = defaults("adapt");
    settings.adapt.interval = 7;
    settings.adapt.probe = 3;
    settings.adapt.validation_batch = 9;
    settings.adapt.temperature = 0.25;
    settings.adapt.lookahead = LOOKAHEAD_EXACT;
    settings.adapt.precondition = PRECONDITION_NONE;
    settings.adapt.objective = OBJECTIVE_EXCESS;
    struct mixture *mixture = start("adapt", &settings);
    const struct method_signal_plan *plan = mixture_plan(mixture);
    assert_int_equal(plan->needs,
                     METHOD_NEEDS_VALIDATION_LOSS | METHOD_NEEDS_ALIGNMENT | METHOD_NEEDS_REFERENCE_LOSS);
    assert_int_equal(plan->interval, 7);
    assert_int_equal(plan->probe, 3);
    assert_int_equal(plan->validation_batch, 9);
    assert_int_equal(plan->lookahead, LOOKAHEAD_EXACT);
    assert_int_equal(plan->precondition, PRECONDITION_NONE);
    assert_true(plan->worst_case.temperature == 0.25 && plan->worst_case.objective == OBJECTIVE_EXCESS);
    for (int64_t step = 0; step < 30; step++) assert_true(mixture_due(mixture, step) == (step % 7 == 0));
    mixture_destroy(&mixture);
    settings = defaults("adapt");
    mixture = start("adapt", &settings);
    assert_int_equal(mixture_plan(mixture)->needs, METHOD_NEEDS_VALIDATION_LOSS | METHOD_NEEDS_ALIGNMENT);
    mixture_destroy(&mixture);
}

static void references_are_copied_and_checked(void **state) {
    (void)state;
    struct error err;
    union settings settings = defaults("adapt");
    settings.adapt.objective = OBJECTIVE_RATIO;
    struct mixture *mixture = start("adapt", &settings);
    double loss[TASKS] = {1, 2, 3, 4}, alignment[TASKS] = {1, 1, 1, 1}, reference[TASKS] = {1, 2, 0, 4};
    struct method_signal signal = {.learning_rate = 1e-3, .validation_loss = loss, .alignment = alignment};
    assert_null(mixture_plan(mixture)->worst_case.reference);
    assert_int_equal(mixture_update(mixture, &signal, &err), ERROR_INTERNAL);
    static const double bad[] = {0.0, -1.0, NAN, INFINITY};
    for (int i = 0; i < 4; i++) {
        reference[2] = bad[i];
        assert_int_equal(mixture_set_reference(mixture, reference, &err), ERROR_NUMERIC);
        assert_non_null(strstr(err.message, "task 2"));
        assert_null(mixture_plan(mixture)->worst_case.reference);
    }
    reference[2] = 0.5;
    assert_int_equal(mixture_set_reference(mixture, reference, &err), 0);
    reference[2] = 99.0;
    assert_true(mixture_plan(mixture)->worst_case.reference[2] == 0.5);
    assert_int_equal(mixture_update(mixture, &signal, &err), 0);
    mixture_destroy(&mixture);
}

static void a_state_of_another_shape_is_refused(void **state) {
    (void)state;
    union settings settings = defaults("adapt");
    struct mixture *mixture = start("adapt", &settings);
    size_t count = mixture_state_count(mixture);
    double saved[64];
    assert_true(count <= 64);
    mixture_state_save(mixture, saved);
    struct error err;
    assert_int_equal(mixture_state_load(mixture, saved, count - 1, &err), ERROR_INPUT);
    assert_int_equal(mixture_state_load(mixture, saved, count, &err), 0);
    for (size_t i = 0; i < count; i++) saved[i] = 0.9;
    assert_int_equal(mixture_state_load(mixture, saved, count, &err), ERROR_INPUT);
    for (size_t i = 0; i < count; i++) saved[i] = NAN;
    assert_int_equal(mixture_state_load(mixture, saved, count, &err), ERROR_INPUT);
    for (int k = 0; k < TASKS; k++) assert_true(mixture_shares(mixture)[k] == 0.25);
    mixture_destroy(&mixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registry_is_complete),
        cmocka_unit_test(quotas_are_for_stratified_alone),
        cmocka_unit_test(static_shares_equal_their_closed_forms),
        cmocka_unit_test(extreme_temperatures_stay_on_the_simplex),
        cmocka_unit_test(bad_problems_are_refused_by_task),
        cmocka_unit_test(plan_and_due_follow_the_settings),
        cmocka_unit_test(references_are_copied_and_checked),
        cmocka_unit_test(a_state_of_another_shape_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

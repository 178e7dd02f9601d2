/* Optimizers and schedules against plain loops in double. BACKEND-ARGUMENT */
#include "tests/support/model_test.h"

#include "base/memory.h"
#include "train/optimizer.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double TOLERANCE = 2e-6; /* of float32 arithmetic, relative */
static const char *backend_name;
static struct model_fixture fixture; /* one for all tests: qwen3_5, whose vectors any numbers may fill */

static int open_fixture(void **state) {
    (void)state;
    fixture_open(&fixture, backend_name, TEST_SOURCE_DIR "/golden/model/qwen3_5");
    return 0;
}

static int close_fixture(void **state) {
    (void)state;
    fixture_close(&fixture);
    return 0;
}

static const struct optimizer_settings PLAIN = {
    .kind = OPTIMIZER_ADAMW, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-6, .weight_decay = 0.3, .clip = 2};

/* Expected state of one run of steps, in double. */
struct expected {
    double *m, *v, *w;
    bool *decays, *real; /* real: a parameter, not padding */
    size_t n;
};

static void expected_open(struct expected *e, const float *weights) {
    const struct parameter_layout *layout = fixture.layout;
    e->n = layout->elements;
    MUST(memory_alloc(&e->m, e->n, sizeof *e->m, err));
    MUST(memory_alloc(&e->v, e->n, sizeof *e->v, err));
    MUST(memory_alloc(&e->w, e->n, sizeof *e->w, err));
    MUST(memory_alloc(&e->decays, e->n, sizeof *e->decays, err));
    MUST(memory_alloc(&e->real, e->n, sizeof *e->real, err));
    for (size_t i = 0; i < e->n; i++) e->w[i] = (double)weights[i];
    for (int i = 0; i < layout->count; i++) {
        const struct parameter *p = &layout->parameters[i];
        for (size_t j = 0; j < (size_t)p->rows * (size_t)p->columns; j++) {
            e->decays[p->offset + j] = p->columns > 1;
            e->real[p->offset + j] = true;
        }
    }
}

static void expected_close(struct expected *e) {
    memory_free(e->m);
    memory_free(e->v);
    memory_free(e->w);
    memory_free(e->decays);
    memory_free(e->real);
}

static void expected_step(struct expected *e, const struct optimizer_settings *s, int t, double rate,
                          const float *g, double norm) {
    double factor = s->clip > 0 && norm > s->clip ? s->clip / norm : 1;
    for (size_t i = 0; i < e->n; i++) {
        double gi = factor * (double)g[i];
        if (e->decays[i]) e->w[i] *= 1 - rate * s->weight_decay;
        if (s->kind == OPTIMIZER_SGD) {
            e->w[i] -= rate * gi;
            continue;
        }
        e->m[i] = s->beta1 * e->m[i] + (1 - s->beta1) * gi;
        e->v[i] = s->beta2 * e->v[i] + (1 - s->beta2) * gi * gi;
        double first = e->m[i] / (1 - pow(s->beta1, t)), second = e->v[i] / (1 - pow(s->beta2, t));
        e->w[i] -= rate * first / (sqrt(second) + s->epsilon);
    }
}

static void check_weights(const struct expected *e) {
    float *w = fixture_download(&fixture, fixture.parameters);
    for (size_t i = 0; i < e->n; i++) {
        if (!(fabs((double)w[i] - e->w[i]) <= TOLERANCE * (1 + fabs(e->w[i]))))
            fail_msg("element %zu: %.9g, expected %.9g", i, (double)w[i], e->w[i]);
        if (!e->real[i]) assert_true(w[i] == 0);
    }
    memory_free(w);
}

static void steps_equal_loops(const struct optimizer_settings *settings) {
    struct optimizer *optimizer;
    struct expected e;
    fixture_randomise(&fixture, fixture.parameters, 1);
    float *start = fixture_download(&fixture, fixture.parameters);
    expected_open(&e, start);
    MUST(optimizer_create(fixture.backend, fixture.layout, settings, &optimizer, err));
    for (int t = 1; t <= 4; t++) {
        double norm, rate = 0.01 * t;
        fixture_randomise(&fixture, fixture.gradient, (uint32_t)(10 + t));
        /* the last gradient is short enough not to be clipped */
        if (t == 4) fixture.backend->scale(fixture.backend, e.n, 1e-3f, fixture.gradient);
        float *g = fixture_download(&fixture, fixture.gradient);
        double expected_norm = sqrt(fixture_dot(&fixture, fixture.gradient, fixture.gradient));
        MUST(optimizer_step(optimizer, rate, fixture.gradient, fixture.parameters, &norm, err));
        assert_true(fabs(norm - expected_norm) <= 1e-6 * expected_norm);
        expected_step(&e, settings, t, rate, g, expected_norm);
        check_weights(&e);
        memory_free(g);
    }
    assert_int_equal(optimizer_state(optimizer).steps, 4);
    optimizer_destroy(&optimizer);
    assert_null(optimizer);
    expected_close(&e);
    memory_free(start);
}

static void test_adamw(void **state) {
    (void)state;
    steps_equal_loops(&PLAIN);
    struct optimizer_settings other = PLAIN;
    other.clip = 0;
    other.weight_decay = 0;
    steps_equal_loops(&other);
}

static void test_sgd(void **state) {
    (void)state;
    struct optimizer_settings settings = PLAIN;
    settings.kind = OPTIMIZER_SGD;
    steps_equal_loops(&settings);
}

/* A gradient that is not finite is refused and changes neither the parameters nor the optimizer. */
static void test_not_finite(void **state) {
    (void)state;
    static const float bad[] = {NAN, INFINITY};
    struct optimizer *optimizer;
    struct error failure = {0};
    MUST(optimizer_create(fixture.backend, fixture.layout, &PLAIN, &optimizer, err));
    for (int k = 0; k < 2; k++) {
        double norm = 0;
        fixture_randomise(&fixture, fixture.parameters, 1);
        fixture_randomise(&fixture, fixture.gradient, 2);
        float *before = fixture_download(&fixture, fixture.parameters);
        fixture.backend->upload(fixture.backend,
                                view_at(fixture.gradient, fixture.layout->layers[1].gate + 3), &bad[k], 1);
        assert_int_equal(
            optimizer_step(optimizer, 0.1, fixture.gradient, fixture.parameters, &norm, &failure),
            ERROR_NUMERIC);
        assert_false(isfinite(norm));
        float *after = fixture_download(&fixture, fixture.parameters);
        assert_memory_equal(before, after, fixture.layout->elements * sizeof *before);
        assert_int_equal(optimizer_state(optimizer).steps, 0);
        memory_free(before);
        memory_free(after);
    }
    optimizer_destroy(&optimizer);
}

/* Saved and restored in the middle, the run goes on bit for bit. */
static void test_resume(void **state) {
    (void)state;
    struct optimizer *optimizer, *again;
    float *first, *second, *straight, *resumed, *middle;
    MUST(optimizer_create(fixture.backend, fixture.layout, &PLAIN, &optimizer, err));
    MUST(optimizer_create(fixture.backend, fixture.layout, &PLAIN, &again, err));
    fixture_randomise(&fixture, fixture.parameters, 1);
    fixture_randomise(&fixture, fixture.gradient, 2);
    for (int t = 0; t < 3; t++)
        MUST(optimizer_step(optimizer, 0.01, fixture.gradient, fixture.parameters, NULL, err));
    struct optimizer_state saved = optimizer_state(optimizer);
    first = fixture_download(&fixture, saved.first);
    second = fixture_download(&fixture, saved.second);
    middle = fixture_download(&fixture, fixture.parameters);
    fixture_randomise(&fixture, fixture.gradient, 3);
    MUST(optimizer_step(optimizer, 0.01, fixture.gradient, fixture.parameters, NULL, err));
    straight = fixture_download(&fixture, fixture.parameters);
    fixture_upload(&fixture, middle, fixture.parameters);
    fixture_upload(&fixture, first, optimizer_state(again).first);
    fixture_upload(&fixture, second, optimizer_state(again).second);
    optimizer_set_steps(again, saved.steps);
    MUST(optimizer_step(again, 0.01, fixture.gradient, fixture.parameters, NULL, err));
    resumed = fixture_download(&fixture, fixture.parameters);
    assert_memory_equal(straight, resumed, fixture.layout->elements * sizeof *straight);
    memory_free(first);
    memory_free(second);
    memory_free(straight);
    memory_free(resumed);
    memory_free(middle);
    optimizer_destroy(&optimizer);
    optimizer_destroy(&again);
}

/* Optimizers that hold a part each do together what one does that holds everything, bit for bit; bounds lie
 * inside of tensors, and one part is empty. */
static void parts_equal_the_whole(const struct optimizer_settings *settings) {
    enum { PARTS = 4 };
    struct optimizer *whole, *part[PARTS];
    size_t n = fixture.layout->elements, bound[PARTS + 1] = {0, PARAMETER_ALIGNMENT, 0, 0, n};
    bound[2] = bound[3] = n / 3 / PARAMETER_ALIGNMENT * PARAMETER_ALIGNMENT;
    MUST(optimizer_create(fixture.backend, fixture.layout, settings, &whole, err));
    for (int i = 0; i < PARTS; i++)
        MUST(optimizer_create_part(fixture.backend, fixture.layout, settings,
                                   (struct parameter_range){bound[i], bound[i + 1] - bound[i]}, &part[i],
                                   err));
    fixture_randomise(&fixture, fixture.parameters, 1);
    fixture.backend->copy(fixture.backend, n, fixture.parameters, fixture.spare);
    for (uint32_t t = 0; t < 4; t++) {
        double squares, norm, again, sum = 0;
        fixture_randomise(&fixture, fixture.gradient, 10 + t);
        MUST(optimizer_step(whole, 0.01, fixture.gradient, fixture.parameters, &norm, err));
        for (int i = 0; i < PARTS; i++) {
            struct parameter_range held = optimizer_state(part[i]).held;
            assert_true(held.first == bound[i] && held.count == bound[i + 1] - bound[i]);
            MUST(optimizer_squares(part[i], fixture.gradient, held, &squares, err));
            sum += squares;
        }
        assert_true(fabs(sqrt(sum) - norm) <= 1e-12 * norm);
        for (int i = 0; i < PARTS; i++) {
            MUST(optimizer_squares(part[i], fixture.gradient, (struct parameter_range){0, n}, &squares, err));
            MUST(optimizer_apply(part[i], 0.01, squares, fixture.gradient, fixture.spare, &again, err));
            assert_true(again == norm);
        }
    }
    float *one = fixture_download(&fixture, fixture.parameters),
          *many = fixture_download(&fixture, fixture.spare);
    assert_memory_equal(one, many, n * sizeof *one);
    memory_free(one);
    memory_free(many);
    fixture_randomise(&fixture, fixture.direction, 5);
    fixture.backend->copy(fixture.backend, n, fixture.direction, fixture.spare);
    MUST(optimizer_precondition(whole, OPTIMIZER_NEXT_STEP, fixture.direction, err));
    for (int i = 0; i < PARTS; i++)
        MUST(optimizer_precondition(part[i], OPTIMIZER_NEXT_STEP, fixture.spare, err));
    one = fixture_download(&fixture, fixture.direction);
    many = fixture_download(&fixture, fixture.spare);
    assert_memory_equal(one, many, n * sizeof *one);
    memory_free(one);
    memory_free(many);
    for (int i = 0; i < PARTS; i++) optimizer_destroy(&part[i]);
    optimizer_destroy(&whole);
}

static void test_parts(void **state) {
    (void)state;
    parts_equal_the_whole(&PLAIN);
    struct optimizer_settings settings = PLAIN;
    settings.kind = OPTIMIZER_SGD;
    settings.clip = 0;
    parts_equal_the_whole(&settings);
}

static void check_precondition(struct optimizer *optimizer, enum optimizer_moment moment, const double *v,
                               double correction1, double correction2) {
    float *before, *after;
    fixture_randomise(&fixture, fixture.direction, 8);
    before = fixture_download(&fixture, fixture.direction);
    MUST(optimizer_precondition(optimizer, moment, fixture.direction, err));
    after = fixture_download(&fixture, fixture.direction);
    for (size_t i = 0; i < fixture.layout->elements; i++) {
        double factor = (1 - PLAIN.beta1) / correction1 / (sqrt(v[i] / correction2) + PLAIN.epsilon);
        double expected = (double)before[i] * factor;
        if (!(fabs((double)after[i] - expected) <= 1e-5 * fabs(expected)))
            fail_msg("element %zu: %.9g, expected %.9g", i, (double)after[i], expected);
    }
    memory_free(before);
    memory_free(after);
}

/* Leaves the vector as it is. */
static void check_identity(struct optimizer *optimizer) {
    fixture_randomise(&fixture, fixture.direction, 9);
    float *before = fixture_download(&fixture, fixture.direction);
    MUST(optimizer_precondition(optimizer, OPTIMIZER_NEXT_STEP, fixture.direction, err));
    float *after = fixture_download(&fixture, fixture.direction);
    assert_memory_equal(before, after, fixture.layout->elements * sizeof *before);
    memory_free(before);
    memory_free(after);
}

static void test_precondition(void **state) {
    (void)state;
    struct optimizer_settings settings = PLAIN;
    settings.clip = 0;
    struct optimizer *optimizer;
    struct expected e;
    MUST(optimizer_create(fixture.backend, fixture.layout, &settings, &optimizer, err));
    fixture_randomise(&fixture, fixture.gradient, 5);
    fixture_randomise(&fixture, fixture.parameters, 1);
    float *g = fixture_download(&fixture, fixture.gradient);
    float *start = fixture_download(&fixture, fixture.parameters);
    expected_open(&e, start);
    for (int t = 1; t <= OPTIMIZER_SETTLED; t++) {
        check_identity(optimizer);
        MUST(optimizer_step(optimizer, 0.01, fixture.gradient, fixture.parameters, NULL, err));
        expected_step(&e, &settings, t, 0.01, g, 0);
    }
    check_weights(&e);
    int t = OPTIMIZER_SETTLED;
    double correction2 = 1 - pow(PLAIN.beta2, t);
    check_precondition(optimizer, OPTIMIZER_NEXT_STEP, e.v, 1 - pow(PLAIN.beta1, t + 1), correction2);
    check_precondition(optimizer, OPTIMIZER_LAST_STEP, e.v, 1 - pow(PLAIN.beta1, t), correction2);
    optimizer_destroy(&optimizer);

    settings.kind = OPTIMIZER_SGD;
    MUST(optimizer_create(fixture.backend, fixture.layout, &settings, &optimizer, err));
    check_identity(optimizer);
    optimizer_destroy(&optimizer);
    expected_close(&e);
    memory_free(start);
    memory_free(g);
}

static void rate_is(int schedule, double warmup, double progress, double expected) {
    struct optimizer_settings s = {
        .schedule = schedule, .learning_rate = 2, .warmup = warmup, .final_rate = 0.1};
    double rate = optimizer_rate(&s, progress);
    if (!(fabs(rate - expected) < 1e-12))
        fail_msg("rate %.15g at %g, expected %.15g", rate, progress, expected);
}

static void test_schedules(void **state) {
    (void)state;
    rate_is(SCHEDULE_COSINE, 0.2, 0, 0);
    rate_is(SCHEDULE_COSINE, 0.2, 0.05, 0.5);
    rate_is(SCHEDULE_COSINE, 0.2, 0.2, 2);
    rate_is(SCHEDULE_COSINE, 0.2, 0.6, 1.1);
    rate_is(SCHEDULE_COSINE, 0.2, 1, 0.2);
    rate_is(SCHEDULE_COSINE, 0.2, 1.5, 0.2);
    rate_is(SCHEDULE_COSINE, 0, 0, 2);
    rate_is(SCHEDULE_LINEAR, 0.2, 0.6, 1.1);
    rate_is(SCHEDULE_LINEAR, 0.2, 0.4, 1.55);
    rate_is(SCHEDULE_LINEAR, 0.2, 1, 0.2);
    rate_is(SCHEDULE_CONSTANT, 0.2, 0.1, 1);
    rate_is(SCHEDULE_CONSTANT, 0.2, 0.9, 2);
    rate_is(SCHEDULE_LINEAR, 1, 0.5, 1);
    rate_is(SCHEDULE_LINEAR, 1, 1, 2);
}

static void test_settings(void **state) {
    (void)state;
    struct optimizer_settings s = {.kind = 7};
    setting_defaults(optimizer_settings_table, &s);
    assert_int_equal(s.kind, OPTIMIZER_ADAMW);
    assert_int_equal(s.schedule, SCHEDULE_COSINE);
    assert_true(s.learning_rate == 1e-5 && s.warmup == 0.03 && s.clip == 1 && s.weight_decay == 0);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adamw),        cmocka_unit_test(test_sgd),
        cmocka_unit_test(test_not_finite),   cmocka_unit_test(test_resume),
        cmocka_unit_test(test_precondition), cmocka_unit_test(test_schedules),
        cmocka_unit_test(test_settings),     cmocka_unit_test(test_parts),
    };
    if (argc < 2) {
        fprintf(stderr, "usage: %s BACKEND\n", argv[0]);
        return 2;
    }
    backend_name = argv[1];
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}

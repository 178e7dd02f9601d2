/* The sampler: no example comes back before its pool is used up, shares converge, quotas are exact, budgets
 * hold, and a saved state goes on with the same draws. */
#include "train/sampler.h"

#include "base/memory.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { TASKS = 4, LARGEST = 100 };
static const int pool_sizes[TASKS] = {7, 100, 33, 50}, validation_sizes[TASKS] = {3, 10, 1, 6};
static const int mean_completions[TASKS] = {1, 4, 16, 64};
static int32_t some_ids[512];
static struct example training[TASKS][LARGEST], validation[TASKS][LARGEST];
static struct task tasks[TASKS];
static const struct task_set set = {.tasks = tasks, .count = TASKS};

static int make_set(void **state) {
    (void)state;
    static const char *const names[TASKS] = {"a", "b", "c", "d"};
    for (int k = 0; k < TASKS; k++) {
        tasks[k] = (struct task){.name = names[k], .training = training[k], .validation = validation[k]};
        tasks[k].training_count = pool_sizes[k];
        tasks[k].validation_count = validation_sizes[k];
        for (int i = 0; i < pool_sizes[k]; i++) {
            int completion = mean_completions[k] + (i % 2 ? 1 : 0); /* lengths vary within a task */
            training[k][i] = (struct example){some_ids, 20 + 3 * k + completion, 20 + 3 * k};
            tasks[k].training_supervised += completion;
        }
        for (int i = 0; i < validation_sizes[k]; i++) validation[k][i] = (struct example){some_ids, 5, 2};
    }
    return 0;
}

static struct sampler *create(uint64_t seed, enum sampler_unit unit, enum sampler_draw draw) {
    struct sampler *sampler;
    struct error err = {0};
    if (sampler_create(&set, seed, unit, draw, &sampler, &err)) fail_msg("%s", err.message);
    return sampler;
}

static struct draw_list step(struct sampler *sampler, const double *mixture, int probe, int64_t rows,
                             int64_t supervised) {
    struct draw_list list;
    struct error err = {0};
    if (sampler_step(sampler, mixture, probe, rows, supervised, &list, &err)) fail_msg("%s", err.message);
    return list;
}

static const double even[TASKS] = {0.25, 0.25, 0.25, 0.25}, skewed[TASKS] = {0.1, 0.2, 0.3, 0.4};

static void draws_without_replacement(void **state) {
    (void)state;
    struct sampler *sampler = create(1, SAMPLER_EXAMPLE, SAMPLER_RANDOM);
    int seen[TASKS][LARGEST] = {0}, drawn[TASKS] = {0};
    int first_order[LARGEST] = {0}, second_order[LARGEST] = {0};
    for (int s = 0; s < 400; s++) {
        struct draw_list list = step(sampler, even, 0, 200, INT64_MAX);
        for (int i = 0; i < list.count; i++) {
            int k = list.draws[i].task;
            ptrdiff_t at = list.draws[i].example - training[k];
            assert_true(at >= 0 && at < pool_sizes[k]);
            /* in its n-th epoch an example has been seen exactly n times before */
            assert_int_equal(seen[k][at], drawn[k] / pool_sizes[k]);
            if (k == 1 && drawn[k] < pool_sizes[k]) first_order[drawn[k]] = (int)at;
            if (k == 1 && drawn[k] >= pool_sizes[k] && drawn[k] < 2 * pool_sizes[k]) {
                second_order[drawn[k] - pool_sizes[k]] = (int)at;
            }
            seen[k][at]++;
            drawn[k]++;
        }
    }
    for (int k = 0; k < TASKS; k++) {
        assert_true(drawn[k] > 3 * pool_sizes[k]);
        assert_int_equal(sampler_used(sampler)[k], drawn[k]);
    }
    int same = 0, in_place = 0; /* a fresh order in each epoch, and not the pool's own */
    for (int i = 0; i < pool_sizes[1]; i++) {
        same += first_order[i] == second_order[i];
        in_place += first_order[i] == i;
    }
    assert_true(same < 10);
    assert_true(in_place < 10);
    sampler_destroy(&sampler);
    assert_null(sampler);
}

/* The draws of many small steps and of few large ones are the same sequence: only how it is cut differs. */
static void depends_on_seed_and_mixture_alone(void **state) {
    (void)state;
    for (int draw = SAMPLER_RANDOM; draw <= SAMPLER_QUOTA; draw++) {
        struct sampler *small = create(5, SAMPLER_TOKEN, draw), *large = create(5, SAMPLER_TOKEN, draw);
        struct sampler *other = create(6, SAMPLER_TOKEN, draw);
        struct draw sequence[600];
        int count = 0;
        while (count < 500) {
            struct draw_list list = step(small, skewed, 0, 90, INT64_MAX);
            assert_true(list.count > 0 && count + list.count < 600);
            memcpy(sequence + count, list.draws, (size_t)list.count * sizeof *sequence);
            count += list.count;
        }
        struct draw_list list = step(large, skewed, 0, 15000, INT64_MAX);
        int compared = list.count < count ? list.count : count;
        assert_true(compared > 300);
        for (int i = 0; i < compared; i++) assert_ptr_equal(sequence[i].example, list.draws[i].example);
        list = step(other, skewed, 0, 15000, INT64_MAX);
        int differing = 0;
        for (int i = 0; i < compared && i < list.count; i++)
            differing += sequence[i].example != list.draws[i].example;
        assert_true(differing > compared / 2);
        sampler_destroy(&small);
        sampler_destroy(&large);
        sampler_destroy(&other);
    }
}

static void shares_converge(void **state) {
    (void)state;
    for (int unit = SAMPLER_TOKEN; unit <= SAMPLER_EXAMPLE; unit++) {
        for (int draw = SAMPLER_RANDOM; draw <= SAMPLER_QUOTA; draw++) {
            struct sampler *sampler = create(3, unit, draw);
            double share[TASKS] = {0}, total = 0;
            for (int s = 0; s < 2000; s++) {
                struct draw_list list = step(sampler, skewed, 0, 2000, INT64_MAX);
                for (int i = 0; i < list.count; i++) {
                    const struct example *example = list.draws[i].example;
                    double amount = unit == SAMPLER_TOKEN ? example->length - example->prompt : 1;
                    share[list.draws[i].task] += amount;
                    total += amount;
                }
            }
            /* binomial standard errors are below 0.004 (token, random: the 64-token task is drawn seldom) */
            double tolerance = draw == SAMPLER_QUOTA ? 0.0005 : 0.015;
            for (int k = 0; k < TASKS; k++) {
                if (!(fabs(share[k] / total - skewed[k]) < tolerance)) {
                    fail_msg("unit %d draw %d task %d: share %.5f, expected %.5f", unit, draw, k,
                             share[k] / total, skewed[k]);
                }
            }
            sampler_destroy(&sampler);
        }
    }
}

/* After every draw each task's count is within one of its quota, for many mixtures and numbers of tasks. */
static void quotas_are_exact(void **state) {
    (void)state;
    srand(7);
    enum { MOST = 24 };
    static struct task many[MOST];
    static const struct example one = {some_ids, 2, 1};
    for (int k = 0; k < MOST; k++) {
        many[k] =
            (struct task){.name = "t", .training = (struct example *)(uintptr_t)&one, .training_count = 1};
        many[k].training_supervised = 1;
    }
    double worst = 0;
    for (int trial = 0; trial < 60; trial++) {
        int count = 1 + trial % MOST;
        struct task_set some = {.tasks = many, .count = count};
        struct sampler *sampler;
        assert_int_equal(sampler_create(&some, 1, SAMPLER_EXAMPLE, SAMPLER_QUOTA, &sampler, NULL), 0);
        double mixture[MOST], sum = 0;
        for (int k = 0; k < count; k++)
            sum += mixture[k] = trial % 3 ? pow(rand() / (double)RAND_MAX, 4) + 1e-4 : 1.0;
        for (int n = 1; n <= 2000; n++) {
            struct draw_list list = step(sampler, mixture, 0, 1, INT64_MAX);
            assert_int_equal(list.count, 1);
            for (int k = 0; k < count; k++) {
                /* the example that did not fit into the step is chosen, not drawn: n draws, n + 1 chosen */
                double off = (double)sampler_used(sampler)[k] - n * mixture[k] / sum;
                if (fabs(off) > worst) worst = fabs(off);
                if (!(fabs(off) < 1.0))
                    fail_msg("%d tasks, task %d off by %.4f after %d draws", count, k, off, n);
            }
        }
        sampler_destroy(&sampler);
    }
    assert_true(worst > 0.5); /* the comparison saw real deviations */
}

static void quotas_follow_the_mixture(void **state) {
    (void)state;
    struct sampler *sampler = create(2, SAMPLER_EXAMPLE, SAMPLER_QUOTA);
    double expected[TASKS] = {0};
    for (int s = 0; s < 3000; s++) {
        double mixture[TASKS];
        for (int k = 0; k < TASKS; k++) mixture[k] = 1.0 + sin(0.01 * s + k);
        mixture[0] = s < 1500 ? 0.0 : mixture[0]; /* a share of zero is never drawn */
        double sum = mixture[0] + mixture[1] + mixture[2] + mixture[3];
        for (int k = 0; k < TASKS; k++) expected[k] += mixture[k] / sum;
        step(sampler, mixture, 0, 0, INT64_MAX); /* one draw */
        if (s == 1499) assert_int_equal(sampler_used(sampler)[0], 0);
    }
    for (int k = 0; k < TASKS; k++) assert_true(fabs((double)sampler_used(sampler)[k] - expected[k]) < 2.0);
    sampler_destroy(&sampler);
}

static void heeds_limits(void **state) {
    (void)state;
    for (int draw = SAMPLER_RANDOM; draw <= SAMPLER_QUOTA; draw++) {
        struct sampler *sampler = create(4, SAMPLER_TOKEN, draw);
        const int64_t budget = 2000;
        int64_t spent = 0;
        bool exhausted = false;
        for (int s = 0; s < 1000 && !exhausted; s++) {
            struct draw_list list = step(sampler, even, s % 5 == 0 ? 1 : 0, 150, budget - spent);
            int64_t rows = 0, supervised = 0;
            for (int i = 0; i < list.count; i++) {
                rows += list.draws[i].example->length - 1;
                supervised += list.draws[i].example->length - list.draws[i].example->prompt;
            }
            assert_true(list.tokens == rows && list.supervised == supervised);
            if (s % 5) assert_true(list.count == 1 || rows <= 150);
            spent += supervised;
            assert_true(spent <= budget);
            exhausted = list.exhausted;
        }
        assert_true(exhausted);
        assert_true(spent > budget - 66); /* less than the longest completion is left over */
        /* what the mixture chose and the limit refused stays first, now and when there is room again */
        while (step(sampler, even, 0, 150, budget - spent).count) spent = budget - 1;
        int64_t used[TASKS];
        memcpy(used, sampler_used(sampler), sizeof used);
        struct draw_list list = step(sampler, even, 0, 150, 0);
        assert_true(list.exhausted && list.count == 0);
        assert_memory_equal(used, sampler_used(sampler), sizeof used);
        list = step(sampler, even, 1, 0, INT64_MAX);
        assert_int_equal(list.count, TASKS); /* the pending example is its task's probe */
        assert_true(list.draws[0].example->length - list.draws[0].example->prompt > 1);
        sampler_destroy(&sampler);
    }
    /* an example longer than a step is drawn alone */
    struct sampler *sampler = create(4, SAMPLER_TOKEN, SAMPLER_QUOTA);
    for (int s = 0; s < 50; s++) assert_int_equal(step(sampler, even, 0, 3, INT64_MAX).count, 1);
    sampler_destroy(&sampler);
}

static void probes_every_task(void **state) {
    (void)state;
    static const double lonely[TASKS] = {0.997, 0.001, 0.001, 0.001};
    for (int draw = SAMPLER_RANDOM; draw <= SAMPLER_QUOTA; draw++) {
        struct sampler *sampler = create(9, SAMPLER_EXAMPLE, draw);
        int64_t before[TASKS] = {0};
        for (int s = 0; s < 200; s++) {
            struct draw_list list = step(sampler, lonely, 2, 100, INT64_MAX);
            int count[TASKS] = {0};
            for (int i = 0; i < list.count; i++) count[list.draws[i].task]++;
            for (int k = 0; k < TASKS; k++) {
                assert_true(count[k] >= 2);
                assert_int_equal(sampler_used(sampler)[k] - before[k], count[k]);
                before[k] += count[k];
            }
        }
        /* debts of probing are forgiven: a task that becomes important is drawn soon */
        static const double turned[TASKS] = {0.001, 0.997, 0.001, 0.001};
        int64_t used = sampler_used(sampler)[1];
        step(sampler, turned, 0, 10 * 35, INT64_MAX);
        assert_true(sampler_used(sampler)[1] - used >= 6);
        sampler_destroy(&sampler);
    }
}

static void probes_count_towards_quotas(void **state) {
    (void)state;
    struct sampler *sampler = create(9, SAMPLER_EXAMPLE, SAMPLER_QUOTA);
    int64_t total = 0;
    for (int s = 0; s < 300; s++) total += step(sampler, skewed, 1, 1000, INT64_MAX).count;
    for (int k = 0; k < TASKS; k++) {
        assert_true(fabs((double)sampler_used(sampler)[k] - skewed[k] * (double)total) < 2.0);
    }
    sampler_destroy(&sampler);
}

static void rotates_validation(void **state) {
    (void)state;
    struct sampler *sampler = create(1, SAMPLER_TOKEN, SAMPLER_RANDOM);
    const struct example *chosen[LARGEST];
    int seen[LARGEST] = {0};
    for (int update = 0; update < 10;
         update++) { /* ten updates of 3 from a pool of 10: each comes three times */
        assert_int_equal(sampler_validation(sampler, 1, update, 3, chosen), 3);
        for (int i = 0; i < 3; i++) {
            seen[chosen[i] - validation[1]]++;
            for (int j = 0; j < i; j++) assert_ptr_not_equal(chosen[i], chosen[j]);
        }
    }
    for (int i = 0; i < 10; i++) assert_int_equal(seen[i], 3);
    assert_int_equal(sampler_validation(sampler, 0, 5, 100, chosen), 3);
    assert_int_equal(sampler_validation(sampler, 0, 5, 0, chosen), 0);
    sampler_destroy(&sampler);
}

static void restores_its_state(void **state) {
    (void)state;
    struct error err = {0};
    for (int draw = SAMPLER_RANDOM; draw <= SAMPLER_QUOTA; draw++) {
        struct sampler *sampler = create(8, SAMPLER_TOKEN, draw), *copy = create(8, SAMPLER_TOKEN, draw);
        for (int s = 0; s < 37; s++) step(sampler, skewed, s % 3 == 0, 130, INT64_MAX);
        uint64_t words[2 + 2 * TASKS];
        assert_int_equal(sampler_state_words(sampler), sizeof words / sizeof *words);
        sampler_save(sampler, words);
        assert_int_equal(sampler_restore(copy, words, &err), 0);
        for (int s = 0; s < 50; s++) {
            struct draw_list left = step(sampler, skewed, s % 3 == 0, 130, INT64_MAX);
            struct draw kept[64];
            assert_true(left.count <= 64);
            memcpy(kept, left.draws, (size_t)left.count * sizeof *kept);
            struct draw_list right = step(copy, skewed, s % 3 == 0, 130, INT64_MAX);
            assert_int_equal(left.count, right.count);
            for (int i = 0; i < left.count; i++) assert_ptr_equal(kept[i].example, right.draws[i].example);
        }
        words[1] = TASKS; /* no such task */
        assert_int_equal(sampler_restore(copy, words, &err), ERROR_INPUT);
        double bad = NAN;
        words[1] = 0;
        memcpy(&words[2 + TASKS], &bad, 8);
        assert_int_equal(sampler_restore(copy, words, &err), ERROR_INPUT);
        sampler_destroy(&sampler);
        sampler_destroy(&copy);
    }
}

static void refuses_bad_mixtures(void **state) {
    (void)state;
    struct sampler *sampler = create(8, SAMPLER_TOKEN, SAMPLER_RANDOM);
    static const double bad[][TASKS] = {{0, 0, 0, 0}, {1, -0.1, 0, 0}, {1, NAN, 0, 0}, {1, INFINITY, 0, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct draw_list list;
        struct error err = {0};
        assert_int_equal(sampler_step(sampler, bad[i], 0, 100, 100, &list, &err), ERROR_NUMERIC);
        assert_int_equal(list.count, 0);
    }
    sampler_destroy(&sampler);
    struct task empty = {.name = "empty"};
    struct task_set none = {.tasks = &empty, .count = 1};
    struct error err = {0};
    assert_int_equal(sampler_create(&none, 1, SAMPLER_TOKEN, SAMPLER_RANDOM, &sampler, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "\"empty\""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_without_replacement), cmocka_unit_test(depends_on_seed_and_mixture_alone),
        cmocka_unit_test(shares_converge),           cmocka_unit_test(quotas_are_exact),
        cmocka_unit_test(quotas_follow_the_mixture), cmocka_unit_test(heeds_limits),
        cmocka_unit_test(probes_every_task),         cmocka_unit_test(probes_count_towards_quotas),
        cmocka_unit_test(rotates_validation),        cmocka_unit_test(restores_its_state),
        cmocka_unit_test(refuses_bad_mixtures),
    };
    return cmocka_run_group_tests(tests, make_set, NULL);
}

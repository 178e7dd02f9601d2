/* The runner's small parts: the budget ledger, dealing work, the watch over the mixture. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/random.h"
#include "base/deal.h"
#include "runner/cell/ledger.h"
#include "runner/cell/watch.h"
#include <math.h>

static void test_budget_rounding(void **state) {
    (void)state;
    assert_int_equal(ledger_budget(0.1, 30), 3);
    assert_int_equal(ledger_budget(0.05, 20), 1);
    assert_int_equal(ledger_budget(0.01, 99), 0);
    assert_int_equal(ledger_budget(0.01, 199), 1);
    assert_int_equal(ledger_budget(1.0, 123456789012), 123456789012);
    for (int64_t n = 1; n < 2000; n++) /* exact for every hundredth: floor(k n / 100) in whole numbers */
        for (int k = 1; k <= 100; k++) assert_int_equal(ledger_budget(k / 100.0, n), k * n / 100);
}

static void test_ledger_never_passes_the_budget(void **state) {
    (void)state;
    struct error err = {0};
    struct ledger ledger;
    assert_int_equal(ledger_create(3, 100, true, &ledger, &err), 0);
    assert_int_equal(ledger_add(&ledger, LEDGER_TRAINING, 0, 60, &err), 0);
    assert_int_equal(ledger_add(&ledger, LEDGER_VALIDATION, 1, 30, &err), 0);
    assert_int_equal(ledger_charged(&ledger), 90);
    assert_int_equal(ledger_add(&ledger, LEDGER_PROBE, 2, 11, &err), ERROR_INTERNAL);
    assert_int_equal(ledger_charged(&ledger), 90);
    assert_int_equal(ledger_add(&ledger, LEDGER_PROBE, 2, 10, &err), 0);
    assert_int_equal(ledger_remaining(&ledger), 0);
    int64_t total = 0;
    for (int book = 0; book < LEDGER_BOOKS; book++)
        for (int k = 0; k < 3; k++) total += ledger.spent[book][k];
    assert_int_equal(total, 100);
    ledger_release(&ledger);

    assert_int_equal(ledger_create(1, 10, false, &ledger, &err), 0);
    assert_int_equal(ledger_add(&ledger, LEDGER_VALIDATION, 0, 1000, &err), 0); /* counted, not charged */
    assert_int_equal(ledger_remaining(&ledger), 10);
    assert_int_equal(ledger_add(&ledger, LEDGER_TRAINING, 0, 11, &err), ERROR_INTERNAL);
    ledger_release(&ledger);
}

static void test_deal_is_balanced(void **state) {
    (void)state;
    enum { ITEMS = 200, WORKERS = 7 };
    int64_t cost[ITEMS], load[WORKERS], check[WORKERS] = {0}, total = 0, largest = 0;
    int owner[ITEMS];
    struct deal_item items[ITEMS];
    for (int i = 0; i < ITEMS; i++) {
        cost[i] = (int64_t)random_below((struct random_key){3, RANDOM_TEST, 0}, (uint64_t)i, 500);
        total += cost[i];
        if (cost[i] > largest) largest = cost[i];
    }
    deal_balanced(cost, ITEMS, WORKERS, owner, items, load);
    for (int i = 0; i < ITEMS; i++) {
        assert_in_range(owner[i], 0, WORKERS - 1);
        check[owner[i]] += cost[i];
    }
    /* Graham's bound: no load exceeds the mean by more than the largest item. */
    for (int w = 0; w < WORKERS; w++) assert_true(check[w] * WORKERS <= total + largest * WORKERS);
    deal_balanced(cost, 0, WORKERS, owner, items, load);
    deal_balanced(cost, 3, 1, owner, items, load);
    for (int i = 0; i < 3; i++) assert_int_equal(owner[i], 0);
}

static void test_watch_tells_a_captured_task_only(void **state) {
    (void)state;
    struct error err = {0};
    struct watch *watch;
    assert_int_equal(watch_create(3, &watch, &err), 0);
    int told[3] = {0};
    for (int update = 0; update < 60; update++) {
        double share[3] = {0.2 + 0.01 * update, 0.2 + 0.01 * update, 0.2}; /* two gain */
        double loss[3] = {3.3, 3.0 * exp(-0.05 * update), 2.0};            /* the second one learns */
        int task = watch_update(watch, share, loss);
        if (task >= 0) told[task]++;
    }
    assert_true(told[0] >= 1);
    assert_int_equal(told[1], 0);
    assert_int_equal(told[2], 0);
    double share_from, share_to, loss_from, loss_to;
    watch_explain(watch, 0, &share_from, &share_to, &loss_from, &loss_to);
    assert_true(share_to > 1.25 * share_from && loss_to > 0.99 * loss_from);
    watch_destroy(&watch);
}

/* A watch and a ledger that are saved at any update go on as if nothing had been. */
static void test_state_goes_on(void **state) {
    (void)state;
    enum { TASKS = 2 };
    struct error err = {0};
    uint64_t words[64], books[16];
    assert_true(watch_state_words(TASKS) <= 64 && ledger_state_words(TASKS) <= 16);
    for (int cut = 0; cut < 40; cut += 3) {
        struct watch *whole, *first, *second;
        assert_int_equal(watch_create(TASKS, &whole, &err), 0);
        assert_int_equal(watch_create(TASKS, &first, &err), 0);
        assert_int_equal(watch_create(TASKS, &second, &err), 0);
        for (int update = 0; update < 40; update++) {
            double share[TASKS] = {0.2 + 0.01 * update, 0.3}, loss[TASKS] = {3.3 + sin(update), 2.0};
            if (update == cut) {
                watch_save(first, words);
                watch_restore(second, words);
            }
            int expected = watch_update(whole, share, loss);
            assert_int_equal(watch_update(update < cut ? first : second, share, loss), expected);
            if (expected < 0) continue;
            double a[4], b[4];
            watch_explain(whole, expected, &a[0], &a[1], &a[2], &a[3]);
            watch_explain(update < cut ? first : second, expected, &b[0], &b[1], &b[2], &b[3]);
            assert_memory_equal(a, b, sizeof a);
        }
        watch_destroy(&whole);
        watch_destroy(&first);
        watch_destroy(&second);
    }
    struct ledger from, to;
    assert_int_equal(ledger_create(TASKS, 100, true, &from, &err), 0);
    assert_int_equal(ledger_create(TASKS, 100, true, &to, &err), 0);
    assert_int_equal(ledger_add(&from, LEDGER_TRAINING, 1, 60, &err), 0);
    assert_int_equal(ledger_add(&from, LEDGER_VALIDATION, 0, 25, &err), 0);
    from.fed = 1234;
    ledger_save(&from, books);
    assert_int_equal(ledger_restore(&to, books, &err), 0);
    assert_int_equal(ledger_charged(&to), 85);
    assert_int_equal(to.fed, 1234);
    assert_int_equal(to.spent[LEDGER_TRAINING][1], 60);
    books[1] = 16; /* past the budget */
    assert_int_equal(ledger_restore(&to, books, &err), ERROR_INPUT);
    books[1] = UINT64_MAX;
    assert_int_equal(ledger_restore(&to, books, &err), ERROR_INPUT);
    ledger_release(&from);
    ledger_release(&to);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_budget_rounding),  cmocka_unit_test(test_ledger_never_passes_the_budget),
        cmocka_unit_test(test_deal_is_balanced), cmocka_unit_test(test_watch_tells_a_captured_task_only),
        cmocka_unit_test(test_state_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

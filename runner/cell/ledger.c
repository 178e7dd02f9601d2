#include "runner/cell/ledger.h"

#include "base/memory.h"
#include <math.h>
#include <string.h>

int64_t ledger_budget(double fraction, int64_t available) {
    /* The product's rounding error is far below 1e-9 of a token for any real count. */
    return (int64_t)floor(fraction * (double)available * (1.0 + 1e-12) + 1e-9);
}

int ledger_create(int tasks, int64_t budget, bool validation_charged, struct ledger *out, struct error *err) {
    *out = (struct ledger){.budget = budget, .validation_charged = validation_charged, .tasks = tasks};
    for (int book = 0; book < LEDGER_BOOKS; book++) {
        int code = memory_alloc(&out->spent[book], (size_t)tasks, sizeof(int64_t), err);
        if (code) {
            ledger_release(out);
            return code;
        }
    }
    return 0;
}

void ledger_release(struct ledger *ledger) {
    for (int book = 0; book < LEDGER_BOOKS; book++) memory_free(ledger->spent[book]);
    *ledger = (struct ledger){0};
}

int64_t ledger_charged(const struct ledger *ledger) {
    int64_t charged = ledger->sum[LEDGER_TRAINING];
    if (ledger->validation_charged) charged += ledger->sum[LEDGER_VALIDATION] + ledger->sum[LEDGER_PROBE];
    return charged;
}

int64_t ledger_remaining(const struct ledger *ledger) {
    return ledger->budget - ledger_charged(ledger);
}

int ledger_add(struct ledger *ledger, enum ledger_book book, int task, int64_t tokens, struct error *err) {
    bool charged = book == LEDGER_TRAINING || ledger->validation_charged;
    if (charged && tokens > ledger_remaining(ledger))
        return error_set(
            err, ERROR_INTERNAL, "%lld tokens of task %d would pass the budget: %lld of %lld are spent",
            (long long)tokens, task, (long long)ledger_charged(ledger), (long long)ledger->budget);
    ledger->spent[book][task] += tokens;
    ledger->sum[book] += tokens;
    return 0;
}

size_t ledger_state_words(int tasks) {
    return 1 + LEDGER_BOOKS * (size_t)tasks;
}

void ledger_save(const struct ledger *ledger, uint64_t *words) {
    size_t tasks = (size_t)ledger->tasks;
    words[0] = (uint64_t)ledger->fed;
    for (int book = 0; book < LEDGER_BOOKS; book++)
        memcpy(words + 1 + (size_t)book * tasks, ledger->spent[book], 8 * tasks);
}

int ledger_restore(struct ledger *ledger, const uint64_t *words, struct error *err) {
    size_t tasks = (size_t)ledger->tasks;
    bool sound = words[0] <= INT64_MAX;
    ledger->fed = (int64_t)words[0];
    for (int book = 0; book < LEDGER_BOOKS; book++) {
        memcpy(ledger->spent[book], words + 1 + (size_t)book * tasks, 8 * tasks);
        ledger->sum[book] = 0;
        for (size_t k = 0; k < tasks && sound; k++) {
            int64_t spent = ledger->spent[book][k];
            sound = spent >= 0 && spent <= INT64_MAX - ledger->sum[book];
            if (sound) ledger->sum[book] += spent;
        }
    }
    if (sound && ledger_charged(ledger) <= ledger->budget) return 0;
    return error_set(err, ERROR_INPUT,
                     "the saved ledger does not add up to a part of the budget of %lld tokens",
                     (long long)ledger->budget);
}

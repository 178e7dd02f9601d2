/* The budget ledger of a cell: what was spent, on what, by task, to the token.
 *
 * Supervised tokens are counted in three books: training, validation spent by a method, and probes (training
 * examples that a method looks at without training on them). Training is always charged; the other two are
 * when `validation_charged`. Measuring (set points, benchmarks) is never charged and not in these books. */
#ifndef ADAPT_RUNNER_LEDGER_H
#define ADAPT_RUNNER_LEDGER_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ledger_book { LEDGER_TRAINING, LEDGER_VALIDATION, LEDGER_PROBE, LEDGER_BOOKS };

struct ledger {
    int64_t budget; /* supervised tokens */
    bool validation_charged;
    int tasks;
    int64_t *spent[LEDGER_BOOKS]; /* [tasks] each, owned */
    int64_t sum[LEDGER_BOOKS];
    int64_t fed; /* all tokens fed to the model by training: prompts too */
};

/* floor(fraction * available), computed so that 0.1 of 30 is 3 and not 2. */
int64_t ledger_budget(double fraction, int64_t available);

int ledger_create(int tasks, int64_t budget, bool validation_charged, struct ledger *out, struct error *err);
void ledger_release(struct ledger *ledger);

/* What counts against the budget so far, and what is left. */
int64_t ledger_charged(const struct ledger *ledger);
int64_t ledger_remaining(const struct ledger *ledger);

/* Books supervised tokens of one task. A charge that would pass the budget is ERROR_INTERNAL and books
 * nothing. */
int ledger_add(struct ledger *ledger, enum ledger_book book, int task, int64_t tokens, struct error *err);

/* What was spent, as ledger_state_words 64-bit words, and back into a ledger of as many tasks; ERROR_INPUT
 * where the sums do not add up or pass the budget. */
size_t ledger_state_words(int tasks);
void ledger_save(const struct ledger *ledger, uint64_t *words);
int ledger_restore(struct ledger *ledger, const uint64_t *words, struct error *err);

#endif

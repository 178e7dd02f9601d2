/* Watches a learned mixture for a task that gains share for long without its validation loss falling: the
 * sign that the worst case is captured by something that cannot be learned. */
#ifndef ADAPT_RUNNER_WATCH_H
#define ADAPT_RUNNER_WATCH_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

struct watch;

int watch_create(int tasks, struct watch **out, struct error *err);
void watch_destroy(struct watch **watch);

/* Feeds the share and the validation loss of every task at an update. Returns the index of a task to warn
 * about, or -1. A task is told when over a window of WATCH_WINDOW updates its share grew by a quarter and its
 * smoothed loss did not fall by one per cent; then its window starts anew. */
enum { WATCH_WINDOW = 10 };
int watch_update(struct watch *watch, const double *share, const double *validation_loss);
/* Share and smoothed loss of a task at the start of the window that was last told of, and at its end. */
void watch_explain(const struct watch *watch, int task, double *share_from, double *share_to,
                   double *loss_from, double *loss_to);

/* All that a watch remembers, as watch_state_words 64-bit words, and back into one of as many tasks. */
size_t watch_state_words(int tasks);
void watch_save(const struct watch *watch, uint64_t *words);
void watch_restore(struct watch *watch, const uint64_t *words);

#endif

/* Ends a process whose work has come to a stand: a rank that waits in vain for another one that is stopped,
 * hangs in a file system or lost its network. Its end makes the launcher end the others; nothing is lost but
 * the steps since the last checkpoint.
 *
 * What is counted is seconds in which this process ran: time that it spends suspended does not count. */
#ifndef ADAPT_RUNNER_WATCHDOG_H
#define ADAPT_RUNNER_WATCHDOG_H

#include "base/error.h"

struct watchdog;
/* Watches from the first mark on. The process ends with status 1, and a message that begins with `who`
 * (copied), after `seconds` without a mark, beyond twice the longest time that ever lay between two marks. 0:
 * never. */
int watchdog_create(const char *who, double seconds, struct watchdog **out, struct error *err);
void watchdog_destroy(struct watchdog **watchdog);

/* There is progress. NULL is allowed, here and below. */
void watchdog_mark(struct watchdog *watchdog);
/* No progress is to be expected until the next mark. */
void watchdog_rest(struct watchdog *watchdog);

#endif

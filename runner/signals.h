/* Signals that ask for an end: SIGTERM, SIGINT and SIGUSR1 (which Slurm sends ahead of a time limit or a
 * preemption by
 * --signal=USR1@SECONDS). A thread waits for them; no handler ever runs, for one that came in the middle of a
 * matrix product has been seen to destroy the heap (kernels that the library makes at run time keep data
 * below the stack pointer).
 *
 * Before signals_arm the first one ends the process as it would any other. Afterwards it sets a flag that the
 * program looks at between steps; a second one, unless it comes within a moment of the first (one stop may
 * reach a process by several ways), ends the process at once. */
#ifndef ADAPT_RUNNER_SIGNALS_H
#define ADAPT_RUNNER_SIGNALS_H

#include "base/error.h"
#include <stdbool.h>

struct signals;
/* Once, before any other thread is made (MPI makes some), since threads inherit what they leave to this one.
 */
int signals_create(struct signals **out, struct error *err);
/* Signals that come later stay blocked. *signals may be NULL. */
void signals_destroy(struct signals **signals);

void signals_arm(struct signals *signals);
/* Whether one has come since. */
bool signals_came(const struct signals *signals);

#endif

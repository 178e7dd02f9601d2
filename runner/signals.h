/* Signals that ask for an end: SIGTERM, SIGINT and SIGUSR1 (which Slurm sends ahead of a time limit or a preemption by
 * --signal=USR1@SECONDS). The first one sets a flag that the program looks at between steps; a second one, unless it comes within
 * a moment of the first (one stop may reach a process by several ways), ends the process at once.
 *
 * The flag is the one variable of the program outside any struct: a handler is given nothing but the signal's number. */
#ifndef ADAPT_RUNNER_SIGNALS_H
#define ADAPT_RUNNER_SIGNALS_H

#include <stdbool.h>

enum { SIGNALS_TOGETHER_MILLISECONDS = 500 };

/* From here on these signals are caught. SIGPIPE is ignored: a reader of the log that goes away must not end a run. */
void signals_catch(void);
/* Whether one has come. */
bool signals_came(void);

#endif

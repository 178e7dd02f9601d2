/* Messages to the user on standard error. */
#ifndef ADAPT_RUNNER_COMPLAIN_H
#define ADAPT_RUNNER_COMPLAIN_H

/* Prints every line of `message` as "adapt: LINE", or as "adapt: KIND: LINE" where `kind` (such as "warning")
 * is not NULL. */
void complain(const char *kind, const char *message);

/* The exit status for a failed command: 2 for bad input, 1 for what went wrong while running. */
int complain_status(int code);

#endif

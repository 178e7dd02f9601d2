/* The command line of the subcommands that take one operand and options with a value. */
#ifndef ADAPT_RUNNER_OPTIONS_H
#define ADAPT_RUNNER_OPTIONS_H

#include <stdbool.h>

/* "--NAME VALUE"; *value is left alone where the option is absent. A NULL name ends a list. */
struct command_option {
    const char *name;
    const char **value;
};

/* Takes "--NAME", which has no value, out of the arguments, and tells whether it was there. Before
 * command_options. */
bool command_flag(int *argc, char **argv, const char *name);

/* Reads "COMMAND OPERAND [--NAME VALUE] ..." in any order; --help (-h) is known to all. True: go on with
 * *operand. False: `usage` was printed, to standard output where it was asked for, and the command ends with
 * *status. */
bool command_options(int argc, char **argv, const char *usage, const struct command_option *options,
                     const char **operand, int *status);

#endif

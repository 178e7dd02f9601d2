/* Settings (base/setting.h) as options of a command: the row "max_length" is --max-length. */
#ifndef ADAPT_RUNNER_SETTING_OPTIONS_H
#define ADAPT_RUNNER_SETTING_OPTIONS_H

#include "base/error.h"
#include "base/setting.h"
#include <getopt.h>
#include <stdio.h>

enum { SETTING_OPTION_BYTES = 32, SETTING_OPTIONS_MAX = 32 };

/* The options of a table for getopt_long: row i has the value `first` + i. Holds the names. */
struct setting_options {
    char name[SETTING_OPTIONS_MAX][SETTING_OPTION_BYTES];
};

/* Appends the rows' options to known[count..] and returns the new count; there is room for
 * SETTING_OPTIONS_MAX more. */
int setting_options_add(struct setting_options *options, const struct setting *table, int first,
                        struct option *known, int count);

/* A line of help for each row. */
void setting_options_print(FILE *out, const struct setting *table);

/* Reads `text` into the row's field of `settings`; a text is borrowed. ERROR_INPUT names the option and what
 * it takes. */
int setting_option_parse(const struct setting *row, const char *text, void *settings, struct error *err);

/* A command that takes one operand, and options that are all settings: 0 with defaults and options in
 * `settings`; 1: help was asked for and printed; ERROR_INPUT with a message, or (no or several operands)
 * after printing the help to standard error and without one. */
int setting_options_command(int argc, char **argv, const char *usage, const struct setting *table,
                            void *settings, const char **operand, struct error *err);

#endif

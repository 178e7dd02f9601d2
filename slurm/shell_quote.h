/* Data as one word of a shell script. */
#ifndef ADAPT_SLURM_SHELL_QUOTE_H
#define ADAPT_SLURM_SHELL_QUOTE_H

#include "base/text.h"

/* Appends `data` as a word that every POSIX shell reads as exactly these bytes, whatever they are: as it is
 * where only letters, digits and ._/+,:@%=- stand in it, else in single quotes. Not for places where a
 * command's name or an option is expected. */
int shell_quote(const char *data, struct text *out, struct error *err);

#endif

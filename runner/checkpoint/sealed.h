/* Text files that tell damage: the text, and then a line "sha256 HEX" with the hash of all before it. */
#ifndef ADAPT_RUNNER_SEALED_H
#define ADAPT_RUNNER_SEALED_H

#include "base/error.h"
#include "base/text.h"
#include <stddef.h>

/* Ends the text's last line and appends its seal. */
int sealed_close(struct text *text, struct error *err);
/* *length: of the text before its seal. ERROR_INPUT, naming `name`, where the seal is missing or does not
 * fit. */
int sealed_open(const char *name, const char *text, size_t sealed_length, size_t *length, struct error *err);

#endif

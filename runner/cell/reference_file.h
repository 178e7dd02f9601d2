/* Reference losses from a file: a JSON object {"task name": loss, ...}. */
#ifndef ADAPT_RUNNER_REFERENCE_FILE_H
#define ADAPT_RUNNER_REFERENCE_FILE_H

#include "base/error.h"

/* Reads the loss of every task into loss[tasks]; further names in the file are left alone. A task without a
 * finite number is ERROR_INPUT that names it. */
int reference_file_read(const char *path, int tasks, const char *const *name, double *loss,
                        struct error *err);

#endif

/* A benchmark's result in a sealed JSON file of its own, from the moment that it is known: the archive takes
 * evaluations in when a cell ends, and what took an hour must not be lost with the process. Numbers are
 * written so that every bit comes back. */
#ifndef ADAPT_RUNNER_EVALUATION_FILE_H
#define ADAPT_RUNNER_EVALUATION_FILE_H

#include "base/memory.h"
#include "io/archive/archive.h"

/* Atomic. */
int evaluation_file_write(const char *path, const struct archive_evaluation *evaluation, struct error *err);
/* Everything lies in the arena. ERROR_INPUT for a damaged file. */
int evaluation_file_read(const char *path, struct arena *arena, struct archive_evaluation *out,
                         struct error *err);
/* The same for a text that is at hand. */
int evaluation_file_parse(const char *name, const char *text, size_t length, struct arena *arena,
                          struct archive_evaluation *out, struct error *err);

#endif

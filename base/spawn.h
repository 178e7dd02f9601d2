/* Starting programs from a process with many threads: nothing of the parent is touched in the child
 * (posix_spawn), and no descriptor leaks into it. */
#ifndef ADAPT_BASE_SPAWN_H
#define ADAPT_BASE_SPAWN_H

#include "base/error.h"
#include "base/text.h"
#include <stddef.h>
#include <sys/types.h>

/* Moves a descriptor out of the way of those a child is given, and closes the old one; -1 (errno) stays -1.
 */
int spawn_lift(int descriptor);
/* Pipe, close-on-exec, lifted; ends[0] is read. -1 and errno on failure. */
int spawn_pipe(int ends[2]);
/* An anonymous file that holds `length` bytes, to be read from its start; lifted. -1 and errno on failure. */
int spawn_file(const void *bytes, size_t length);
/* Closes *descriptor unless it is -1, and sets it to -1. */
void spawn_close(int *descriptor);

/* Looks a program up in PATH. *path (memory_free) is NULL where there is none. */
int spawn_find(const char *name, char **path, struct error *err);

/* Starts `path` in a session of its own with default signals; descriptors[i] (lifted, or -1 for /dev/null)
 * becomes its descriptor i, and it gets no others. ERROR_IO. */
int spawn_start(const char *path, char *const *argv, char *const *envp, const int *descriptors, int count,
                pid_t *child, struct error *err);

/* Runs a program of ours to its end, within `seconds`; its standard output and standard error are appended to
 * `output` (at most 1 MiB). *status is its exit status: -1 if a signal ended it (also ours, when it took too
 * long), 0 if the system does not tell because SIGCHLD is ignored. */
int spawn_capture(const char *path, char *const *argv, char *const *envp, double seconds, struct text *output,
                  int *status, struct error *err);

#endif

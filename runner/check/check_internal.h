#ifndef ADAPT_RUNNER_CHECK_INTERNAL_H
#define ADAPT_RUNNER_CHECK_INTERNAL_H

#include "runner/check/check.h"
#include "train/backend.h"

/* Appends one line. */
int check_note(struct text *lines, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Appends a failure, unless it is there already (every model fails alike where the tasks do). */
int check_fail(struct check *check, const char *message, struct error *err);

/* check_model.c: one model's folder, its tasks, budgets and memory. `backend` may be NULL: weights are not
 * loaded. */
int check_model(const struct experiment *experiment, int model, struct backend *backend, struct check *check,
                struct error *err);

#endif

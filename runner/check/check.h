/* Looks at everything an experiment will need (models, tasks, benchmarks, machine, archive), so that what
 * would fail later fails now. */
#ifndef ADAPT_RUNNER_CHECK_H
#define ADAPT_RUNNER_CHECK_H

#include "base/text.h"
#include "runner/experiment/experiment.h"

/* What was found; zero-initialise. Each text holds lines. */
struct check {
    struct text facts;    /* for the user to read */
    struct text warnings; /* what will run but hardly be meant */
    struct text failures; /* what will not run, of all parts */
};

/* Checks all parts, whatever fails in one of them, and fills the token caches on the way. Returns an error
 * only when checking itself cannot go on. Not collective. */
int check_experiment(const struct experiment *experiment, struct check *out, struct error *err);
void check_free(struct check *check);

#endif

/* What Slurm's queue holds of an experiment's sweeps. */
#ifndef ADAPT_RUNNER_STATUS_QUEUE_H
#define ADAPT_RUNNER_STATUS_QUEUE_H

#include "base/text.h"
#include "slurm/queue.h"

/* Appends a line for each state of each job that `adapt submit` made for the archive in `folder`; nothing
 * where it made none, or where there is no Slurm. */
int status_queue(const char *folder, struct text *out, struct error *err);

/* The same of a queue that is at hand: `jobs` as in runner/sweep/sweep.h. */
int status_queue_text(const struct queue *queue, const char *jobs, struct text *out, struct error *err);

#endif

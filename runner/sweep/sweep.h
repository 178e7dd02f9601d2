/* A grid as jobs: which cells a job runs, the scripts, and their way into Slurm's queue. */
#ifndef ADAPT_RUNNER_SWEEP_H
#define ADAPT_RUNNER_SWEEP_H

#include "base/text.h"
#include "runner/grid.h"

struct sweep {
    int cells;          /* that are to be run */
    int jobs;           /* array tasks, or 1 */
    struct text script; /* of the sweep */
    struct text collect;
};

/* Makes the scripts for the selected cells that are not done. Cells that wait for one another stay together,
 * in one array task. `program` is the adapt that the settings do not name. Fewer ranks than a cell needs:
 * ERROR_INPUT. Nothing to run: jobs is 0. */
int sweep_make(const struct experiment *experiment, const struct grid *grid, const char *program,
               struct sweep *out, struct error *err);
void sweep_free(struct sweep *sweep);

struct sweep_ids {
    char sweep[32], collect[32]; /* of the jobs; "" where the submission failed */
};
/* Writes OUT/slurm/sweep.sh and collect.sh, submits both, the second to start when the first has ended, and
 * notes the jobs in OUT/slurm/jobs. On failure `ids` tells what was submitted. */
int sweep_submit(const struct experiment *experiment, const struct sweep *sweep, struct sweep_ids *ids,
                 struct error *err);

/* The jobs that were submitted for the archive in `folder`, as lines "ID KIND"; empty where there are none.
 */
int sweep_read_jobs(const char *folder, struct text *out, struct error *err);
/* Whether such lines name a job. */
bool sweep_has_job(const char *jobs, long long id);

#endif

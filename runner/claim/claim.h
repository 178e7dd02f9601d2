/* Who runs a cell: a small file beside the cell's archive, cells/NAME.claim, that one process at a time can
 * have. Made for folders that many jobs on many hosts share, also over NFS: no file locks.
 *
 * Taking: a whole file is written under a name of its own and link(2)ed to the claim's, which only one can
 * do. Holding: its time of modification is set to the file server's "now" every CLAIM_BEAT_SECONDS, by a
 * thread, so that long steps and evaluations do not matter.
 *
 * A claim is dead
 *   - at once, where the observer is on the machine (the same boot, the same process namespace) of the
 *     process that it names, and that process is gone or a zombie, or its number belongs to a later one;
 *   - at once, where the observer belongs to a later start of the same Slurm job (which requeued it): Slurm
 * had ended the earlier one;
 *   - else after CLAIM_STALE_SECONDS without a beat: the age is the difference of two times that the same
 *     file server gave, the claim's and that of a file freshly written beside it, so the hosts' clocks do not
 *     matter. A claim of more than a minute in the future (a server whose clock was set back) is brought to
 *     the present and ages from there.
 *
 * A dead claim is taken over by whoever first makes CLAIM.over-TOKEN, TOKEN being the dead claim's own: then
 * it looks once more whether the claim still is that one, and puts its own in its place by a rename. A holder
 * that was only asleep finds its claim gone at its next beat, and at claim_check, which it asks before
 * everything that others can see. */
#ifndef ADAPT_RUNNER_CLAIM_H
#define ADAPT_RUNNER_CLAIM_H

#include "base/error.h"
#include <stdbool.h>

enum { CLAIM_BEAT_SECONDS = 20, CLAIM_STALE_SECONDS = 180 };

/* What a claim's file says. */
struct claim_info {
    char host[64];
    char job[64];                 /* Slurm's job, "123" or "123_4" in an array; "" outside Slurm */
    int restart;                  /* how often Slurm had requeued it by then */
    long process;                 /* process id of the coordinator on that host */
    double started;               /* seconds since 1970 on that host's clock, when the cell was claimed */
    double heartbeat;             /* seconds since the last sign of life, as the file server counts */
    bool alive;                   /* by the rule above */
    char machine[128], token[64]; /* boot and process namespace; unlike any other claim's */
    unsigned long long birth;     /* of the process, in the machine's clock ticks since boot */
};

/* "DIR/cells/NAME.claim" for "DIR/cells/NAME.h5", freshly allocated. */
int claim_path(const char *cell_path, char **out, struct error *err);

/* Looks at a claim; *found: there is one. A file that is no claim counts as one of nobody, dead. Writes
 * nothing that stays (in a folder that cannot be written to, ages are by this host's clock). */
int claim_read(const char *path, bool *found, struct claim_info *out, struct error *err);
/* Whether somebody alive has the cell of this archive, as claim_read sees it; *out tells who. A claim that
 * cannot be read is nobody's. */
bool claim_holder(const char *cell_path, struct claim_info *out);

struct claim;
/* Takes the claim if it is free or dead, and starts its heartbeat. *out is NULL, without an error, where
 * somebody alive has it: *holder (may be NULL) then tells who. *taken_over (may be NULL): a dead one was in
 * the way, and *holder tells whose. */
int claim_take(const char *path, struct claim **out, bool *taken_over, struct claim_info *holder,
               struct error *err);
/* ERROR_IO if the claim is no longer ours: nothing may be written any more. */
int claim_check(struct claim *claim, struct error *err);
/* Ends the heartbeat and removes the file if it is still ours. *claim is NULL afterwards and may be before.
 */
void claim_release(struct claim **claim);

#endif

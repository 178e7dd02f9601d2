/* Sums of flat vectors over a group's ranks that go on while the rest of the vector is still being computed.
 *
 * A backward pass finishes the gradient from its end towards its beginning. The vector is cut into buckets,
 * and a bucket is handed over as soon as it is final; a thread of its own makes the MPI calls, so that they
 * make progress whatever the computing thread does. Where MPI allows only one thread (less than
 * MPI_THREAD_SERIALIZED), the computing thread makes them, each time it hands something over. Between
 * reduction_begin and reduction_finish the caller makes no MPI calls.
 *
 * Where the ranks' devices have a link of their own (runner/link.h), buckets are handed to that instead, in
 * the order of the device's operations: no thread, and nobody waits.
 *
 * All ranks sum the same buckets in the same order, so sums are the same bits for one number of ranks whether
 * they overlap or not. A rank whose computation fails goes on to reduction_finish, which sums what is there:
 * nobody waits for it in vain. */
#ifndef ADAPT_RUNNER_REDUCTION_H
#define ADAPT_RUNNER_REDUCTION_H

#include "runner/group.h"
#include <stdint.h>

struct reduction;

/* For vectors of `elements` F32, cut into buckets of `bucket` elements (0: a good size). Not collective; all
 * ranks give the same sizes. */
int reduction_create(const struct group *group, struct backend *backend, size_t elements, size_t bucket,
                     struct reduction **out, struct error *err);
void reduction_destroy(struct reduction **reduction);

/* Begins to sum `vector` in place. Not collective by itself: nothing is handed over yet. */
void reduction_begin(struct reduction *reduction, struct view vector);
/* Hands over: elements from `first` on will not be written any more. The signature is that of struct
 * gradient_watcher (train/model.h), `reduction` a struct reduction. Not collective. */
void reduction_hand_over(void *reduction, size_t first);
/* Hands over all that is left and waits for the sums. Collective. */
int reduction_finish(struct reduction *reduction, struct error *err);

/* Sums a vector that is final; not counted below. Collective. */
int reduction_sum(struct reduction *reduction, struct view vector, struct error *err);

/* Of all sums since the last call. */
struct reduction_counters {
    double overlapped; /* seconds that buckets were being summed before reduction_finish was called */
    double waited;     /* seconds inside reduction_finish; between devices: that the device waited for them */
    int64_t elements;  /* summed */
    int64_t early;     /* of them: in buckets that were done, between devices handed over, before that call */
};
struct reduction_counters reduction_take_counters(struct reduction *reduction);

#endif

/* A group: the ranks that run one cell together. All of the program's communication goes through here.
 *
 * Every function below is collective over the group unless it says otherwise. A rank that fails locally must not stay away
 * from the next collective call, or the others hang: it brings its failure to group_agree first. */
#ifndef ADAPT_RUNNER_GROUP_H
#define ADAPT_RUNNER_GROUP_H

#include "base/error.h"
#include "train/backend.h"
#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

struct group {
    MPI_Comm comm; /* owned */
    int rank, size;
    int index; /* of this group among the groups */
    int count; /* of groups */
};

/* Splits `world` into groups of `ranks` consecutive ranks. Ranks that are left over when the world is not a multiple get a group
 * of size 0, which runs nothing. More ranks than the world has is ERROR_INPUT. Collective over `world`. */
int group_split(MPI_Comm world, int ranks, struct group *out, struct error *err);
/* A group of all ranks of `world`. Collective over `world`. */
int group_whole(MPI_Comm world, struct group *out, struct error *err);
void group_release(struct group *group);

/* True on the coordinator, rank 0. Not collective. */
bool group_is_coordinator(const struct group *group);

/* 0 if `code` is 0 on every rank. Otherwise every rank gets the code and message of the lowest rank that failed, with
 * its number where that is not the coordinator. */
int group_agree(const struct group *group, int code, struct error *err);

/* In place: sums, maxima, or the coordinator's values, of values[n] on every rank. */
int group_sum(const struct group *group, double *values, size_t n, struct error *err);
int group_max(const struct group *group, double *values, size_t n, struct error *err);
int group_broadcast(const struct group *group, double *values, size_t n, struct error *err);
int group_barrier(const struct group *group, struct error *err);
/* A barrier for waits of minutes and hours: sleeps between looks, so that a rank without work leaves its core to others. */
int group_wait(const struct group *group, struct error *err);

/* Sums a device vector of n F32 elements over the ranks, in place. Memory that the host can use is reduced where it
 * is; other memory travels through `staging` (host memory of `staging_count` floats; may be NULL when the former holds). */
int group_sum_vector(const struct group *group, struct backend *backend, struct view vector, size_t n, float *staging,
                     size_t staging_count, struct error *err);

#endif

/* A group: the ranks that run one cell together. All of the program's communication goes through here.
 *
 * Every function below is collective over the group unless it says otherwise. A rank that fails locally must
 * not stay away from the next collective call, or the others hang: it brings its failure to group_agree
 * first. */
#ifndef ADAPT_RUNNER_GROUP_H
#define ADAPT_RUNNER_GROUP_H

#include "base/error.h"
#include "train/backend.h"
#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

struct group {
    MPI_Comm comm;   /* owned */
    MPI_Comm beside; /* owned: the same ranks, for sums that go on beside other calls (runner/reduction.h) */
    int rank, size;
    int local; /* of its ranks: those on this rank's machine */
    int index; /* of this group among the groups */
    int count; /* of groups */
    struct link *link; /* owned: between the ranks' devices (runner/link.h); NULL: none */
};

/* Starts MPI for the program, so that threads may make its calls one at a time where the library can do that.
 * Once, before all else here; MPI_Finalize ends it. */
int group_start(struct error *err);

/* Splits `world` into groups of `ranks` consecutive ranks. Ranks that are left over when the world is not a
 * multiple get a group of size 0, which runs nothing. More ranks than the world has is ERROR_INPUT.
 * Collective over `world`. */
int group_split(MPI_Comm world, int ranks, struct group *out, struct error *err);
/* A group of all ranks of `world`. Collective over `world`. */
int group_whole(MPI_Comm world, struct group *out, struct error *err);
void group_release(struct group *group);

/* True on the coordinator, rank 0. Not collective. */
bool group_is_coordinator(const struct group *group);

/* 0 if `code` is 0 on every rank; ERROR_PEER at once, as ranks that cannot talk cannot agree either.
 * Otherwise every rank gets the code and message of the lowest rank that failed, with its number where that
 * is not the coordinator. */
int group_agree(const struct group *group, int code, struct error *err);

/* The same, and least[n] (at most GROUP_LEAST numbers) become their minima over the ranks: a vote at no
 * further latency. */
enum { GROUP_LEAST = 7 };
int group_agree_least(const struct group *group, int code, int *least, int n, struct error *err);
/* The coordinator gets `bytes` bytes of every rank, in the ranks' order, in all[size * bytes] (others may
 * give NULL). */
int group_gather(const struct group *group, const void *mine, size_t bytes, void *all, struct error *err);

/* In place: sums, maxima, or the coordinator's values, of values[n] on every rank. */
int group_sum(const struct group *group, double *values, size_t n, struct error *err);
int group_max(const struct group *group, double *values, size_t n, struct error *err);
int group_broadcast(const struct group *group, double *values, size_t n, struct error *err);
int group_barrier(const struct group *group, struct error *err);
/* A barrier for waits of minutes and hours: sleeps between looks, so that a rank without work leaves its core
 * to others. */
int group_wait(const struct group *group, struct error *err);

/* 0 for MPI_SUCCESS, else ERROR_PEER: MPI's reason why `what` failed. Not collective. */
int group_check_status(int status, const char *what, struct error *err);
/* Whether threads other than the one that started MPI may make its calls, one at a time. Not collective. */
bool group_may_thread(void);

#endif

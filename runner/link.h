/* How vectors that lie on GPUs travel between a group's ranks. The first of these that there is:
 *   nccl  from GPU to GPU by NCCL, where every rank finds it and has a GPU of its own;
 *   mpi   by an MPI that takes the GPUs' memory (Open MPI built with CUDA): gatherings do; sums that go on
 *         beside the computation do not (its MPI_Iallreduce knows the host's memory only), and go through it;
 *   host  by MPI, through the host's memory.
 * Ranks whose memory is the host's, and single ones, have nothing to choose and no link. */
#ifndef ADAPT_RUNNER_LINK_H
#define ADAPT_RUNNER_LINK_H

#include "runner/group.h"
#include "train/peers.h"

enum link_kind { LINK_AUTO, LINK_NCCL, LINK_MPI, LINK_HOST };
extern const char *const link_kind_names[]; /* "auto", "nccl", "mpi", "host", NULL */

/* Links the group's ranks, on whose devices `backend` computes. A way that was asked for by `wanted` and that
 * there is not is ERROR_DEVICE with the reason. Collective. */
int link_open(struct group *group, struct backend *backend, int wanted, struct error *err);
/* Before the backend is destroyed. Collective. */
void link_close(struct group *group);

/* "NCCL 2.27.3", "MPI", "MPI through the host's memory (two ranks have the same GPU)", or "none" for a single
 * rank; borrowed from the group. Not collective. */
const char *link_describe(const struct group *group);

/* The devices' own link, or NULL: vectors go by MPI. Not collective. */
struct peers *link_peers(const struct group *group);
/* Whether MPI takes device memory. Not collective. */
bool link_takes_device_memory(const struct group *group);

/* Joins what was begun with link_peers, if anything: 0 if every rank could begin it. Otherwise all ranks give
 * it up, with the failure of one of them, and go by MPI from then on. Collective. */
int link_settle(const struct group *group, struct error *err);

#endif

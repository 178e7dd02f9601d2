/* A flat vector shared out among a group's ranks: every rank answers for its shard, consecutive elements, the
 * shards in the ranks' order and as long as each other to within PARAMETER_ALIGNMENT elements (ZeRO:
 * Rajbhandari et al. 2020, stage 1). */
#ifndef ADAPT_RUNNER_SHARDS_H
#define ADAPT_RUNNER_SHARDS_H

#include "runner/group.h"
#include "train/parameters.h"

struct shards;

/* For vectors of `elements` F32, a multiple of PARAMETER_ALIGNMENT. Not collective. */
int shards_create(const struct group *group, struct backend *backend, size_t elements, struct shards **out,
                  struct error *err);
void shards_destroy(struct shards **shards);

/* The shard of one of `ranks` ranks; of no elements where there are more ranks than pieces. Not collective.
 */
struct parameter_range shards_range(size_t elements, int ranks, int rank);

/* Every rank has written its shard of `vector`; afterwards every rank has all of it. Collective. */
int shards_gather(struct shards *shards, struct view vector, struct error *err);

#endif

/* The folder of a cell's checkpoints, NAME.checkpoint/ beside NAME.h5: N.checkpoint
 * (runner/checkpoint/manifest.h) and its shards N.rank-R-of-S, N counting up. Every file is written under a
 * temporary name, synced and renamed, and the folder synced; the manifest comes last. The two newest whole
 * checkpoints are kept: should the newest turn out to be damaged, the other one is still there. */
#ifndef ADAPT_RUNNER_STORE_H
#define ADAPT_RUNNER_STORE_H

#include "runner/checkpoint/manifest.h"

/* "DIR/cells/NAME.checkpoint" for "DIR/cells/NAME.h5", freshly allocated. */
int store_folder(const char *cell_path, char **out, struct error *err);

/* The numbers of the whole checkpoints, newest first; freshly allocated. A missing folder has none. *next: a
 * number that no file of the folder bears yet. */
int store_list(const char *folder, int64_t **numbers, size_t *count, int64_t *next, struct error *err);

/* Reads and checks the manifest of checkpoint `number`; not its shards. */
int store_read(const char *folder, int64_t number, struct manifest **out, struct error *err);
/* Reads the shards index, index + step, ... whole and compares lengths and SHA-256; ERROR_INPUT names the
 * file. */
int store_verify(const char *folder, const struct manifest *manifest, int index, int step, struct error *err);

/* The name of a shard, without the folder. */
void store_shard_name(int64_t number, int rank, int ranks, char out[MANIFEST_FILE_BYTES]);
/* Makes the checkpoint whole: writes its manifest; then removes all but the two newest. What cannot be
 * removed is left. */
int store_commit(const char *folder, int64_t number, const struct manifest *manifest, struct error *err);
/* Removes one checkpoint, its manifest first. */
void store_drop(const char *folder, int64_t number);

#endif

/* What runner/cell/cell_checkpoint.c and cell_resume.c share. */
#ifndef ADAPT_RUNNER_CHECKPOINT_INTERNAL_H
#define ADAPT_RUNNER_CHECKPOINT_INTERNAL_H

#include "runner/cell/cell_checkpoint.h"
#include "runner/cell/cell_state.h"
#include "runner/checkpoint/snapshot.h"
#include "runner/checkpoint/store.h"

struct cell_checkpoint {
    char *folder; /* owned */
    char identity[HASH_HEX_BYTES];
    struct manifest *found; /* what the cell goes on from; NULL: it starts anew, or the state is taken over */
    struct arena *arena;    /* of sections and shards */
    struct manifest_section sections[CELL_SECTIONS]; /* coordinator only */
    struct manifest_shard *shards;                   /* [ranks] */
    struct snapshot *snapshot;
    struct manifest pending; /* being written, where `writing` */
    bool writing;
    bool trained; /* the last one is of the training's end */
    int begun;    /* code of what failed before the snapshot could be begun */
    struct error why;
    int64_t number; /* of the next checkpoint, or of the one being written */
    double last;    /* clock when the last one was begun */
};

#endif

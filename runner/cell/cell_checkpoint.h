/* A cell's checkpoints: when they are made, how the ranks make one together, and going on from one
 * (cell_resume.c).
 *
 * At the end of a step every rank copies its share of the vectors and writes it behind the training's back;
 * the vote that ends each step tells when all shares are on disk, and the coordinator then makes the
 * checkpoint whole. A checkpoint that cannot be written is a warning: training goes on. */
#ifndef ADAPT_RUNNER_CELL_CHECKPOINT_H
#define ADAPT_RUNNER_CELL_CHECKPOINT_H

#include "runner/cell/cell_internal.h"

/* Bytes on each of `ranks` ranks, at most, that copies of the vectors take of the host, beside
 * trainer_memory. */
size_t cell_checkpoint_bytes(const struct loaded_model *model, const struct training_settings *training,
                             int ranks);

/* Finds the newest good checkpoint and opens the archive where it belongs to it; without a good one opens a
 * new archive, and removes what cannot be used. Collective; before the trainer is made. */
int cell_resume_open(struct cell_run *run, struct error *err);
/* Takes over the state and the vectors of the checkpoint that was found; does nothing without one.
 * Collective. */
int cell_resume_load(struct cell_run *run, struct error *err);

/* Makes the memory for checkpoints. Collective; after the trainer is made. */
int cell_checkpoint_prepare(struct cell_run *run, struct error *err);
/* What a rank brings to the vote at a step's end, and what comes of it. */
enum { CELL_VOTE_STOP, CELL_VOTE_DUE, CELL_VOTE_WRITTEN, CELL_VOTES };
void cell_checkpoint_vote(struct cell_run *run, int vote[CELL_VOTES]);
/* After the vote: makes the checkpoint whole that all have written, begins one that is due. Where the run is
 * to stop, writes one and returns ERROR_STOPPED. Collective. */
int cell_checkpoint_step(struct cell_run *run, const int vote[CELL_VOTES], struct error *err);
/* Writes one now and waits for it. Collective. */
int cell_checkpoint_write(struct cell_run *run, struct error *err);

/* After the training: waits for what is being written; `keep` keeps the weights for benchmarks that are still
 * to come, unless that is done already. Then the memory for copies is given back. Collective. */
int cell_checkpoint_end(struct cell_run *run, bool keep, struct error *err);

/* The checkpoints of a finished cell are of no use any more. Not collective. */
void cell_checkpoint_remove(struct cell_run *run);
void cell_checkpoint_destroy(struct cell_run *run);

#endif

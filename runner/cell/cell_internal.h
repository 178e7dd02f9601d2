/* What the files of a cell's life share: cell.c (its course), cell_archive.c (its file), cell_resume.c (going
 * on from a checkpoint), cell_checkpoint.c (making one), cell_state.c (what is in it), cell_train.c (its
 * steps), cell_measure.c (set points, the kept checkpoint), cell_evaluate.c (benchmarks), cell_reference.c
 * (what an objective compares with). */
#ifndef ADAPT_RUNNER_CELL_INTERNAL_H
#define ADAPT_RUNNER_CELL_INTERNAL_H

#include "runner/cell/cell.h"
#include "runner/cell/ledger.h"
#include "runner/cell/trainer.h"
#include "runner/cell/watch.h"
#include "runner/watchdog.h"

struct manifest;
struct cell_checkpoint;
struct kept_evaluations;

struct cell_run {
    const struct cell_job *job;
    int tasks;
    struct archive_cell *archive; /* coordinator only */
    struct trainer *trainer;
    struct cell_checkpoint *checkpoint;
    struct watchdog *watchdog;
    struct kept_evaluations *kept; /* coordinator only */
    struct sampler *sampler;
    struct mixture *mixture; /* every rank has one; only the coordinator's is updated */
    struct ledger ledger;
    struct watch *watch;     /* coordinator only */
    double *share;           /* [tasks] the mixture in force, the coordinator's on every rank */
    double *token_share;     /* [tasks] the same in shares of supervised tokens */
    double *mean_completion; /* [tasks] supervised tokens per training example */
    double *loss;            /* [tasks] of the last set point */
    double *reference;       /* [tasks] losses that the objective compares with; NAN while unknown */
    const char **task_name;  /* [tasks] borrowed names */
    int64_t step;            /* optimizer steps taken */
    int64_t updates, last_update;
    int64_t validations;    /* rows of set points in the archive; the coordinator's */
    bool trained;           /* the budget is spent */
    int set_point;          /* next index into the experiment's validation_at */
    int eval_point;         /* next index into the experiment's times of evaluation */
    double best;            /* smallest worst or mean validation loss so far */
    char *model_folder;     /* where the kept checkpoint goes */
    bool saved;             /* something is there */
    double flushed;         /* clock at the last flush */
    double archive_seconds; /* that writing the last row, and a checkpoint behind it, took */
};

static inline bool cell_coordinates(const struct cell_run *run) {
    return group_is_coordinator(run->job->group);
}

/* cell_archive.c: opens the cell's file: a new one, or the first rows of the one that there is, as a
 * checkpoint says. The coordinator's. */
int cell_archive_open(struct cell_run *run, const struct manifest *from, struct error *err);

/* Trains until the budget is spent; set points on the way. Goes on from where run->step is. */
int cell_train(struct cell_run *run, struct error *err);

/* Measures every set point that has been reached, at the end of training all that are left. */
int cell_measure_reached(struct cell_run *run, bool end, struct error *err);
/* Saves the checkpoint if "keep" asks for the last one. */
int cell_keep_last(struct cell_run *run, struct error *err);
/* Runs the benchmarks on the current weights and adds them to the archive: where a set point of the training
 * has been reached, and at its end where that is asked for. */
int cell_evaluate_reached(struct cell_run *run, struct error *err);
int cell_evaluate_end(struct cell_run *run, struct error *err);
/* Fills run->reference: from a file, an earlier cell, or the initial losses. */
int cell_find_reference(struct cell_run *run, struct error *err);

#endif

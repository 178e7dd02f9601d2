/* A small experiment's archive, written through io/archive/archive.h from formulas: for tests of the archive
 * and of what reads it. */
#ifndef ADAPT_TESTS_SYNTHETIC_ARCHIVE_H
#define ADAPT_TESTS_SYNTHETIC_ARCHIVE_H

#include "io/archive/archive.h"

enum {
    SYNTHETIC_MODELS = 2,
    SYNTHETIC_BUDGETS = 2,
    SYNTHETIC_METHODS = 3,
    SYNTHETIC_SEEDS = 3,
    SYNTHETIC_CELLS = SYNTHETIC_MODELS * SYNTHETIC_BUDGETS * SYNTHETIC_METHODS * SYNTHETIC_SEEDS,
    SYNTHETIC_BENCHMARKS = 2,
    SYNTHETIC_TASKS = 5,
    SYNTHETIC_STEPS = 40,
    SYNTHETIC_POINTS = 5 /* set points at 0, 1/4, ... of the budget */
};

struct synthetic_cell {
    int model, budget, method, seed; /* indices */
};

/* Cell 0 .. SYNTHETIC_CELLS - 1: model-major, then budget, method, seed. */
struct synthetic_cell synthetic_cell_at(int index);
extern const struct archive_grid_axes synthetic_axes;
extern const struct archive_run synthetic_run;
extern const struct archive_task synthetic_tasks[SYNTHETIC_TASKS];
extern const struct archive_overlap synthetic_overlap;
struct archive_cell_key synthetic_key(struct synthetic_cell cell);
struct archive_cell_plan synthetic_plan(struct synthetic_cell cell);

/* What the cells hold. Tokens are counted after `step` (0, 1, ...). */
int64_t synthetic_budget(struct synthetic_cell cell);
int64_t synthetic_tokens(struct synthetic_cell cell, int step);
double synthetic_share(struct synthetic_cell cell, int step, int task);
int64_t synthetic_task_tokens(struct synthetic_cell cell, int step, int task);
double synthetic_loss(struct synthetic_cell cell, int point, int task);
double synthetic_worst(struct synthetic_cell cell, int point);
double synthetic_mean(struct synthetic_cell cell, int point);
double synthetic_score(struct synthetic_cell cell, int benchmark);
double synthetic_seconds(struct synthetic_cell cell); /* of every step */

/* Appends steps first .. last - 1 and the set points that fall among them. */
int synthetic_append(struct archive_cell *archive, struct synthetic_cell cell, int first, int last,
                     struct error *err);
/* Adds both evaluations, with four samples each. */
int synthetic_evaluate(struct archive_cell *archive, struct synthetic_cell cell, struct error *err);

/* Writes every cell's file and experiment.h5 into `folder`. state[SYNTHETIC_CELLS] (NULL: all done): planned
 * cells get no file, running and failed ones half of their steps. */
int synthetic_archive_write(const char *folder, const enum archive_state *state, struct error *err);

#endif

/* Between runner/results.c and runner/results_cell.c. */
#ifndef ADAPT_RUNNER_RESULTS_INTERNAL_H
#define ADAPT_RUNNER_RESULTS_INTERNAL_H

#include "base/memory.h"
#include "runner/report/results.h"

struct loaded_score {
    const char *benchmark, *category, *metric;
    double score;
};

/* A cell's file as read, before it has its place in the grid. */
struct loaded_cell {
    struct result_cell cell; /* index, axis indices and score are not set yet */
    double budget_fraction;
    struct loaded_score *scores;
    int score_count;
};

/* Reads the file; everything is copied into `arena`. */
int results_load_cell(const char *path, struct arena *arena, struct loaded_cell *out, struct error *err);

/* A copy of a string in the arena. */
int results_string(struct arena *arena, const char *from, const char **out, struct error *err);

#endif

/* All that an experiment's archive holds, as `adapt report` and `adapt status` need it: the grid and, for
 * each of its cells, how far it is and what came out. Works on archives whose cells are being written. */
#ifndef ADAPT_RUNNER_RESULTS_H
#define ADAPT_RUNNER_RESULTS_H

#include "io/archive/archive.h"

enum { PATH_POINTS = 5 }; /* the start and 25, 50, 75 and 100 % of the steps */

struct result_cell {
    int index;                       /* in the grid: model-major, then budget, method, seed */
    int model, budget, method, seed; /* indices into the axes */
    struct archive_cell_key key;
    enum archive_state state;
    const char *message;   /* of a failed cell, or why its file cannot be read; "" */
    int64_t budget_tokens; /* 0: unknown */
    int64_t steps;
    double started, ended, updated; /* seconds since 1970; 0: not yet */

    double *score; /* [benchmarks]; NaN: not evaluated */

    int tasks;
    const char **task;                   /* names [tasks] */
    int points;                          /* set points of validation */
    double *point_tokens, *worst, *mean; /* [points] */
    double *loss;                        /* [points, tasks] */

    /* Cumulative at the last step; 0 without steps. */
    double supervised_tokens, validation_tokens, probe_tokens, charged_tokens;
    double *task_tokens, *task_validation_tokens; /* [tasks] */
    double seconds, phase_seconds[PHASE_COUNT];   /* sums over the steps */
    double rate;      /* charged tokens a second over the last steps; NaN: too few steps to tell */
    double last_step; /* time of day; 0: no step */

    bool has_path;
    double *path; /* mixture [PATH_POINTS, tasks] */
    bool moved;   /* the mixture changed in the course of the steps */

    /* Filled by status_find_owners (status_owner.h): */
    const char *owner; /* who has it, "n1, job 12_3"; NULL: nobody, or not known */
    bool stopped;      /* its state is "running", but nobody runs it any more */
    int64_t resumes;   /* step of the checkpoint from which a stopped one goes on; 0: from its start */
};

struct results {
    const char *name;       /* of the experiment; "" if unknown */
    const char *experiment; /* path of its file; "" if unknown */
    const char *folder;     /* as given; NULL for a single cell's file */
    bool grid_known;        /* there is an experiment.h5: missing cells are known */
    struct archive_grid_axes axes;
    struct result_cell *cells; /* the whole grid, in the order of `index` */
    int count;
    const char **complaints; /* about files that cannot be read, [complaint_count] */
    size_t complaint_count;
    struct arena *arena;
};

/* Reads `path`: an archive's folder, its experiment.h5, or one cell's file. A cell's file that cannot be read
 * counts as a failed cell with the reason. ERROR_INPUT if there is nothing to read. */
int results_load(const char *path, struct results **out, struct error *err);
void results_destroy(struct results **results);

struct result_cell *results_cell(const struct results *results, int model, int budget, int method, int seed);
/* Index of a method by label, or -1. */
int results_method(const struct results *results, const char *label);
/* Whether a running cell has written nothing for so long (10 minutes) that its process was probably killed.
 */
bool results_seems_killed(const struct result_cell *cell, double now);
/* How many cells are in a state. */
int results_count(const struct results *results, enum archive_state state);

#endif

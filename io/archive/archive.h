/* The HDF5 archive, schema adapt-archive/1: one file a cell, written by the cell's coordinator alone, and an
 * experiment file that links them and holds the grid of scores.
 *
 * A cell's file is itself a valid archive with one cell in it. While a cell trains its file is in SWMR mode
 * with all datasets made beforehand, flushed at each flush call, so that a kill at any moment loses at most
 * the rows since and the file opens. What is added after training (evaluations, the final state) goes into a
 * copy that replaces the file by a rename.
 *
 * Reading it without our code:
 *   h5py.File("experiment.h5")["cells/MODEL/BUDGET/METHOD/seed0/steps/loss"][:]      follows the links
 *   xarray.open_dataset(CELL_FILE, group="cells/MODEL/BUDGET/METHOD/seed0/steps", engine="h5netcdf")
 *   xarray.open_dataset("experiment.h5", group="grid", engine="h5netcdf").score.sel({"method": "adapt"})
 * h5netcdf does not resolve dimensions behind links: open the cell's own file. While a cell is being written
 * use h5py.File(FILE, "r", swmr=True); a plain open works too, but fails if it meets a flush. The file of a
 * killed writer opens plainly; only a kill inside a flush may leave HDF5's mark of a writer in it: then
 * swmr=True opens it, or any tool after `h5clear -s FILE`. In such a file other columns may be longer than
 * `step`, whose length says how many rows count. Labels are link names with "%XX" for what HDF5 cannot hold
 * ("org%2Fmodel"); the attributes hold them as they are. */
#ifndef ADAPT_IO_ARCHIVE_H
#define ADAPT_IO_ARCHIVE_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARCHIVE_SCHEMA "adapt-archive/1"
enum { ARCHIVE_NAME_MAX = 128 };

/* What the root attributes say of the run. Borrowed strings. */
struct archive_run {
    const char *experiment; /* its name */
    const char *path;    /* of the experiment file, for the commands that a report suggests; NULL: unknown */
    const char *config;  /* the experiment file's JSON text */
    const char *backend; /* "cpu" */
    const char *link;    /* how the cell's ranks sum: "none", "MPI", "NCCL 2.27.3"; NULL: unknown */
    const char *host;
    int ranks;   /* of the cell's group */
    int threads; /* of each rank */
};

struct archive_task {
    const char *name, *category;
    int64_t training_count, validation_count, available_supervised_tokens;
    int64_t cut, dropped, bad; /* counts of io/tasks/tasks.h */
};

/* Which tasks repeat text of which benchmarks. Borrowed. */
struct archive_overlap {
    const char *action; /* "count": training examples are counted; "drop": instances that were left out */
    int64_t ngram;      /* words in a row that an example shares with a record */
    int benchmarks;
    const char *const *benchmark;
    const int64_t *examples;                  /* [tasks, benchmarks] */
    const int64_t *any;                       /* [tasks] that repeat any benchmark */
    const int64_t *records, *without, *found; /* [benchmarks] as in io/tasks/tasks_filter.h */
};

/* Which cell, and what it may spend. */
struct archive_cell_key {
    const char *model, *method; /* names as in the experiment file */
    const char *budget;         /* the fraction as written, such as "0.05" */
    long long seed;
};
struct archive_cell_plan {
    struct archive_cell_key key;
    double budget_fraction;
    int64_t budget_tokens;
    const char *method_settings; /* JSON object of all settings in force, defaults included */
    int tasks;
    const struct archive_task *task;
    const struct archive_overlap *overlap; /* NULL: not looked for */
    const char *data_hash;                 /* task_set.hash */
    const char *tokenizer_hash;
};

enum archive_state { ARCHIVE_PLANNED, ARCHIVE_RUNNING, ARCHIVE_DONE, ARCHIVE_FAILED };
const char *archive_state_name(enum archive_state state);

enum archive_phase {
    PHASE_TRAIN,
    PHASE_VALIDATION,
    PHASE_MIXTURE,
    PHASE_REDUCE,
    PHASE_OPTIMIZER,
    PHASE_ARCHIVE, /* writing the row of the step before, and what of a checkpoint the training waits for */
    PHASE_OTHER,
    PHASE_COUNT
};
/* "train", "validation" and so on. */
const char *archive_phase_name(enum archive_phase phase);

/* One row of steps/. Token counts are cumulative and include this step; [tasks] arrays are borrowed, NULL: a
 * row of NaN. */
struct archive_step {
    int64_t step; /* 0, 1, ... */
    int64_t supervised_tokens, validation_tokens, probe_tokens, charged_tokens, total_tokens;
    double learning_rate, loss, gradient_norm, seconds;
    double phase_seconds[PHASE_COUNT]; /* their sum is `seconds` */
    double objective, entropy;
    int64_t signal_age; /* steps since the alignments were measured; -1: never */
    const double *mixture, *logits, *alignment, *meta_gradient, *train_loss, *validation_loss;
    const int64_t *task_tokens, *task_validation_tokens; /* cumulative, by task */
};

/* One row of validation/: every task's loss on its whole validation pool at a set point of the budget. */
struct archive_validation {
    int64_t step, supervised_tokens;
    const double *loss; /* [tasks] */
    double worst, mean;
};

/* One record of a benchmark. Borrowed. */
struct archive_sample {
    const char *id, *prediction, *target;
    const double *log_likelihood; /* [choices] */
    int choices;                  /* 0: the answer was generated */
    const char *response;         /* the generated text; NULL: one of the choices was asked for */
    double score;
};
struct archive_metric {
    const char *name; /* such as "acc_norm" */
    const char
        *filter; /* what was taken from a generated answer before, such as "strict-match"; "none": nothing */
    double value, standard_error;
};
/* A subtask of a benchmark that consists of several. */
struct archive_part {
    const char *name;
    int64_t n;
    double score, standard_error;
};
struct archive_evaluation {
    const char *benchmark, *category;
    const char *version; /* of the benchmark's definition */
    const char *metric;  /* the headline metric's name, one of `metrics` */
    double score, standard_error;
    int64_t n, step; /* records; optimizer step of the model */
    double
        share; /* of the budget that was spent: 1 at the end, which goes to eval/; others to eval_at/SHARE/ */
    int64_t shots;             /* exemplars in a prompt */
    const char *chat_template; /* "none" or a template's name */
    const char *data_hash, *prompt_hash;
    const struct archive_metric *metrics;
    int metric_count;
    const struct archive_part *parts;
    int part_count; /* 0: it is one piece */
    const struct archive_sample *samples;
    int64_t sample_count;
};

/* --- writing a cell (one process) */
struct archive_cell;
/* The cell's file name inside an experiment's folder: "cells/MODEL__BUDGET__METHOD__seedN.h5"; characters
 * that do not belong into a file name are replaced, with a short hash to keep names apart. Freshly allocated.
 */
int archive_cell_path(const char *folder, const struct archive_cell_key *key, char **out, struct error *err);
/* The path of what belongs to a cell and lies beside its file: the file's path with `ending` in place of
 * ".h5". Freshly allocated. */
int archive_cell_beside(const char *cell_path, const char *ending, char **out, struct error *err);
/* Creates the file and its folder (replacing an unfinished file; a finished one is ERROR_INPUT), writes
 * everything known, enters SWMR mode; state running. A disk that is full, here and below, is ERROR_IO with
 * path and reason; nothing can be appended after it, and what was flushed stays readable. */
int archive_cell_create(const char *path, const struct archive_run *run, const struct archive_cell_plan *plan,
                        struct archive_cell **out, struct error *err);
/* The same for a cell that goes on from a checkpoint: the first `steps` and `validations` rows of the
 * unfinished file at `path` (also of a killed process) and its starting time are carried over, later rows are
 * dropped. ERROR_INPUT if it has fewer, is finished, or is of another cell. */
int archive_cell_resume(const char *path, const struct archive_run *run, const struct archive_cell_plan *plan,
                        int64_t steps, int64_t validations, struct archive_cell **out, struct error *err);
int archive_cell_append_step(struct archive_cell *cell, const struct archive_step *row, struct error *err);
int archive_cell_append_validation(struct archive_cell *cell, const struct archive_validation *row,
                                   struct error *err);
/* Everything appended so far is on disk and visible to readers when this returns. */
int archive_cell_flush(struct archive_cell *cell, struct error *err);
/* Adds an evaluation; copied, and kept in memory until archive_cell_finish. */
int archive_cell_add_evaluation(struct archive_cell *cell, const struct archive_evaluation *evaluation,
                                struct error *err);
/* Leaves SWMR mode, writes evaluations, the state (done or failed, with a message) and the times, and closes.
 * *cell is NULL afterwards, always. Also writes `model_folder` (may be NULL) as an attribute. */
int archive_cell_finish(struct archive_cell **cell, enum archive_state state, const char *message,
                        const char *model_folder, struct error *err);
/* Closes without marking anything (the state stays running). *cell may be NULL. */
void archive_cell_close(struct archive_cell **cell);

/* --- evaluations alone: of a model that was not trained here. Writes a file of its own, atomically: the
 * root's attributes, "model" (its folder), and eval/<benchmark> as in a cell. */
int archive_scores_write(const char *path, const struct archive_run *run, const char *model,
                         const struct archive_evaluation *evaluations, int count, struct error *err);

/* --- the experiment's file */
struct archive_grid_axes {
    int models, budgets, methods, seeds, benchmarks;
    const char *const *model, *const *budget, *const *method, *const *benchmark; /* names */
    const char *const *benchmark_category, *const *benchmark_metric;
    const long long *seed;
    const double *fraction; /* [budgets] */
    /* [models * budgets * methods * seeds], row-major: why a cell's file is not to be trusted, which then
     * counts as one that cannot be read; NULL where there is no such reason. NULL: there is none at all. */
    const char *const *broken;
};
/* Writes `folder`/experiment.h5 anew, atomically: root attributes, /tasks of the first cell found,
 * /benchmarks, an external link for every cell's file that exists, a planned entry for each that does not, a
 * failed one with the reason for each that cannot be read, and /grid/score (NaN where missing) with
 * /grid/standard_error, /grid/validation_worst, /grid/validation_mean and dimension scales. Call at the start
 * of a run and whenever a cell ended. */
int archive_experiment_write(const char *folder, const struct archive_run *run,
                             const struct archive_grid_axes *axes, struct error *err);
/* The config text that an existing experiment.h5 was made from, freshly allocated; NULL in *out if there is
 * no such file. */
int archive_experiment_config(const char *folder, char **out, struct error *err);

/* What an experiment.h5 says of its grid: the axes with their names, and the run. Strings and arrays live
 * until it is destroyed. */
struct archive_experiment {
    struct archive_grid_axes axes;
    const char *name, *path, *config; /* of the experiment; its file's path or "" */
};
/* *out is NULL, without an error, where there is no `folder`/experiment.h5. */
int archive_experiment_read(const char *folder, struct archive_experiment **out, struct error *err);
void archive_experiment_destroy(struct archive_experiment **experiment);

/* --- reading (of finished, running and killed files alike) */
struct archive_reader;
int archive_reader_open(const char *path, struct archive_reader **out, struct error *err);
void archive_reader_close(struct archive_reader **reader);

struct archive_cell_summary {
    struct archive_cell_key key; /* strings owned by the reader */
    double budget_fraction;
    int64_t budget_tokens;
    enum archive_state state;
    const char *message, *host, *model_folder; /* "" where absent */
    const char *config, *experiment_path;      /* what archive_run said of its experiment */
    double started, ended, updated;            /* seconds since 1970; 0: not yet */
    int64_t steps, validations;
    int tasks, evaluations;
};
/* The one cell of a cell's file; strings live until the reader is closed. */
int archive_reader_summary(struct archive_reader *reader, struct archive_cell_summary *out,
                           struct error *err);
const char *archive_reader_task_name(struct archive_reader *reader, int task);
/* A column of steps/ by name ("loss", "mixture", "seconds", ...) as doubles: [steps] or [steps, tasks],
 * freshly allocated, sizes in *rows and *columns. Same for validation/. */
int archive_reader_steps(struct archive_reader *reader, const char *column, double **out, int64_t *rows,
                         int64_t *columns, struct error *err);
int archive_reader_validation(struct archive_reader *reader, const char *column, double **out, int64_t *rows,
                              int64_t *columns, struct error *err);
/* Evaluation `index`: benchmark, headline metric, score, standard_error, n (strings owned by the reader;
 * samples are not read, but sample_count tells how many there are). */
int archive_reader_evaluation(struct archive_reader *reader, int index, struct archive_evaluation *out,
                              struct error *err);

#endif

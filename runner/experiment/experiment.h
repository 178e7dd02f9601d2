/* The experiment file: everything a user decides, checked before anything runs. */
#ifndef ADAPT_RUNNER_EXPERIMENT_H
#define ADAPT_RUNNER_EXPERIMENT_H

#include "base/error.h"
#include "base/memory.h"
#include "eval/evaluate.h"
#include "io/archive/archive.h"
#include "io/tasks/tasks.h"
#include "slurm/settings.h"
#include "solver/method.h"
#include "train/model.h"
#include "train/optimizer.h"
#include "train/parameters.h"
#include "train/sampler.h"
#include <stdbool.h>

struct experiment_model {
    const char *name, *path; /* path resolved against the experiment file's folder */
};
struct experiment_method {
    const char *name;            /* its label in the archive: JSON key "label", default the method's name */
    const struct method *method; /* JSON key "name" */
    void *settings;              /* of method->settings_bytes */
    /* What objectives that compare compare with; NULL for methods and objectives that do not. JSON key
     * "reference": the label of another method of this grid, "start" (the losses before the first step), or
     * the path of a JSON file {task name: loss}.
     *
     * A method that has the setting "objective" and is given neither it nor "reference" compares with the
     * grid's method "uniform" (objective "excess") where there is one, else it does not compare (objective
     * "loss"). With "reference" alone the objective is "excess"; with an objective that compares alone the
     * reference is the method "uniform". */
    const char *reference_losses;
    int reference_method; /* index of that method; -1: "start" or a file, or none */
};
struct experiment_budget {
    double fraction;
    const char *name; /* as written in the file: "0.05" */
};
struct experiment_benchmark {
    const char *name, *path;
    const char *exemplars; /* file of what its prompts show; NULL: the one beside `path` */
};

enum experiment_keep { KEEP_NONE, KEEP_LAST, KEEP_BEST };
enum experiment_best {
    BEST_WORST,
    BEST_MEAN
}; /* best by the worst or the mean of the tasks' validation losses */

struct training_settings {
    long long batch_tokens;       /* rows of a step over the whole group */
    long long micro_batch_tokens; /* rows a rank holds at a time; bounds memory */
    int recompute;                /* enum recompute: "none" or "layer" */
    int unit;                     /* enum sampler_unit: "token" or "example" */
    bool shard_optimizer;         /* each rank holds its share of AdamW's moments only */
    bool validation_charged;      /* validation and probe tokens count against the budget */
    double checkpoint_minutes; /* from one checkpoint of a cell to the next; 0: only when a signal stops the
                                  run */
    double stall_minutes;      /* without progress until a cell's ranks are ended; 0: never */
    struct optimizer_settings optimizer;
};

enum decontaminate_action { DECONTAMINATE_OFF, DECONTAMINATE_COUNT, DECONTAMINATE_DROP };

/* "evaluation.decontaminate"; of no effect without benchmarks. */
struct decontaminate_settings {
    long long ngram; /* words in a row */
    int action;      /* enum decontaminate_action */
};

/* When benchmarks are run. */
struct evaluation_point {
    double share;    /* of the budget, in (0, 1]; 1: at the end */
    long long limit; /* records of each benchmark; 0: as everywhere */
};

struct evaluation_settings {
    struct eval_settings settings; /* of every benchmark */
    struct experiment_benchmark *benchmarks;
    int benchmark_count;
    struct evaluation_point *at; /* ascending */
    int at_count;
    struct decontaminate_settings decontaminate;
    double *validation_at; /* ascending set points, shares of the budget in [0, 1], for the whole validation
                              pools */
    int validation_count;
};

struct experiment {
    const char *path, *folder, *text; /* the file, its folder, its contents */
    const char *name;
    struct experiment_model *models;
    int model_count;
    struct tasks_settings tasks;
    struct experiment_budget *budgets;
    int budget_count;
    struct experiment_method *methods;
    int method_count;
    long long *seeds;
    int seed_count;
    struct training_settings training;
    struct evaluation_settings evaluation;
    long long ranks_per_cell;
    const char *out;    /* folder of the archive */
    const char *cache;  /* folder of token caches; default OUT/cache */
    const char *device; /* a backend's name, "cpu" */
    int dtype;          /* enum device_dtype: "auto" | "float32" | "bfloat16" */
    int keep;           /* enum experiment_keep */
    int link;           /* enum link_kind: "auto" | "nccl" | "mpi" | "host" */
    int keep_dtype;     /* enum parameters_precision: "float32" or "source" */
    int best;           /* enum experiment_best; JSON key "best_by": "worst" | "mean" */
    struct slurm_settings slurm;
};

/* Reads and checks a file; all mistakes are reported in one error, a line each. What stands outside the file
 * (models, tasks, benchmarks) is not looked at, but for a "reference" that must be a file. Not collective. */
int experiment_load(const char *path, struct experiment **out, struct error *err);
/* The same for a text that is at hand; `path` stands for it in messages, and relative paths are relative to
 * its folder. */
int experiment_parse(const char *path, const char *text, size_t length, struct experiment **out,
                     struct error *err);
void experiment_destroy(struct experiment **experiment);

/* Replaces the archive's folder (a path relative to the working directory; copied), and with it the folder of
 * the token caches where the file does not name one. */
int experiment_set_out(struct experiment *experiment, const char *out, struct error *err);

/* All settings of a method in force, as a JSON object in freshly allocated text. */
int experiment_method_json(const struct experiment_method *method, char **out, struct error *err);

/* Writes OUT/experiment.h5 (archive_experiment_write) from the cells' files there are. `backend`, `ranks` and
 * `threads` of each, 0: unknown, describe the writer's run. `broken`: as in struct archive_grid_axes, in the
 * order of the grid's cells; may be NULL. One process. */
int experiment_write_archive(const struct experiment *experiment, const char *backend, int ranks, int threads,
                             const char *const *broken, struct error *err);

/* ERROR_INPUT that shows each difference (key, old value, new value) between the experiment and the config
 * text of an existing archive, other than `out`, `cache`, `ranks_per_cell`, `device`, `link`,
 * `training.recompute`, `training.shard_optimizer`, `training.checkpoint_minutes`, `training.stall_minutes`,
 * `slurm` and added models, budgets, methods, seeds and benchmarks; 0 if there is none. */
int experiment_compare(const struct experiment *experiment, const char *old_text, struct error *err);

#endif

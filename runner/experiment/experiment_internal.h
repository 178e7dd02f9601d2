/* What the parts of the experiment file's reader share. Each part reads one key of the file into the
 * experiment, notes every mistake in the report and goes on; an int other than 0 means that reading cannot go
 * on (memory). */
#ifndef ADAPT_RUNNER_EXPERIMENT_INTERNAL_H
#define ADAPT_RUNNER_EXPERIMENT_INTERNAL_H

#include "io/json.h"
#include "runner/experiment/experiment.h"

enum { EXPERIMENT_PLACE_BYTES = 160 };

struct experiment_reader {
    struct json_report report;
    struct arena *arena; /* owns everything the experiment points to */
    struct experiment *experiment;
    const cJSON *root;
};

/* experiment_fields.c */
int experiment_resolve(struct experiment_reader *reader, const char *path, const char **out,
                       struct error *err);
/* Makes *path, NULL included, absolute or relative to the current folder instead of the file's. */
int experiment_resolve_field(struct experiment_reader *reader, const char **path, struct error *err);
/* Notes a mistake where `name` cannot be part of a path in every file system and archive. */
void experiment_check_name(struct experiment_reader *reader, const char *place, const char *name);
/* The list under `key`, or NULL: absent (a mistake if `expected`, which says what the list holds, is not
 * NULL), not a list, or empty where it is required. */
const cJSON *experiment_list(struct experiment_reader *reader, const char *key, const char *expected);
/* Notes a mistake for the key of `object` that stands there twice. */
void experiment_check_repeated(struct experiment_reader *reader, const char *place, const cJSON *object);

/* experiment_budgets.c, experiment_methods.c, experiment_sections.c */
int experiment_read_budgets(struct experiment_reader *reader, struct error *err);
int experiment_read_methods(struct experiment_reader *reader, struct error *err);
int experiment_read_models(struct experiment_reader *reader, struct error *err);
int experiment_read_seeds(struct experiment_reader *reader, struct error *err);
int experiment_read_tasks(struct experiment_reader *reader, struct error *err);
int experiment_read_training(struct experiment_reader *reader, struct error *err);
int experiment_read_evaluation(struct experiment_reader *reader, struct error *err);
/* experiment_benchmarks.c: "benchmarks" and "at" of "evaluation"; either may be NULL */
int experiment_read_benchmarks(struct experiment_reader *reader, const cJSON *object, struct error *err);
int experiment_read_at(struct experiment_reader *reader, const cJSON *list, struct error *err);
/* experiment_decontaminate.c; `object` may be NULL */
void experiment_read_decontaminate(struct experiment_reader *reader, const cJSON *object);
/* experiment_slurm.c */
int experiment_read_slurm(struct experiment_reader *reader, struct error *err);

/* The rows of "training", the optimizer's included, for a struct training_settings. */
int experiment_training_table(struct arena *arena, const struct setting **out, struct error *err);
/* The rows of "evaluation.decontaminate" for a struct decontaminate_settings, and of the top level for a
 * struct experiment. */
extern const struct setting experiment_decontaminate_table[], experiment_table[];

/* experiment_json.c: settings by their table as a JSON object; and the whole experiment in force, with lists
 * of named things as objects by name. NULL when memory is out. Free with cJSON_Delete. */
cJSON *experiment_settings_json(const struct setting *table, const void *settings);
cJSON *experiment_json(const struct experiment *experiment);

#endif

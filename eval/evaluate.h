/* Benchmarks scored as lm-evaluation-harness scores them: a registry, requests, and one entry point that
 * evaluates a model on a file of records. Splits work between ranks through a callback, so nothing here knows
 * MPI. */
#ifndef ADAPT_EVAL_EVALUATE_H
#define ADAPT_EVAL_EVALUATE_H

#include "base/error.h"
#include "base/setting.h"
#include "io/tokenizer/tokenizer.h"
#include "train/model.h"
#include <stdbool.h>
#include <stdint.h>

/* A model ready to be scored. All borrowed. */
struct eval_model {
    struct backend *backend;
    const struct model_config *config;
    const struct parameter_layout *layout;
    struct view parameters;
    struct tokenizer *tokenizer;
    int batch_rows; /* rows of a packed batch; 0: a default */
    /* Called between passes, on each rank; anything but 0 ends the evaluation with that code. May be NULL. */
    int (*between)(void *context, struct error *err);
    void *between_context;
};

/* The ranks that evaluate together. {0, 1, NULL, NULL} for one process. */
struct eval_peers {
    int rank, count;
    /* Sums values[n] over the ranks, in place on all of them; collective. Not called when count is 1. */
    int (*sum)(void *context, double *values, size_t n, struct error *err);
    void *context;
};

/* A benchmark and its data. */
struct eval_task {
    const char *benchmark;  /* a registry name */
    const char *path;       /* a file of JSON lines; for a benchmark of parts (bbh) a folder of such files */
    const char *shots_path; /* the file exemplars are taken from; NULL: the one beside `path` that the
                               benchmark names */
};

/* How benchmarks are put to a model; rows in eval_settings_table, whose defaults are the reference's ways. */
struct eval_settings {
    long long limit;            /* first so many records of each file; 0: all */
    long long max_length;       /* context length in tokens; 0: the model's */
    long long shots;            /* exemplars in a prompt; -1: the benchmark's own number */
    int chat;                   /* enum template_chat of io/tasks/template.h: prompts as turns of a chat */
    const char *system_message; /* before everything; NULL: none */
    bool unsafe_code;           /* runs generated programs without a sandbox where there is none */
    long long max_new;          /* most tokens of a generated answer; 0: the benchmark's number */
    double temperature;         /* of sampling; 0: greedy */
    double top_p;               /* share of the likeliest tokens that sampling draws from */
    long long answers;          /* to each record, for pass@k of generated programs */
    long long pass_at;          /* k of pass@k, at most `answers` */
    long long seed;             /* of sampling */
    /* Called now and then with the requests that this rank has answered, of those that are its own; may be
     * NULL. */
    void (*progress)(void *context, int64_t done, int64_t total);
    void *progress_context;
};
extern const struct setting eval_settings_table[]; /* all but `progress` */

struct eval_metric {
    const char *name;   /* "acc", "acc_norm", "exact_match"; static */
    const char *filter; /* what was taken from the answer before: "none", "strict-match"; static */
    bool by_parts;      /* counts parts of records (IFEval's instructions) over all of them */
    double value;
    double standard_error; /* NaN for n = 1, and for metrics by parts */
};

enum { EVAL_METRICS = 8, EVAL_FILTERS = 2, EVAL_OUTCOMES = 5 };

/* One record's outcome. Strings and arrays are owned by the result. */
struct eval_sample {
    int64_t index;  /* in its file */
    int part;       /* of the result's parts */
    const char *id; /* the record's own id, or its index as text; of a benchmark of parts: "PART/INDEX" */
    const char *document;       /* the record, with the fields that preprocessing adds, as one JSON line */
    const char *target;         /* string form of the right answer; of a choice its index from 0 */
    const char *prediction;     /* the same for the answer that the headline metric takes from the model */
    const char *logged_target;  /* what the harness's sample log calls the target: mostly the same */
    int requests;               /* choices; 1 where the answer is generated */
    const char *const *context; /* [requests] the whole prompt */
    const char *const *continuation; /* [requests]; NULL where the answer is generated */
    const double *log_likelihood;    /* [requests] natural logarithm, summed over the continuation; or NULL */
    const bool *greedy;              /* [requests]; or NULL */
    const char *const *response;     /* [answers] generated text; or NULL */
    const char *const *filtered;     /* [answers][EVAL_FILTERS] what the filters took from it; or NULL */
    const double *metric;            /* [metrics of the result], same order */
    int parts;                       /* of metrics by parts: how many; */
    const uint32_t *passed;          /* and [metrics] which of them passed, one bit each */
    const int
        *outcome; /* [EVAL_OUTCOMES] executed programs by enum sandbox_outcome; NULL: nothing executed */
};

/* A file of its own within a benchmark (bbh's subtasks). */
struct eval_part {
    const char *name;     /* NULL: the benchmark has no parts, and this is all of it */
    int64_t first, count; /* its samples */
    struct eval_metric metrics[EVAL_METRICS];
};

struct eval_result {
    const char *benchmark, *category, *version; /* static */
    int headline;                               /* index into `metrics` */
    struct eval_metric metrics[EVAL_METRICS];   /* over all parts, weighted by their size */
    int metric_count;
    const char *filters[EVAL_FILTERS]; /* static; none for choices */
    int filter_count;
    int answers; /* to each record */
    const char
        *generation; /* the decoding's settings as one JSON object, for the sample log; NULL for choices */
    struct eval_part *parts;
    int part_count; /* at least 1 */
    struct eval_sample *samples;
    int64_t sample_count;
    char data_hash[65];       /* of the file; of a benchmark of parts, of their hashes */
    char prompt_hash[65];     /* over all requests' texts, in order */
    int shots;                /* exemplars in each prompt */
    double seconds;           /* mean over the ranks */
    int64_t requests, tokens; /* answered; tokens fed to the model, those shared by several requests once */
    int64_t generated_tokens;
    int64_t cut; /* prompts that lost tokens at their left to fit into the context */
};

/* Evaluates a model. The result is the same on every rank. Collective over `peers`. An unknown benchmark, an
 * empty file, a record with a missing or mistyped field (file, line, field), a missing file of exemplars, a
 * missing sandbox are ERROR_INPUT. */
int eval_run(const struct eval_task *task, const struct eval_model *model,
             const struct eval_settings *settings, const struct eval_peers *peers, struct eval_result **out,
             struct error *err);
void eval_result_destroy(struct eval_result **result);

/* What eval_run would refuse, told before hours are spent on a model. eval_check reads and checks all files
 * and tries what else the benchmark needs (a sandbox); *records gets the number of records. eval_check_model
 * asks whether a model can be put to it: it has the chat's tokens, and its positions have room for a prompt
 * and an answer. Not collective. */
int eval_check(const struct eval_task *task, const struct eval_settings *settings, int64_t *records,
               struct error *err);
int eval_check_model(const char *benchmark, const struct eval_settings *settings,
                     const struct model_config *config, const struct tokenizer *tokenizer, struct error *err);

/* Writes one JSON line per (record, filter) of a part with the fields of the harness's sample log. */
int eval_write_samples(const struct eval_result *result, int part, const char *path, struct error *err);

/* NULL-terminated names of the registry, and the category and headline metric of one (NULL if unknown). */
const char *const *eval_names(void);
const char *eval_category(const char *benchmark);
const char *eval_headline(const char *benchmark);

#endif

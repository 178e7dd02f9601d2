/* Benchmarks scored as lm-evaluation-harness scores them: a registry, requests, and one entry point that
 * evaluates a model on a file of records. Splits work between ranks through a callback, so nothing here knows
 * MPI. */
#ifndef ADAPT_EVAL_EVALUATE_H
#define ADAPT_EVAL_EVALUATE_H

#include "base/error.h"
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
};

/* The ranks that evaluate together. {0, 1, NULL, NULL} for one process. */
struct eval_peers {
    int rank, count;
    /* Sums values[n] over the ranks, in place on all of them; collective. Not called when count is 1. */
    int (*sum)(void *context, double *values, size_t n, struct error *err);
    void *context;
};

struct eval_settings {
    long long limit; /* first so many records; 0: all */
    int max_length;  /* context length; 0: the model's */
    /* Called now and then with the requests that this rank has answered, of those that are its own; may be
     * NULL. */
    void (*progress)(void *context, int64_t done, int64_t total);
    void *progress_context;
};

struct eval_metric {
    const char *name; /* "acc", "acc_norm"; static */
    double value;
    double standard_error; /* NaN for n = 1 */
};

/* One record's outcome. Strings and arrays are owned by the result. */
struct eval_sample {
    int64_t index;             /* in the file */
    const char *id;            /* the record's own id, or its index as text */
    const char *document;      /* the record, with the fields that preprocessing adds, as one JSON line */
    const char *target;        /* string form of the gold answer: the choice's index from 0 */
    const char *prediction;    /* the same for the answer that the headline metric takes from the model */
    const char *logged_target; /* what the harness's sample log calls the target: mostly the same */
    int requests;              /* choices */
    const char *const *context, *const *continuation; /* [requests] */
    const double *log_likelihood; /* [requests] natural logarithm, summed over the continuation */
    const bool *greedy;           /* [requests] */
    const double *metric;         /* [metrics of the result], same order */
};

struct eval_result {
    const char *benchmark, *category; /* static */
    int headline;                     /* index into `metrics` */
    struct eval_metric metrics[8];
    int metric_count;
    struct eval_sample *samples;
    int64_t sample_count;
    char data_hash[65];       /* of the file */
    char prompt_hash[65];     /* over all requests' texts, in order */
    double seconds;           /* mean over the ranks */
    int64_t requests, tokens; /* scored; tokens fed to the model, those shared by several requests once */
};

/* Evaluates `benchmark` (a registry name) on the JSON-lines file `path`. The result is the same on every
 * rank. Collective over `peers`. An unknown benchmark, an empty file, a record with a missing or mistyped
 * field (file, line, field) are ERROR_INPUT. */
int eval_run(const char *benchmark, const char *path, const struct eval_model *model,
             const struct eval_settings *settings, const struct eval_peers *peers, struct eval_result **out,
             struct error *err);
void eval_result_destroy(struct eval_result **result);

/* Reads and checks the whole file without a model: for `adapt check`. *records gets the number of records. */
int eval_check(const char *benchmark, const char *path, int64_t *records, struct error *err);

/* Writes one JSON line per (record, filter) with the fields of the harness's sample log. */
int eval_write_samples(const struct eval_result *result, const char *path, struct error *err);

/* NULL-terminated names of the registry, and the category and headline metric of one (NULL if unknown). */
const char *const *eval_names(void);
const char *eval_category(const char *benchmark);
const char *eval_headline(const char *benchmark);

#endif

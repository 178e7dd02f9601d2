/* How fast training is: real steps of the real trainer, timed, beside the machine's matrix product of the
 * same run. */
#ifndef ADAPT_RUNNER_BENCH_H
#define ADAPT_RUNNER_BENCH_H

#include "io/archive/archive.h"
#include "runner/cell/loaded_model.h"
#include "runner/group.h"
#include "runner/reduction.h"
#include "train/timing/timing.h"

/* What `adapt bench` is told; rows in bench_settings_table. */
struct bench_settings {
    long long steps;    /* of each kind that are timed; one more of each comes first and is not */
    long long threads;  /* of each rank; 0: threads_per_rank */
    const char *device; /* NULL: the experiment's, or cpu */
    int dtype;          /* enum device_dtype */
    int link;           /* enum link_kind */
    /* of work that is made up, where a model folder alone is given */
    long long tasks, length;
    double supervised;
    long long batch_tokens, micro_batch_tokens;
    int recompute; /* enum recompute */
    /* where an experiment is given */
    const char *model, *method;
};
extern const struct setting bench_settings_table[];

/* A kind of step, over all ranks; sums over the timed steps except where it says otherwise. */
struct bench_steps {
    int count;
    double seconds; /* the median step's */
    double total_seconds;
    double tokens, supervised; /* fed by training */
    double validation_tokens;  /* fed for the signal */
    double operations;         /* floating-point operations of both, as estimate_operations counts them */
    double phase[PHASE_COUNT]; /* seconds by phase of this rank */
    double timed[TIMED_COUNT]; /* seconds by operation of this rank */
    struct reduction_counters
        overlap; /* of the sums of training gradients with this rank's backward passes */
};

struct bench_result {
    double product_rate;      /* operations a second of a large matrix product, all ranks at once */
    struct bench_steps plain; /* drawn as a plain step is */
    struct bench_steps
        matching; /* plain steps on the examples of the update steps; none without an online method */
    struct bench_steps update; /* update steps */
    long long interval;        /* of updates; 0 without an online method */
    /* Bytes at most, of the rank with most: resident, or on its device (whoever takes them there); up to the
     * plain steps' end, and in all. */
    double plain_memory, memory;
};

/* What is measured: a model with its tasks, and how it is trained. `method` may be a static one; then there
 * are plain steps alone. */
struct bench_work {
    const struct loaded_model *model;
    const struct training_settings *training;
    const struct experiment_method *method;
};

/* Runs settings->steps steps of each kind on `backend`, from the model's own weights. Collective over the
 * group. */
int bench_run(struct backend *backend, const struct group *group, const struct bench_work *work, int steps,
              struct bench_result *out, struct error *err);

/* From the result: training tokens a second, and what a step of the whole run costs with updates at the
 * method's interval as a multiple of what the same training tokens cost without. */
double bench_tokens_rate(const struct bench_steps *steps);
double bench_amortised(const struct bench_result *result);
/* Seconds a token (training and validation) of an update step as a multiple of a plain step's on the same
 * examples. */
double bench_update_ratio(const struct bench_result *result);

#endif

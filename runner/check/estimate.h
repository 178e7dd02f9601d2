/* What a cell will take, before it runs: rows, steps, updates, arithmetic. Estimates from averages over the
 * training pools and from the mixture that a method starts with. */
#ifndef ADAPT_RUNNER_ESTIMATE_H
#define ADAPT_RUNNER_ESTIMATE_H

#include "runner/cell/loaded_model.h"
#include "runner/cell/trainer.h"

struct estimate {
    int64_t budget;    /* supervised tokens */
    double rows;       /* rows fed by training steps: all tokens but each example's last */
    double steps;      /* optimizer steps, at least 1 */
    double updates;    /* of the mixture */
    double probe_rows; /* rows that the probes of one update step need; 0 for static methods */
    double
        operations; /* floating-point operations of training and learning the mixture, without evaluations */
};

/* `plan` (of the cell's method) may be all zero. */
int estimate_cell(const struct experiment *experiment, const struct loaded_model *model,
                  const struct experiment_method *method, double fraction, struct estimate *out,
                  struct error *err);

/* Floating-point operations that a training pass over `rows` rows in examples of `length` rows needs, with
 * logits for the `supervised` ones only: 2 a weight and row forwards, twice that backwards; causal attention
 * sees half of the rows on average. What is computed again to save memory is not counted. */
double estimate_operations(const struct loaded_model *model, double rows, double supervised, double length);

/* How a method wants its signal made; all zero for static methods. */
struct method_signal_plan estimate_plan(const struct experiment_method *method);

/* What training by the method takes of a rank's memory; `backend` as trainer_memory has it. */
struct trainer_memory estimate_memory(struct backend *backend, const struct experiment *experiment,
                                      const struct loaded_model *model,
                                      const struct experiment_method *method);

#endif

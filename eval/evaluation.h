/* One evaluation while it runs; inside eval/ only. */
#ifndef ADAPT_EVAL_EVALUATION_H
#define ADAPT_EVAL_EVALUATION_H

#include "base/memory.h"
#include "eval/benchmarks/benchmark.h"
#include "eval/evaluate.h"
#include "eval/requests.h"

struct evaluation {
    const struct benchmark *benchmark;
    const struct eval_task *task;
    const struct eval_model *model;
    const struct eval_settings *settings;
    const struct eval_peers *peers;
    struct arena *arena;   /* lives as long as the result */
    struct arena *scratch; /* token ids: as long as the evaluation */
    struct document_set set;
    int shots;      /* exemplars in a prompt */
    int max_length; /* tokens of context */
    int max_new;    /* of them those that may be generated */
    int answers;    /* to each document */
    struct request_encoder *encoder;
    struct eval_result *result;
};

/* Where a document stands, for messages: "FILE:LINE". */
int evaluation_place(const struct evaluation *e, const struct document *document, int code,
                     struct error *err);

/* Answers every document by likelihood, and by generation: fill the samples' answers and metrics, and the
 * result's counts. Collective: ranks wait for each other, also for one that fails. */
int answer_choices(struct evaluation *e, struct error *err);
int answer_by_generation(struct evaluation *e, struct error *err);

/* Metrics of all parts and of the whole from the samples. */
int result_aggregate(struct evaluation *e, struct error *err);

#endif

/* What `adapt bench` prints. */
#ifndef ADAPT_RUNNER_BENCH_PRINT_H
#define ADAPT_RUNNER_BENCH_PRINT_H

#include "runner/bench/bench.h"
#include <stdio.h>

/* What was measured, where. */
struct bench_place {
    const char *work; /* the model folder or the experiment file */
    const char *model, *method, *backend;
    enum dtype activations;
    const char *link; /* link_describe */
    int tasks, ranks, threads;
};

/* One line of JSON. Seconds are of a step on average where they are broken down, medians elsewhere. */
int bench_print_json(FILE *out, const struct bench_place *place, const struct bench_result *result,
                     struct error *err);

/* The same for people. */
void bench_print_table(FILE *out, const struct bench_place *place, const struct bench_result *result);

#endif

/* The command line of `adapt eval`. */
#ifndef ADAPT_RUNNER_COMMAND_EVAL_OPTIONS_H
#define ADAPT_RUNNER_COMMAND_EVAL_OPTIONS_H

#include "eval/evaluate.h"
#include <stdio.h>

struct eval_options {
    const char *folder;  /* of the model */
    const char *samples; /* folder of sample logs; NULL: none */
    const char *archive; /* HDF5 file; NULL: none */
    const char *device;  /* NULL: cpu */
    long long threads;   /* 0: what there is */
    struct eval_settings settings;
    struct eval_task *tasks;
    size_t count, capacity;
};

/* Reads argv; the strings stay borrowed, --benchmark's are cut at their '='. 1: help was printed. ERROR_INPUT
 * with an empty message: the usage was printed, there is nothing else to say. Free `tasks` with memory_free,
 * whatever happened. */
int eval_options_parse(int argc, char **argv, struct eval_options *out, struct error *err);

#endif

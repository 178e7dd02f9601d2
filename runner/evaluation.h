/* What eval/ is given, and what an archive gets of its results. */
#ifndef ADAPT_RUNNER_EVALUATION_H
#define ADAPT_RUNNER_EVALUATION_H

#include "base/memory.h"
#include "eval/evaluate.h"
#include "io/archive/archive.h"
#include "runner/cell/loaded_model.h"
#include "runner/group.h"

/* A benchmark of the experiment as eval/ knows it. Borrowed strings. */
struct eval_task evaluation_task(const struct experiment_benchmark *benchmark);

/* The ranks of a group (borrowed) as eval/ knows them. */
struct eval_peers evaluation_peers(struct group *group);

/* Whether the model can be put to all benchmarks of the experiment; an error names the model. Not collective.
 */
int evaluation_check_model(const struct experiment *experiment, const struct loaded_model *model,
                           struct error *err);

/* Strings stay those of `result`; arrays that are new live in `arena`. The step is 0 and the share 1: a
 * caller who knows better sets them. */
int evaluation_convert(const struct eval_result *result, const struct eval_settings *settings,
                       struct arena *arena, struct archive_evaluation *out, struct error *err);

#endif

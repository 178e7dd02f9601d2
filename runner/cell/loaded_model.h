/* A model of the experiment, opened: its config, tokenizer, parameter layout and the tasks tokenised for it.
 */
#ifndef ADAPT_RUNNER_LOADED_MODEL_H
#define ADAPT_RUNNER_LOADED_MODEL_H

#include "io/tasks/tasks.h"
#include "runner/experiment/experiment.h"
#include "runner/group.h"
#include "train/model_config.h"
#include "train/parameters.h"

struct loaded_model {
    const struct experiment_model *entry; /* borrowed from the experiment */
    struct model_config config;
    struct parameter_layout *layout;
    struct tokenizer *tokenizer;
    struct task_set *tasks;
    int32_t end_id; /* ends every completion when there is no chat template */
};

/* Opens everything but the weights. The coordinator goes first, so that it fills the token cache and the
 * others find it. Errors name the model. Collective over `group` (NULL: a single process). */
int loaded_model_open(const struct experiment *experiment, int model, const struct group *group,
                      struct loaded_model **out, struct error *err);
void loaded_model_close(struct loaded_model **model);

#endif

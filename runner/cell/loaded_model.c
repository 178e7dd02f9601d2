#include "runner/cell/loaded_model.h"

#include "base/memory.h"
#include "runner/cell/decontaminate.h"

/* A tokenizer may know more tokens than the model (Gemma 3's has one for images), as long as no text uses
 * them. */
static int check_ids(const struct loaded_model *model, const struct task *task,
                     const struct example *examples, int64_t count, struct error *err) {
    for (int64_t i = 0; i < count; i++)
        for (int32_t t = 0; t < examples[i].length; t++)
            if (examples[i].ids[t] >= model->config.vocabulary)
                return error_set(
                    err, ERROR_INPUT,
                    "%s: task \"%s\" contains token %d (\"%s\"), beyond config.json's vocab_size of %d",
                    model->entry->path, task->name, examples[i].ids[t],
                    tokenizer_token_text(model->tokenizer, examples[i].ids[t]), model->config.vocabulary);
    return 0;
}

/* The tasks, without what "evaluation.decontaminate" leaves out. */
static int load_tasks(const struct experiment *experiment, struct loaded_model *model, struct error *err) {
    struct decontaminate *decontaminate;
    TRY(decontaminate_create(experiment, &decontaminate, err));
    int code = task_set_load(&experiment->tasks, model->tokenizer, model->end_id,
                             decontaminate_filter(decontaminate), experiment->cache, &model->tasks, err);
    decontaminate_destroy(&decontaminate);
    return code;
}

static int open_alone(const struct experiment *experiment, struct loaded_model *model, struct error *err) {
    const char *folder = model->entry->path;
    TRY(model_config_load(folder, &model->config, err));
    TRY(parameter_layout_create(&model->config, &model->layout, err));
    TRY(tokenizer_load(folder, &model->tokenizer, err));
    model->end_id = tokenizer_end_id(model->tokenizer);
    if (model->end_id < 0 && model->config.end_count > 0) model->end_id = model->config.end_ids[0];
    if (model->end_id < 0)
        return error_set(
            err, ERROR_INPUT,
            "%s: no end-of-text token (eos_token in tokenizer_config.json or eos_token_id in config.json)",
            folder);
    TRY(load_tasks(experiment, model, err));
    for (int k = 0; k < model->tasks->count; k++) {
        const struct task *task = &model->tasks->tasks[k];
        TRY(check_ids(model, task, task->training, task->training_count, err));
        TRY(check_ids(model, task, task->validation, task->validation_count, err));
    }
    return 0;
}

int loaded_model_open(const struct experiment *experiment, int model, const struct group *group,
                      struct loaded_model **out, struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    (*out)->entry = &experiment->models[model];
    int code = 0;
    bool first = !group || group_is_coordinator(group);
    if (first) code = open_alone(experiment, *out, err);
    if (group) code = group_agree(group, code, err);
    if (!code && !first) code = open_alone(experiment, *out, err);
    if (group) code = group_agree(group, code, err);
    if (code) {
        error_context(err, "model %s", experiment->models[model].name);
        loaded_model_close(out);
    }
    return code;
}

void loaded_model_close(struct loaded_model **model) {
    if (!*model) return;
    task_set_destroy(&(*model)->tasks);
    tokenizer_destroy(&(*model)->tokenizer);
    parameter_layout_destroy(&(*model)->layout);
    memory_free(*model);
    *model = NULL;
}

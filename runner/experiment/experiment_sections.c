/* "models", "seeds", "tasks", "training" and "evaluation". */
#include "runner/experiment/experiment_internal.h"

#include "eval/evaluate.h"
#include "io/tasks/template.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- models */

#define FIELD(name) offsetof(struct experiment_model, name)
static const struct setting model_table[] = {
    {.name = "name",
     .kind = SETTING_TEXT,
     .offset = FIELD(name),
     .meaning = "what the model is called in the archive"},
    {.name = "path", .kind = SETTING_TEXT, .offset = FIELD(path), .meaning = "its Hugging Face folder"},
    {0},
};
#undef FIELD

/* Notes a mistake where a text that must be given is absent or empty. */
static void require(struct experiment_reader *reader, const char *place, const char *key, const char *value,
                    const char *expected) {
    if (!value || !*value) json_mistake(&reader->report, place, "\"%s\" is missing (%s)", key, expected);
}

int experiment_read_models(struct experiment_reader *reader, struct error *err) {
    static const char expected[] = "a list of {\"name\", \"path\"} is expected";
    struct experiment *experiment = reader->experiment;
    const cJSON *list = experiment_list(reader, "models", expected), *item;
    if (!list) return 0;
    TRY(arena_alloc(reader->arena, &experiment->models, (size_t)cJSON_GetArraySize(list),
                    sizeof *experiment->models, err));
    int index = 0;
    cJSON_ArrayForEach(item, list) {
        struct experiment_model *model = &experiment->models[index];
        char place[EXPERIMENT_PLACE_BYTES], inner[EXPERIMENT_PLACE_BYTES + 8];
        snprintf(place, sizeof place, "models[%d]", index);
        snprintf(inner, sizeof inner, "%s.name", place);
        json_bind(&reader->report, item, place, model_table, model, NULL, reader->arena);
        if (cJSON_IsObject(item)) {
            require(reader, place, "name", model->name, "a name for the archive is expected");
            require(reader, place, "path", model->path, "the model's folder is expected");
        }
        if (model->name && *model->name) experiment_check_name(reader, inner, model->name);
        for (int i = 0; model->name && i < index; i++) {
            if (!experiment->models[i].name || strcmp(experiment->models[i].name, model->name)) continue;
            json_mistake(&reader->report, inner, "\"%.64s\" is taken by models[%d]", model->name, i);
            break;
        }
        TRY(experiment_resolve_field(reader, &model->path, err));
        experiment->model_count = ++index;
    }
    return 0;
}

/* ---- seeds */

int experiment_read_seeds(struct experiment_reader *reader, struct error *err) {
    static const double largest = 9007199254740992.0; /* 2^53: what a JSON number holds exactly */
    struct experiment *experiment = reader->experiment;
    bool absent = !cJSON_GetObjectItemCaseSensitive(reader->root, "seeds");
    const cJSON *list = experiment_list(reader, "seeds", NULL), *item;
    size_t count = list ? (size_t)cJSON_GetArraySize(list) : 1;
    TRY(arena_alloc(reader->arena, &experiment->seeds, count, sizeof *experiment->seeds, err));
    if (absent) experiment->seed_count = 1; /* seed 0 */
    if (!list) return 0;
    int index = 0;
    cJSON_ArrayForEach(item, list) {
        char place[EXPERIMENT_PLACE_BYTES];
        snprintf(place, sizeof place, "seeds[%d]", index);
        double number = cJSON_IsNumber(item) ? item->valuedouble : NAN;
        if (!(number >= 0.0 && number <= largest && number == floor(number))) {
            experiment->seeds[index] = -1 - index; /* equal to no other */
            json_mistake(&reader->report, place, "not a seed (a whole number from 0 to 2^53 is expected)");
            index++;
            continue;
        }
        experiment->seeds[index] = (long long)number;
        for (int i = 0; i < index; i++) {
            if (experiment->seeds[i] != experiment->seeds[index]) continue;
            json_mistake(&reader->report, place, "%lld is seeds[%d] already", experiment->seeds[index], i);
            break;
        }
        index++;
    }
    experiment->seed_count = index;
    return 0;
}

/* ---- tasks */

int experiment_read_tasks(struct experiment_reader *reader, struct error *err) {
    struct tasks_settings *tasks = &reader->experiment->tasks;
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(reader->root, "tasks");
    if (!object) {
        setting_defaults(tasks_settings_table, tasks);
        json_mistake(&reader->report, "",
                     "\"tasks\" is missing (an object with the \"path\" of a folder is expected)");
        return 0;
    }
    json_bind(&reader->report, object, "tasks", tasks_settings_table, tasks, NULL, reader->arena);
    if (cJSON_IsObject(object))
        require(reader, "tasks", "path", tasks->path, "the folder of Natural Instructions files is expected");
    struct error wrong = {0};
    if (!tasks->prompt)
        json_mistake(&reader->report, "tasks.template", "null (a text with {input} is expected)");
    else if (template_check(tasks->prompt, tasks->examples, &wrong))
        json_mistake(&reader->report, "tasks.template", "%s", wrong.message);
    TRY(experiment_resolve_field(reader, &tasks->path, err));
    return experiment_resolve_field(reader, &tasks->split, err);
}

/* ---- training */

static const char *const units[] = {"token", "example", NULL};
#define FIELD(name) offsetof(struct training_settings, name)
static const struct setting training_rows[] = {
    {"batch_tokens", SETTING_COUNT, FIELD(batch_tokens), 8192, 1, 1e9, NULL, NULL,
     "tokens of a step, prompts included, over all ranks of a cell"},
    {"micro_batch_tokens", SETTING_COUNT, FIELD(micro_batch_tokens), 2048, 1, 1e8, NULL, NULL,
     "tokens that a rank holds at a time: bounds memory, changes no result"},
    {"recompute", SETTING_CHOICE, FIELD(recompute), RECOMPUTE_NONE, 0, 0, recompute_names, NULL,
     "what the backward pass computes again to save memory: layer keeps only the layers' inputs, for about a "
     "quarter more time and the same results"},
    {"shard_optimizer", SETTING_FLAG, FIELD(shard_optimizer), 1, 0, 0, NULL, NULL,
     "whether each rank of a cell holds AdamW's moments of its own share of the parameters only: saves "
     "memory, changes no result"},
    {"unit", SETTING_CHOICE, FIELD(unit), SAMPLER_TOKEN, 0, 0, units, NULL,
     "what a mixture's shares are shares of"},
    {"validation_charged", SETTING_FLAG, FIELD(validation_charged), 0, 0, 0, NULL, NULL,
     "whether tokens spent on learning the mixture count against the budget"},
    {"checkpoint_minutes", SETTING_REAL, FIELD(checkpoint_minutes), 5.0, 0.0, 1e6, NULL, NULL,
     "minutes from one checkpoint of a cell to the next, and so what a crash loses at most; 0: only when a signal stops "
     "the run"},
    {"stall_minutes", SETTING_REAL, FIELD(stall_minutes), 10.0, 0.0, 1e6, NULL, NULL,
     "minutes without a micro-batch, beyond twice the longest time between two, after which a cell's ranks are ended; 0: never"},
};
#undef FIELD
enum { TRAINING_ROWS = sizeof training_rows / sizeof *training_rows };

int experiment_training_table(struct arena *arena, const struct setting **out, struct error *err) {
    struct setting *table;
    size_t count = 0;
    while (optimizer_settings_table[count].name) count++;
    TRY(arena_alloc(arena, &table, TRAINING_ROWS + count + 1, sizeof *table, err));
    memcpy(table, training_rows, sizeof training_rows);
    for (size_t i = 0; i < count; i++) {
        table[TRAINING_ROWS + i] = optimizer_settings_table[i];
        table[TRAINING_ROWS + i].offset += offsetof(struct training_settings, optimizer);
    }
    *out = table;
    return 0;
}

int experiment_read_training(struct experiment_reader *reader, struct error *err) {
    struct training_settings *training = &reader->experiment->training;
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(reader->root, "training");
    const struct setting *table;
    TRY(experiment_training_table(reader->arena, &table, err));
    if (object)
        json_bind(&reader->report, object, "training", table, training, NULL, reader->arena);
    else
        setting_defaults(table, training);
    return 0;
}

/* ---- evaluation */

static int read_set_points(struct experiment_reader *reader, const cJSON *list, struct error *err) {
    static const double initial[] = {0.0, 0.25, 0.5, 0.75, 1.0};
    static const char expected[] =
        "an ascending list of shares of the budget, such as [0, 0.5, 1], is expected";
    struct evaluation_settings *evaluation = &reader->experiment->evaluation;
    size_t room =
        list && cJSON_IsArray(list) ? (size_t)cJSON_GetArraySize(list) : sizeof initial / sizeof *initial;
    TRY(arena_alloc(reader->arena, &evaluation->validation_at, room, sizeof(double), err));
    if (!list) {
        memcpy(evaluation->validation_at, initial, sizeof initial);
        evaluation->validation_count = (int)room;
        return 0;
    }
    if (!cJSON_IsArray(list)) {
        json_mistake(&reader->report, "evaluation.validation_at", "not a list (%s)", expected);
        return 0;
    }
    double last = -1.0;
    const cJSON *item;
    cJSON_ArrayForEach(item, list) {
        char place[EXPERIMENT_PLACE_BYTES];
        double share = cJSON_IsNumber(item) ? item->valuedouble : NAN;
        snprintf(place, sizeof place, "evaluation.validation_at[%d]", evaluation->validation_count);
        if (!(share >= 0.0 && share <= 1.0))
            json_mistake(&reader->report, place,
                         "not a share of the budget (a number from 0 to 1 is expected)");
        else if (!(share > last))
            json_mistake(&reader->report, place, "%.15g does not come after %.15g (%s)", share, last,
                         expected);
        if (share > last) last = share;
        evaluation->validation_at[evaluation->validation_count++] = share;
    }
    return 0;
}

int experiment_read_evaluation(struct experiment_reader *reader, struct error *err) {
    static const char *const lists[] = {"benchmarks", "at", "validation_at", "decontaminate", NULL};
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(reader->root, "evaluation");
    struct evaluation_settings *evaluation = &reader->experiment->evaluation;
    setting_defaults(eval_settings_table, &evaluation->settings);
    if (object)
        json_bind(&reader->report, object, "evaluation", eval_settings_table, &evaluation->settings, lists,
                  reader->arena);
    experiment_read_decontaminate(reader, cJSON_GetObjectItemCaseSensitive(object, "decontaminate"));
    TRY(experiment_read_at(reader, cJSON_GetObjectItemCaseSensitive(object, "at"), err));
    TRY(experiment_read_benchmarks(reader, cJSON_GetObjectItemCaseSensitive(object, "benchmarks"), err));
    return read_set_points(reader, cJSON_GetObjectItemCaseSensitive(object, "validation_at"), err);
}

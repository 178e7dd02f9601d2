/* The experiment in force as JSON: every setting, defaults included. */
#include "runner/experiment/experiment_internal.h"

#include <stdio.h>
#include <string.h>

static cJSON *value_json(const struct setting *row, const void *settings) {
    const void *field = (const char *)settings + row->offset;
    switch (row->kind) {
    case SETTING_REAL: return cJSON_CreateNumber(*(const double *)field);
    case SETTING_COUNT: return cJSON_CreateNumber((double)*(const long long *)field);
    case SETTING_FLAG: return cJSON_CreateBool(*(const bool *)field);
    case SETTING_CHOICE: return cJSON_CreateString(row->choices[*(const int *)field]);
    case SETTING_TEXT: break;
    }
    const char *text = *(const char *const *)field;
    return text ? cJSON_CreateString(text) : cJSON_CreateNull();
}

/* Adds `item` to the object; both may be NULL, and a failure leaves the object without it. */
static bool add(cJSON *object, const char *key, cJSON *item) {
    if (object && item && cJSON_AddItemToObject(object, key, item)) return true;
    cJSON_Delete(item);
    return false;
}

cJSON *experiment_settings_json(const struct setting *table, const void *settings) {
    cJSON *object = cJSON_CreateObject();
    bool good = object != NULL;
    for (const struct setting *row = table; good && row->name; row++)
        good = add(object, row->name, value_json(row, settings));
    if (good) return object;
    cJSON_Delete(object);
    return NULL;
}

static cJSON *method_json(const struct experiment_method *method) {
    cJSON *object = experiment_settings_json(method->method->settings, method->settings);
    bool good = add(object, "name", cJSON_CreateString(method->method->name));
    if (good && method->reference_losses)
        good = add(object, "reference", cJSON_CreateString(method->reference_losses));
    if (good) return object;
    cJSON_Delete(object);
    return NULL;
}

int experiment_method_json(const struct experiment_method *method, char **out, struct error *err) {
    *out = NULL;
    cJSON *object = method_json(method);
    char *printed = object ? cJSON_PrintUnformatted(object) : NULL;
    cJSON_Delete(object);
    if (!printed) return error_set(err, ERROR_MEMORY, "out of memory for a method's settings");
    size_t length = strlen(printed);
    int code = memory_alloc(out, length + 1, 1, err);
    if (!code) memcpy(*out, printed, length);
    cJSON_free(printed);
    return code;
}

/* ---- the whole experiment */

static bool add_models(cJSON *root, const struct experiment *experiment) {
    cJSON *object = cJSON_CreateObject();
    bool good = object != NULL;
    for (int i = 0; good && i < experiment->model_count; i++)
        good = add(object, experiment->models[i].name, cJSON_CreateString(experiment->models[i].path));
    return add(root, "models", object) && good;
}

/* By fraction, so that 0.1 and 0.10 are the same; but the name is the archive's and must not change. */
static bool add_budgets(cJSON *root, const struct experiment *experiment) {
    cJSON *object = cJSON_CreateObject();
    bool good = object != NULL;
    for (int i = 0; good && i < experiment->budget_count; i++)
        good = add(object, experiment->budgets[i].name, cJSON_CreateNumber(experiment->budgets[i].fraction));
    return add(root, "budgets", object) && good;
}

static bool add_methods(cJSON *root, const struct experiment *experiment) {
    cJSON *object = cJSON_CreateObject();
    bool good = object != NULL;
    for (int i = 0; good && i < experiment->method_count; i++)
        good = add(object, experiment->methods[i].name, method_json(&experiment->methods[i]));
    return add(root, "methods", object) && good;
}

static bool add_seeds(cJSON *root, const struct experiment *experiment) {
    cJSON *object = cJSON_CreateObject();
    bool good = object != NULL;
    for (int i = 0; good && i < experiment->seed_count; i++) {
        char name[32];
        snprintf(name, sizeof name, "%lld", experiment->seeds[i]);
        good = add(object, name, cJSON_CreateTrue());
    }
    return add(root, "seeds", object) && good;
}

static bool add_benchmark(cJSON *benchmarks, const struct experiment_benchmark *benchmark) {
    if (!benchmark->exemplars) return add(benchmarks, benchmark->name, cJSON_CreateString(benchmark->path));
    cJSON *files = cJSON_CreateObject();
    bool good = add(files, "path", cJSON_CreateString(benchmark->path));
    good = add(files, "exemplars", cJSON_CreateString(benchmark->exemplars)) && good;
    return add(benchmarks, benchmark->name, files) && good;
}

static bool add_times(cJSON *evaluation, const struct evaluation_settings *settings) {
    cJSON *times = cJSON_CreateArray();
    bool good = times != NULL;
    for (int i = 0; good && i < settings->at_count; i++) {
        cJSON *point = cJSON_CreateObject();
        good = add(point, "share", cJSON_CreateNumber(settings->at[i].share)) &&
               add(point, "limit", cJSON_CreateNumber((double)settings->at[i].limit));
        cJSON_AddItemToArray(times, point);
    }
    return add(evaluation, "at", times) && good;
}

static bool add_evaluation(cJSON *root, const struct experiment *experiment) {
    const struct evaluation_settings *evaluation = &experiment->evaluation;
    cJSON *object = experiment_settings_json(eval_settings_table, &evaluation->settings);
    cJSON *benchmarks = cJSON_CreateObject();
    bool good = benchmarks != NULL;
    for (int i = 0; good && i < evaluation->benchmark_count; i++)
        good = add_benchmark(benchmarks, &evaluation->benchmarks[i]);
    good = add(object, "benchmarks", benchmarks) && good;
    good = add_times(object, evaluation) && good;
    good = add(object, "validation_at",
               cJSON_CreateDoubleArray(evaluation->validation_at, evaluation->validation_count)) &&
           good;
    good = add(object, "decontaminate",
               experiment_settings_json(experiment_decontaminate_table, &evaluation->decontaminate)) &&
           good;
    return add(root, "evaluation", object) && good;
}

cJSON *experiment_json(const struct experiment *experiment) {
    struct arena *arena;
    const struct setting *table;
    if (arena_create(&arena, NULL)) return NULL;
    cJSON *root = experiment_settings_json(experiment_table, experiment);
    bool good = root && !experiment_training_table(arena, &table, NULL);
    good = good && add(root, "training", experiment_settings_json(table, &experiment->training));
    good = good && add(root, "tasks", experiment_settings_json(tasks_settings_table, &experiment->tasks));
    good = good && add_models(root, experiment) && add_budgets(root, experiment) &&
           add_methods(root, experiment) && add_seeds(root, experiment) && add_evaluation(root, experiment);
    arena_destroy(&arena);
    if (good) return root;
    cJSON_Delete(root);
    return NULL;
}

/* Reading the experiment file: the outermost object, and what must agree between its parts. */
#include "runner/experiment/experiment_internal.h"

#include "io/file.h"
#include "runner/device.h"
#include "runner/link.h"
#include "train/backend.h"
#include <stdio.h>
#include <string.h>

enum { FILE_BYTES_MAX = 4 << 20 };

/* The experiment and the memory of everything it points to. */
struct loaded {
    struct experiment experiment; /* first: a struct experiment * is a struct loaded * */
    struct arena *arena;
    bool names_cache; /* "cache" stands in the file */
};

static const char *const keeps[] = {"none", "last", "best", NULL};
static const char *const precisions[] = {
    [PARAMETERS_F32] = "float32", [PARAMETERS_AS_SOURCE] = "source", NULL};
static const char *const bests[] = {"worst", "mean", NULL};

#define FIELD(name) offsetof(struct experiment, name)
const struct setting experiment_table[] = {
    {"name", SETTING_TEXT, FIELD(name), 0, 0, 0, NULL, NULL, "what the experiment is called"},
    {"ranks_per_cell", SETTING_COUNT, FIELD(ranks_per_cell), 1, 1, 1e6, NULL, NULL,
     "MPI ranks that run one cell together"},
    {"out", SETTING_TEXT, FIELD(out), 0, 0, 0, NULL, NULL, "folder of the archive; default runs/NAME"},
    {"cache", SETTING_TEXT, FIELD(cache), 0, 0, 0, NULL, NULL,
     "folder of the token caches; default OUT/cache"},
    {"device", SETTING_TEXT, FIELD(device), 0, 0, 0, NULL, "cpu", "what computes: cpu, cuda or cuda:N"},
    {"dtype", SETTING_CHOICE, FIELD(dtype), DEVICE_AUTO, 0, 0, device_dtype_names, NULL,
     "what activations are kept in: auto is bfloat16 on GPUs and float32 on CPUs"},
    {"link", SETTING_CHOICE, FIELD(link), LINK_AUTO, 0, 0, link_kind_names, NULL,
     "how gradients travel between ranks on GPUs: auto is nccl where there is NCCL and a GPU for every rank, else mpi where "
     "MPI takes the GPUs' memory, else host"},
    {"keep", SETTING_CHOICE, FIELD(keep), KEEP_NONE, 0, 0, keeps, NULL, "which weights of a cell are kept"},
    {"keep_dtype", SETTING_CHOICE, FIELD(keep_dtype), PARAMETERS_F32, 0, 0, precisions, NULL,
     "dtype of kept weights: float32 holds all that was trained, the source's dtype may round it away"},
    {"best_by", SETTING_CHOICE, FIELD(best), BEST_WORST, 0, 0, bests, NULL,
     "which of the tasks' validation losses decides what is best: the worst or the mean"},
    {0},
};
#undef FIELD

static int copy_text(struct arena *arena, const char *text, size_t length, const char **out,
                     struct error *err) {
    char *copy;
    TRY(arena_copy(arena, text, length, &copy, err));
    *out = copy;
    return 0;
}

static int set_source(struct loaded *loaded, const char *path, const char *text, size_t length,
                      struct error *err) {
    char *folder;
    TRY(file_folder_of(path, &folder, err));
    int code = copy_text(loaded->arena, folder, strlen(folder), &loaded->experiment.folder, err);
    memory_free(folder);
    if (!code) code = copy_text(loaded->arena, path, strlen(path), &loaded->experiment.path, err);
    if (!code) code = copy_text(loaded->arena, text, length, &loaded->experiment.text, err);
    return code;
}

static void check_device(struct experiment_reader *reader) {
    struct text list = {0};
    const char *device = reader->experiment->device;
    for (const char *const *name = backend_names(); *name; name++) {
        bool numbered = device && !strcmp(*name, "cuda") && !strncmp(device, "cuda:", 5);
        if (device && (numbered || !strcmp(*name, device))) {
            text_free(&list);
            return;
        }
        (void)text_printf(&list, NULL, "%s\"%s\"", list.length ? ", " : "", *name);
    }
    json_mistake(&reader->report, "device", "\"%.64s\" is not a device of this build (one of %s is expected)",
                 device ? device : "", text_string(&list));
    text_free(&list);
}

static int read_top(struct experiment_reader *reader, struct error *err) {
    static const char *const sections[] = {"models",   "tasks",      "budgets", "methods", "seeds",
                                           "training", "evaluation", "slurm",   NULL};
    struct experiment *experiment = reader->experiment;
    json_bind(&reader->report, reader->root, "", experiment_table, experiment, sections, reader->arena);
    if (!experiment->name)
        json_mistake(&reader->report, "", "\"name\" is missing (a name for the experiment is expected)");
    else
        experiment_check_name(reader, "name", experiment->name);
    check_device(reader);
    if (!experiment->out || !*experiment->out) {
        char runs[EXPERIMENT_PLACE_BYTES];
        snprintf(runs, sizeof runs, "runs/%.100s", experiment->name ? experiment->name : "");
        TRY(experiment_resolve(reader, runs, &experiment->out, err));
    } else {
        TRY(experiment_resolve_field(reader, &experiment->out, err));
    }
    return experiment->cache && *experiment->cache ? experiment_resolve_field(reader, &experiment->cache, err)
                                                   : 0;
}

/* OUT/cache. */
static int set_default_cache(struct loaded *loaded, struct error *err) {
    char *cache;
    TRY(file_join(loaded->experiment.out, "cache", &cache, err));
    int code = copy_text(loaded->arena, cache, strlen(cache), &loaded->experiment.cache, err);
    memory_free(cache);
    return code;
}

int experiment_set_out(struct experiment *experiment, const char *out, struct error *err) {
    struct loaded *loaded = (struct loaded *)experiment;
    TRY(copy_text(loaded->arena, out, strlen(out), &experiment->out, err));
    return loaded->names_cache ? 0 : set_default_cache(loaded, err);
}

static void check_agreement(struct experiment_reader *reader) {
    const struct experiment *experiment = reader->experiment;
    const struct training_settings *training = &experiment->training;
    const struct evaluation_settings *evaluation = &experiment->evaluation;
    if (training->micro_batch_tokens < experiment->tasks.max_tokens)
        json_mistake(
            &reader->report, "training.micro_batch_tokens",
            "%lld tokens do not hold an example of tasks.max_tokens %lld (at least as many are expected)",
            training->micro_batch_tokens, experiment->tasks.max_tokens);
    int points = evaluation->validation_count;
    bool at_end = points && evaluation->validation_at[points - 1] >= 1.0;
    for (int i = 0; i < experiment->method_count; i++) {
        if (experiment->methods[i].reference_method < 0 || at_end) continue;
        json_mistake(&reader->report, "evaluation.validation_at",
                     "methods[%d] compares with the final losses of \"%.64s\", so the list must end with 1",
                     i, experiment->methods[i].reference_losses);
        break;
    }
    if (experiment->keep == KEEP_BEST && !points)
        json_mistake(&reader->report, "keep",
                     "\"best\" is chosen at evaluation.validation_at, which is empty");
}

static int read_everything(struct experiment_reader *reader, struct error *err) {
    TRY(read_top(reader, err));
    TRY(experiment_read_models(reader, err));
    TRY(experiment_read_tasks(reader, err));
    TRY(experiment_read_budgets(reader, err));
    TRY(experiment_read_methods(reader, err));
    TRY(experiment_read_seeds(reader, err));
    TRY(experiment_read_training(reader, err));
    TRY(experiment_read_evaluation(reader, err));
    TRY(experiment_read_slurm(reader, err));
    check_agreement(reader);
    return 0;
}

static int parse(struct loaded *loaded, const char *path, const char *text, size_t length,
                 struct error *err) {
    TRY(set_source(loaded, path, text, length, err));
    cJSON *root;
    TRY(json_parse(path, text, length, &root, err));
    struct experiment_reader reader = {
        .report = {.file = path}, .arena = loaded->arena, .experiment = &loaded->experiment, .root = root};
    int code = 0;
    if (cJSON_IsObject(root))
        code = read_everything(&reader, err);
    else
        json_mistake(&reader.report, "",
                     "not an object (an experiment, {\"name\": ..., \"models\": [...], ...}, is expected)");
    cJSON_Delete(root);
    if (code) {
        text_free(&reader.report.mistakes);
        return code;
    }
    TRY(json_report_finish(&reader.report, err));
    loaded->names_cache = loaded->experiment.cache && *loaded->experiment.cache;
    return loaded->names_cache ? 0 : set_default_cache(loaded, err);
}

int experiment_parse(const char *path, const char *text, size_t length, struct experiment **out,
                     struct error *err) {
    struct loaded *loaded;
    *out = NULL;
    TRY(memory_alloc(&loaded, 1, sizeof *loaded, err));
    int code = arena_create(&loaded->arena, err);
    if (!code) code = parse(loaded, path, text, length, err);
    *out = &loaded->experiment;
    if (code) experiment_destroy(out);
    return code;
}

int experiment_load(const char *path, struct experiment **out, struct error *err) {
    struct text text = {0};
    *out = NULL;
    int code = file_read(path, FILE_BYTES_MAX, &text, err);
    if (!code) code = experiment_parse(path, text_string(&text), text.length, out, err);
    text_free(&text);
    return code;
}

void experiment_destroy(struct experiment **experiment) {
    if (!*experiment) return;
    struct loaded *loaded = (struct loaded *)*experiment;
    arena_destroy(&loaded->arena);
    memory_free(loaded);
    *experiment = NULL;
}

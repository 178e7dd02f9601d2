#include "runner/command/command.h"

#include "base/memory.h"
#include "io/file.h"
#include "runner/bench/bench_print.h"
#include "runner/bench/made_tasks.h"
#include "runner/command/complain.h"
#include "runner/command/setting_options.h"
#include "runner/device.h"
#include "runner/link.h"
#include "runner/threads.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char usage[] = "usage: adapt bench MODEL_DIR|EXPERIMENT.json [OPTION ...]\n"
                            "\n"
                            "Times training steps as `adapt run` takes them, on random tokens or on an experiment's own data: tokens a second, the\n"
                            "share of the rate of a large matrix product in the same run, seconds by operation, memory, and what learning the\n"
                            "mixture costs. Prints one line of JSON, on a terminal a table before it. Alone, under mpirun, or under srun.\n"
                            "\n";

enum { VALIDATION_EXAMPLES = 64 }; /* of each task that is made up */

struct session {
    const char *path; /* what was given */
    struct bench_settings settings;
    struct group group;
    int threads;
    struct backend *backend;
    struct experiment *experiment; /* NULL: a model folder */
    struct loaded_model *opened;   /* the experiment's */
    struct made_tasks *tasks;      /* a model folder's */
    struct experiment_model entry; /* likewise */
    struct loaded_model made;
    struct training_settings training;
    struct experiment_method method;
    struct bench_work work;
};

/* ---- an experiment's work */

static int find_model(const struct session *s, int *out, struct error *err) {
    const struct experiment *experiment = s->experiment;
    for (*out = 0; s->settings.model && *out < experiment->model_count; ++*out)
        if (!strcmp(experiment->models[*out].name, s->settings.model)) return 0;
    if (!s->settings.model) return 0;
    return error_set(err, ERROR_INPUT, "--model %s: %s has no such model", s->settings.model, s->path);
}

static int find_method(struct session *s, struct error *err) {
    const struct experiment *experiment = s->experiment;
    s->work.method = &experiment->methods[0];
    for (int i = experiment->method_count - 1; i >= 0; i--) {
        const struct experiment_method *method = &experiment->methods[i];
        if (s->settings.method ? !strcmp(method->name, s->settings.method) : method->method->plan != NULL) {
            s->work.method = method;
            if (s->settings.method) return 0;
        }
    }
    if (!s->settings.method) return 0;
    return error_set(err, ERROR_INPUT, "--method %s: %s has no such method", s->settings.method, s->path);
}

static int open_experiment(struct session *s, struct error *err) {
    int model;
    TRY(experiment_load(s->path, &s->experiment, err));
    TRY(find_model(s, &model, err));
    TRY(find_method(s, err));
    s->work.training = &s->experiment->training;
    s->work.model = NULL;
    TRY(loaded_model_open(s->experiment, model, &s->group, &s->opened, err));
    s->work.model = s->opened;
    return 0;
}

/* ---- made-up work for a model folder */

/* An update step's training and validation examples come to a plain step's tokens each, as far as whole
 * examples do. */
static int make_method(struct session *s, struct error *err) {
    const char *name = s->settings.method ? s->settings.method : "adapt";
    const struct method *method = method_find(name);
    if (!method) return error_set(err, ERROR_INPUT, "--method %s: no such method", name);
    s->method = (struct experiment_method){.name = name, .method = method, .reference_method = -1};
    TRY(memory_alloc(&s->method.settings, method->settings_bytes, 1, err));
    setting_defaults(method->settings, s->method.settings);
    long long each = s->settings.batch_tokens / (s->settings.tasks * s->settings.length);
    for (const struct setting *row = method->settings; row->name; row++) {
        void *field = (char *)s->method.settings + row->offset;
        if (!strcmp(row->name, "probe") || !strcmp(row->name, "validation_batch"))
            *(long long *)field = each < 1 ? 1 : each < VALIDATION_EXAMPLES ? each : VALIDATION_EXAMPLES;
    }
    return 0;
}

static int make_work(struct session *s, struct error *err) {
    const struct bench_settings *settings = &s->settings;
    TRY(model_config_load(s->path, &s->made.config, err));
    TRY(parameter_layout_create(&s->made.config, &s->made.layout, err));
    TRY(make_method(s, err));
    if (settings->length > s->made.config.max_positions)
        return error_set(err, ERROR_INPUT, "--length %lld: %s has %d positions", settings->length, s->path,
                         s->made.config.max_positions);
    struct made_tasks_shape shape = {.tasks = (int)settings->tasks,
                                     .length = (int)settings->length,
                                     .supervised = settings->supervised,
                                     .vocabulary = s->made.config.vocabulary,
                                     .training = VALIDATION_EXAMPLES,
                                     .validation = VALIDATION_EXAMPLES};
    TRY(made_tasks_create(&shape, &s->tasks, err));
    s->entry = (struct experiment_model){.name = s->path, .path = s->path};
    s->made.entry = &s->entry;
    s->made.tasks = made_tasks_set(s->tasks);
    setting_defaults(optimizer_settings_table, &s->training.optimizer);
    s->training.batch_tokens = settings->batch_tokens;
    long long held = settings->micro_batch_tokens ? settings->micro_batch_tokens : settings->batch_tokens;
    s->training.micro_batch_tokens = held > settings->length ? held : settings->length;
    s->training.recompute = settings->recompute;
    s->training.unit = SAMPLER_TOKEN;
    s->work = (struct bench_work){&s->made, &s->training, &s->method};
    return 0;
}

/* ---- the whole */

static void close_session(struct session *s) {
    loaded_model_close(&s->opened);
    experiment_destroy(&s->experiment);
    parameter_layout_destroy(&s->made.layout);
    made_tasks_destroy(&s->tasks);
    memory_free(s->method.settings);
    link_close(&s->group);
    backend_destroy(&s->backend);
    group_release(&s->group);
}

static int run(struct session *s, struct error *err) {
    struct bench_result result;
    bool folder = file_is_folder(s->path);
    TRY(group_agree(&s->group, folder ? make_work(s, err) : 0, err));
    if (!folder) TRY(open_experiment(s, err));
    const char *device = s->settings.device ? s->settings.device
                         : s->experiment    ? s->experiment->device
                                            : "cpu";
    int dtype = s->settings.dtype || !s->experiment ? s->settings.dtype : s->experiment->dtype;
    TRY(device_open(MPI_COMM_WORLD, device, dtype, s->threads, &s->backend, err));
    int link = s->settings.link || !s->experiment ? s->settings.link : s->experiment->link;
    TRY(link_open(&s->group, s->backend, link, err));
    TRY(bench_run(s->backend, &s->group, &s->work, (int)s->settings.steps, &result, err));
    if (!group_is_coordinator(&s->group)) return 0;
    struct bench_place place = {.work = folder ? "random tokens" : s->path,
                                .model = s->work.model->entry->name,
                                .method = s->work.method->name,
                                .backend = s->backend->name,
                                .activations = s->backend->activations,
                                .link = link_describe(&s->group),
                                .tasks = s->work.model->tasks->count,
                                .ranks = s->group.size,
                                .threads = s->threads};
    if (isatty(STDOUT_FILENO)) bench_print_table(stdout, &place, &result);
    return bench_print_json(stdout, &place, &result, err);
}

int command_bench(int argc, char **argv) {
    struct session session = {0};
    struct error err = {0};
    int code = setting_options_command(argc, argv, usage, bench_settings_table, &session.settings,
                                       &session.path, &err);
    if (code == 1) return 0;
    if (code) {
        if (err.message[0]) complain(NULL, err.message);
        return complain_status(code);
    }
    if (group_start(&err)) {
        complain(NULL, err.message);
        return 1;
    }
    session.threads = threads_per_rank(MPI_COMM_WORLD, (int)session.settings.threads);
    threads_pin(session.threads);
    code = group_whole(MPI_COMM_WORLD, &session.group, &err);
    if (!code) code = run(&session, &err);
    if (code && session.group.rank == 0) complain(NULL, err.message);
    close_session(&session);
    MPI_Finalize();
    return code ? complain_status(code) : 0;
}

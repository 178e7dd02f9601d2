#include "runner/command/command.h"

#include "base/memory.h"
#include "base/text.h"
#include "io/file.h"
#include "runner/command/complain.h"
#include "runner/command/eval_options.h"
#include "runner/command/eval_print.h"
#include "runner/evaluation.h"
#include "runner/group.h"
#include "runner/device.h"
#include "runner/threads.h"
#include "train/parameters.h"
#include <stdio.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* A model with its weights, opened for scoring, and what came of it so far. Every rank has its own. */
struct session {
    const struct eval_options *options;
    struct group group;
    int threads;
    struct model_config config;
    struct parameter_layout *layout;
    struct tokenizer *tokenizer;
    struct backend *backend;
    struct buffer *weights;
    struct eval_model model;
    struct arena *arena;
    struct eval_result **results; /* [count] */
    struct archive_evaluation *evaluations;
    int count;
};

/* ---- before anything is computed */

static int check_folder(const char *folder, struct error *err) {
    char *path;
    TRY(file_join(folder, "config.json", &path, err));
    bool found = file_exists(path);
    memory_free(path);
    if (found) return 0;
    return error_set(err, ERROR_INPUT, "%s: no config.json in it (a Hugging Face model folder expected)",
                     folder);
}

/* Every file is read before the weights are: a mistake on the last line of the last one shows at once. */
static int check_tasks(const struct session *s, struct error *err) {
    const struct eval_options *options = s->options;
    for (size_t i = 0; i < options->count; i++) {
        int64_t records;
        TRY(eval_check(&options->tasks[i], &options->settings, &records, err));
        TRY(eval_check_model(options->tasks[i].benchmark, &options->settings, &s->config, s->tokenizer, err));
    }
    return options->samples ? file_make_folder(options->samples, err) : 0;
}

static int open_model(struct session *s, struct error *err) {
    const struct eval_options *options = s->options;
    TRY(check_folder(options->folder, err));
    TRY(tokenizer_load(options->folder, &s->tokenizer, err));
    TRY(model_config_load(options->folder, &s->config, err));
    if (group_is_coordinator(&s->group)) TRY(check_tasks(s, err));
    TRY(parameter_layout_create(&s->config, &s->layout, err));
    TRY(device_open(MPI_COMM_WORLD, options->device ? options->device : "cpu", DEVICE_AUTO, s->threads,
                    &s->backend, err));
    TRY(s->backend->buffer_create(s->backend, s->layout->elements * sizeof(float), &s->weights, err));
    struct view parameters = {s->weights, 0, DTYPE_F32};
    TRY(parameters_load(options->folder, s->layout, s->backend, parameters, err));
    s->model = (struct eval_model){.backend = s->backend,
                                   .config = &s->config,
                                   .layout = s->layout,
                                   .parameters = parameters,
                                   .tokenizer = s->tokenizer};
    TRY(arena_create(&s->arena, err));
    TRY(arena_alloc(s->arena, &s->results, options->count, sizeof(void *), err));
    return arena_alloc(s->arena, &s->evaluations, options->count, sizeof *s->evaluations, err);
}

static void close_session(struct session *s) {
    for (int i = 0; i < s->count; i++) eval_result_destroy(&s->results[i]);
    arena_destroy(&s->arena);
    if (s->backend) s->backend->buffer_destroy(s->backend, &s->weights);
    backend_destroy(&s->backend);
    tokenizer_destroy(&s->tokenizer);
    parameter_layout_destroy(&s->layout);
    group_release(&s->group);
}

/* ---- what is kept of a result */

/* The local time as Python's isoformat gives it, with '-' for ':', which not every file system takes. */
static void format_time(char *out, size_t size) {
    struct timeval now;
    struct tm local;
    gettimeofday(&now, NULL);
    localtime_r(&now.tv_sec, &local);
    size_t length = strftime(out, size, "%Y-%m-%dT%H-%M-%S", &local);
    snprintf(out + length, size - length, ".%06ld", (long)now.tv_usec);
}

/* A log for each part: "samples_gsm8k_TIME.jsonl", "samples_bbh_navigate_TIME.jsonl". */
static int write_samples(const struct eval_options *options, const struct eval_result *result, int part,
                         const char *stamp, struct error *err) {
    const char *of = result->parts[part].name;
    struct text name = {0};
    char *path = NULL;
    int code = text_printf(&name, err, "samples_%s%s%s_%s.jsonl", result->benchmark, of ? "_" : "",
                           of ? of : "", stamp);
    if (!code) code = file_join(options->samples, text_string(&name), &path, err);
    if (!code) code = eval_write_samples(result, part, path, err);
    memory_free(path);
    text_free(&name);
    return code;
}

static int write_archive(const struct session *s, struct error *err) {
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    struct archive_run run = {.experiment = "adapt eval",
                              .backend = s->backend->name,
                              .host = host,
                              .ranks = s->group.size,
                              .threads = s->threads};
    return archive_scores_write(s->options->archive, &run, s->options->folder, s->evaluations, s->count, err);
}

/* The archive is written anew after each benchmark: whatever comes later, what is done is kept. */
static int keep(struct session *s, struct eval_result *result, const char *stamp, struct error *err) {
    const struct eval_options *options = s->options;
    eval_print_result(result);
    for (int p = 0; p < result->part_count && options->samples; p++)
        TRY(write_samples(options, result, p, stamp, err));
    TRY(evaluation_convert(result, &options->settings, s->arena, &s->evaluations[s->count - 1], err));
    return options->archive ? write_archive(s, err) : 0;
}

/* ---- the whole */

static int run_benchmark(struct session *s, const struct eval_task *task, const char *stamp,
                         struct error *err) {
    struct eval_peers peers = evaluation_peers(&s->group);
    struct eval_settings settings = s->options->settings;
    struct eval_watcher watcher = {0};
    if (group_is_coordinator(&s->group)) eval_watch(&watcher, task->benchmark, &settings);
    int code = eval_run(task, &s->model, &settings, &peers, &s->results[s->count], err);
    eval_watch_end(&watcher);
    if (!code) s->count++;
    if (!code && group_is_coordinator(&s->group)) code = keep(s, s->results[s->count - 1], stamp, err);
    return group_agree(&s->group, code, err);
}

static int run(struct session *s, struct error *err) {
    char stamp[64];
    TRY(group_agree(&s->group, open_model(s, err), err));
    format_time(stamp, sizeof stamp);
    if (group_is_coordinator(&s->group)) eval_print_header();
    for (size_t i = 0; i < s->options->count; i++) TRY(run_benchmark(s, &s->options->tasks[i], stamp, err));
    return 0;
}

static int run_on_ranks(const struct eval_options *options) {
    struct session session = {.options = options};
    struct error err = {0};
    if (group_start(&err)) {
        complain(NULL, err.message);
        return 1;
    }
    session.threads = threads_per_rank(MPI_COMM_WORLD, (int)options->threads);
    threads_pin(session.threads);
    int code = group_whole(MPI_COMM_WORLD, &session.group, &err);
    if (!code) code = run(&session, &err);
    if (code && session.group.rank == 0) complain(NULL, err.message);
    close_session(&session);
    MPI_Finalize();
    return code ? complain_status(code) : 0;
}

int command_eval(int argc, char **argv) {
    struct eval_options options;
    struct error err = {0};
    int code = eval_options_parse(argc, argv, &options, &err), status = 0;
    if (code < 0) {
        if (err.message[0]) complain(NULL, err.message);
        status = complain_status(code);
    } else if (code == 0) {
        status = run_on_ranks(&options);
    }
    memory_free(options.tasks);
    return status;
}

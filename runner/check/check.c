#include "runner/check/check_internal.h"

#include "base/machine.h"
#include "base/memory.h"
#include "io/archive/archive.h"
#include "io/file.h"
#include "runner/evaluation.h"
#include "runner/device.h"
#include "runner/threads.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int check_note(struct text *lines, struct error *err, const char *format, ...) {
    char line[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return text_printf(lines, err, "%s\n", line);
}

int check_fail(struct check *check, const char *message, struct error *err) {
    size_t length = strlen(message);
    for (const char *at = text_string(&check->failures); (at = strstr(at, message)); at++) {
        bool begins = at == check->failures.data || at[-1] == '\n';
        if (begins && at[length] == '\n') return 0;
    }
    return check_note(&check->failures, err, "%s", message);
}

static int check_benchmarks(const struct experiment *experiment, struct check *check, struct error *err) {
    for (int i = 0; i < experiment->evaluation.benchmark_count; i++) {
        const struct experiment_benchmark *benchmark = &experiment->evaluation.benchmarks[i];
        struct error wrong = {0};
        int64_t records;
        struct eval_task task = evaluation_task(benchmark);
        if (eval_check(&task, &experiment->evaluation.settings, &records, &wrong)) {
            TRY(check_fail(check, wrong.message, err));
            continue;
        }
        long long limit = experiment->evaluation.settings.limit,
                  used = limit && limit < records ? limit : records;
        TRY(check_note(&check->facts, err, "benchmark %s: %lld of %lld records", benchmark->name, used,
                       (long long)records));
    }
    return 0;
}

static int check_archive(const struct experiment *experiment, struct check *check, struct error *err) {
    struct error wrong = {0};
    char *old = NULL;
    if (file_make_folder(experiment->out, &wrong)) return check_fail(check, wrong.message, err);
    if (access(experiment->out, W_OK | X_OK)) {
        error_set_errno(&wrong, "%s: cannot be written to", experiment->out);
        return check_fail(check, wrong.message, err);
    }
    int code = archive_experiment_config(experiment->out, &old, &wrong);
    if (!code && old) code = experiment_compare(experiment, old, &wrong);
    bool present = old != NULL;
    memory_free(old);
    if (code) return check_fail(check, wrong.message, err);
    return check_note(&check->facts, err, "archive %s: %s", experiment->out,
                      present ? "goes on with the one that is there" : "new");
}

/* What a user may have overlooked in the grid as a whole. */
static int check_grid(const struct experiment *experiment, struct check *check, struct error *err) {
    bool learned = false, uniform = false;
    for (int i = 0; i < experiment->method_count; i++) {
        const struct method *method = experiment->methods[i].method;
        learned = learned || method->plan;
        uniform = uniform || !strcmp(method->name, "uniform");
    }
    if (learned && !uniform)
        TRY(check_note(&check->warnings, err,
                       "%s: a method learns its mixture, but there is no \"uniform\" to compare it with",
                       experiment->path));
    return 0;
}

static int check_parts(const struct experiment *experiment, struct backend *backend, struct check *check,
                       struct error *err) {
    long long cells = (long long)experiment->model_count * experiment->budget_count *
                      experiment->method_count * experiment->seed_count;
    TRY(check_note(&check->facts, err,
                   "experiment %s: %d models x %d budgets x %d methods x %d seeds = %lld cells",
                   experiment->name, experiment->model_count, experiment->budget_count,
                   experiment->method_count, experiment->seed_count, cells));
    TRY(check_note(&check->facts, err, "machine: %d threads, %.1f GiB of memory, device %s", threads_alone(0),
                   (double)machine_memory() / (1 << 30), experiment->device));
    TRY(check_grid(experiment, check, err));
    TRY(check_archive(experiment, check, err));
    /* Where nothing can be written, the tasks can still be read; and where a benchmark cannot, all the same.
     */
    struct experiment reading = *experiment;
    if (check->failures.length) reading.cache = NULL;
    size_t before = check->failures.length;
    TRY(check_benchmarks(experiment, check, err));
    if (check->failures.length != before) reading.evaluation.decontaminate.action = DECONTAMINATE_OFF;
    for (int m = 0; m < experiment->model_count; m++) TRY(check_model(&reading, m, backend, check, err));
    return 0;
}

int check_experiment(const struct experiment *experiment, struct check *out, struct error *err) {
    struct backend *backend = NULL;
    struct error wrong = {0};
    if (device_open(MPI_COMM_NULL, experiment->device, experiment->dtype, threads_alone(0), &backend, &wrong))
        TRY(check_fail(out, wrong.message, err));
    int code = check_parts(experiment, backend, out, err);
    backend_destroy(&backend);
    return code;
}

void check_free(struct check *check) {
    text_free(&check->facts);
    text_free(&check->warnings);
    text_free(&check->failures);
}

/* One model of the experiment: folder, weights, tasks as its tokenizer sees them, budgets, memory. */
#include "runner/check/check_internal.h"

#include "base/machine.h"
#include "base/memory.h"
#include "runner/check/check_overlap.h"
#include "runner/check/estimate.h"
#include "runner/cell/cell_checkpoint.h"
#include "runner/cell/ledger.h"
#include "runner/cell/reference_file.h"
#include "runner/device.h"
#include "runner/evaluation.h"
#include <stdio.h>
#include <string.h>

enum { FEW_STEPS = 20, FEW_UPDATES = 3 };
static const double gibibyte = 1 << 30;

struct model_check {
    const struct experiment *experiment;
    const struct experiment_model *entry;
    const struct loaded_model *model; /* NULL where it does not open */
    struct backend *backend;
    struct check *check;
};

static int fail(const struct model_check *c, struct error *wrong, struct error *err) {
    return check_fail(c->check, wrong->message, err);
}

/* ---- weights */

static int load_weights(const struct model_check *c, const struct parameter_layout *layout,
                        struct error *wrong) {
    struct buffer *buffer;
    TRY(c->backend->buffer_create(c->backend, layout->elements * sizeof(float), &buffer, wrong));
    int code =
        parameters_load(c->entry->path, layout, c->backend, (struct view){buffer, 0, DTYPE_F32}, wrong);
    c->backend->buffer_destroy(c->backend, &buffer);
    return code;
}

/* Config and weights, which need neither tokenizer nor tasks. *good: both are. */
static int check_weights(const struct model_check *c, bool *good, struct error *err) {
    struct error wrong = {0};
    struct model_config config;
    struct parameter_layout *layout = NULL;
    int code = model_config_load(c->entry->path, &config, &wrong);
    if (!code) code = parameter_layout_create(&config, &layout, &wrong);
    if (!code && c->backend) code = load_weights(c, layout, &wrong);
    *good = !code;
    if (!code)
        code = check_note(&c->check->facts, err, "model %s: %s, %.1f M parameters%s", c->entry->name,
                          model_family_name(config.family), (double)layout->numbers / 1e6,
                          c->backend ? ", weights complete and finite" : "");
    else {
        error_context(&wrong, "model %s", c->entry->name);
        code = fail(c, &wrong, err);
    }
    parameter_layout_destroy(&layout);
    return code;
}

/* ---- tasks and budgets */

static int describe_tasks(const struct model_check *c, struct error *err) {
    const struct task_set *set = c->model->tasks;
    struct text *facts = &c->check->facts;
    int width = 4;
    for (int k = 0; k < set->count; k++) {
        int length = (int)strlen(set->tasks[k].name);
        width = length > width ? length : width;
    }
    TRY(check_note(facts, err, "  %d tasks, %lld supervised tokens", set->count, (long long)set->supervised));
    TRY(check_note(facts, err, "    %-*s %9s %10s %12s %7s %7s %7s", width, "task", "training", "validation",
                   "supervised", "cut", "dropped", "bad"));
    for (int k = 0; k < set->count; k++) {
        const struct task *t = &set->tasks[k];
        TRY(check_note(facts, err, "    %-*s %9lld %10lld %12lld %7lld %7lld %7lld", width, t->name,
                       (long long)t->training_count, (long long)t->validation_count,
                       (long long)t->training_supervised, (long long)t->cut, (long long)t->dropped,
                       (long long)t->bad));
    }
    return 0;
}

/* A method on a budget: will it see enough steps, and do its update steps fit? */
static int check_method(const struct model_check *c, const struct experiment_method *method,
                        const struct experiment_budget *budget, const struct estimate *estimate,
                        struct error *err) {
    struct text *warnings = &c->check->warnings;
    struct method_signal_plan plan = estimate_plan(method);
    if (plan.needs && estimate->steps >= FEW_STEPS && estimate->updates < FEW_UPDATES)
        TRY(check_note(warnings, err,
                       "model %s: budget %s gives method %s only %.0f updates of its mixture (interval %lld)",
                       c->entry->name, budget->name, method->name, estimate->updates, plan.interval));
    return 0;
}

static int check_budget(const struct model_check *c, const struct experiment_budget *budget,
                        struct error *err) {
    const struct experiment *experiment = c->experiment;
    struct estimate estimate;
    int64_t tokens = ledger_budget(budget->fraction, c->model->tasks->supervised);
    double fewest = 0.0, most = 0.0;
    if (tokens < 1) {
        struct error wrong = {0};
        error_set(&wrong, ERROR_INPUT,
                  "%s: budget %s of %lld supervised tokens is zero tokens (for model %s)", experiment->path,
                  budget->name, (long long)c->model->tasks->supervised, c->entry->name);
        return fail(c, &wrong, err);
    }
    for (int i = 0; i < experiment->method_count; i++) {
        TRY(estimate_cell(experiment, c->model, &experiment->methods[i], budget->fraction, &estimate, err));
        TRY(check_method(c, &experiment->methods[i], budget, &estimate, err));
        if (i == 0 || estimate.steps < fewest) fewest = estimate.steps;
        if (estimate.steps > most) most = estimate.steps;
    }
    if (fewest < FEW_STEPS)
        TRY(check_note(&c->check->warnings, err,
                       "model %s: budget %s is about %.0f steps (a smaller training.batch_tokens gives more)",
                       c->entry->name, budget->name, fewest));
    return check_note(&c->check->facts, err, "  budget %s: %lld supervised tokens, about %.0f steps",
                      budget->name, (long long)tokens, fewest);
}

/* Reference files must name the tasks that there are. */
static int check_references(const struct model_check *c, struct error *err) {
    const struct task_set *set = c->model->tasks;
    const char **name;
    double *loss;
    int code = 0;
    TRY(memory_alloc(&loss, (size_t)set->count, sizeof *loss, err));
    if (memory_alloc(&name, (size_t)set->count, sizeof *name, err)) {
        memory_free(loss);
        return ERROR_MEMORY;
    }
    for (int k = 0; k < set->count; k++) name[k] = set->tasks[k].name;
    for (int i = 0; i < c->experiment->method_count && !code; i++) {
        const struct experiment_method *method = &c->experiment->methods[i];
        struct error wrong = {0};
        bool file = method->reference_losses && method->reference_method < 0 &&
                    strcmp(method->reference_losses, "start");
        if (file && reference_file_read(method->reference_losses, set->count, name, loss, &wrong))
            code = fail(c, &wrong, err);
    }
    memory_free(name);
    memory_free(loss);
    return code;
}

/* ---- memory */

static struct trainer_memory rank_memory(const struct model_check *c, int method, int recompute) {
    struct experiment experiment = *c->experiment;
    experiment.training.recompute = recompute;
    return estimate_memory(c->backend, &experiment, c->model, &experiment.methods[method]);
}

/* `least`: bytes with all recomputation that there is. */
static int fail_memory(const struct model_check *c, const struct trainer_memory *most, double least,
                       double there, struct error *err) {
    struct error wrong = {0};
    char recompute[64] = "", parts[512], listed[520] = "";
    bool device = !device_uses_host_memory(c->experiment->device);
    trainer_memory_describe(most, parts, sizeof parts);
    if (device) snprintf(listed, sizeof listed, " (%s)", parts);
    if (c->experiment->training.recompute == RECOMPUTE_NONE)
        snprintf(recompute, sizeof recompute, ", training.recompute \"layer\" needs %.1f", least / gibibyte);
    error_set(
        &wrong, ERROR_INPUT,
        "model %s: a rank needs %.1f GiB of memory%s, the %s has %.1f (a smaller training.micro_batch_tokens "
        "needs less%s)",
        c->entry->name, most->total / gibibyte, listed, device ? "device" : "machine", there / gibibyte,
        recompute);
    return fail(c, &wrong, err);
}

/* Bytes that there are on the device; *own: they are not the machine's. 0: nobody knows. */
static double memory_there(const struct model_check *c, bool *own) {
    size_t left = 0, total = 0;
    if (c->backend) c->backend->memory(c->backend, &left, &total);
    *own = total > 0 || !device_uses_host_memory(c->experiment->device);
    return *own ? (double)total : (double)machine_memory();
}

static int check_memory(const struct model_check *c, struct error *err) {
    const struct experiment *experiment = c->experiment;
    struct trainer_memory most = {0};
    double least = 0.0, ranks = (double)experiment->ranks_per_cell;
    double copies =
        (double)cell_checkpoint_bytes(c->model, &experiment->training, (int)experiment->ranks_per_cell);
    struct text list = {0};
    char parts[512];
    bool own;
    double there = memory_there(c, &own);
    int code = 0;
    for (int i = 0; i < experiment->method_count && !code; i++) {
        struct trainer_memory memory = rank_memory(c, i, experiment->training.recompute);
        double with = rank_memory(c, i, RECOMPUTE_LAYER).total;
        code = text_printf(&list, err, "%s%s %.2f GiB", i ? ", " : "", experiment->methods[i].name,
                           (memory.total + (own ? 0.0 : copies)) / gibibyte);
        if (memory.total > most.total) most = memory;
        least = with > least ? with : least;
    }
    if (!code) code = check_note(&c->check->facts, err, "  memory of a rank: %s", text_string(&list));
    text_free(&list);
    TRY(code);
    trainer_memory_describe(&most, parts, sizeof parts);
    TRY(check_note(&c->check->facts, err, "    at most: %s", parts));
    if (there <= 0.0) return 0;
    if (most.total > there) return fail_memory(c, &most, least, there, err);
    if (own) return 0;
    double bytes = most.total + copies; /* of the host's */
    if (bytes > there)
        TRY(check_note(
            &c->check->warnings, err,
            "model %s: a rank needs %.1f GiB, %.1f of them for copies of what a checkpoint holds; the machine has "
            "%.1f: training will wait while checkpoints are written",
            c->entry->name, bytes / gibibyte, copies / gibibyte, there / gibibyte));
    if (bytes * ranks > there)
        return check_note(&c->check->warnings, err,
                          "model %s: the %.0f ranks of a cell need %.1f GiB; one machine like this has %.1f: "
                          "spread them out",
                          c->entry->name, ranks, bytes * ranks / gibibyte, there / gibibyte);
    return 0;
}

/* Probes beyond a step's size make update steps longer than plain ones. */
static int check_probes(const struct model_check *c, struct error *err) {
    const struct experiment *experiment = c->experiment;
    long long batch = experiment->training.batch_tokens;
    for (int i = 0; i < experiment->method_count; i++) {
        const struct experiment_method *method = &experiment->methods[i];
        struct method_signal_plan plan = estimate_plan(method);
        struct estimate estimate;
        if (!plan.needs) continue;
        TRY(estimate_cell(experiment, c->model, method, 1.0, &estimate, err));
        if (estimate.probe_rows <= (double)batch) continue;
        TRY(check_note(&c->check->warnings, err,
                       "model %s: method %s needs about %.0f tokens in an update step (%lld examples of each "
                       "of %d tasks), more "
                       "than training.batch_tokens %lld",
                       c->entry->name, method->name, estimate.probe_rows, plan.probe, c->model->tasks->count,
                       batch));
    }
    return 0;
}

static int check_evaluation(const struct model_check *c, struct error *err) {
    struct error wrong = {0};
    return evaluation_check_model(c->experiment, c->model, &wrong) ? fail(c, &wrong, err) : 0;
}

static int check_opened(const struct model_check *c, struct error *err) {
    TRY(describe_tasks(c, err));
    TRY(check_overlap(c->experiment, c->model->tasks, c->check, err));
    TRY(check_memory(c, err));
    TRY(check_references(c, err));
    TRY(check_probes(c, err));
    TRY(check_evaluation(c, err));
    for (int b = 0; b < c->experiment->budget_count; b++)
        TRY(check_budget(c, &c->experiment->budgets[b], err));
    return 0;
}

/* Where the tasks are at fault, every model fails alike: told once, for the first. */
static int fail_open(const struct model_check *c, struct error *wrong, struct error *err) {
    const char *reason = strstr(wrong->message, ": "); /* behind the model's name */
    if (reason && strstr(text_string(&c->check->failures), reason)) return 0;
    return fail(c, wrong, err);
}

int check_model(const struct experiment *experiment, int model, struct backend *backend, struct check *check,
                struct error *err) {
    struct model_check c = {
        .experiment = experiment, .entry = &experiment->models[model], .backend = backend, .check = check};
    struct loaded_model *opened = NULL;
    struct tokenizer *tokenizer = NULL;
    struct error wrong = {0};
    bool good;
    TRY(check_weights(&c, &good, err));
    if (!good) { /* the tokenizer, at least, can be looked at without them */
        if (tokenizer_load(c.entry->path, &tokenizer, &wrong)) {
            error_context(&wrong, "model %s", c.entry->name);
            TRY(fail(&c, &wrong, err));
        }
        tokenizer_destroy(&tokenizer);
        return 0;
    }
    if (loaded_model_open(experiment, model, NULL, &opened, &wrong)) return fail_open(&c, &wrong, err);
    c.model = opened;
    int code = check_opened(&c, err);
    loaded_model_close(&opened);
    return code;
}

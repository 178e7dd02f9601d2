#include "runner/bench/bench.h"

#include "base/clock.h"
#include "base/memory.h"
#include "runner/cell/trainer.h"
#include "runner/check/estimate.h"
#include "runner/check/matmul_rate.h"
#include "runner/device.h"
#include "runner/link.h"
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>

#define FIELD(name) offsetof(struct bench_settings, name)

const struct setting bench_settings_table[] = {
    {.name = "steps",
     .kind = SETTING_COUNT,
     .offset = FIELD(steps),
     .initial = 5,
     .low = 1,
     .high = 10000,
     .meaning = "steps of each kind that are timed, after one that is not"},
    {.name = "threads",
     .kind = SETTING_COUNT,
     .offset = FIELD(threads),
     .low = 0,
     .high = 4096,
     .meaning = "threads of each rank; 0: OMP_NUM_THREADS, else the node's cores shared out"},
    {.name = "device",
     .kind = SETTING_TEXT,
     .offset = FIELD(device),
     .meaning = "what computes: cpu, cuda or cuda:N (default: the experiment's, cpu with a model folder)"},
    {.name = "dtype",
     .kind = SETTING_CHOICE,
     .offset = FIELD(dtype),
     .initial = DEVICE_AUTO,
     .choices = device_dtype_names,
     .meaning = "what activations are kept in"},
    {.name = "link",
     .kind = SETTING_CHOICE,
     .offset = FIELD(link),
     .initial = LINK_AUTO,
     .choices = link_kind_names,
     .meaning = "how gradients travel between ranks on GPUs"},
    {.name = "tasks",
     .kind = SETTING_COUNT,
     .offset = FIELD(tasks),
     .initial = 4,
     .low = 1,
     .high = 10000,
     .meaning = "tasks of random tokens (with a model folder)"},
    {.name = "length",
     .kind = SETTING_COUNT,
     .offset = FIELD(length),
     .initial = 512,
     .low = 2,
     .high = 1 << 20,
     .meaning = "tokens of their examples"},
    {.name = "supervised",
     .kind = SETTING_REAL,
     .offset = FIELD(supervised),
     .initial = 1,
     .low = 0,
     .high = 1,
     .meaning = "share of an example's tokens that is its completion"},
    {.name = "batch_tokens",
     .kind = SETTING_COUNT,
     .offset = FIELD(batch_tokens),
     .initial = 2048,
     .low = 1,
     .high = 1 << 24,
     .meaning = "tokens of a step over all ranks (with a model folder)"},
    {.name = "micro_batch_tokens",
     .kind = SETTING_COUNT,
     .offset = FIELD(micro_batch_tokens),
     .low = 0,
     .high = 1 << 24,
     .meaning = "tokens that a rank holds at a time (with a model folder); 0: those of a step"},
    {.name = "recompute",
     .kind = SETTING_CHOICE,
     .offset = FIELD(recompute),
     .choices = recompute_names,
     .meaning = "what the backward pass computes again (with a model folder)"},
    {.name = "model",
     .kind = SETTING_TEXT,
     .offset = FIELD(model),
     .meaning = "model of the experiment (default: its first one)"},
    {.name = "method",
     .kind = SETTING_TEXT,
     .offset = FIELD(method),
     .meaning =
         "method, by its label in the experiment (default: the first that learns online) or by its name (adapt)"},
    {.name = NULL}};

static const double RATE = 1e-6; /* of the optimizer: small, so that the model stays one */
static const double PRODUCT_SECONDS = 0.5;

struct bench {
    struct backend *timing;
    const struct group *group;
    const struct bench_work *work;
    struct method_signal_plan plan;
    struct trainer *trainer;
    struct sampler *sampler;
    struct mixture *mixture;
    double *median; /* [steps] */
    int steps;
};

/* ---- counting */

static double operations_of(const struct bench *bench, const struct example *example) {
    double rows = example->length - 1, supervised = example->length - example->prompt;
    return estimate_operations(bench->work->model, rows, supervised, rows);
}

static void count_training(const struct bench *bench, const struct draw_list *draws,
                           struct bench_steps *out) {
    for (int i = 0; i < draws->count; i++) {
        const struct example *example = draws->draws[i].example;
        out->tokens += example->length;
        out->supervised += example->length - example->prompt;
        out->operations += operations_of(bench, example);
    }
}

static int count_validation(const struct bench *bench, int64_t update, struct bench_steps *out,
                            struct error *err) {
    const struct example **chosen;
    int most = (int)bench->plan.validation_batch;
    TRY(memory_alloc(&chosen, (size_t)most, sizeof *chosen, err));
    for (int k = 0; k < bench->work->model->tasks->count; k++) {
        int count = sampler_validation(bench->sampler, k, update, most, chosen);
        for (int i = 0; i < count; i++) {
            out->validation_tokens += chosen[i]->length;
            out->operations += operations_of(bench, chosen[i]);
        }
    }
    memory_free(chosen);
    return 0;
}

/* ---- one step */

enum kind { KIND_PLAIN, KIND_UPDATE };

/* A step, its time added to `out` unless that is NULL: a first step meets cold memory. */
static int take(struct bench *bench, enum kind kind, const struct draw_list *draws, int64_t update,
                struct bench_steps *out, struct error *err) {
    struct trainer_step step;
    double phase[PHASE_COUNT], timed[TIMED_COUNT];
    const struct worst_case *worst_case = &mixture_plan(bench->mixture)->worst_case;
    timing_take(bench->timing, timed);
    trainer_take_phases(bench->trainer, phase);
    trainer_take_overlap(bench->trainer);
    TRY(group_barrier(bench->group, err));
    double start = clock_seconds();
    if (kind == KIND_PLAIN)
        TRY(trainer_plain_step(bench->trainer, draws, RATE, &step, err));
    else
        TRY(trainer_update_step(bench->trainer, draws, bench->sampler, mixture_shares(bench->mixture),
                                worst_case, update, RATE, &step, err));
    TRY(group_agree(bench->group, bench->timing->check(bench->timing, err), err)); /* all is done, on all */
    double seconds = clock_seconds() - start;
    if (!out) return 0;
    timing_take(bench->timing, timed);
    trainer_take_phases(bench->trainer, phase);
    for (int i = 0; i < TIMED_COUNT; i++) out->timed[i] += timed[i];
    for (int i = 0; i < PHASE_COUNT; i++) out->phase[i] += phase[i];
    struct reduction_counters overlap = trainer_take_overlap(bench->trainer);
    out->overlap.overlapped += overlap.overlapped;
    out->overlap.waited += overlap.waited;
    out->overlap.elements += overlap.elements;
    out->overlap.early += overlap.early;
    out->total_seconds += seconds;
    bench->median[out->count++] = seconds;
    count_training(bench, draws, out);
    return kind == KIND_UPDATE ? count_validation(bench, update, out, err) : 0;
}

static int by_size(const void *a, const void *b) {
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void find_median(struct bench *bench, struct bench_steps *steps) {
    double *seconds = bench->median;
    int n = steps->count;
    qsort(seconds, (size_t)n, sizeof *seconds, by_size);
    steps->seconds = n % 2 ? seconds[n / 2] : (seconds[n / 2 - 1] + seconds[n / 2]) / 2;
}

static int draw(struct bench *bench, int probe, struct draw_list *draws, struct error *err) {
    return sampler_step(bench->sampler, mixture_shares(bench->mixture), probe,
                        bench->work->training->batch_tokens, INT64_MAX, draws, err);
}

static int run_plain(struct bench *bench, struct bench_result *out, struct error *err) {
    for (int i = 0; i <= bench->steps; i++) {
        struct draw_list draws;
        TRY(draw(bench, 0, &draws, err));
        TRY(take(bench, KIND_PLAIN, &draws, 0, i ? &out->plain : NULL, err));
    }
    find_median(bench, &out->plain);
    return 0;
}

/* Both kinds on the same examples, in separate runs so that each has its median; the sampler's draws depend
 * on the order of calls alone, so every pair shares its draws. */
static int run_updates(struct bench *bench, enum kind kind, struct bench_steps *out, struct error *err) {
    struct sampler *sampler;
    const struct training_settings *training = bench->work->training;
    TRY(sampler_create(bench->work->model->tasks, 1, training->unit, SAMPLER_RANDOM, &sampler, err));
    struct sampler *other = bench->sampler;
    bench->sampler = sampler;
    int code = 0;
    for (int i = 0; i <= bench->steps && !code; i++) {
        struct draw_list draws;
        code = draw(bench, (int)bench->plan.probe, &draws, err);
        if (!code) code = take(bench, kind, &draws, i, i ? out : NULL, err);
    }
    bench->sampler = other;
    sampler_destroy(&sampler);
    if (!code) find_median(bench, out);
    return code;
}

/* ---- the whole */

static int measure_product(struct backend *backend, const struct group *group, double *rate,
                           struct error *err) {
    double mine = 0;
    TRY(group_barrier(group, err));
    TRY(group_agree(group, matmul_rate_measure(backend, PRODUCT_SECONDS, &mine, err), err));
    TRY(group_sum(group, &mine, 1, err));
    if (mine > *rate) *rate = mine;
    return 0;
}

/* Bytes of the machine's memory at most so far; of a device's own what is taken now, which is the most, as
 * steps allocate nothing. */
static double memory_taken(struct backend *backend) {
    struct rusage usage;
    size_t left, total;
    backend->memory(backend, &left, &total);
    if (total) return (double)(total - left);
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss * 1024.0;
}

static int prepare(struct bench *bench, struct backend *backend, struct error *err) {
    const struct bench_work *work = bench->work;
    const struct task_set *set = work->model->tasks;
    const struct experiment_method *method = work->method;
    double *size;
    TRY(memory_alloc(&size, (size_t)set->count, sizeof *size, err));
    for (int k = 0; k < set->count; k++) size[k] = (double)set->tasks[k].training_supervised;
    struct method_problem problem = {set->count, size};
    int code = mixture_create(method->method, method->settings, &problem, &bench->mixture, err);
    /* What losses are compared with does not change what steps cost: any positive numbers do. */
    if (!code && mixture_plan(bench->mixture)->needs & METHOD_NEEDS_REFERENCE_LOSS)
        code = mixture_set_reference(bench->mixture, size, err);
    memory_free(size);
    if (code) return code;
    bench->plan = *mixture_plan(bench->mixture);
    TRY(memory_alloc(&bench->median, (size_t)bench->steps, sizeof *bench->median, err));
    TRY(timing_create(backend, &bench->timing, err));
    return sampler_create(set, 0, work->training->unit, SAMPLER_RANDOM, &bench->sampler, err);
}

static int run(struct bench *bench, struct backend *backend, struct bench_result *out, struct error *err) {
    const struct bench_work *work = bench->work;
    TRY(group_agree(bench->group, prepare(bench, backend, err), err));
    TRY(measure_product(backend, bench->group, &out->product_rate, err));
    TRY(trainer_create(bench->timing, bench->group, work->model, work->training, &bench->plan,
                       &bench->trainer, err));
    TRY(run_plain(bench, out, err));
    out->plain_memory = memory_taken(backend);
    if (bench->plan.needs & METHOD_NEEDS_ALIGNMENT) {
        out->interval = bench->plan.interval;
        TRY(run_updates(bench, KIND_PLAIN, &out->matching, err));
        TRY(run_updates(bench, KIND_UPDATE, &out->update, err));
    }
    TRY(measure_product(backend, bench->group, &out->product_rate, err));
    out->memory = memory_taken(backend);
    TRY(group_max(bench->group, &out->plain_memory, 1, err));
    return group_max(bench->group, &out->memory, 1, err);
}

int bench_run(struct backend *backend, const struct group *group, const struct bench_work *work, int steps,
              struct bench_result *out, struct error *err) {
    struct bench bench = {.group = group, .work = work, .steps = steps};
    *out = (struct bench_result){0};
    int code = run(&bench, backend, out, err);
    trainer_destroy(&bench.trainer);
    sampler_destroy(&bench.sampler);
    mixture_destroy(&bench.mixture);
    backend_destroy(&bench.timing);
    memory_free(bench.median);
    return code;
}

double bench_tokens_rate(const struct bench_steps *steps) {
    return steps->tokens / steps->total_seconds;
}

double bench_update_ratio(const struct bench_result *result) {
    const struct bench_steps *plain = &result->matching, *update = &result->update;
    double all = update->tokens + update->validation_tokens;
    return update->seconds * plain->tokens / (plain->seconds * all);
}

double bench_amortised(const struct bench_result *result) {
    const struct bench_steps *plain = &result->plain;
    double others = (double)(result->interval - 1) * plain->seconds;
    return (others + result->update.seconds) / (others + result->matching.seconds);
}

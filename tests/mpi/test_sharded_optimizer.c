/* Training with the optimizer's state shared out among the ranks gives the same bits as training with all of
 * it on every rank. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "io/file.h"
#include "runner/cell/trainer.h"
#include "runner/shards.h"
#include "tests/support/demo_experiment.h"
#include <stdio.h>
#include <string.h>

/* Updates before and after AdamW's preconditioner sets in. */
enum { TASKS_MAX = 64, STEPS = 7 };
static const bool is_update[STEPS] = {false, true, false, false, true, false, true};

struct variant {
    const char *backend, *model, *training, *method;
    bool shards; /* there is a state to share out */
};

static const struct variant variants[] = {
    {"cpu", "tiny-llama", "\"clip\": 0.01, \"weight_decay\": 0.3",
     "\"lookahead\": \"none\", \"precondition\": \"adamw\"", true},
    {"cpu", "tiny-gemma3", "\"clip\": 0, \"weight_decay\": 0.1",
     "\"lookahead\": \"exact\", \"precondition\": \"adamw\"", true},
    {"cpu", "tiny-qwen3", "\"clip\": 1", "\"lookahead\": \"exact\", \"precondition\": \"none\"", true},
    {"cpu", "tiny-llama", "\"clip\": 1, \"optimizer\": \"sgd\"",
     "\"lookahead\": \"none\", \"precondition\": \"adamw\"", false},
    {"memcheck", "tiny-qwen3", "\"clip\": 0.1, \"weight_decay\": 0.2",
     "\"lookahead\": \"none\", \"precondition\": \"adamw\"", true},
};

/* What a run leaves. */
struct trace {
    float *parameters; /* [elements]; owned */
    size_t elements, bytes;
    double loss[STEPS], norm[STEPS], alignment[STEPS][TASKS_MAX];
};

static int walk(const struct variant *variant, bool shard, const char *folder, const struct group *group,
                struct trace *trace, struct error *err) {
    struct experiment *experiment;
    struct loaded_model *model;
    struct backend *backend;
    struct sampler *sampler;
    struct trainer *trainer;
    char training[512], method[512];
    double share[TASKS_MAX];
    snprintf(training, sizeof training,
             "\"batch_tokens\": 512, \"micro_batch_tokens\": 256, \"shard_optimizer\": %s, %s",
             shard ? "true" : "false", variant->training);
    snprintf(method, sizeof method,
             "\"name\": \"adapt\", \"objective\": \"loss\", \"validation_batch\": 1, %s", variant->method);
    TRY(demo_experiment(folder, DEMO_FOLDER, variant->model, training, method, &experiment, err));
    TRY(loaded_model_open(experiment, 0, NULL, &model, err));
    TRY(backend_create(variant->backend, 1, &backend, err));
    struct method_signal_plan plan = experiment->methods[0].method->plan(experiment->methods[0].settings);
    TRY(sampler_create(model->tasks, 1, SAMPLER_TOKEN, SAMPLER_RANDOM, &sampler, err));
    TRY(trainer_create(backend, group, model, &experiment->training, &plan, &trainer, err));
    int tasks = model->tasks->count;
    assert_in_range(tasks, 2, TASKS_MAX);
    for (int k = 0; k < tasks; k++) share[k] = 1.0 / tasks;
    for (int s = 0; s < STEPS; s++) {
        struct draw_list draws;
        struct trainer_step step;
        TRY(sampler_step(sampler, share, is_update[s], experiment->training.batch_tokens, INT64_MAX, &draws,
                         err));
        if (is_update[s])
            TRY(trainer_update_step(trainer, &draws, sampler, share, &plan.worst_case, s, 2e-3, &step, err));
        else
            TRY(trainer_plain_step(trainer, &draws, 2e-3, &step, err));
        trace->loss[s] = step.loss;
        trace->norm[s] = step.gradient_norm;
        if (is_update[s]) memcpy(trace->alignment[s], step.alignment, (size_t)tasks * sizeof(double));
    }
    trace->elements = model->layout->elements;
    trace->bytes = (size_t)trainer_memory(NULL, model, &experiment->training, &plan, group->size).total;
    TRY(memory_alloc(&trace->parameters, trace->elements, sizeof(float), err));
    backend->download(backend, trainer_parameters(trainer), trace->parameters, trace->elements);
    TRY(backend->check(backend, err));
    trainer_destroy(&trainer);
    sampler_destroy(&sampler);
    backend_destroy(&backend);
    loaded_model_close(&model);
    experiment_destroy(&experiment);
    return 0;
}

/* All ranks have the coordinator's numbers. */
static void check_replicas(const struct group *group, const struct trace *trace) {
    struct error err = {0};
    float *first;
    assert_int_equal(memory_alloc(&first, trace->elements, sizeof *first, &err), 0);
    memcpy(first, trace->parameters, trace->elements * sizeof *first);
    assert_int_equal(MPI_Bcast(first, (int)trace->elements, MPI_FLOAT, 0, group->comm), MPI_SUCCESS);
    assert_memory_equal(first, trace->parameters, trace->elements * sizeof *first);
    memory_free(first);
}

static void test_the_same_bits(void **state) {
    (void)state;
    struct error err = {0};
    struct group group;
    char folder[256];
    assert_int_equal(group_whole(MPI_COMM_WORLD, &group, &err), 0);
    assert_int_equal(demo_folder(folder, &err), 0);
    for (size_t v = 0; v < sizeof variants / sizeof *variants; v++) {
        static struct trace whole, shared;
        memset(&whole, 0, sizeof whole);
        memset(&shared, 0, sizeof shared);
        int code = walk(&variants[v], false, folder, &group, &whole, &err);
        if (!code) code = walk(&variants[v], true, folder, &group, &shared, &err);
        if (code) fail_msg("variant %zu: %s", v, err.message);
        for (int s = 0; s < STEPS; s++)
            assert_true(whole.loss[s] == shared.loss[s] && whole.norm[s] == shared.norm[s]);
        assert_true(whole.norm[0] > 0.01); /* what the first variant clips to */
        assert_memory_equal(whole.alignment, shared.alignment, sizeof whole.alignment);
        assert_int_equal(whole.elements, shared.elements);
        assert_memory_equal(whole.parameters, shared.parameters, whole.elements * sizeof(float));
        check_replicas(&group, &shared);
        /* Memory: two moments of everything against two of the longest shard. */
        size_t held = 0, all = whole.elements;
        for (int rank = 0; rank < group.size; rank++) {
            size_t count = shards_range(all, group.size, rank).count;
            if (count > held) held = count;
        }
        assert_int_equal(whole.bytes - shared.bytes,
                         variants[v].shards ? 2 * (all - held) * sizeof(float) : 0);
        memory_free(whole.parameters);
        memory_free(shared.parameters);
    }
    assert_int_equal(file_remove_tree(folder, &err), 0);
    group_release(&group);
}

int main(int argc, char **argv) {
    int provided;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_same_bits)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    MPI_Finalize();
    return failed;
}

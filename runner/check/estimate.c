#include "runner/check/estimate.h"

#include "base/memory.h"
#include "runner/cell/ledger.h"
#include <math.h>

/* Averages over one pool. */
struct pool {
    double rows, supervised; /* of an example */
};

static struct pool pool_of(const struct example *examples, int64_t count) {
    struct pool pool = {0};
    for (int64_t i = 0; i < count; i++) {
        pool.rows += examples[i].length - 1;
        pool.supervised += examples[i].length - examples[i].prompt;
    }
    return (struct pool){pool.rows / (double)count, pool.supervised / (double)count};
}

/* An example drawn by the mixture, on average. */
static struct pool mixed_pool(const struct task_set *set, int unit, const double *share) {
    struct pool mixed = {0};
    double weight = 0.0;
    for (int k = 0; k < set->count; k++) {
        struct pool pool = pool_of(set->tasks[k].training, set->tasks[k].training_count);
        /* A share of tokens is a share of examples over the examples' size. */
        double examples = unit == SAMPLER_TOKEN ? share[k] / pool.supervised : share[k];
        mixed.rows += examples * pool.rows;
        mixed.supervised += examples * pool.supervised;
        weight += examples;
    }
    return (struct pool){mixed.rows / weight, mixed.supervised / weight};
}

/* Operations of the layers on a row, of examples of `length` rows, but for `left_out` weights: 2 a weight;
 * causal attention sees half of the rows on average. */
static double layer_operations(const struct loaded_model *model, double length, double left_out) {
    const struct model_config *config = &model->config;
    double head = (double)config->vocabulary * config->hidden;
    double weights = (double)model->layout->numbers - head * (config->tied ? 1.0 : 2.0) - left_out;
    double attention =
        2.0 * config->layers * config->heads * config->head_dim * length; /* scores and values: 2 x 2 / 2 */
    return 2.0 * weights + attention;
}

/* Forward over rows in examples of `length` rows, with logits for the supervised ones only. */
static double forward_operations(const struct loaded_model *model, double rows, double supervised,
                                 double length) {
    double head = (double)model->config.vocabulary * model->config.hidden;
    return rows * layer_operations(model, length, 0.0) + supervised * 2.0 * head;
}

/* What the backward pass computes again: all layers but the last, and of each all but its last product where
 * no norm follows that. */
static double again_operations(const struct loaded_model *model, const struct training_settings *training,
                               double rows, double length) {
    const struct model_config *config = &model->config;
    double layers = config->layers, down = (double)config->feed_forward * config->hidden;
    if (training->recompute == RECOMPUTE_NONE) return 0.0;
    double all = layer_operations(model, length, config->norm_after_blocks ? 0.0 : layers * down);
    return rows * all * (layers - 1.0) / layers;
}

double estimate_operations(const struct loaded_model *model, double rows, double supervised, double length) {
    return 3.0 * forward_operations(model, rows, supervised, length);
}

static double pass_operations(const struct loaded_model *model, const struct training_settings *training,
                              double rows, double supervised, double length) {
    return estimate_operations(model, rows, supervised, length) +
           again_operations(model, training, rows, length);
}

struct method_signal_plan estimate_plan(const struct experiment_method *method) {
    return method->method->plan ? method->method->plan(method->settings) : (struct method_signal_plan){0};
}

/* What alignments add to a pass, as a share of a forward pass: a look at the weights' gradients, in time
 * about a fifth of the product that they are (tests/bench/bench_operations.c). */
static const double alignment_share = 0.2;

static void count_updates(const struct loaded_model *model, const struct training_settings *training,
                          const struct method_signal_plan *plan, const struct pool *drawn,
                          struct estimate *out) {
    const struct task_set *set = model->tasks;
    double validation = 0.0;
    out->updates = ceil(out->steps / (double)plan->interval);
    for (int k = 0; k < set->count; k++) {
        const struct task *task = &set->tasks[k];
        struct pool pool = pool_of(task->validation, task->validation_count);
        double examples = fmin((double)plan->validation_batch, (double)task->validation_count);
        out->probe_rows += (double)plan->probe * pool_of(task->training, task->training_count).rows;
        validation +=
            pass_operations(model, training, examples * pool.rows, examples * pool.supervised, pool.rows);
    }
    double rows = fmax((double)training->batch_tokens, out->probe_rows);
    double supervised = rows * drawn->supervised / drawn->rows;
    double alignments = alignment_share * forward_operations(model, rows, supervised, drawn->rows);
    if (plan->lookahead == LOOKAHEAD_EXACT) /* by a pass of their own */
        alignments += pass_operations(model, training, rows, supervised, drawn->rows);
    out->operations += out->updates * (validation + alignments);
}

static int start_shares(const struct experiment *experiment, const struct task_set *set,
                        const struct experiment_method *method, struct pool *drawn, struct error *err) {
    struct mixture *mixture;
    double *size;
    TRY(memory_alloc(&size, (size_t)set->count, sizeof *size, err));
    bool by_token = experiment->training.unit == SAMPLER_TOKEN;
    for (int k = 0; k < set->count; k++)
        size[k] = (double)(by_token ? set->tasks[k].training_supervised : set->tasks[k].training_count);
    struct method_problem problem = {set->count, size};
    int code = mixture_create(method->method, method->settings, &problem, &mixture, err);
    if (!code) *drawn = mixed_pool(set, experiment->training.unit, mixture_shares(mixture));
    if (!code) mixture_destroy(&mixture);
    memory_free(size);
    return code;
}

int estimate_cell(const struct experiment *experiment, const struct loaded_model *model,
                  const struct experiment_method *method, double fraction, struct estimate *out,
                  struct error *err) {
    struct pool drawn;
    *out = (struct estimate){.budget = ledger_budget(fraction, model->tasks->supervised)};
    TRY(start_shares(experiment, model->tasks, method, &drawn, err));
    out->rows = (double)out->budget * drawn.rows / drawn.supervised;
    out->steps = fmax(1.0, ceil(out->rows / (double)experiment->training.batch_tokens));
    out->operations =
        pass_operations(model, &experiment->training, out->rows, (double)out->budget, drawn.rows);
    struct method_signal_plan plan = estimate_plan(method);
    if (plan.needs) count_updates(model, &experiment->training, &plan, &drawn, out);
    return 0;
}

struct trainer_memory estimate_memory(struct backend *backend, const struct experiment *experiment,
                                      const struct loaded_model *model,
                                      const struct experiment_method *method) {
    struct method_signal_plan plan = estimate_plan(method);
    return trainer_memory(backend, model, &experiment->training, &plan, (int)experiment->ranks_per_cell);
}

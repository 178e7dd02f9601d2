#include "tests/support/synthetic_archive.h"

#include "base/memory.h"
#include "base/random.h"
#include <math.h>
#include <stdio.h>

static const char *const models[] = {"tiny-llama", "org/tiny-qwen"};
static const char *const budgets[] = {"0.01", "0.05"};
static const char *const methods[] = {"uniform", "proportional", "adapt"};
static const char *const benchmarks[] = {"arc_challenge", "gsm8k"};
static const char *const categories[] = {"reasoning", "mathematics"};
static const char *const metrics[] = {"acc_norm", "exact_match"};
static const long long seeds[] = {0, 1, 7};
static const double fractions[] = {0.01, 0.05};

const struct archive_grid_axes synthetic_axes = {
    .models = SYNTHETIC_MODELS,
    .budgets = SYNTHETIC_BUDGETS,
    .methods = SYNTHETIC_METHODS,
    .seeds = SYNTHETIC_SEEDS,
    .benchmarks = SYNTHETIC_BENCHMARKS,
    .model = models,
    .budget = budgets,
    .method = methods,
    .benchmark = benchmarks,
    .benchmark_category = categories,
    .benchmark_metric = metrics,
    .seed = seeds,
    .fraction = fractions,
};

const struct archive_run synthetic_run = {.experiment = "synthetic",
                                          .path = "experiments/synthetic.json",
                                          .config = "{\"name\": \"synthetic\"}",
                                          .backend = "cpu",
                                          .host = "node1",
                                          .ranks = 2,
                                          .threads = 4};

const struct archive_task synthetic_tasks[SYNTHETIC_TASKS] = {
    {"Question Answering", "qa", 900, 100, 40000, 1, 2, 0},
    {"a/b \"quoted\" & 100%", "odd", 500, 50, 20000, 0, 0, 3},
    {"\xC3\x9C\x62\x65rsetzung \xE2\x98\x83", "translation", 300, 30, 20000, 0, 0, 0},
    {"Sentiment Analysis", "sentiment", 200, 20, 10000, 0, 0, 0},
    {"noise", "noise", 100, 10, 10000, 0, 0, 0},
};

/* The counts of the last benchmark are 0: written all the same. */
const struct archive_overlap synthetic_overlap = {
    .action = "count",
    .ngram = 13,
    .benchmarks = SYNTHETIC_BENCHMARKS,
    .benchmark = benchmarks,
    .examples = (const int64_t[]){7, 0, 0, 0, 12, 0, 0, 0, 1, 0},
    .any = (const int64_t[]){7, 0, 12, 0, 1},
    .records = (const int64_t[]){400, 300},
    .without = (const int64_t[]){2, 100},
    .found = (const int64_t[]){3, 0},
};

struct synthetic_cell synthetic_cell_at(int index) {
    int seed = index % SYNTHETIC_SEEDS, rest = index / SYNTHETIC_SEEDS;
    return (struct synthetic_cell){rest / SYNTHETIC_METHODS / SYNTHETIC_BUDGETS,
                                   rest / SYNTHETIC_METHODS % SYNTHETIC_BUDGETS, rest % SYNTHETIC_METHODS,
                                   seed};
}

struct archive_cell_key synthetic_key(struct synthetic_cell cell) {
    return (struct archive_cell_key){models[cell.model], methods[cell.method], budgets[cell.budget],
                                     seeds[cell.seed]};
}

struct archive_cell_plan synthetic_plan(struct synthetic_cell cell) {
    return (struct archive_cell_plan){.key = synthetic_key(cell),
                                      .budget_fraction = fractions[cell.budget],
                                      .budget_tokens = synthetic_budget(cell),
                                      .method_settings = "{\"rate\": 0.05}",
                                      .tasks = SYNTHETIC_TASKS,
                                      .task = synthetic_tasks,
                                      .overlap = &synthetic_overlap,
                                      .data_hash = "d0d0",
                                      .tokenizer_hash = "e1e1"};
}

/* ---- formulas */

static double noise(struct synthetic_cell cell, int what, int which) {
    struct random_key key = {
        .seed = (uint64_t)seeds[cell.seed], .purpose = RANDOM_TEST, .stream = (uint32_t)what};
    return random_uniform(key, (uint64_t)(((cell.model * 8 + cell.budget) * 8 + cell.method) * 64 + which)) -
           0.5;
}

int64_t synthetic_budget(struct synthetic_cell cell) {
    return cell.budget ? 5000 : 1000;
}

int64_t synthetic_tokens(struct synthetic_cell cell, int step) {
    return synthetic_budget(cell) * (step + 1) / SYNTHETIC_STEPS;
}

double synthetic_share(struct synthetic_cell cell, int step, int task) {
    static const double size[SYNTHETIC_TASKS] = {0.4, 0.2, 0.2, 0.1, 0.1};
    static const double drift[SYNTHETIC_TASKS] = {-0.1, 0.05, 0.0, -0.05, 0.1};
    if (cell.method == 0) return 1.0 / SYNTHETIC_TASKS;
    if (cell.method == 1) return size[task];
    return 1.0 / SYNTHETIC_TASKS + drift[task] * step / (SYNTHETIC_STEPS - 1);
}

int64_t synthetic_task_tokens(struct synthetic_cell cell, int step, int task) {
    double sum = 0;
    for (int i = 0; i <= step; i++) {
        sum += synthetic_share(cell, i, task) *
               (double)(synthetic_tokens(cell, i) - (i ? synthetic_tokens(cell, i - 1) : 0));
    }
    return (int64_t)sum;
}

double synthetic_loss(struct synthetic_cell cell, int point, int task) {
    if (task == SYNTHETIC_TASKS - 1) return 0.25 + 0.01 * point; /* cannot be learned */
    static const double speed[SYNTHETIC_METHODS] = {0.25, 0.18, 0.32};
    double start = 2.0 + 0.2 * task + 0.1 * cell.model;
    double progress = point * (1.0 + 0.5 * cell.budget) * (speed[cell.method] + 0.02 * noise(cell, 1, task));
    return start * exp(-progress);
}

double synthetic_worst(struct synthetic_cell cell, int point) {
    double worst = synthetic_loss(cell, point, 0);
    for (int k = 1; k < SYNTHETIC_TASKS; k++) worst = fmax(worst, synthetic_loss(cell, point, k));
    return worst;
}

double synthetic_mean(struct synthetic_cell cell, int point) {
    double sum = 0;
    for (int k = 0; k < SYNTHETIC_TASKS; k++) sum += synthetic_loss(cell, point, k);
    return sum / SYNTHETIC_TASKS;
}

double synthetic_score(struct synthetic_cell cell, int benchmark) {
    static const double gain[SYNTHETIC_METHODS] = {0.0, -0.01, 0.03};
    return 0.3 + 0.1 * cell.model + 0.05 * cell.budget + 0.02 * benchmark + gain[cell.method] +
           0.02 * noise(cell, 2, benchmark);
}

double synthetic_seconds(struct synthetic_cell cell) {
    return cell.method == 2 ? 0.6 : 0.5;
}

/* ---- writing */

static int append_point(struct archive_cell *archive, struct synthetic_cell cell, int step, int64_t tokens,
                        struct error *err) {
    int point = step * (SYNTHETIC_POINTS - 1) / SYNTHETIC_STEPS;
    double loss[SYNTHETIC_TASKS];
    for (int k = 0; k < SYNTHETIC_TASKS; k++) loss[k] = synthetic_loss(cell, point, k);
    struct archive_validation row = {step, tokens, loss, synthetic_worst(cell, point),
                                     synthetic_mean(cell, point)};
    return archive_cell_append_validation(archive, &row, err);
}

static int append_step(struct archive_cell *archive, struct synthetic_cell cell, int step,
                       struct error *err) {
    double share[SYNTHETIC_TASKS], loss[SYNTHETIC_TASKS];
    int64_t tokens[SYNTHETIC_TASKS], none[SYNTHETIC_TASKS];
    for (int k = 0; k < SYNTHETIC_TASKS; k++) {
        share[k] = synthetic_share(cell, step, k);
        loss[k] = 2.0 - 0.01 * step + k;
        tokens[k] = synthetic_task_tokens(cell, step, k);
        none[k] = cell.method == 2 ? 10 * (step + 1) : 0;
    }
    double seconds = synthetic_seconds(cell);
    struct archive_step row = {
        .step = step,
        .supervised_tokens = synthetic_tokens(cell, step),
        .validation_tokens = SYNTHETIC_TASKS * none[0],
        .probe_tokens = cell.method == 2 ? step : 0,
        .charged_tokens = synthetic_tokens(cell, step),
        .total_tokens = 5 * synthetic_tokens(cell, step),
        .learning_rate = 1e-5,
        .loss = 2.0 - 0.01 * step,
        .gradient_norm = 1.5,
        .seconds = seconds,
        .phase_seconds = {0.3, seconds - 0.5, 0.01, 0.04, 0.1, 0.02, 0.03},
        .objective = NAN,
        .entropy = 1.6,
        .signal_age = cell.method == 2 ? step % 10 : -1,
        .mixture = share,
        .train_loss = loss,
        .task_tokens = tokens,
        .task_validation_tokens = none,
    };
    return archive_cell_append_step(archive, &row, err);
}

int synthetic_append(struct archive_cell *archive, struct synthetic_cell cell, int first, int last,
                     struct error *err) {
    if (first == 0) TRY(append_point(archive, cell, 0, 0, err));
    for (int step = first; step < last; step++) {
        TRY(append_step(archive, cell, step, err));
        if ((step + 1) % (SYNTHETIC_STEPS / (SYNTHETIC_POINTS - 1)) == 0) {
            TRY(append_point(archive, cell, step + 1, synthetic_tokens(cell, step), err));
        }
    }
    return 0;
}

int synthetic_evaluate(struct archive_cell *archive, struct synthetic_cell cell, struct error *err) {
    static const double likelihood[4] = {-1.5, -2.5, -0.5, -9.0};
    struct archive_sample samples[4];
    for (int i = 0; i < 4; i++) {
        samples[i] = (struct archive_sample){.id = "id-1",
                                             .prediction = "B",
                                             .target = i ? "B" : "\xE2\x98\x83 C",
                                             .log_likelihood = likelihood,
                                             .choices = i == 3 ? 2 : 4,
                                             .score = i ? 1 : 0};
    }
    for (int b = 0; b < SYNTHETIC_BENCHMARKS; b++) {
        double score = synthetic_score(cell, b);
        struct archive_metric all[] = {{metrics[b], "none", score, 0.02},
                                       {"other", "strict-match", score / 2, 0.01}};
        struct archive_evaluation evaluation = {.benchmark = benchmarks[b],
                                                .category = categories[b],
                                                .metric = metrics[b],
                                                .score = score,
                                                .standard_error = 0.02,
                                                .n = 4,
                                                .step = SYNTHETIC_STEPS,
                                                .share = 1,
                                                .version = "1.0",
                                                .chat_template = "none",
                                                .data_hash = "abc",
                                                .prompt_hash = "def",
                                                .metrics = all,
                                                .metric_count = 2,
                                                .samples = samples,
                                                .sample_count = 4};
        TRY(archive_cell_add_evaluation(archive, &evaluation, err));
    }
    return 0;
}

static int write_cell(const char *folder, struct synthetic_cell cell, enum archive_state state,
                      struct error *err) {
    char *path;
    struct archive_cell *archive;
    struct archive_cell_key key = synthetic_key(cell);
    struct archive_cell_plan plan = synthetic_plan(cell);
    TRY(archive_cell_path(folder, &key, &path, err));
    int code = archive_cell_create(path, &synthetic_run, &plan, &archive, err);
    memory_free(path);
    if (code) return code;
    code = synthetic_append(archive, cell, 0, state == ARCHIVE_DONE ? SYNTHETIC_STEPS : SYNTHETIC_STEPS / 2,
                            err);
    if (!code && state == ARCHIVE_DONE) code = synthetic_evaluate(archive, cell, err);
    if (code || state == ARCHIVE_RUNNING) {
        archive_cell_close(&archive);
        return code;
    }
    const char *message = state == ARCHIVE_FAILED ? "the loss is not finite" : "";
    return archive_cell_finish(&archive, state, message, state == ARCHIVE_DONE ? "models/x" : NULL, err);
}

int synthetic_archive_write(const char *folder, const enum archive_state *state, struct error *err) {
    for (int i = 0; i < SYNTHETIC_CELLS; i++) {
        if (state && state[i] == ARCHIVE_PLANNED) continue;
        TRY(write_cell(folder, synthetic_cell_at(i), state ? state[i] : ARCHIVE_DONE, err));
    }
    return archive_experiment_write(folder, &synthetic_run, &synthetic_axes, err);
}

#include "train/sampler.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include <math.h>
#include <string.h>

struct sampler {
    const struct task_set *set; /* borrowed */
    uint64_t seed;
    enum sampler_unit unit;
    enum sampler_draw draw;
    int tasks;
    /* the state: what sampler_save writes */
    int64_t chosen;  /* tasks chosen by the mixture so far: the index of the next random number */
    int64_t pending; /* a task that was chosen while its next example did not fit, or -1 */
    int64_t *used;   /* [tasks] examples drawn */
    double *credit;  /* [tasks] quota so far minus draws so far; sums to 0 where no probes were drawn */
    /* scratch */
    double *chance; /* [tasks] probability of a draw */
    int *probed;    /* [tasks] examples in this step */
    struct draw *draws;
    size_t capacity;
};

int sampler_create(const struct task_set *set, uint64_t seed, enum sampler_unit unit, enum sampler_draw draw,
                   struct sampler **out, struct error *err) {
    *out = NULL;
    for (int k = 0; k < set->count; k++) {
        if (set->tasks[k].training_count < 1) {
            return error_set(err, ERROR_INPUT, "task \"%s\" has no training example", set->tasks[k].name);
        }
    }
    struct sampler *sampler;
    TRY(memory_alloc(&sampler, 1, sizeof *sampler, err));
    *sampler = (struct sampler){
        .set = set, .seed = seed, .unit = unit, .draw = draw, .tasks = set->count, .pending = -1};
    size_t tasks = (size_t)set->count;
    int code = memory_alloc(&sampler->used, tasks, sizeof *sampler->used, err);
    if (!code) code = memory_alloc(&sampler->credit, tasks, sizeof *sampler->credit, err);
    if (!code) code = memory_alloc(&sampler->chance, tasks, sizeof *sampler->chance, err);
    if (!code) code = memory_alloc(&sampler->probed, tasks, sizeof *sampler->probed, err);
    if (code) {
        sampler_destroy(&sampler);
    } else {
        *out = sampler;
    }
    return code;
}

void sampler_destroy(struct sampler **out) {
    struct sampler *sampler = *out;
    *out = NULL;
    if (!sampler) return;
    memory_free(sampler->used);
    memory_free(sampler->credit);
    memory_free(sampler->chance);
    memory_free(sampler->probed);
    memory_free(sampler->draws);
    memory_free(sampler);
}

/* ---- examples */

/* A key of its own for each task, so that `stream` is free for the epoch. */
static struct random_key task_key(const struct sampler *sampler, enum random_purpose purpose, int task,
                                  uint32_t stream) {
    uint64_t mixed[2] = {sampler->seed, (uint64_t)task};
    return (struct random_key){hash_short(mixed, sizeof mixed, 0), purpose, stream};
}

/* The example that task `task` gives next. */
static const struct example *next_example(const struct sampler *sampler, int task) {
    const struct task *pool = &sampler->set->tasks[task];
    uint64_t count = (uint64_t)pool->training_count, used = (uint64_t)sampler->used[task];
    struct random_key key = task_key(sampler, RANDOM_ORDER, task, (uint32_t)(used / count));
    return &pool->training[random_permuted(key, used % count, count)];
}

int sampler_validation(const struct sampler *sampler, int task, int64_t update, int count,
                       const struct example **out) {
    const struct task *pool = &sampler->set->tasks[task];
    uint64_t total = (uint64_t)pool->validation_count;
    if (count < 0) count = 0;
    if ((uint64_t)count > total) count = (int)total;
    struct random_key key = task_key(sampler, RANDOM_VALIDATION, task, 0);
    for (int i = 0; i < count; i++) {
        uint64_t at = ((uint64_t)update * (uint64_t)count + (uint64_t)i) % total;
        out[i] = &pool->validation[random_permuted(key, at, total)];
    }
    return count;
}

const int64_t *sampler_used(const struct sampler *sampler) {
    return sampler->used;
}

/* ---- tasks */

/* Fills sampler->chance with the probability that a draw is of each task. */
static int find_chances(struct sampler *sampler, const double *mixture, struct error *err) {
    double sum = 0.0;
    for (int k = 0; k < sampler->tasks; k++) {
        const struct task *task = &sampler->set->tasks[k];
        if (!(mixture[k] >= 0.0) || !isfinite(mixture[k])) {
            return error_set(err, ERROR_NUMERIC, "the mixture's share of task \"%s\" is %g", task->name,
                             mixture[k]);
        }
        double mean = (double)task->training_supervised / (double)task->training_count;
        sampler->chance[k] = sampler->unit == SAMPLER_TOKEN ? mixture[k] / mean : mixture[k];
        sum += sampler->chance[k];
    }
    if (!(sum > 0.0) || !isfinite(sum)) return error_set(err, ERROR_NUMERIC, "the mixture sums to %g", sum);
    for (int k = 0; k < sampler->tasks; k++) sampler->chance[k] /= sum;
    return 0;
}

static int choose_random(const struct sampler *sampler) {
    struct random_key key = {sampler->seed, RANDOM_TASK, 0};
    double u = random_uniform(key, (uint64_t)sampler->chosen);
    int last = 0;
    for (int k = 0; k < sampler->tasks; k++) {
        if (sampler->chance[k] <= 0.0) continue;
        last = k; /* rounding may leave u just above the last sum */
        if (u < sampler->chance[k]) break;
        u -= sampler->chance[k];
    }
    return last;
}

static void add_quotas(struct sampler *sampler) {
    for (int k = 0; k < sampler->tasks; k++) sampler->credit[k] += sampler->chance[k];
}

/* Tijdeman's rule: among the tasks whose credit is at least 1/(2K-2), the one whose credit would be the first
 * to pass 1 - 1/(2K-2) if it were left out. Credits then stay inside (-1, 1). */
static int choose_by_quota(struct sampler *sampler) {
    add_quotas(sampler);
    double margin = sampler->tasks > 1 ? 1.0 / (2.0 * sampler->tasks - 2.0) : 0.5;
    static const double ROUNDING =
        1e-9; /* sums of shares such as 0.1 must not miss the margin by their last bit */
    int best = -1, largest = -1;
    double earliest = INFINITY;
    for (int k = 0; k < sampler->tasks; k++) {
        if (sampler->chance[k] <= 0.0) continue;
        if (largest < 0 || sampler->credit[k] > sampler->credit[largest]) largest = k;
        if (sampler->credit[k] < margin - ROUNDING) continue;
        double deadline = (1.0 - margin - sampler->credit[k]) / sampler->chance[k];
        if (deadline < earliest) {
            earliest = deadline;
            best = k;
        }
    }
    if (best < 0)
        best = largest; /* probes or a change of the mixture left no credit among the tasks that may come */
    sampler->credit[best] -= 1.0;
    return best;
}

static int choose(struct sampler *sampler) {
    int task = sampler->draw == SAMPLER_QUOTA ? choose_by_quota(sampler) : choose_random(sampler);
    sampler->chosen++;
    return task;
}

/* ---- steps */

struct limits {
    int64_t rows, supervised;
};

/* Adds the next example of `task` unless it passes a limit; *added tells. */
static int take(struct sampler *sampler, int task, struct limits limits, struct draw_list *out, bool *added,
                struct error *err) {
    const struct example *example = next_example(sampler, task);
    int64_t rows = example->length - 1, supervised = example->length - example->prompt;
    *added = false;
    if (supervised > limits.supervised - out->supervised) {
        out->exhausted = true;
        return 0;
    }
    if (out->count && rows > limits.rows - out->tokens) return 0;
    TRY(memory_reserve(&sampler->draws, &sampler->capacity, (size_t)out->count + 1, sizeof *sampler->draws,
                       err));
    sampler->draws[out->count++] = (struct draw){task, example};
    out->tokens += rows;
    out->supervised += supervised;
    sampler->used[task]++;
    sampler->probed[task]++;
    *added = true;
    return 0;
}

/* A task that has become too many draws by probes must not owe them forever, should the mixture turn to it.
 */
static void forgive_debts(struct sampler *sampler) {
    for (int k = 0; k < sampler->tasks; k++) sampler->credit[k] = fmin(1.0, fmax(-1.0, sampler->credit[k]));
}

static int take_probes(struct sampler *sampler, int probe, struct limits limits, struct draw_list *out,
                       struct error *err) {
    limits.rows = INT64_MAX;
    for (int round = 1; round <= probe; round++) {
        for (int k = 0; k < sampler->tasks; k++) {
            if (sampler->probed[k] >= round) continue;
            bool added;
            TRY(take(sampler, k, limits, out, &added, err));
            if (!added) return 0;
            if (sampler->draw == SAMPLER_QUOTA) {
                add_quotas(sampler);
                sampler->credit[k] -= 1.0;
            }
        }
    }
    if (probe > 0) forgive_debts(sampler);
    return 0;
}

int sampler_step(struct sampler *sampler, const double *mixture, int probe, int64_t row_limit,
                 int64_t supervised_limit, struct draw_list *out, struct error *err) {
    *out = (struct draw_list){0};
    TRY(find_chances(sampler, mixture, err));
    memset(sampler->probed, 0, (size_t)sampler->tasks * sizeof *sampler->probed);
    struct limits limits = {row_limit, supervised_limit};
    bool added = true;
    if (sampler->pending >= 0) {
        TRY(take(sampler, (int)sampler->pending, limits, out, &added, err));
        if (added) sampler->pending = -1;
    }
    if (added) TRY(take_probes(sampler, probe, limits, out, err));
    while (added && !out->exhausted) {
        int task = choose(sampler);
        int code = take(sampler, task, limits, out, &added, err);
        if (!added) sampler->pending = task;
        if (code) return code;
    }
    out->draws = sampler->draws;
    return 0;
}

/* ---- state */

size_t sampler_state_words(const struct sampler *sampler) {
    return 2 + 2 * (size_t)sampler->tasks;
}

void sampler_save(const struct sampler *sampler, uint64_t *words) {
    size_t tasks = (size_t)sampler->tasks;
    memcpy(words, &sampler->chosen, 8);
    memcpy(words + 1, &sampler->pending, 8);
    memcpy(words + 2, sampler->used, 8 * tasks);
    memcpy(words + 2 + tasks, sampler->credit, 8 * tasks);
}

int sampler_restore(struct sampler *sampler, const uint64_t *words, struct error *err) {
    size_t tasks = (size_t)sampler->tasks;
    int64_t chosen, pending;
    memcpy(&chosen, words, 8);
    memcpy(&pending, words + 1, 8);
    bool sound = chosen >= 0 && pending >= -1 && pending < sampler->tasks;
    for (size_t k = 0; k < tasks && sound; k++) {
        int64_t used;
        double credit;
        memcpy(&used, words + 2 + k, 8);
        memcpy(&credit, words + 2 + tasks + k, 8);
        sound = used >= 0 && isfinite(credit);
    }
    if (!sound) return error_set(err, ERROR_INPUT, "the saved state of the sampler is damaged");
    sampler->chosen = chosen;
    sampler->pending = pending;
    memcpy(sampler->used, words + 2, 8 * tasks);
    memcpy(sampler->credit, words + 2 + tasks, 8 * tasks);
    return 0;
}

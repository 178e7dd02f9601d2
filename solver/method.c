#include "solver/method.h"

#include "base/memory.h"
#include "solver/adapt.h"
#include "solver/simplex.h"
#include "solver/static_methods.h"
#include <math.h>
#include <string.h>

const struct method *const *method_list(void) {
    static const struct method *const list[] = {
        &method_uniform, &method_proportional, &method_temperature, &method_stratified, &method_adapt, NULL,
    };
    return list;
}

const struct method *method_find(const char *name) {
    for (const struct method *const *method = method_list(); *method; method++) {
        if (!strcmp((*method)->name, name)) return *method;
    }
    return NULL;
}

/* The numbers stand in one array, which is also what a checkpoint holds:
 * [has_reference][share][reference][method's state]. */
struct mixture {
    const struct method *method;
    void *settings;
    struct method_signal_plan plan;
    int tasks;
    size_t count;    /* doubles in use */
    double *numbers; /* [count] */
    double *scratch; /* [count] where an update works before it is accepted */
};

enum { SHARE_AT = 1 };
static size_t reference_at(const struct mixture *mixture) {
    return SHARE_AT + (size_t)mixture->tasks;
}
static size_t state_at(const struct mixture *mixture) {
    return reference_at(mixture) + (size_t)mixture->tasks;
}

/* The plan points to the reference only while there is one and the objective compares. */
static void link_reference(struct mixture *mixture) {
    bool compares = mixture->plan.worst_case.objective != OBJECTIVE_LOSS;
    mixture->plan.worst_case.reference =
        compares && mixture->numbers[0] != 0.0 ? mixture->numbers + reference_at(mixture) : NULL;
}

static int start(struct mixture *mixture, const void *settings, const struct method_problem *problem,
                 struct error *err) {
    const struct method *method = mixture->method;
    mixture->count = state_at(mixture) + (method->state_doubles ? method->state_doubles(mixture->tasks) : 0);
    TRY(memory_alloc(&mixture->settings, 1, method->settings_bytes, err));
    TRY(memory_alloc(&mixture->numbers, mixture->count, sizeof(double), err));
    TRY(memory_alloc(&mixture->scratch, mixture->count, sizeof(double), err));
    memcpy(mixture->settings, settings, method->settings_bytes);
    if (method->plan) mixture->plan = method->plan(mixture->settings);
    double *share = mixture->numbers + SHARE_AT;
    return method->start(mixture->settings, problem, mixture->numbers + state_at(mixture), share, err);
}

int mixture_create(const struct method *method, const void *settings, const struct method_problem *problem,
                   struct mixture **out, struct error *err) {
    *out = NULL;
    if (problem->tasks < 1) return error_set(err, ERROR_INPUT, "a mixture needs at least one task");
    for (int k = 0; k < problem->tasks; k++) {
        if (!(problem->size[k] > 0.0) || isinf(problem->size[k]))
            return error_set(err, ERROR_INPUT, "task %d: its size is %g (expected a positive number)", k,
                             problem->size[k]);
    }
    if (method->validate) TRY(method->validate(settings, err));
    struct mixture *mixture;
    TRY(memory_alloc(&mixture, 1, sizeof *mixture, err));
    mixture->method = method;
    mixture->tasks = problem->tasks;
    int code = start(mixture, settings, problem, err);
    if (code) {
        mixture_destroy(&mixture);
    } else {
        *out = mixture;
    }
    return code;
}

void mixture_destroy(struct mixture **mixture) {
    if (!*mixture) return;
    memory_free((*mixture)->settings);
    memory_free((*mixture)->numbers);
    memory_free((*mixture)->scratch);
    memory_free(*mixture);
    *mixture = NULL;
}

const double *mixture_shares(const struct mixture *mixture) {
    return mixture->numbers + SHARE_AT;
}

const struct method_signal_plan *mixture_plan(const struct mixture *mixture) {
    return &mixture->plan;
}

bool mixture_due(const struct mixture *mixture, int64_t step) {
    return mixture->plan.interval > 0 && step % mixture->plan.interval == 0;
}

int mixture_set_reference(struct mixture *mixture, const double *reference, struct error *err) {
    bool positive = mixture->plan.worst_case.objective == OBJECTIVE_RATIO;
    for (int k = 0; k < mixture->tasks; k++) {
        if (!isfinite(reference[k]) || (positive && reference[k] <= 0.0))
            return error_set(err, ERROR_NUMERIC, "task %d: its reference loss is %g (expected a %s number)",
                             k, reference[k], positive ? "positive" : "finite");
    }
    memcpy(mixture->numbers + reference_at(mixture), reference, (size_t)mixture->tasks * sizeof *reference);
    mixture->numbers[0] = 1.0;
    link_reference(mixture);
    return 0;
}

/* A point on the simplex, up to rounding. */
static bool is_mixture(int tasks, const double *share) {
    const double tolerance = 1e-12;
    double sum = 0.0;
    for (int k = 0; k < tasks; k++) {
        if (!(share[k] >= 0.0)) return false;
        sum += share[k];
    }
    return fabs(sum - 1.0) <= tolerance;
}

static int check_signal(const struct mixture *mixture, const struct method_signal *signal,
                        struct error *err) {
    unsigned needs = mixture->plan.needs;
    if ((needs & METHOD_NEEDS_REFERENCE_LOSS) && !mixture->plan.worst_case.reference)
        return error_set(err, ERROR_INTERNAL, "%s: an update before the reference losses are known",
                         mixture->method->name);
    if (!(signal->learning_rate >= 0.0) || isinf(signal->learning_rate))
        return error_set(err, ERROR_NUMERIC, "the learning rate of an update is %g", signal->learning_rate);
    for (int k = 0; k < mixture->tasks; k++) {
        if ((needs & METHOD_NEEDS_VALIDATION_LOSS) && !isfinite(signal->validation_loss[k]))
            return error_set(err, ERROR_NUMERIC, "task %d: its validation loss is %g", k,
                             signal->validation_loss[k]);
        if ((needs & METHOD_NEEDS_ALIGNMENT) && isinf(signal->alignment[k]))
            return error_set(err, ERROR_NUMERIC, "task %d: its alignment is %g", k, signal->alignment[k]);
    }
    return 0;
}

int mixture_update(struct mixture *mixture, const struct method_signal *signal, struct error *err) {
    if (!mixture->method->update)
        return error_set(err, ERROR_INTERNAL, "%s: a static method was given a signal",
                         mixture->method->name);
    TRY(check_signal(mixture, signal, err));
    memcpy(mixture->scratch, mixture->numbers, mixture->count * sizeof(double));
    double *share = mixture->scratch + SHARE_AT, *state = mixture->scratch + state_at(mixture);
    TRY(mixture->method->update(mixture->settings, &mixture->plan.worst_case, mixture->tasks, signal, state,
                                share, err));
    if (!is_mixture(mixture->tasks, share))
        return error_set(err, ERROR_NUMERIC, "%s: an update left the simplex", mixture->method->name);
    memcpy(mixture->numbers, mixture->scratch, mixture->count * sizeof(double));
    return 0;
}

struct mixture_view mixture_view(const struct mixture *mixture) {
    struct mixture_view view = {.share = mixture_shares(mixture), .objective = NAN};
    view.entropy = simplex_entropy(mixture->tasks, view.share);
    const double *state = mixture->numbers + state_at(mixture);
    if (mixture->method->view) mixture->method->view(mixture->settings, mixture->tasks, state, &view);
    return view;
}

size_t mixture_state_count(const struct mixture *mixture) {
    return mixture->count;
}

void mixture_state_save(const struct mixture *mixture, double *out) {
    memcpy(out, mixture->numbers, mixture->count * sizeof *out);
}

int mixture_state_load(struct mixture *mixture, const double *state, size_t count, struct error *err) {
    if (count != mixture->count)
        return error_set(err, ERROR_INPUT, "the saved state of %s holds %zu numbers (expected %zu)",
                         mixture->method->name, count, mixture->count);
    if (!is_mixture(mixture->tasks, state + SHARE_AT))
        return error_set(err, ERROR_INPUT, "the saved state of %s holds no mixture", mixture->method->name);
    memcpy(mixture->numbers, state, count * sizeof *state);
    link_reference(mixture);
    return 0;
}

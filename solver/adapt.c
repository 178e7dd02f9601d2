#include "solver/adapt.h"

#include "solver/simplex.h"
#include <math.h>

/* ---- settings */

static const char *const objectives[] = {"loss", "excess", "ratio", NULL};
static const char *const updates[] = {"mirror", "softmax", NULL};
static const char *const lookaheads[] = {"none", "exact", NULL};
static const char *const preconditions[] = {"none", "adamw", NULL};
static const char *const normalisations[] = {"mean", "none", NULL};
static const char *const optimizers[] = {"sgd", "adam", NULL};

#define FIELD(name) offsetof(struct adapt_settings, name)
static const struct setting settings_table[] = {
    {"temperature", SETTING_REAL, FIELD(temperature), 1.0, 0.0, 1e9, NULL, NULL,
     "smoothness of the worst case, in the objective's unit: 0 is the hard worst case, a large value the "
     "mean"},
    {"entropy", SETTING_REAL, FIELD(entropy), 0.3, 0.0, 1e6, NULL, NULL,
     "weight of the mixture's entropy in the objective, against collapse"},
    {"floor", SETTING_REAL, FIELD(floor), 0.02, 0.0, 0.999, NULL, NULL,
     "part of the mixture that is shared equally by all tasks, whatever is learned"},
    {"rate", SETTING_REAL, FIELD(rate), 0.05, 0.0, 1e12, NULL, NULL, "step size on the logits"},
    {"averaging", SETTING_REAL, FIELD(averaging), 0.7, 0.0, 0.999, NULL, NULL,
     "share of the old value in the moving average of (normalised) alignments"},
    {"interval", SETTING_COUNT, FIELD(interval), 10, 1, 1e9, NULL, NULL, "steps from one update to the next"},
    {"probe", SETTING_COUNT, FIELD(probe), 2, 1, 1e6, NULL, NULL,
     "training examples of every task in an update step, at least"},
    {"validation_batch", SETTING_COUNT, FIELD(validation_batch), 4, 1, 1e6, NULL, NULL,
     "validation examples of every task for an update"},
    {"objective", SETTING_CHOICE, FIELD(objective), OBJECTIVE_LOSS, 0, 0, objectives, NULL,
     "what the worst case is taken of: the loss, its excess over the reference, or its ratio to it"},
    {"update", SETTING_CHOICE, FIELD(update), ADAPT_MIRROR, 0, 0, updates, NULL,
     "rule on the simplex: exponentiated gradient, or gradient descent through the softmax"},
    {"lookahead", SETTING_CHOICE, FIELD(lookahead), LOOKAHEAD_NONE, 0, 0, lookaheads, NULL,
     "where validation losses and gradients are taken: at the current weights, or after a trial step"},
    {"precondition", SETTING_CHOICE, FIELD(precondition), PRECONDITION_ADAMW, 0, 0, preconditions, NULL,
     "whether alignments account for AdamW's scaling of the step"},
    {"normalise", SETTING_CHOICE, FIELD(normalise), ADAPT_NORMALISE_MEAN, 0, 0, normalisations, NULL,
     "whether alignments are divided by their mean absolute value"},
    {"optimizer", SETTING_CHOICE, FIELD(optimizer), ADAPT_SGD, 0, 0, optimizers, NULL,
     "how the gradient moves the logits"},
    {0},
};
#undef FIELD

static int validate(const void *opaque, struct error *err) {
    const struct adapt_settings *settings = opaque;
    /* A normalised gradient is of order 1: a step beyond that is a slip, while raw gradients (of the size of
     * the learning rate) need rates of 1e3 and more. */
    if (settings->normalise == ADAPT_NORMALISE_MEAN && settings->rate > 1.0) {
        return error_set(err, ERROR_INPUT,
                         "rate: %.15g is out of range (0 <= rate <= 1 where alignments are normalised; "
                         "\"normalise\": \"none\" lifts the bound)",
                         settings->rate);
    }
    return 0;
}

static struct method_signal_plan plan(const void *opaque) {
    const struct adapt_settings *settings = opaque;
    bool compares = settings->objective != OBJECTIVE_LOSS;
    return (struct method_signal_plan){
        .needs = METHOD_NEEDS_VALIDATION_LOSS | METHOD_NEEDS_ALIGNMENT |
                 (compares ? METHOD_NEEDS_REFERENCE_LOSS : 0u),
        .interval = settings->interval,
        .probe = settings->probe,
        .validation_batch = settings->validation_batch,
        .lookahead = settings->lookahead,
        .precondition = settings->precondition,
        .worst_case = {.temperature = settings->temperature, .objective = settings->objective},
    };
}

/* ---- gradients */

double adapt_objective(const struct adapt_settings *settings, const struct worst_case *worst_case, int tasks,
                       const double *loss, const double *share) {
    return worst_case_objective(worst_case, tasks, loss, NULL) -
           settings->entropy * simplex_entropy(tasks, share);
}

/* What alignments are multiplied by to become the outer objective's pull on the shares: eta, or one over
 * their mean size (over those that were measured). */
static double pull_factor(const struct adapt_settings *settings, int tasks, double learning_rate,
                          const double *alignment) {
    if (settings->normalise == ADAPT_NORMALISE_NONE) return learning_rate;
    int measured = 0;
    double mean = 0.0;
    for (int k = 0; k < tasks; k++) measured += !isnan(alignment[k]);
    for (int k = 0; k < tasks; k++) {
        if (!isnan(alignment[k])) mean += fabs(alignment[k]) / measured;
    }
    return mean != 0.0 ? 1.0 / mean : 0.0;
}

/* dJ/dp from factor * alignment; `out` may be `share`. */
static void share_gradient(const struct adapt_settings *settings, int tasks, double factor,
                           const double *alignment, const double *share, double *out) {
    for (int k = 0; k < tasks; k++) {
        double entropy_part = settings->entropy > 0.0 ? settings->entropy * (log(share[k]) + 1.0) : 0.0;
        out[k] = entropy_part - factor * alignment[k];
    }
}

/* dJ/dphi from factor * alignment. */
static void logit_gradient(const struct adapt_settings *settings, int tasks, double factor,
                           const double *alignment, const double *logits, double *out) {
    simplex_floored(tasks, logits, settings->floor, out);
    share_gradient(settings, tasks, factor, alignment, out, out);
    simplex_pullback(tasks, logits, settings->floor, out, out);
}

void adapt_share_gradient(const struct adapt_settings *settings, int tasks, double learning_rate,
                          const double *alignment, const double *share, double *out) {
    double factor = pull_factor(settings, tasks, learning_rate, alignment);
    share_gradient(settings, tasks, factor, alignment, share, out);
}

void adapt_logit_gradient(const struct adapt_settings *settings, int tasks, double learning_rate,
                          const double *alignment, const double *logits, double *out) {
    double factor = pull_factor(settings, tasks, learning_rate, alignment);
    logit_gradient(settings, tasks, factor, alignment, logits, out);
}

/* ---- state */

enum { SCALARS = 2 };

/* Where everything stands in the state's doubles. */
struct state {
    double *logits;    /* [tasks] phi, centred */
    double *pull;      /* [tasks] averaged eta * d, or d / mean |d|; NaN: never measured */
    double *gradient;  /* [tasks] of the last update; NaN before */
    double *first;     /* [tasks] Adam's first moment */
    double *second;    /* [tasks] Adam's second moment */
    double *objective; /* J at the last update; NaN before */
    double *updates;   /* how many */
};

static struct state state_of(const double *doubles, int tasks) {
    double *at = (double *)doubles; /* const is the caller's promise: `view` only reads */
    return (struct state){at,
                          at + tasks,
                          at + 2 * (size_t)tasks,
                          at + 3 * (size_t)tasks,
                          at + 4 * (size_t)tasks,
                          at + 5 * (size_t)tasks,
                          at + 5 * (size_t)tasks + 1};
}

static size_t state_doubles(int tasks) {
    return 5 * (size_t)tasks + SCALARS;
}

static int start(const void *opaque, const struct method_problem *problem, double *doubles, double *share,
                 struct error *err) {
    (void)err;
    const struct adapt_settings *settings = opaque;
    struct state state = state_of(doubles, problem->tasks);
    for (int k = 0; k < problem->tasks; k++) {
        state.logits[k] = state.first[k] = state.second[k] = 0.0;
        state.pull[k] = state.gradient[k] = NAN;
    }
    *state.objective = NAN;
    *state.updates = 0.0;
    simplex_floored(problem->tasks, state.logits, settings->floor, share);
    return 0;
}

static void view(const void *settings, int tasks, const double *doubles, struct mixture_view *out) {
    (void)settings;
    struct state state = state_of(doubles, tasks);
    out->logits = state.logits;
    out->alignment = state.pull;
    out->meta_gradient = state.gradient;
    out->objective = *state.objective;
}

/* ---- update */

/* Each measurement is scaled before it is averaged: alignments shrink by orders of magnitude in the first
 * steps of a run, and an average of raw ones would repeat the first for a long time. */
static void average_pulls(double keep, int tasks, double factor, const double *alignment, double *average) {
    for (int k = 0; k < tasks; k++) {
        if (isnan(alignment[k])) continue;
        double pull = factor * alignment[k];
        average[k] = isnan(average[k]) ? pull : keep * average[k] + (1.0 - keep) * pull;
    }
}

/* A task that was never measured counts as an average one: neither drawn nor pushed away. */
static void fill_pulls(int tasks, const double *average, double *out) {
    double sum = 0.0;
    int measured = 0;
    for (int k = 0; k < tasks; k++) {
        if (isnan(average[k])) continue;
        sum += average[k];
        measured++;
    }
    for (int k = 0; k < tasks; k++) {
        out[k] = !isnan(average[k]) ? average[k] : measured ? sum / measured : 0.0;
    }
}

/* Adam (Kingma & Ba 2015) with its usual constants; turns `gradient` into the step to take at rate 1. */
static void adam_direction(int tasks, double count, double *first, double *second, double *gradient) {
    const double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    double correction1 = 1.0 - pow(beta1, count), correction2 = 1.0 - pow(beta2, count);
    for (int k = 0; k < tasks; k++) {
        first[k] = beta1 * first[k] + (1.0 - beta1) * gradient[k];
        second[k] = beta2 * second[k] + (1.0 - beta2) * gradient[k] * gradient[k];
        gradient[k] = first[k] / correction1 / (sqrt(second[k] / correction2) + epsilon);
    }
}

/* How far below the largest a logit may lie. Below the floor's share a logit moves p no more, but every
 * further step down would have to be taken back before the task returns; without a floor the bound keeps log
 * p finite. */
static double logit_range(double floor, int tasks) {
    const double margin = 3.0, least = 700.0;
    return floor > 0.0 ? fmin(log(tasks / floor) + margin, least) : least;
}

static int update(const void *opaque, const struct worst_case *worst_case, int tasks,
                  const struct method_signal *signal, double *doubles, double *share, struct error *err) {
    const struct adapt_settings *settings = opaque;
    struct state state = state_of(doubles, tasks);
    *state.objective = adapt_objective(settings, worst_case, tasks, signal->validation_loss, share);
    if (!isfinite(*state.objective))
        return error_set(err, ERROR_NUMERIC, "the outer objective is not finite");

    /* `share` is rewritten at the end and serves as scratch space for the step until then. */
    double *step = share;
    double factor = pull_factor(settings, tasks, signal->learning_rate, signal->alignment);
    average_pulls(settings->averaging, tasks, factor, signal->alignment, state.pull);
    fill_pulls(tasks, state.pull, step);
    if (settings->update == ADAPT_SOFTMAX) {
        logit_gradient(settings, tasks, 1.0, step, state.logits, state.gradient);
    } else {
        simplex_floored(tasks, state.logits, settings->floor, state.gradient);
        share_gradient(settings, tasks, 1.0, step, state.gradient, state.gradient);
    }
    for (int k = 0; k < tasks; k++) {
        if (!isfinite(state.gradient[k]))
            return error_set(err, ERROR_NUMERIC, "task %d: the meta-gradient is not finite", k);
        step[k] = state.gradient[k];
    }

    *state.updates += 1.0;
    simplex_centre(tasks, step);
    if (settings->optimizer == ADAPT_ADAM)
        adam_direction(tasks, *state.updates, state.first, state.second, step);
    for (int k = 0; k < tasks; k++) state.logits[k] -= settings->rate * step[k];
    simplex_limit(tasks, state.logits, logit_range(settings->floor, tasks));
    simplex_floored(tasks, state.logits, settings->floor, share);
    return 0;
}

const struct method method_adapt = {
    .name = "adapt",
    .meaning = "meta-gradients of a smooth worst-case validation objective (arXiv:2512.04555)",
    .settings = settings_table,
    .settings_bytes = sizeof(struct adapt_settings),
    .validate = validate,
    .plan = plan,
    .state_doubles = state_doubles,
    .start = start,
    .update = update,
    .view = view,
};

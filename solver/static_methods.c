#include "solver/static_methods.h"

#include "solver/simplex.h"
#include <math.h>

/* p_k ~ size_k^exponent, by logarithms so that no size and no exponent overflows. */
static void power_shares(const struct method_problem *problem, double exponent, double *share) {
    for (int k = 0; k < problem->tasks; k++) share[k] = exponent * log(problem->size[k]);
    simplex_softmax(problem->tasks, share, share);
}

static int start_uniform(const void *settings, const struct method_problem *problem, double *state,
                         double *share, struct error *err) {
    (void)settings, (void)state, (void)err;
    power_shares(problem, 0.0, share);
    return 0;
}

static int start_proportional(const void *settings, const struct method_problem *problem, double *state,
                              double *share, struct error *err) {
    (void)settings, (void)state, (void)err;
    power_shares(problem, 1.0, share);
    return 0;
}

static int start_temperature(const void *opaque, const struct method_problem *problem, double *state,
                             double *share, struct error *err) {
    (void)state, (void)err;
    const struct temperature_settings *settings = opaque;
    power_shares(problem, 1.0 / settings->temperature, share);
    return 0;
}

static int start_stratified(const void *opaque, const struct method_problem *problem, double *state,
                            double *share, struct error *err) {
    (void)state, (void)err;
    const struct stratified_settings *settings = opaque;
    power_shares(problem, settings->mixture == STRATIFIED_PROPORTIONAL ? 1.0 : 0.0, share);
    return 0;
}

static const struct setting no_settings[] = {{0}};

static const struct setting temperature_table[] = {
    {"temperature", SETTING_REAL, offsetof(struct temperature_settings, temperature), 5.0, 0.01, 1e9, NULL,
     NULL,
     "shares go with the tasks' sizes to the power of one over this: 1 is proportional, a large value "
     "uniform"},
    {0},
};

static const char *const stratified_mixtures[] = {"uniform", "proportional", NULL};
static const struct setting stratified_table[] = {
    {"mixture", SETTING_CHOICE, offsetof(struct stratified_settings, mixture), STRATIFIED_UNIFORM, 0, 0,
     stratified_mixtures, NULL, "the shares whose quotas are kept"},
    {0},
};

const struct method method_uniform = {
    .name = "uniform",
    .meaning = "the same share for every task",
    .settings = no_settings,
    .settings_bytes = 1,
    .start = start_uniform,
};

const struct method method_proportional = {
    .name = "proportional",
    .meaning = "shares proportional to the sizes of the training pools",
    .settings = no_settings,
    .settings_bytes = 1,
    .start = start_proportional,
};

const struct method method_temperature = {
    .name = "temperature",
    .meaning = "shares proportional to size^(1/T), between proportional and uniform",
    .settings = temperature_table,
    .settings_bytes = sizeof(struct temperature_settings),
    .start = start_temperature,
};

/* Aioli (Chen et al. 2024, arXiv:2411.05735) found that no earlier method reliably beats stratified sampling.
 */
const struct method method_stratified = {
    .name = "stratified",
    .meaning = "fixed shares kept by exact quotas instead of random draws",
    .quota = true,
    .settings = stratified_table,
    .settings_bytes = sizeof(struct stratified_settings),
    .start = start_stratified,
};

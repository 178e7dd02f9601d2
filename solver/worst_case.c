#include "solver/worst_case.h"

#include <math.h>
#include <stddef.h>

double worst_case_value(const struct worst_case *worst_case, int task, double loss, double *slope) {
    double value = loss, factor = 1.0;
    switch (worst_case->objective) {
    case OBJECTIVE_EXCESS: value = loss - worst_case->reference[task]; break;
    case OBJECTIVE_RATIO:
        factor = 1.0 / worst_case->reference[task];
        value = loss * factor;
        break;
    default: break;
    }
    if (slope) *slope = factor;
    return value;
}

/* exp(difference / T) for a difference <= 0, and its limit at T = 0. */
static double decay(double difference, double temperature) {
    if (temperature > 0.0) return exp(difference / temperature);
    return difference < 0.0 ? 0.0 : exp(difference); /* 1, or NaN for NaN */
}

double worst_case_objective(const struct worst_case *worst_case, int tasks, const double *loss,
                            double *weight) {
    double temperature = worst_case->temperature, maximum = -INFINITY;
    for (int k = 0; k < tasks; k++) {
        double value = worst_case_value(worst_case, k, loss[k], NULL);
        if (value > maximum || isnan(value)) maximum = value; /* a NaN stays */
    }
    /* T log mean exp((v - max) / T) with expm1 and log1p: for large T the exponentials are all near 1, and T
     * times a rounding error of their logarithm would drown the mean. */
    double sum = 0.0, sum_less_one = 0.0;
    for (int k = 0; k < tasks; k++) {
        double below = worst_case_value(worst_case, k, loss[k], NULL) - maximum;
        double term = decay(below, temperature);
        sum += term;
        if (temperature > 0.0) sum_less_one += expm1(below / temperature);
        if (weight) weight[k] = term;
    }
    for (int k = 0; weight && k < tasks; k++) weight[k] /= sum;
    return temperature > 0.0 ? maximum + temperature * log1p(sum_less_one / tasks) : maximum;
}

struct worst_case_sum worst_case_sum_empty(void) {
    return (struct worst_case_sum){.maximum = -INFINITY, .sum = 0.0};
}

double worst_case_sum_add(struct worst_case_sum *sum, double temperature, double value, double *rescale) {
    double weight = 1.0;
    *rescale = 1.0;
    if (value <= sum->maximum) {
        weight = decay(value - sum->maximum, temperature);
    } else { /* a new maximum, or NaN, which spreads */
        *rescale = worst_case_sum_factor(sum, temperature, value);
        sum->maximum = value;
    }
    sum->sum = sum->sum * *rescale + weight;
    return weight;
}

double worst_case_sum_factor(const struct worst_case_sum *part, double temperature, double maximum) {
    if (part->maximum == -INFINITY) return 0.0;
    return decay(part->maximum - maximum, temperature);
}

#include "solver/simplex.h"

#include <math.h>

static double largest(int n, const double *values) {
    double maximum = values[0];
    for (int k = 1; k < n; k++) maximum = fmax(maximum, values[k]);
    return maximum;
}

void simplex_softmax(int n, const double *logits, double *share) {
    simplex_floored(n, logits, 0.0, share);
}

void simplex_floored(int n, const double *logits, double floor, double *share) {
    double maximum = largest(n, logits), sum = 0.0;
    for (int k = 0; k < n; k++) {
        share[k] = exp(logits[k] - maximum);
        sum += share[k];
    }
    double factor = (1.0 - floor) / sum, least = floor / n;
    for (int k = 0; k < n; k++) share[k] = share[k] * factor + least;
}

void simplex_pullback(int n, const double *logits, double floor, const double *share_gradient, double *out) {
    double maximum = largest(n, logits), sum = 0.0, mean = 0.0;
    for (int k = 0; k < n; k++) {
        double weight = exp(logits[k] - maximum);
        sum += weight;
        mean += weight * share_gradient[k];
    }
    mean /= sum;
    for (int k = 0; k < n; k++) {
        out[k] = (1.0 - floor) * (exp(logits[k] - maximum) / sum) * (share_gradient[k] - mean);
    }
}

double simplex_entropy(int n, const double *share) {
    double entropy = 0.0;
    for (int k = 0; k < n; k++) {
        if (share[k] != 0.0) entropy -= share[k] * log(share[k]);
    }
    return entropy;
}

void simplex_centre(int n, double *values) {
    double mean = 0.0;
    for (int k = 0; k < n; k++) mean += values[k] / n;
    for (int k = 0; k < n; k++) values[k] -= mean;
}

void simplex_limit(int n, double *logits, double range) {
    double least = largest(n, logits) - range;
    for (int k = 0; k < n; k++) {
        if (logits[k] < least) logits[k] = least;
    }
    simplex_centre(n, logits);
}

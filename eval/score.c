#include "eval/score.h"

#include <math.h>

int choose_likeliest(const struct document *document, const double *log_likelihood) {
    int best = 0;
    for (int i = 1; i < document->requests; i++) {
        if (log_likelihood[i] > log_likelihood[best]) best = i;
    }
    return best;
}

int choose_likeliest_by_length(const struct document *document, const double *log_likelihood) {
    int best = 0;
    for (int i = 1; i < document->requests; i++) {
        if (log_likelihood[i] / document->points[i] > log_likelihood[best] / document->points[best]) best = i;
    }
    return best;
}

void score_mean(const double *values, size_t n, size_t stride, double *mean, double *standard_error) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) sum += values[i * stride];
    *mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) {
        double difference = values[i * stride] - *mean;
        squares += difference * difference;
    }
    *standard_error = n > 1 ? sqrt(squares / (double)(n - 1)) / sqrt((double)n) : NAN;
}

#include "runner/report/statistics.h"

#include <math.h>

/* P(|T| <= t) for `freedom` degrees of freedom. */
static double two_sided(double t, int freedom) {
    double angle = atan(t / sqrt(freedom)), cosine = cos(angle), sine = sin(angle);
    double term, sum;
    if (freedom % 2) {
        sum = term = freedom > 1 ? cosine : 0.0;
        for (int k = 3; k <= freedom - 2; k += 2) sum += term *= cosine * cosine * (k - 1) / k;
        return 2.0 / M_PI * (angle + sine * sum);
    }
    sum = term = 1.0;
    for (int k = 2; k <= freedom - 2; k += 2) sum += term *= cosine * cosine * (k - 1) / k;
    return sine * sum;
}

double student_quantile(double probability, int freedom) {
    double inside = 2.0 * probability - 1.0, low = 0.0, high = 1.0;
    while (two_sided(high, freedom) < inside && high < 1e300) high *= 2.0;
    for (int i = 0; i < 200 && high - low > 1e-13 * high; i++) {
        double middle = 0.5 * (low + high);
        if (two_sided(middle, freedom) < inside) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return 0.5 * (low + high);
}

struct interval interval_of(const double *values, int count) {
    struct interval interval = {.mean = 0.0, .half = NAN};
    double squares = 0.0;
    for (int i = 0; i < count; i++) {
        if (isnan(values[i])) continue;
        interval.mean += values[i];
        interval.n++;
    }
    interval.mean = interval.n ? interval.mean / interval.n : NAN;
    for (int i = 0; i < count; i++) {
        if (!isnan(values[i])) squares += (values[i] - interval.mean) * (values[i] - interval.mean);
    }
    if (interval.n > 1) {
        double deviation = sqrt(squares / (interval.n - 1));
        interval.half = student_quantile(0.975, interval.n - 1) * deviation / sqrt(interval.n);
    }
    return interval;
}

bool interval_excludes_zero(struct interval interval) {
    return fabs(interval.mean) > interval.half; /* false for NaN */
}

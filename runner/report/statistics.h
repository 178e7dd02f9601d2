/* Small-sample statistics: means with confidence intervals by Student's t. */
#ifndef ADAPT_RUNNER_STATISTICS_H
#define ADAPT_RUNNER_STATISTICS_H

#include <stdbool.h>

/* The quantile of Student's t distribution: P(T <= t) = probability, 0.5 <= probability < 1, freedom >= 1.
 * From the closed forms of the distribution function for whole degrees of freedom (Abramowitz & Stegun 26.7.3
 * and 26.7.4), by bisection; 12 digits. */
double student_quantile(double probability, int freedom);

/* The mean of n values and the half-width of its 95 % confidence interval. */
struct interval {
    double mean; /* NaN for n = 0 */
    double half; /* NaN for n < 2 */
    int n;
};

/* Of those values[count] that are not NaN. */
struct interval interval_of(const double *values, int count);

/* True if the interval is known and does not contain 0. */
bool interval_excludes_zero(struct interval interval);

#endif

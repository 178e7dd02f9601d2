/* How fast this machine is. */
#ifndef ADAPT_RUNNER_MATMUL_RATE_H
#define ADAPT_RUNNER_MATMUL_RATE_H

#include "train/backend.h"

/* Measures matrix products on the device for about `seconds`; *rate gets floating-point operations a second.
 */
int matmul_rate_measure(struct backend *backend, double seconds, double *rate, struct error *err);

#endif

/* What this machine has. */
#ifndef ADAPT_RUNNER_MACHINE_H
#define ADAPT_RUNNER_MACHINE_H

#include "train/backend.h"

/* Bytes of memory that this process may use: the machine's, or its control group's where that is less (as in
 * a Slurm job). */
double machine_memory(void);

/* Measures matrix products on the device for about `seconds`; *rate gets floating-point operations a second.
 */
int machine_matmul_rate(struct backend *backend, double seconds, double *rate, struct error *err);

#endif

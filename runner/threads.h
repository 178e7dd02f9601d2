/* How many threads each rank should use. */
#ifndef ADAPT_RUNNER_THREADS_H
#define ADAPT_RUNNER_THREADS_H

#include <mpi.h>

/* `asked` if positive; else OMP_NUM_THREADS if set; else this rank's share of the cores it may run on, so that ranks of one node
 * that are not bound to cores of their own do not fight for them. Collective over `world`. */
int threads_per_rank(MPI_Comm world, int asked);
/* The same for a program that runs alone. */
int threads_alone(int asked);

#endif

/* How many threads each rank should use. */
#ifndef ADAPT_RUNNER_THREADS_H
#define ADAPT_RUNNER_THREADS_H

#include <mpi.h>
#include <stdbool.h>

/* `asked` if positive; else OMP_NUM_THREADS if set; else this rank's share of the cores it may run on, so
 * that ranks of one node that are not bound to cores of their own do not fight for them. Collective over
 * `world`. */
int threads_per_rank(MPI_Comm world, int asked);
/* Gives each of the `threads` OpenMP threads but the calling one a CPU of its own, out of those this process
 * may run on: only where the launcher gave it CPUs of its own (fewer than the machine has, and enough) and
 * OMP_PROC_BIND says nothing, as programs that run side by side on all CPUs would meet on the same ones. The
 * calling thread stays free, because threads and programs that it starts inherit its CPUs. True if it did.
 * Not collective. */
bool threads_pin(int threads);
/* The same for a program that runs alone. */
int threads_alone(int asked);

#endif

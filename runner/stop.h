/* Whether this run is to stop: a signal came to this process, or to one of another group of the same world,
 * which then tells the others. Looking never waits. */
#ifndef ADAPT_RUNNER_STOP_H
#define ADAPT_RUNNER_STOP_H

#include "base/error.h"
#include "runner/signals.h"
#include <mpi.h>
#include <stdbool.h>

struct stop;
/* Arms the signals (borrowed). Collective over `world`. */
int stop_create(MPI_Comm world, struct signals *signals, struct stop **out, struct error *err);
/* Collective over the world, after the last look on every rank. *stop may be NULL. */
void stop_destroy(struct stop **stop);

/* Whether to stop; NULL: never. Makes MPI calls: only from the thread that may. */
bool stop_wanted(struct stop *stop);
/* The same from the signals to this process alone: makes no MPI calls. */
bool stop_signalled(const struct stop *stop);
/* Tells every rank of the world, once. */
void stop_tell(struct stop *stop);

#endif

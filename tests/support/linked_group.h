/* Groups of ranks with a device each, for tests of what goes on between them. */
#ifndef ADAPT_TESTS_LINKED_GROUP_H
#define ADAPT_TESTS_LINKED_GROUP_H

#include "runner/link.h"
#include <stdbool.h>

/* A device and the way between its ranks. */
struct linked_case {
    const char *device;
    int link; /* enum link_kind */
};

/* The cases for a program that was told `device` ("cuda", or NULL: devices in the host's memory), ended by a
 * device of NULL. Ends the program as skipped where there is no such device. After MPI_Init. */
const struct linked_case *linked_cases(const char *device);

/* Whether "cuda" is the emulated GPU, of which failures can be asked. */
bool linked_emulated(void);

/* All ranks of MPI_COMM_WORLD with their devices, linked as the case says; ends the test on a failure.
 * Collective. */
void linked_group_open(const struct linked_case *chosen, struct group *group, struct backend **backend);
void linked_group_close(struct group *group, struct backend **backend);

#endif

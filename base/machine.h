/* What this machine has. Its memory is that of the control group (version 2, as in a Slurm job) that this
 * process is in, where that is less. */
#ifndef ADAPT_BASE_MACHINE_H
#define ADAPT_BASE_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes that this process may use in all: the machine's, or its control groups' limit where that is less. */
int64_t machine_memory(void);

/* Bytes that it may still take: what the system calls available, or what its control groups' limits leave
 * where that is less; file pages that were not used lately count as free. 0 where the system does not say. */
int64_t machine_memory_free(void);

/* The CPU's name as the system gives it; "unknown CPU" where it does not. */
enum { MACHINE_NAME_BYTES = 128 };
void machine_cpu(char name[MACHINE_NAME_BYTES]);

/* Whether a process of that number lives, and has not only left its exit status. *birth: when it began, in
 * the kernel's ticks since the machine did, which tells it from others that had its number; 0 where that
 * cannot be seen. */
bool machine_process_lives(long process, unsigned long long *birth);

#endif

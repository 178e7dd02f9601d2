/* Buffers of the cpu backend. */
#ifndef ADAPT_TRAIN_CPU_MEMORY_H
#define ADAPT_TRAIN_CPU_MEMORY_H

#include "base/error.h"
#include <stddef.h>

struct buffer {
    unsigned char *data; /* `bytes` of it, aligned to 256, inside `block` */
    size_t bytes;
    void *block;   /* owned */
    size_t mapped; /* bytes of a block that is a mapping of its own; 0: memory_alloc gave it */
};

/* Zeroed memory; large ones are resident where they were touched, and in huge pages where the system has such. */
int cpu_buffer_create(size_t bytes, struct buffer **out, struct error *err);
void cpu_buffer_destroy(struct buffer **buffer); /* *buffer may be NULL */

#endif

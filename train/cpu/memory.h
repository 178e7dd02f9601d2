/* Buffers of the cpu backend. The memory of large ones is taken as it is touched, in huge pages where the
 * system gives them: a buffer may be as large as the worst case asks for. */
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

/* Zeroed memory. */
int cpu_buffer_create(size_t bytes, struct buffer **out, struct error *err);
void cpu_buffer_destroy(struct buffer **buffer); /* *buffer may be NULL */

#endif

/* Buffers of the cpu backend. The memory of large ones is taken as it is touched, in huge pages where the system
 * gives them: a buffer may be as large as the worst case asks for. */
#ifndef ADAPT_TRAIN_CPU_MEMORY_H
#define ADAPT_TRAIN_CPU_MEMORY_H

#include <stddef.h>

struct buffer {
    unsigned char *data; /* `bytes` of it, aligned to 256, inside `block` */
    size_t bytes;
    void *block;   /* owned */
    size_t mapped; /* bytes of a block that is a mapping of its own; 0: memory_alloc gave it */
};

#endif

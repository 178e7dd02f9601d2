/* Buffers of the cpu backend. */
#ifndef ADAPT_TRAIN_CPU_MEMORY_H
#define ADAPT_TRAIN_CPU_MEMORY_H

#include <stddef.h>

struct buffer {
    unsigned char *data; /* `bytes` of it, aligned to 256, inside `block` */
    size_t bytes;
    void *block; /* owned */
};

#endif

/* What the parts of the safetensors reader share; not for callers. */
#ifndef ADAPT_IO_SAFETENSORS_INTERNAL_H
#define ADAPT_IO_SAFETENSORS_INTERNAL_H

#include "base/memory.h"
#include "io/safetensors/safetensors.h"

/* A growing array of tensors. */
struct safetensors_list {
    struct safetensors_tensor *tensors; /* owned */
    size_t count, capacity;
};

/* Checks a whole file of `length` bytes that `path` names in messages, and appends its tensors in the order
 * of their data; names go to `arena`, `file` is noted in each tensor. */
int safetensors_parse(const char *path, const unsigned char *bytes, size_t length, size_t file,
                      struct arena *arena, struct safetensors_list *list, struct error *err);

#endif

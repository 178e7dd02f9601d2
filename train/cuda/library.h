/* Libraries that are found when they are needed: a program that was built for them also starts where they are
 * absent. */
#ifndef ADAPT_TRAIN_CUDA_LIBRARY_H
#define ADAPT_TRAIN_CUDA_LIBRARY_H

#include <stddef.h>
extern "C" {
#include "base/error.h"
}

/* Opens the shared library `name`; ERROR_DEVICE, with `hint` on where to find it, where there is none. */
int cuda_library_open(const char *name, const char *hint, void **file, struct error *err);
/* Puts the address of a function into *pointer, a pointer of `bytes` to such a function. */
int cuda_library_find(void *file, const char *name, const char *symbol, void *pointer, size_t bytes,
                      struct error *err);

#endif

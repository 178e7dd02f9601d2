/* The backend that a test program's argument names. */
#ifndef ADAPT_TESTS_SUPPORT_BACKEND_TEST_H
#define ADAPT_TESTS_SUPPORT_BACKEND_TEST_H

#include "train/backend.h"

/* As backend_create, with activations in float32 whatever the device prefers; "cuda-bf16" is the GPU with its
 * bfloat16. Ends the program as skipped, with the reason, where a GPU is named and there is none. */
int test_backend_create(const char *name, int threads, struct backend **out, struct error *err);

#endif

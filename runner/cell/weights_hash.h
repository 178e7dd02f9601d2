/* Which weights a model folder holds, for little reading. */
#ifndef ADAPT_RUNNER_WEIGHTS_HASH_H
#define ADAPT_RUNNER_WEIGHTS_HASH_H

#include "base/hash.h"

/* A hash of config.json and of the tensors: name, dtype, shape and up to 4 KiB of each, taken from places all
 * over it. Weights that were trained on, or of another model of the same shape, have another one; it does not
 * depend on the folder's name or times, nor on how the tensors are dealt to files. Reads some pages of each
 * tensor. */
int weights_hash(const char *folder, char hex[HASH_HEX_BYTES], struct error *err);

#endif

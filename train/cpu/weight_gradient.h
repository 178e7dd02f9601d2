/* What a linear layer adds to its weight's gradient, and the inner products of the parts of it with a given
 * direction.
 *
 * The gradient dy^T x is a sum over rows, and the rows of a slot stand together where batches are packed by
 * task. So the product of each run of rows of one slot is made on its own, a tile of W small enough for the
 * cache at a time, where its inner product with the direction is taken before it is added to the gradient:
 * the alignments cost one look at numbers that are there anyway. (The other way, <dy_t, G x_t> for every row
 * t, is one more product as large as the forward pass's; tests/bench/bench_operations compares them.) */
#ifndef ADAPT_TRAIN_CPU_WEIGHT_GRADIENT_H
#define ADAPT_TRAIN_CPU_WEIGHT_GRADIENT_H

#include "train/cpu/gemm.h"
#include <stddef.h>
#include <stdint.h>

struct weight_gradient {
    int rows, out, in;
    const float *input;           /* x [rows,in] */
    const float *output_gradient; /* dy [rows,out] */
    float *gradient;              /* [out,in], added to; NULL: not wanted */
    const float *direction;       /* [out,in]; NULL: no alignments, and the following are not looked at */
    const int32_t *slot;          /* [rows] */
    double *alignment;            /* [slots], added to */
};

/* Bytes of scratch memory for alignments of up to so many rows. */
size_t weight_gradient_scratch(int threads, int rows);

/* rows, out and in are positive. `scratch` is aligned to 64. The order of all additions follows from the
 * shape and the slots alone, except inside the library. 0, or the GEMM library's status. */
int weight_gradient_add(struct gemm *gemm, int threads, const struct weight_gradient *args, void *scratch);

#endif

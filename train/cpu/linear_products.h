/* Products x W^T by oneDNN's matmul, which is made for a shape before it is used: those that were made are
 * kept. */
#ifndef ADAPT_TRAIN_CPU_LINEAR_PRODUCTS_H
#define ADAPT_TRAIN_CPU_LINEAR_PRODUCTS_H

#include "base/error.h"

/* C[m,n] = A[m,k] B[n,k]^T + beta C, with leading dimensions of the stored rows. */
struct linear_shape {
    int m, n, k, lda, ldb, ldc;
    float beta;
};

struct linear_products;

int linear_products_create(struct linear_products **out, struct error *err);
void linear_products_destroy(struct linear_products **products); /* *products may be NULL */

/* On as many threads as OpenMP offers, which must be the same at every call. Allocates when a shape is new.
 * 0, or oneDNN's status. */
int linear_products_multiply(struct linear_products *products, const struct linear_shape *shape,
                             const float *a, const float *b, float *c);

#endif

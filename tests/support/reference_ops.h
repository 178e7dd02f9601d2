/* The operations of train/backend.h once more, as plain loops in double: what every backend is compared with.
 * Arguments as there; indices are doubles too, as arrays of op_test.h hold them. */
#ifndef ADAPT_TESTS_SUPPORT_REFERENCE_OPS_H
#define ADAPT_TESTS_SUPPORT_REFERENCE_OPS_H

#include "train/backend.h"

void reference_matmul(bool transpose_a, bool transpose_b, int m, int n, int k, double alpha, const double *a,
                      int lda, const double *b, int ldb, double beta, double *c, int ldc);

void reference_embed(int rows, int hidden, double factor, const double *ids, const double *table,
                     double *out);
void reference_embed_backward(int rows, int hidden, double factor, const double *ids, const double *dout,
                              double *table_gradient);
void reference_scatter_rows(int rows, int columns, const double *index, const double *from, double *to);
void reference_row_dot(int rows, int columns, const double *x, const double *y, const double *slot,
                       double *alignment);

void reference_rmsnorm(int rows, int columns, double epsilon, double offset, const double *x, const double *w,
                       double *y, double *rstd);
/* dx and dw are added to; dw may be NULL. rstd is computed anew from epsilon. */
void reference_rmsnorm_backward(int rows, int columns, double epsilon, double offset, const double *x,
                                const double *w, const double *dy, double *dx, double *dw);

void reference_rope(int rows, int heads, int head_dim, bool inverse, const double *position,
                    const double *table, double *x);

void reference_attention(const struct attention_shape *shape, const double *q, const double *k,
                         const double *v, double *out, double *lse);
/* dq, dk, dv are added to. */
void reference_attention_backward(const struct attention_shape *shape, const double *q, const double *k,
                                  const double *v, const double *dout, double *dq, double *dk, double *dv);

/* How much gradients are off, at most, for each unit that P, dS, and the P and the output of which <dO, O> is
 * made are off relative to themselves. Added to. */
void reference_attention_roundings(const struct attention_shape *shape, const double *q, const double *k,
                                   const double *v, const double *dout, double *dq, double *dk, double *dv);

/* Rows of the cache that a row does not see are not read. */
void reference_cached_attention(const struct cached_attention_shape *shape, const double *q,
                                const double *keys, const double *values, double *out);

void reference_gated(size_t n, enum activation activation, const double *gate, const double *up, double *out);
void reference_gated_backward(size_t n, enum activation activation, const double *gate, const double *up,
                              const double *dout, double *dgate, double *dup);

/* Outputs that are NULL are skipped; hidden_gradient is overwritten, the others as in the operation. */
struct reference_cross_entropy {
    int rows, hidden, vocabulary;
    const double *hidden_states, *weight, *target, *row_weight, *direction, *slot;
    double *loss, *greedy, *hidden_gradient, *weight_gradient, *alignment;
};
void reference_linear_cross_entropy(const struct reference_cross_entropy *args);

void reference_linear_argmax(int rows, int hidden, int vocabulary, const double *hidden_states,
                             const double *weight, double *best);

void reference_adamw(size_t n, const struct adamw_step *step, double scale, const double *g, double *m,
                     double *v, double *w);
void reference_sgd(size_t n, const struct adamw_step *step, double scale, const double *g, double *w);
void reference_precondition(size_t n, const struct adamw_step *step, const double *v, double *g);

#endif

/* Points on the simplex, parametrised by logits: p = (1 - floor) softmax(phi) + floor / K. */
#ifndef ADAPT_SOLVER_SIMPLEX_H
#define ADAPT_SOLVER_SIMPLEX_H

/* q = softmax(logits) into share[n]; logits finite, of any size. */
void simplex_softmax(int n, const double *logits, double *share);

/* p = (1 - floor) softmax(logits) + floor / n into share[n], 0 <= floor < 1: every share is at least floor /
 * n. */
void simplex_floored(int n, const double *logits, double floor, double *share);

/* Pulls a gradient by the floored shares back to the logits: out_j = (1 - floor) q_j (g_j - sum_i q_i g_i),
 * where q = softmax(logits). `out` may be `share_gradient`. */
void simplex_pullback(int n, const double *logits, double floor, const double *share_gradient, double *out);

/* H(p) = -sum p log p in nats, with 0 log 0 = 0. */
double simplex_entropy(int n, const double *share);

/* Subtracts the mean, which leaves the softmax as it is; for logits, and for gradients by them, whose common
 * part means nothing. */
void simplex_centre(int n, double *values);

/* Lifts logits that are more than `range` below the largest up to that bound, then centres. */
void simplex_limit(int n, double *logits, double range);

#endif

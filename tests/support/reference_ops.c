#include "tests/support/reference_ops.h"

#include <math.h>
#include <stdlib.h>

static size_t at(int row, int column, int stride) {
    return (size_t)row * (size_t)stride + (size_t)column;
}

void reference_matmul(bool transpose_a, bool transpose_b, int m, int n, int k, double alpha, const double *a,
                      int lda, const double *b, int ldb, double beta, double *c, int ldc) {
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            double sum = 0.0;
            for (int l = 0; l < k; l++)
                sum += a[transpose_a ? at(l, i, lda) : at(i, l, lda)] *
                       b[transpose_b ? at(j, l, ldb) : at(l, j, ldb)];
            c[at(i, j, ldc)] = alpha * sum + (beta == 0.0 ? 0.0 : beta * c[at(i, j, ldc)]);
        }
}

void reference_embed(int rows, int hidden, double factor, const double *ids, const double *table,
                     double *out) {
    for (int t = 0; t < rows; t++)
        for (int d = 0; d < hidden; d++) out[at(t, d, hidden)] = factor * table[at((int)ids[t], d, hidden)];
}

void reference_embed_backward(int rows, int hidden, double factor, const double *ids, const double *dout,
                              double *table_gradient) {
    for (int t = 0; t < rows; t++)
        for (int d = 0; d < hidden; d++)
            table_gradient[at((int)ids[t], d, hidden)] += factor * dout[at(t, d, hidden)];
}

void reference_scatter_rows(int rows, int columns, const double *index, const double *from, double *to) {
    for (int t = 0; t < rows; t++)
        for (int d = 0; d < columns; d++) to[at((int)index[t], d, columns)] = from[at(t, d, columns)];
}

void reference_row_dot(int rows, int columns, const double *x, const double *y, const double *slot,
                       double *alignment) {
    for (int t = 0; t < rows; t++)
        for (int d = 0; d < columns; d++)
            alignment[(int)slot[t]] += x[at(t, d, columns)] * y[at(t, d, columns)];
}

static double inverse_root(int columns, double epsilon, const double *x) {
    double squares = 0.0;
    for (int c = 0; c < columns; c++) squares += x[c] * x[c];
    return 1.0 / sqrt(squares / columns + epsilon);
}

void reference_rmsnorm(int rows, int columns, double epsilon, double offset, const double *x, const double *w,
                       double *y, double *rstd) {
    for (int r = 0; r < rows; r++) {
        rstd[r] = inverse_root(columns, epsilon, x + at(r, 0, columns));
        for (int c = 0; c < columns; c++)
            y[at(r, c, columns)] = x[at(r, c, columns)] * rstd[r] * (offset + w[c]);
    }
}

void reference_rmsnorm_backward(int rows, int columns, double epsilon, double offset, const double *x,
                                const double *w, const double *dy, double *dx, double *dw) {
    for (int r = 0; r < rows; r++) {
        double s = inverse_root(columns, epsilon, x + at(r, 0, columns)), inner = 0.0;
        for (int c = 0; c < columns; c++)
            inner += dy[at(r, c, columns)] * (offset + w[c]) * x[at(r, c, columns)];
        for (int c = 0; c < columns; c++) {
            double xc = x[at(r, c, columns)], d = dy[at(r, c, columns)];
            dx[at(r, c, columns)] += s * d * (offset + w[c]) - s * s * s * xc * inner / columns;
            if (dw) dw[c] += d * xc * s;
        }
    }
}

void reference_rope(int rows, int heads, int head_dim, bool inverse, const double *position,
                    const double *table, double *x) {
    int half = head_dim / 2;
    for (int t = 0; t < rows; t++)
        for (int h = 0; h < heads; h++)
            for (int c = 0; c < half; c++) {
                double cosine = table[at((int)position[t], c, head_dim)];
                double sine = table[at((int)position[t], c + half, head_dim)] * (inverse ? -1.0 : 1.0);
                double *first = &x[at(t * heads + h, c, head_dim)], *second = first + half;
                double a = *first, b = *second;
                *first = a * cosine - b * sine;
                *second = a * sine + b * cosine;
            }
}

/* Whether a query at one position sees a key at another of the same run. */
static bool sees(const struct attention_shape *shape, int query_position, int key_position) {
    return key_position <= query_position &&
           (shape->window == 0 || key_position > query_position - shape->window);
}

/* The row of a key at a position of a segment. */
static int key_row(const struct segment *g, int position) {
    return position < g->prefix_length ? g->prefix_start + position : g->start + position - g->prefix_length;
}

static double inner_product(const double *x, const double *y, int n) {
    double sum = 0.0;
    for (int i = 0; i < n; i++) sum += x[i] * y[i];
    return sum;
}

/* weight[position] = softmax over the positions that the query sees, 0 elsewhere; returns log of the
 * denominator. */
static double softmax_weights(const struct attention_shape *shape, const struct segment *g, int row, int head,
                              const double *q, const double *k, double *weight) {
    int width = shape->head_dim, kv_head = head / (shape->heads / shape->kv_heads);
    int position = g->prefix_length + row - g->start, count = g->prefix_length + g->length;
    double largest = -INFINITY, sum = 0.0;
    for (int p = 0; p < count; p++) {
        if (!sees(shape, position, p)) continue;
        weight[p] =
            shape->scale * inner_product(q + at(row * shape->heads + head, 0, width),
                                         k + at(key_row(g, p) * shape->kv_heads + kv_head, 0, width), width);
        if (weight[p] > largest) largest = weight[p];
    }
    for (int p = 0; p < count; p++) {
        weight[p] = sees(shape, position, p) ? exp(weight[p] - largest) : 0.0;
        sum += weight[p];
    }
    for (int p = 0; p < count; p++) weight[p] /= sum;
    return largest + log(sum);
}

void reference_attention(const struct attention_shape *shape, const double *q, const double *k,
                         const double *v, double *out, double *lse) {
    int width = shape->head_dim, group = shape->heads / shape->kv_heads;
    for (int s = 0; s < shape->segments; s++) {
        const struct segment *g = &shape->segment[s];
        double *weight = calloc((size_t)(g->prefix_length + g->length) + 1, sizeof *weight);
        for (int row = g->start; weight && row < g->start + g->length; row++)
            for (int h = 0; h < shape->heads; h++) {
                double *to = out + at(row * shape->heads + h, 0, width);
                lse[at(row, h, shape->heads)] = softmax_weights(shape, g, row, h, q, k, weight);
                for (int c = 0; c < width; c++) to[c] = 0.0;
                for (int p = 0; p < g->prefix_length + g->length; p++) {
                    const double *value = v + at(key_row(g, p) * shape->kv_heads + h / group, 0, width);
                    for (int c = 0; c < width && weight[p] != 0.0; c++) to[c] += weight[p] * value[c];
                }
            }
        free(weight);
    }
}

/* P of a query, and P's gradient P (dP - <dO, O>) without the scale; or, for `roundings`, how much these are
 * off. */
static void differentiate(const struct attention_shape *shape, const struct segment *g, int row, int head,
                          const double *q, const double *k, const double *v, const double *dout,
                          bool roundings, double *weight, double *gradient, double *out) {
    int width = shape->head_dim, group = shape->heads / shape->kv_heads;
    const double *above = dout + at(row * shape->heads + head, 0, width);
    double mean = 0.0, off = 0.0;
    softmax_weights(shape, g, row, head, q, k, weight);
    for (int p = 0; p < g->length; p++) {
        const double *value = v + at((g->start + p) * shape->kv_heads + head / group, 0, width);
        gradient[p] = weight[p] != 0.0 ? inner_product(above, value, width) : 0.0;
        mean += weight[p] * gradient[p];
    }
    for (int c = 0; c < 2 * width; c++) out[c] = 0.0;
    for (int p = 0; p < g->length && roundings; p++)
        for (int c = 0; c < width && weight[p] != 0.0; c++) {
            double part = weight[p] * v[at((g->start + p) * shape->kv_heads + head / group, c, width)];
            out[c] += part;
            out[width + c] += fabs(part);
        }
    for (int c = 0; c < width; c++) off += fabs(above[c]) * (fabs(out[c]) + out[width + c]);
    for (int p = 0; p < g->length; p++)
        gradient[p] = weight[p] * (roundings ? fabs(gradient[p] - mean) + off : gradient[p] - mean);
}

static void add_gradients(const struct attention_shape *shape, const double *q, const double *k,
                          const double *v, const double *dout, bool roundings, double *dq, double *dk,
                          double *dv) {
    int width = shape->head_dim, group = shape->heads / shape->kv_heads;
    const double scale = roundings ? fabs((double)shape->scale) : (double)shape->scale;
    for (int s = 0; s < shape->segments; s++) {
        const struct segment *g = &shape->segment[s];
        double *weight = calloc(2 * (size_t)(g->length + width), sizeof *weight),
               *gradient = weight + g->length, *out = gradient + g->length;
        for (int row = g->start; weight && row < g->start + g->length; row++)
            for (int h = 0; h < shape->heads; h++) {
                size_t query = at(row * shape->heads + h, 0, width);
                differentiate(shape, g, row, h, q, k, v, dout, roundings, weight, gradient, out);
                for (int p = 0; p < g->length; p++) {
                    size_t key = at((g->start + p) * shape->kv_heads + h / group, 0, width);
                    for (int c = 0; c < width && weight[p] != 0.0; c++) {
                        double x = q[query + (size_t)c], y = k[key + (size_t)c], z = dout[query + (size_t)c];
                        dv[key + (size_t)c] += weight[p] * (roundings ? fabs(z) : z);
                        dq[query + (size_t)c] += scale * gradient[p] * (roundings ? fabs(y) : y);
                        dk[key + (size_t)c] += scale * gradient[p] * (roundings ? fabs(x) : x);
                    }
                }
            }
        free(weight);
    }
}

void reference_attention_backward(const struct attention_shape *shape, const double *q, const double *k,
                                  const double *v, const double *dout, double *dq, double *dk, double *dv) {
    add_gradients(shape, q, k, v, dout, false, dq, dk, dv);
}

void reference_attention_roundings(const struct attention_shape *shape, const double *q, const double *k,
                                   const double *v, const double *dout, double *dq, double *dk, double *dv) {
    add_gradients(shape, q, k, v, dout, true, dq, dk, dv);
}

/* Where a position's key or value begins in the cache. */
static size_t cached_key(const struct cached_attention_shape *shape, const struct cached_segment *g,
                         int position, int kv_head) {
    int row = g->page[position / shape->page_rows] * shape->page_rows + position % shape->page_rows;
    return at(row * shape->kv_heads + kv_head, 0, shape->head_dim);
}

void reference_cached_attention(const struct cached_attention_shape *shape, const double *q,
                                const double *keys, const double *values, double *out) {
    int width = shape->head_dim, group = shape->heads / shape->kv_heads;
    for (int s = 0; s < shape->segments; s++) {
        const struct cached_segment *g = &shape->segment[s];
        double *weight = calloc((size_t)(g->past + g->length) + 1, sizeof *weight);
        for (int r = 0; weight && r < g->length; r++)
            for (int h = 0; h < shape->heads; h++) {
                int position = g->past + r, first = shape->window ? position - shape->window + 1 : 0;
                const double *query = q + at((g->start + r) * shape->heads + h, 0, width);
                double *to = out + at((g->start + r) * shape->heads + h, 0, width), largest = -INFINITY,
                       sum = 0.0;
                first = first > 0 ? first : 0;
                for (int p = first; p <= position; p++) {
                    weight[p] =
                        shape->scale * inner_product(query, keys + cached_key(shape, g, p, h / group), width);
                    largest = weight[p] > largest ? weight[p] : largest;
                }
                for (int c = 0; c < width; c++) to[c] = 0.0;
                for (int p = first; p <= position; p++) {
                    const double *value = values + cached_key(shape, g, p, h / group);
                    weight[p] = exp(weight[p] - largest);
                    sum += weight[p];
                    for (int c = 0; c < width; c++) to[c] += weight[p] * value[c];
                }
                for (int c = 0; c < width; c++) to[c] /= sum;
            }
        free(weight);
    }
}

/* The activation and its derivative, straight from the definitions. */
static double activate(enum activation activation, double x, double *slope) {
    if (activation == ACTIVATION_SILU) {
        double s = 1.0 / (1.0 + exp(-x));
        *slope = s + x * s * (1.0 - s);
        return x * s;
    }
    double root = sqrt(2.0 / acos(-1.0)), t = tanh(root * (x + 0.044715 * x * x * x));
    *slope = 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * root * (1.0 + 3.0 * 0.044715 * x * x);
    return 0.5 * x * (1.0 + t);
}

void reference_gated(size_t n, enum activation activation, const double *gate, const double *up,
                     double *out) {
    double slope;
    for (size_t i = 0; i < n; i++) out[i] = activate(activation, gate[i], &slope) * up[i];
}

void reference_gated_backward(size_t n, enum activation activation, const double *gate, const double *up,
                              const double *dout, double *dgate, double *dup) {
    for (size_t i = 0; i < n; i++) {
        double slope, value = activate(activation, gate[i], &slope);
        dgate[i] = dout[i] * up[i] * slope;
        dup[i] = dout[i] * value;
    }
}

void reference_linear_cross_entropy(const struct reference_cross_entropy *args) {
    int hidden = args->hidden, vocabulary = args->vocabulary;
    double *logits = calloc((size_t)vocabulary, sizeof *logits);
    for (int n = 0; logits && n < args->rows; n++) {
        const double *h = args->hidden_states + at(n, 0, hidden);
        int target = (int)args->target[n], best = 0;
        double sum = 0.0;
        for (int v = 0; v < vocabulary; v++) {
            logits[v] = inner_product(h, args->weight + at(v, 0, hidden), hidden);
            if (logits[v] > logits[best]) best = v;
        }
        for (int v = 0; v < vocabulary; v++) sum += exp(logits[v] - logits[best]);
        args->loss[n] = logits[best] + log(sum) - logits[target];
        if (args->greedy) args->greedy[n] = target == best;
        for (int d = 0; args->hidden_gradient && d < hidden; d++)
            args->hidden_gradient[at(n, d, hidden)] = 0.0;
        for (int v = 0; args->row_weight && v < vocabulary; v++) {
            double slope = args->row_weight[n] * (exp(logits[v] - logits[best]) / sum - (v == target));
            for (int d = 0; d < hidden; d++) {
                size_t w = at(v, d, hidden);
                if (args->hidden_gradient) args->hidden_gradient[at(n, d, hidden)] += slope * args->weight[w];
                if (args->weight_gradient) args->weight_gradient[w] += slope * h[d];
                if (args->alignment) args->alignment[(int)args->slot[n]] += slope * h[d] * args->direction[w];
            }
        }
    }
    free(logits);
}

void reference_linear_argmax(int rows, int hidden, int vocabulary, const double *hidden_states,
                             const double *weight, double *best) {
    for (int n = 0; n < rows; n++) {
        double largest = -INFINITY;
        best[n] = 0;
        for (int v = 0; v < vocabulary && best[n] >= 0; v++) {
            double product =
                inner_product(hidden_states + at(n, 0, hidden), weight + at(v, 0, hidden), hidden);
            if (isnan(product)) best[n] = -1;
            if (!(product > largest)) continue;
            largest = product;
            best[n] = v;
        }
    }
}

void reference_adamw(size_t n, const struct adamw_step *step, double scale, const double *g, double *m,
                     double *v, double *w) {
    double beta1 = (double)step->beta1, beta2 = (double)step->beta2, rate = (double)step->learning_rate;
    for (size_t i = 0; i < n; i++) {
        double gi = scale * g[i];
        m[i] = beta1 * m[i] + (1.0 - beta1) * gi;
        v[i] = beta2 * v[i] + (1.0 - beta2) * gi * gi;
        double m_hat = m[i] / (double)step->correction1, v_hat = v[i] / (double)step->correction2;
        w[i] -=
            rate * (double)step->weight_decay * w[i] + rate * m_hat / (sqrt(v_hat) + (double)step->epsilon);
    }
}

void reference_sgd(size_t n, const struct adamw_step *step, double scale, const double *g, double *w) {
    for (size_t i = 0; i < n; i++)
        w[i] -= (double)step->learning_rate * (scale * g[i] + (double)step->weight_decay * w[i]);
}

void reference_precondition(size_t n, const struct adamw_step *step, const double *v, double *g) {
    double top = 1.0 - (double)step->beta1;
    for (size_t i = 0; i < n; i++)
        g[i] *= top / ((double)step->correction1 *
                       (sqrt(v[i] / (double)step->correction2) + (double)step->epsilon));
}

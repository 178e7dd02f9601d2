/* Every operation: name the operands and what is done to them, lend them, call the inner operation. */
#include "train/memcheck/loan.h"

static size_t area(int rows, int columns) {
    return rows > 0 && columns > 0 ? (size_t)rows * (size_t)columns : 0;
}

static size_t length(int count) {
    return count > 0 ? (size_t)count : 0;
}

static void zero(struct backend *b, size_t n, struct view x) {
    struct loan loan = loan_begin(b, "zero");
    loan_add(&loan, &x, ACCESS_WRITE, n);
    struct backend *inner = loan_open(&loan);
    if (inner) inner->zero(inner, n, x);
    loan_close(&loan);
}

static void copy(struct backend *b, size_t n, struct view from, struct view to) {
    struct loan loan = loan_begin(b, "copy");
    loan_add(&loan, &from, ACCESS_READ, n);
    loan_add(&loan, &to, ACCESS_WRITE, n);
    struct backend *inner = loan_open(&loan);
    if (inner) inner->copy(inner, n, from, to);
    loan_close(&loan);
}

static void scale(struct backend *b, size_t n, float a, struct view x) {
    struct loan loan = loan_begin(b, "scale");
    loan_add(&loan, &x, ACCESS_UPDATE, n);
    struct backend *inner = loan_open(&loan);
    if (inner) inner->scale(inner, n, a, x);
    loan_close(&loan);
}

static void add(struct backend *b, size_t n, float a, struct view x, struct view y) {
    struct loan loan = loan_begin(b, "add");
    loan_add(&loan, &x, ACCESS_READ, n);
    loan_add(&loan, &y, ACCESS_UPDATE, n);
    struct backend *inner = loan_open(&loan);
    if (inner) inner->add(inner, n, a, x, y);
    loan_close(&loan);
}

static void dot(struct backend *b, size_t n, struct view x, struct view y, struct view result) {
    struct loan loan = loan_begin(b, "dot");
    loan_add(&loan, &x, ACCESS_READ, n);
    loan_add(&loan, &y, ACCESS_READ, n);
    loan_add(&loan, &result, ACCESS_UPDATE, 1);
    struct backend *inner = loan_open(&loan);
    if (inner) inner->dot(inner, n, x, y, result);
    loan_close(&loan);
}

static void clip_factor(struct backend *b, float limit, struct view squares, struct view factor) {
    struct loan loan = loan_begin(b, "clip_factor");
    loan_add(&loan, &squares, ACCESS_READ, 1);
    loan_add(&loan, &factor, ACCESS_WRITE, 1);
    struct backend *inner = loan_open(&loan);
    if (inner) inner->clip_factor(inner, limit, squares, factor);
    loan_close(&loan);
}

static void adamw(struct backend *b, size_t n, const struct adamw_step *step, struct view g, struct view m,
                  struct view v, struct view w) {
    struct loan loan = loan_begin(b, "adamw");
    struct adamw_step lent = *step;
    loan_add(&loan, &lent.gradient_scale, ACCESS_READ, 1);
    loan_add(&loan, &g, ACCESS_READ, n);
    loan_add(&loan, &m, ACCESS_UPDATE, n);
    loan_add(&loan, &v, ACCESS_UPDATE, n);
    loan_add(&loan, &w, ACCESS_UPDATE, n);
    struct backend *inner = loan_open(&loan);
    if (inner) inner->adamw(inner, n, &lent, g, m, v, w);
    loan_close(&loan);
}

static void sgd(struct backend *b, size_t n, const struct adamw_step *step, struct view g, struct view w) {
    struct loan loan = loan_begin(b, "sgd");
    struct adamw_step lent = *step;
    loan_add(&loan, &lent.gradient_scale, ACCESS_READ, 1);
    loan_add(&loan, &g, ACCESS_READ, n);
    loan_add(&loan, &w, ACCESS_UPDATE, n);
    struct backend *inner = loan_open(&loan);
    if (inner) inner->sgd(inner, n, &lent, g, w);
    loan_close(&loan);
}

static void precondition(struct backend *b, size_t n, const struct adamw_step *step, struct view v,
                         struct view g) {
    struct loan loan = loan_begin(b, "precondition");
    struct adamw_step lent = *step;
    lent.gradient_scale = view_none(); /* not an operand here */
    loan_add(&loan, &v, ACCESS_READ, n);
    loan_add(&loan, &g, ACCESS_UPDATE, n);
    struct backend *inner = loan_open(&loan);
    if (inner) inner->precondition(inner, n, &lent, v, g);
    loan_close(&loan);
}

static void matmul(struct backend *b, bool transpose_a, bool transpose_b, int m, int n, int k, float alpha,
                   struct view a, int lda, struct view bm, int ldb, float beta, struct view c, int ldc) {
    struct loan loan = loan_begin(b, "matmul");
    bool some = m > 0 && n > 0;
    loan_add_matrix(&loan, &a, ACCESS_READ, some ? transpose_a ? k : m : 0, transpose_a ? m : k, lda);
    loan_add_matrix(&loan, &bm, ACCESS_READ, some ? transpose_b ? n : k : 0, transpose_b ? k : n, ldb);
    loan_add_matrix(&loan, &c, beta == 0.0f ? ACCESS_WRITE : ACCESS_UPDATE, m, n, ldc);
    struct backend *inner = loan_open(&loan);
    if (inner) inner->matmul(inner, transpose_a, transpose_b, m, n, k, alpha, a, lda, bm, ldb, beta, c, ldc);
    loan_close(&loan);
}

/* A table of which `rows` indices choose rows: just the rows up to the last one chosen. */
static void add_table(struct loan *loan, struct view index, int rows, int hidden, struct view *table,
                      enum access access) {
    size_t all = hidden > 0 ? loan_room(*table) / (size_t)hidden : 0;
    loan_add(loan, table, access, loan_index_bound(loan, index, rows, all) * length(hidden));
}

static void embed(struct backend *b, int rows, int hidden, float factor, struct view ids, struct view table,
                  struct view out) {
    struct loan loan = loan_begin(b, "embed");
    add_table(&loan, ids, rows, hidden, &table, ACCESS_READ);
    loan_add(&loan, &ids, ACCESS_READ, length(rows));
    loan_add(&loan, &out, ACCESS_WRITE, area(rows, hidden));
    struct backend *inner = loan_open(&loan);
    if (inner) inner->embed(inner, rows, hidden, factor, ids, table, out);
    loan_close(&loan);
}

static void embed_backward(struct backend *b, int rows, int hidden, float factor, struct view ids,
                           struct view dout, struct view table_gradient) {
    struct loan loan = loan_begin(b, "embed_backward");
    add_table(&loan, ids, rows, hidden, &table_gradient, ACCESS_UPDATE);
    loan_add(&loan, &ids, ACCESS_READ, length(rows));
    loan_add(&loan, &dout, ACCESS_READ, area(rows, hidden));
    struct backend *inner = loan_open(&loan);
    if (inner) inner->embed_backward(inner, rows, hidden, factor, ids, dout, table_gradient);
    loan_close(&loan);
}

static void gather_rows(struct backend *b, int rows, int hidden, struct view index, struct view from,
                        struct view to) {
    struct loan loan = loan_begin(b, "gather_rows");
    add_table(&loan, index, rows, hidden, &from, ACCESS_READ);
    loan_add(&loan, &index, ACCESS_READ, length(rows));
    loan_add(&loan, &to, ACCESS_WRITE, area(rows, hidden));
    struct backend *inner = loan_open(&loan);
    if (inner) inner->gather_rows(inner, rows, hidden, index, from, to);
    loan_close(&loan);
}

static void scatter_add_rows(struct backend *b, int rows, int hidden, struct view index, struct view from,
                             struct view to) {
    struct loan loan = loan_begin(b, "scatter_add_rows");
    add_table(&loan, index, rows, hidden, &to, ACCESS_UPDATE);
    loan_add(&loan, &index, ACCESS_READ, length(rows));
    loan_add(&loan, &from, ACCESS_READ, area(rows, hidden));
    struct backend *inner = loan_open(&loan);
    if (inner) inner->scatter_add_rows(inner, rows, hidden, index, from, to);
    loan_close(&loan);
}

static void scatter_rows(struct backend *b, int rows, int columns, struct view index, struct view from,
                         struct view to) {
    struct loan loan = loan_begin(b, "scatter_rows");
    add_table(&loan, index, rows, columns, &to, ACCESS_UPDATE);
    loan_add(&loan, &index, ACCESS_READ, length(rows));
    loan_add(&loan, &from, ACCESS_READ, area(rows, columns));
    struct backend *inner = loan_open(&loan);
    if (inner) inner->scatter_rows(inner, rows, columns, index, from, to);
    loan_close(&loan);
}

static void row_dot(struct backend *b, int rows, int columns, struct view x, struct view y, struct view slot,
                    struct view alignment) {
    struct loan loan = loan_begin(b, "row_dot");
    add_table(&loan, slot, rows, 1, &alignment, ACCESS_UPDATE);
    loan_add(&loan, &slot, ACCESS_READ, length(rows));
    loan_add(&loan, &x, ACCESS_READ, area(rows, columns));
    loan_add(&loan, &y, ACCESS_READ, area(rows, columns));
    struct backend *inner = loan_open(&loan);
    if (inner) inner->row_dot(inner, rows, columns, x, y, slot, alignment);
    loan_close(&loan);
}

static void rmsnorm(struct backend *b, int rows, int columns, float epsilon, float offset, struct view x,
                    struct view w, struct view y, struct view rstd) {
    struct loan loan = loan_begin(b, "rmsnorm");
    int in = loan_add(&loan, &x, ACCESS_READ, area(rows, columns));
    loan_add(&loan, &w, ACCESS_READ, length(columns));
    int out = loan_add(&loan, &y, ACCESS_WRITE, area(rows, columns));
    loan_add(&loan, &rstd, ACCESS_WRITE, columns > 0 ? length(rows) : 0);
    loan_may_alias(&loan, in, out);
    struct backend *inner = loan_open(&loan);
    if (inner) inner->rmsnorm(inner, rows, columns, epsilon, offset, x, w, y, rstd);
    loan_close(&loan);
}

static void rmsnorm_backward(struct backend *b, int rows, int columns, float offset, struct view x,
                             struct view w, struct view rstd, struct view dy, bool accumulate, struct view dx,
                             struct view dw) {
    struct loan loan = loan_begin(b, "rmsnorm_backward");
    loan_add(&loan, &x, ACCESS_READ, area(rows, columns));
    loan_add(&loan, &w, ACCESS_READ, length(columns));
    loan_add(&loan, &rstd, ACCESS_READ, length(rows));
    int above = loan_add(&loan, &dy, ACCESS_READ, area(rows, columns));
    int below = loan_add(&loan, &dx, accumulate ? ACCESS_UPDATE : ACCESS_WRITE, area(rows, columns));
    loan_add(&loan, &dw, ACCESS_UPDATE, length(columns));
    if (!accumulate) loan_may_alias(&loan, above, below);
    struct backend *inner = loan_open(&loan);
    if (inner) inner->rmsnorm_backward(inner, rows, columns, offset, x, w, rstd, dy, accumulate, dx, dw);
    loan_close(&loan);
}

static void rope(struct backend *b, int rows, int heads, int head_dim, bool inverse, struct view position,
                 struct view table, struct view x) {
    struct loan loan = loan_begin(b, "rope");
    add_table(&loan, position, rows, head_dim, &table, ACCESS_READ);
    loan_add(&loan, &position, ACCESS_READ, length(rows));
    loan_add(&loan, &x, ACCESS_UPDATE, area(rows, heads) * length(head_dim));
    struct backend *inner = loan_open(&loan);
    if (inner) inner->rope(inner, rows, heads, head_dim, inverse, position, table, x);
    loan_close(&loan);
}

static void attention(struct backend *b, const struct attention_shape *shape, struct view q, struct view k,
                      struct view v, struct view out, struct view lse) {
    struct loan loan = loan_begin(b, "attention");
    size_t query = area(shape->rows, shape->heads), key = area(shape->rows, shape->kv_heads);
    size_t width = length(shape->head_dim);
    loan_add(&loan, &q, ACCESS_READ, query * width);
    loan_add(&loan, &k, ACCESS_READ, key * width);
    loan_add(&loan, &v, ACCESS_READ, key * width);
    loan_add(&loan, &out, ACCESS_WRITE, query * width);
    loan_add(&loan, &lse, ACCESS_WRITE, query);
    struct backend *inner = loan_open(&loan);
    if (inner) inner->attention(inner, shape, q, k, v, out, lse);
    loan_close(&loan);
}

static void attention_backward(struct backend *b, const struct attention_shape *shape, struct view q,
                               struct view k, struct view v, struct view out, struct view lse,
                               struct view dout, struct view dq, struct view dk, struct view dv) {
    struct loan loan = loan_begin(b, "attention_backward");
    size_t query = area(shape->rows, shape->heads), key = area(shape->rows, shape->kv_heads);
    size_t width = length(shape->head_dim);
    loan_add(&loan, &q, ACCESS_READ, query * width);
    loan_add(&loan, &k, ACCESS_READ, key * width);
    loan_add(&loan, &v, ACCESS_READ, key * width);
    loan_add(&loan, &out, ACCESS_READ, query * width);
    loan_add(&loan, &lse, ACCESS_READ, query);
    loan_add(&loan, &dout, ACCESS_READ, query * width);
    loan_add(&loan, &dq, ACCESS_WRITE, query * width);
    loan_add(&loan, &dk, ACCESS_WRITE, key * width);
    loan_add(&loan, &dv, ACCESS_WRITE, key * width);
    struct backend *inner = loan_open(&loan);
    if (inner) inner->attention_backward(inner, shape, q, k, v, out, lse, dout, dq, dk, dv);
    loan_close(&loan);
}

/* Rows of the cache up to the end of the last page that a segment sees. */
static size_t cache_rows(const struct cached_attention_shape *shape) {
    size_t most = 0;
    for (int s = 0; s < shape->segments && shape->page_rows > 0; s++) {
        const struct cached_segment *g = &shape->segment[s];
        int last = g->past + g->length - 1, page = shape->page_rows;
        int first = shape->window > 0 && g->past >= shape->window ? g->past - shape->window + 1 : 0;
        for (int p = first / page; g->length > 0 && p <= last / page; p++) {
            if (g->page[p] < 0) continue; /* the inner backend complains */
            size_t end = ((size_t)g->page[p] + 1) * (size_t)page;
            if (end > most) most = end;
        }
    }
    return most;
}

static void cached_attention(struct backend *b, const struct cached_attention_shape *shape, struct view q,
                             struct view keys, struct view values, struct view out) {
    struct loan loan = loan_begin(b, "cached_attention");
    size_t query = area(shape->rows, shape->heads) * length(shape->head_dim);
    size_t cached = cache_rows(shape) * area(shape->kv_heads, shape->head_dim);
    loan_add(&loan, &q, ACCESS_READ, query);
    loan_add(&loan, &keys, ACCESS_READ, cached);
    loan_add(&loan, &values, ACCESS_READ, cached);
    loan_add(&loan, &out, ACCESS_WRITE, query);
    struct backend *inner = loan_open(&loan);
    if (inner) inner->cached_attention(inner, shape, q, keys, values, out);
    loan_close(&loan);
}

static void gated(struct backend *b, size_t n, enum activation activation, struct view gate, struct view up,
                  struct view out) {
    struct loan loan = loan_begin(b, "gated");
    loan_add(&loan, &gate, ACCESS_READ, n);
    loan_add(&loan, &up, ACCESS_READ, n);
    loan_add(&loan, &out, ACCESS_WRITE, n);
    struct backend *inner = loan_open(&loan);
    if (inner) inner->gated(inner, n, activation, gate, up, out);
    loan_close(&loan);
}

static void gated_backward(struct backend *b, size_t n, enum activation activation, struct view gate,
                           struct view up, struct view dout, struct view dgate, struct view dup) {
    struct loan loan = loan_begin(b, "gated_backward");
    int gate_in = loan_add(&loan, &gate, ACCESS_READ, n), up_in = loan_add(&loan, &up, ACCESS_READ, n);
    loan_add(&loan, &dout, ACCESS_READ, n);
    int gate_out = loan_add(&loan, &dgate, ACCESS_WRITE, n), up_out = loan_add(&loan, &dup, ACCESS_WRITE, n);
    loan_may_alias(&loan, gate_in, gate_out);
    loan_may_alias(&loan, up_in, up_out);
    struct backend *inner = loan_open(&loan);
    if (inner) inner->gated_backward(inner, n, activation, gate, up, dout, dgate, dup);
    loan_close(&loan);
}

static void linear_gradient(struct backend *b, const struct linear_gradient *args) {
    struct loan loan = loan_begin(b, "linear_gradient");
    struct linear_gradient lent = *args;
    size_t rows = length(args->rows), weights = rows ? area(args->out, args->in) : 0;
    loan_add(&loan, &lent.input, ACCESS_READ, area(args->rows, args->in));
    loan_add(&loan, &lent.output_gradient, ACCESS_READ, area(args->rows, args->out));
    loan_add(&loan, &lent.gradient, ACCESS_UPDATE, weights);
    if (args->alignment.buffer) {
        loan_add(&loan, &lent.direction, ACCESS_READ, weights);
        loan_add(&loan, &lent.slot, ACCESS_READ, rows);
        add_table(&loan, args->slot, args->rows, 1, &lent.alignment, ACCESS_UPDATE);
    }
    struct backend *inner = loan_open(&loan);
    if (inner) inner->linear_gradient(inner, &lent);
    loan_close(&loan);
}

static void linear_cross_entropy(struct backend *b, const struct linear_cross_entropy *args) {
    struct loan loan = loan_begin(b, "linear_cross_entropy");
    struct linear_cross_entropy lent = *args;
    size_t rows = length(args->rows), states = area(args->rows, args->hidden);
    size_t weights = rows ? area(args->vocabulary, args->hidden) : 0;
    if (args->hidden > 0) loan_index_bound(&loan, args->target, args->rows, length(args->vocabulary));
    loan_add(&loan, &lent.hidden_states, ACCESS_READ, states);
    loan_add(&loan, &lent.weight, ACCESS_READ, weights);
    loan_add(&loan, &lent.target, ACCESS_READ, rows);
    loan_add(&loan, &lent.loss, ACCESS_WRITE, rows);
    loan_add(&loan, &lent.greedy, ACCESS_WRITE, rows);
    loan_add(&loan, &lent.row_weight, ACCESS_READ, rows);
    loan_add(&loan, &lent.hidden_gradient, ACCESS_WRITE, states);
    loan_add(&loan, &lent.weight_gradient, ACCESS_UPDATE, weights);
    if (args->alignment.buffer) {
        loan_add(&loan, &lent.direction, ACCESS_READ, weights);
        loan_add(&loan, &lent.slot, ACCESS_READ, rows);
        add_table(&loan, args->slot, args->rows, 1, &lent.alignment, ACCESS_UPDATE);
    }
    struct backend *inner = loan_open(&loan);
    if (inner) inner->linear_cross_entropy(inner, &lent);
    loan_close(&loan);
}

static void linear_argmax(struct backend *b, int rows, int hidden, int vocabulary, struct view hidden_states,
                          struct view weight, struct view best) {
    struct loan loan = loan_begin(b, "linear_argmax");
    loan_add(&loan, &hidden_states, ACCESS_READ, area(rows, hidden));
    loan_add(&loan, &weight, ACCESS_READ, rows > 0 ? area(vocabulary, hidden) : 0);
    loan_add(&loan, &best, ACCESS_WRITE, length(rows));
    struct backend *inner = loan_open(&loan);
    if (inner) inner->linear_argmax(inner, rows, hidden, vocabulary, hidden_states, weight, best);
    loan_close(&loan);
}

void memcheck_install_operations(struct backend *b) {
    b->zero = zero;
    b->copy = copy;
    b->scale = scale;
    b->add = add;
    b->dot = dot;
    b->clip_factor = clip_factor;
    b->adamw = adamw;
    b->sgd = sgd;
    b->precondition = precondition;
    b->matmul = matmul;
    b->embed = embed;
    b->embed_backward = embed_backward;
    b->gather_rows = gather_rows;
    b->scatter_add_rows = scatter_add_rows;
    b->scatter_rows = scatter_rows;
    b->row_dot = row_dot;
    b->linear_gradient = linear_gradient;
    b->rmsnorm = rmsnorm;
    b->rmsnorm_backward = rmsnorm_backward;
    b->rope = rope;
    b->attention = attention;
    b->attention_backward = attention_backward;
    b->cached_attention = cached_attention;
    b->gated = gated;
    b->gated_backward = gated_backward;
    b->linear_cross_entropy = linear_cross_entropy;
    b->linear_argmax = linear_argmax;
}

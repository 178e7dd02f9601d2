#include "train/timing/timing.h"

#include "base/memory.h"
#include <string.h>

enum { RING = (BACKEND_STAMPS - TIMING_STAMPS) / 2 };

struct timing {
    struct backend base;   /* first */
    struct backend *inner; /* borrowed */
    double seconds[TIMED_COUNT];
    /* The last operations, whose times are not added up yet: each has two stamps. */
    enum timed kind[RING];
    int oldest, count;
};

static struct timing *timing_of(struct backend *b) {
    return (struct timing *)b;
}

const char *timed_name(enum timed kind) {
    static const char *const names[TIMED_COUNT] = {[TIMED_LINEAR] = "linear",
                                                   [TIMED_LINEAR_INPUT] = "linear_input",
                                                   [TIMED_LINEAR_WEIGHT] = "linear_weight",
                                                   [TIMED_ATTENTION] = "attention",
                                                   [TIMED_ATTENTION_BACKWARD] = "attention_backward",
                                                   [TIMED_CROSS_ENTROPY] = "cross_entropy",
                                                   [TIMED_NORM] = "norm",
                                                   [TIMED_GATED] = "gated",
                                                   [TIMED_ROPE] = "rope",
                                                   [TIMED_EMBED] = "embed",
                                                   [TIMED_ROW_DOT] = "row_dot",
                                                   [TIMED_OPTIMIZER] = "optimizer",
                                                   [TIMED_OTHER] = "other"};
    return names[kind];
}

/* ---- what is not an operation passes through */

static struct backend *inner_of(struct backend *b) {
    return timing_of(b)->inner;
}
static int buffer_create(struct backend *b, size_t bytes, struct buffer **out, struct error *err) {
    return inner_of(b)->buffer_create(inner_of(b), bytes, out, err);
}
static void buffer_destroy(struct backend *b, struct buffer **buffer) {
    inner_of(b)->buffer_destroy(inner_of(b), buffer);
}
static void *host_pointer(struct backend *b, struct buffer *buffer) {
    return inner_of(b)->host_pointer(inner_of(b), buffer);
}
static void upload(struct backend *b, struct view to, const void *from, size_t count) {
    inner_of(b)->upload(inner_of(b), to, from, count);
}
static void download(struct backend *b, struct view from, void *to, size_t count) {
    inner_of(b)->download(inner_of(b), from, to, count);
}
static int reserve(struct backend *b, int rows, int hidden, int vocabulary, int targets, struct error *err) {
    return inner_of(b)->reserve(inner_of(b), rows, hidden, vocabulary, targets, err);
}
static size_t scratch_bytes(struct backend *b, int rows, int hidden, int vocabulary, int targets) {
    return inner_of(b)->scratch_bytes(inner_of(b), rows, hidden, vocabulary, targets);
}
static void memory(struct backend *b, size_t *left, size_t *total) {
    inner_of(b)->memory(inner_of(b), left, total);
}
static int check(struct backend *b, struct error *err) {
    return inner_of(b)->check(inner_of(b), err);
}
static void stamp(struct backend *b, int i) {
    inner_of(b)->stamp(inner_of(b), i);
}
static double stamp_seconds(struct backend *b, int from, int to) {
    return inner_of(b)->stamp_seconds(inner_of(b), from, to);
}
static void destroy(struct backend *b) {
    memory_free(timing_of(b));
}
static void *device_pointer(struct backend *b, struct view view, size_t count, bool change) {
    return inner_of(b)->device_pointer(inner_of(b), view, count, change);
}
static int peers_card(struct backend *b, struct peers_card *card, struct error *err) {
    return inner_of(b)->peers_card(inner_of(b), card, err);
}
static int peers_id(struct backend *b, unsigned char *id, struct error *err) {
    return inner_of(b)->peers_id(inner_of(b), id, err);
}
static int peers_open(struct backend *b, const unsigned char *id, int rank, int ranks, struct peers **out,
                      struct error *err) {
    return inner_of(b)->peers_open(inner_of(b), id, rank, ranks, out, err);
}

/* ---- the ring */

/* The stamp before the operation at a place of the ring; the one behind it is the next. */
static int stamp_of(int place) {
    return TIMING_STAMPS + 2 * place;
}

/* Adds up the oldest operations, until `left` are in the ring. */
static void add_up(struct timing *t, int left) {
    for (; t->count > left; t->count--) {
        int before = stamp_of(t->oldest);
        t->seconds[t->kind[t->oldest]] += t->inner->stamp_seconds(t->inner, before, before + 1);
        t->oldest = (t->oldest + 1) % RING;
    }
}

/* Puts the stamp before an operation; returns its place in the ring. */
static int begin(struct timing *t, enum timed kind) {
    /* The device has the younger half to do meanwhile. */
    if (t->count == RING) add_up(t, RING / 2);
    int place = (t->oldest + t->count++) % RING;
    t->kind[place] = kind;
    t->inner->stamp(t->inner, stamp_of(place));
    return place;
}

static void end(struct timing *t, int place) {
    t->inner->stamp(t->inner, stamp_of(place) + 1);
}

/* ---- operations */

/* Defines the operation `name`: the inner one, timed as `kind`. `parameters` and `arguments` come in
 * parentheses, without the backend. */
#define EXPAND(...) __VA_ARGS__
#define TIMED(name, kind, parameters, arguments)                                                             \
    static void name(struct backend *b, EXPAND parameters) {                                                 \
        struct timing *t = timing_of(b);                                                                     \
        int place = begin(t, kind);                                                                          \
        t->inner->name(t->inner, EXPAND arguments);                                                          \
        end(t, place);                                                                                       \
    }

TIMED(zero, TIMED_OTHER, (size_t n, struct view x), (n, x))
TIMED(copy, TIMED_OTHER, (size_t n, struct view from, struct view to), (n, from, to))
TIMED(scale, TIMED_OTHER, (size_t n, float a, struct view x), (n, a, x))
TIMED(add, TIMED_OTHER, (size_t n, float a, struct view x, struct view y), (n, a, x, y))
TIMED(dot, TIMED_OPTIMIZER, (size_t n, struct view x, struct view y, struct view result), (n, x, y, result))
TIMED(clip_factor, TIMED_OPTIMIZER, (float limit, struct view squares, struct view factor),
      (limit, squares, factor))
TIMED(adamw, TIMED_OPTIMIZER,
      (size_t n, const struct adamw_step *step, struct view g, struct view m, struct view v, struct view w),
      (n, step, g, m, v, w))
TIMED(sgd, TIMED_OPTIMIZER, (size_t n, const struct adamw_step *step, struct view g, struct view w),
      (n, step, g, w))
TIMED(precondition, TIMED_OPTIMIZER, (size_t n, const struct adamw_step *step, struct view v, struct view g),
      (n, step, v, g))

/* Which of a linear layer's three products it is shows in what is transposed. */
static enum timed product_kind(bool transpose_a, bool transpose_b) {
    if (transpose_a) return TIMED_LINEAR_WEIGHT;
    return transpose_b ? TIMED_LINEAR : TIMED_LINEAR_INPUT;
}
TIMED(matmul, product_kind(transpose_a, transpose_b),
      (bool transpose_a, bool transpose_b, int m, int n, int k, float alpha, struct view a, int lda,
       struct view bm, int ldb, float beta, struct view c, int ldc),
      (transpose_a, transpose_b, m, n, k, alpha, a, lda, bm, ldb, beta, c, ldc))

TIMED(linear_gradient, TIMED_LINEAR_WEIGHT, (const struct linear_gradient *args), (args))
TIMED(embed, TIMED_EMBED,
      (int rows, int hidden, float factor, struct view ids, struct view table, struct view out),
      (rows, hidden, factor, ids, table, out))
TIMED(embed_backward, TIMED_EMBED,
      (int rows, int hidden, float factor, struct view ids, struct view dout, struct view table_gradient),
      (rows, hidden, factor, ids, dout, table_gradient))
TIMED(gather_rows, TIMED_OTHER, (int rows, int hidden, struct view index, struct view from, struct view to),
      (rows, hidden, index, from, to))
TIMED(scatter_add_rows, TIMED_OTHER,
      (int rows, int hidden, struct view index, struct view from, struct view to),
      (rows, hidden, index, from, to))
TIMED(scatter_rows, TIMED_OTHER, (int rows, int columns, struct view index, struct view from, struct view to),
      (rows, columns, index, from, to))
TIMED(row_dot, TIMED_ROW_DOT,
      (int rows, int columns, struct view x, struct view y, struct view slot, struct view alignment),
      (rows, columns, x, y, slot, alignment))
TIMED(rmsnorm, TIMED_NORM,
      (int rows, int columns, float epsilon, float offset, struct view x, struct view w, struct view y,
       struct view rstd),
      (rows, columns, epsilon, offset, x, w, y, rstd))
TIMED(rmsnorm_backward, TIMED_NORM,
      (int rows, int columns, float offset, struct view x, struct view w, struct view rstd, struct view dy,
       bool accumulate, struct view dx, struct view dw),
      (rows, columns, offset, x, w, rstd, dy, accumulate, dx, dw))
TIMED(rope, TIMED_ROPE,
      (int rows, int heads, int head_dim, bool inverse, struct view position, struct view table,
       struct view x),
      (rows, heads, head_dim, inverse, position, table, x))
TIMED(attention, TIMED_ATTENTION,
      (const struct attention_shape *shape, struct view q, struct view k, struct view v, struct view out,
       struct view lse),
      (shape, q, k, v, out, lse))
TIMED(attention_backward, TIMED_ATTENTION_BACKWARD,
      (const struct attention_shape *shape, struct view q, struct view k, struct view v, struct view out,
       struct view lse, struct view dout, struct view dq, struct view dk, struct view dv),
      (shape, q, k, v, out, lse, dout, dq, dk, dv))
TIMED(cached_attention, TIMED_ATTENTION,
      (const struct cached_attention_shape *shape, struct view q, struct view keys, struct view values,
       struct view out),
      (shape, q, keys, values, out))
TIMED(gated, TIMED_GATED,
      (size_t n, enum activation activation, struct view gate, struct view up, struct view out),
      (n, activation, gate, up, out))
TIMED(gated_backward, TIMED_GATED,
      (size_t n, enum activation activation, struct view gate, struct view up, struct view dout,
       struct view dgate, struct view dup),
      (n, activation, gate, up, dout, dgate, dup))
TIMED(linear_cross_entropy, TIMED_CROSS_ENTROPY, (const struct linear_cross_entropy *args), (args))
TIMED(linear_argmax, TIMED_CROSS_ENTROPY,
      (int rows, int hidden, int vocabulary, struct view hidden_states, struct view weight, struct view best),
      (rows, hidden, vocabulary, hidden_states, weight, best))

/* ---- the whole */

int timing_create(struct backend *inner, struct backend **out, struct error *err) {
    struct timing *t;
    TRY(memory_alloc(&t, 1, sizeof *t, err));
    t->inner = inner;
    t->base = (struct backend){.name = inner->name,
                               .activations = inner->activations,
                               .buffer_create = buffer_create,
                               .buffer_destroy = buffer_destroy,
                               .host_pointer = host_pointer,
                               .upload = upload,
                               .download = download,
                               .reserve = reserve,
                               .scratch_bytes = scratch_bytes,
                               .memory = memory,
                               .check = check,
                               .stamp = stamp,
                               .stamp_seconds = stamp_seconds,
                               .destroy = destroy,
                               .zero = zero,
                               .copy = copy,
                               .scale = scale,
                               .add = add,
                               .dot = dot,
                               .clip_factor = clip_factor,
                               .adamw = adamw,
                               .sgd = sgd,
                               .precondition = precondition,
                               .matmul = matmul,
                               .embed = embed,
                               .embed_backward = embed_backward,
                               .gather_rows = gather_rows,
                               .scatter_add_rows = scatter_add_rows,
                               .scatter_rows = scatter_rows,
                               .linear_gradient = linear_gradient,
                               .row_dot = row_dot,
                               .rmsnorm = rmsnorm,
                               .rmsnorm_backward = rmsnorm_backward,
                               .rope = rope,
                               .attention = attention,
                               .attention_backward = attention_backward,
                               .cached_attention = cached_attention,
                               .gated = gated,
                               .gated_backward = gated_backward,
                               .linear_cross_entropy = linear_cross_entropy,
                               .linear_argmax = linear_argmax};
    if (inner->peers_card) {
        t->base.device_pointer = device_pointer;
        t->base.peers_card = peers_card;
        t->base.peers_id = peers_id;
        t->base.peers_open = peers_open;
    }
    inner->stamp(inner, stamp_of(0)); /* the first of all may allocate */
    *out = &t->base;
    return 0;
}

void timing_take(struct backend *timing, double *seconds) {
    struct timing *t = timing_of(timing);
    add_up(t, 0);
    memcpy(seconds, t->seconds, sizeof t->seconds);
    memset(t->seconds, 0, sizeof t->seconds);
}

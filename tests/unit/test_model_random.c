/* Whole models of random configurations and batches: losses, gradients and alignments against models of their
 * own on the cpu backend with one thread; models that have seen other batches, and those that compute their
 * layers again, against fresh ones, to the bit; continuations that share a context against whole texts.
 * BACKEND-ARGUMENT HALVES-ARGUMENT */
#include "tests/support/model_draw.h"

#include <math.h>
#include <string.h>

/* float32 against float32, sums in another order; gradients relative to the largest number of their tensor,
 * with a part of the largest of all, as some tensors' gradients are differences of large numbers. Where a
 * model is touchy, more: so many times what it makes of weights that are off by a rounding. */
static const double LOGIT_TOLERANCE = 5e-5, LOSS_TOLERANCE = 1e-5, GRADIENT_TOLERANCE = 1e-4,
                    WHOLE_TOLERANCE = 1e-5;
static const double ALIGNMENT_TOLERANCE = 2e-5, NUDGES = 10;

enum { MOST_PASSES = 5, LIMIT_ROWS = 200 };

/* What passes run on. */
struct side {
    struct op_case *c;
    struct backend *backend;
    const struct model_config *config;
    const struct parameter_layout *layout;
    struct flat parameters, gradient, direction;
};

/* What came out of a pass; the gradient is the sum of all so far. */
struct outcome {
    float *loss;                   /* [targets] */
    int32_t *greedy;               /* [targets] */
    double *slot_loss, *alignment; /* [slots] */
    double *gradient;
};

struct pass {
    struct batch *batch;
    float scale;
    bool gradient, direction;
    int slots;
};

static void side_open(struct side *s, struct op_case *c, struct backend *backend,
                      const struct model_config *config, const struct parameter_layout *layout,
                      const double *weights, const double *direction) {
    *s = (struct side){.c = c, .backend = backend, .config = config, .layout = layout};
    flat_open(c, &s->parameters, backend, layout);
    flat_open(c, &s->gradient, backend, layout);
    flat_open(c, &s->direction, backend, layout);
    flat_upload(c, &s->parameters, layout, weights);
    flat_upload(c, &s->direction, layout, direction);
}

static void side_close(struct side *s) {
    flat_close(&s->parameters);
    flat_close(&s->gradient);
    flat_close(&s->direction);
}

static struct outcome run_pass(struct side *s, struct model *model, const struct pass *pass) {
    size_t targets = (size_t)pass->batch->targets, slots = (size_t)pass->slots;
    /* of op_numbers, for they live as long as the case */
    struct outcome o = {.loss = (void *)op_numbers(s->c, targets),
                        .greedy = (void *)op_numbers(s->c, targets),
                        .slot_loss = op_numbers(s->c, slots),
                        .alignment = op_numbers(s->c, slots)};
    OP_MUST(s->c, model_forward(model, s->parameters.view, pass->batch, err));
    OP_MUST(s->c, model_losses(model, o.loss, o.greedy, err));
    OP_MUST(s->c, model_backward(model, pass->scale, pass->gradient ? s->gradient.view : view_none(),
                                 pass->direction ? s->direction.view : view_none(), err));
    OP_MUST(s->c, model_take_sums(model, o.slot_loss, o.alignment, err));
    o.gradient = flat_download(s->c, &s->gradient, s->layout);
    return o;
}

static struct model *model_with(struct side *s, const struct model_limits *limits) {
    struct model *model;
    OP_MUST(s->c, model_create(s->backend, s->config, s->layout, limits, &model, err));
    return model;
}

/* By a model made for this pass. */
static struct outcome run_fresh(struct side *s, const struct pass *pass) {
    struct model_limits limits = {.rows = pass->batch->rows,
                                  .targets = pass->batch->targets ? pass->batch->targets : 1,
                                  .slots = pass->slots,
                                  .training = true};
    struct model *model = model_with(s, &limits);
    struct outcome o = run_pass(s, model, pass);
    model_destroy(&model);
    return o;
}

/* --- comparisons */

static void expect_same(struct side *s, const char *what, const void *got, const void *want, size_t bytes) {
    expect_true(s->c, !bytes || !memcmp(got, want, bytes), "%s: not the bits of a fresh model", what);
}

static void expect_same_outcome(struct side *s, const struct pass *pass, const struct outcome *got,
                                const struct outcome *want) {
    size_t targets = (size_t)pass->batch->targets, slots = (size_t)pass->slots;
    expect_same(s, "losses", got->loss, want->loss, targets * sizeof *got->loss);
    expect_same(s, "greedy", got->greedy, want->greedy, targets * sizeof *got->greedy);
    expect_same(s, "sums of losses", got->slot_loss, want->slot_loss, slots * sizeof(double));
    expect_same(s, "alignments", got->alignment, want->alignment, slots * sizeof(double));
    expect_same(s, "gradient", got->gradient, want->gradient, s->layout->elements * sizeof(double));
}

static double largest_of(const double *numbers, size_t count) {
    double largest = 0;
    for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs(numbers[i]));
    return largest;
}

static void expect_near(struct op_case *c, const char *what, double got, double want, double allowed) {
    expect_true(c, fabs(got - want) <= allowed, "%s: %.9g, expected %.9g within %.3g", what, got, want,
                allowed);
}

static double largest_difference(const double *a, const double *b, size_t count) {
    double largest = 0;
    for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs(a[i] - b[i]));
    return largest;
}

static void expect_close_outcome(struct side *s, const struct pass *pass, const struct outcome *got,
                                 const struct outcome *want, const struct outcome *nudged) {
    const struct parameter_layout *l = s->layout;
    size_t slots = (size_t)pass->slots;
    double all = largest_of(want->gradient, l->elements), apart = 0;
    for (int n = 0; n < pass->batch->targets; n++)
        apart = fmax(apart, fabs((double)nudged->loss[n] - (double)want->loss[n]));
    for (int n = 0; n < pass->batch->targets; n++)
        expect_near(s->c, "loss", (double)got->loss[n], (double)want->loss[n],
                    LOSS_TOLERANCE * (1 + (double)want->loss[n]) + NUDGES * apart);
    for (int i = 0; i < l->count; i++) {
        const struct parameter *p = &l->parameters[i];
        size_t count = (size_t)p->rows * (size_t)p->columns;
        const double *wanted = want->gradient + p->offset;
        double allowed = GRADIENT_TOLERANCE * largest_of(wanted, count) + WHOLE_TOLERANCE * all +
                         NUDGES * largest_difference(wanted, nudged->gradient + p->offset, count);
        for (size_t at = 0; at < count; at++)
            expect_near(s->c, p->name, got->gradient[p->offset + at], wanted[at], allowed);
    }
    double losses = NUDGES * largest_difference(want->slot_loss, nudged->slot_loss, slots);
    double alignments = NUDGES * largest_difference(want->alignment, nudged->alignment, slots) +
                        ALIGNMENT_TOLERANCE * (1 + all) * sqrt((double)l->numbers);
    for (size_t k = 0; k < slots; k++) {
        expect_near(s->c, "sum of losses", got->slot_loss[k], want->slot_loss[k],
                    LOSS_TOLERANCE * (pass->batch->targets + want->slot_loss[k]) + losses);
        expect_near(s->c, "alignment", got->alignment[k], want->alignment[k], alignments);
    }
}

/* --- cases */

static void draw_passes(struct op_case *c, const struct model_config *config, struct pass *passes, int count,
                        int slots) {
    int most = op_size(c, 1, LIMIT_ROWS);
    for (int i = 0; i < count; i++) {
        int rows = i == 0 || i == count - 1 ? most : op_size(c, 1, most);
        passes[i] = (struct pass){.batch = batch_drawn(c, rows, config->vocabulary, slots ? slots : 1),
                                  .scale = op_draw(c, 2) ? 1 : 0.3f,
                                  .gradient = op_draw(c, 4) > 0,
                                  .slots = slots};
        passes[i].direction = slots && (op_draw(c, 2) || !passes[i].gradient);
        if (!slots) passes[i].gradient = true;
    }
}

static struct model_limits limits_drawn(struct op_case *c, const struct pass *passes, int count) {
    struct model_limits limits = {.rows = passes[0].batch->rows,
                                  .targets = 1,
                                  .slots = passes[0].slots,
                                  .training = true,
                                  .recompute = op_draw(c, 2) ? RECOMPUTE_LAYER : RECOMPUTE_NONE};
    for (int i = 0; i < count; i++)
        if (passes[i].batch->targets > limits.targets) limits.targets = passes[i].batch->targets;
    limits.rows += op_draw(c, 2) * op_draw(c, 50);
    limits.targets += op_draw(c, 2) * op_draw(c, 50);
    return limits;
}

static void run_random_passes(struct op_case *c, int index) {
    (void)index;
    struct model_config config = config_drawn(c);
    struct parameter_layout *layout;
    struct backend *cpu;
    struct side used, fresh, reference, nudged;
    struct pass passes[MOST_PASSES];
    int count = 2 + op_draw(c, MOST_PASSES - 1), slots = op_draw(c, 3) ? op_size(c, 1, 300) : 0;
    OP_MUST(c, parameter_layout_create(&config, &layout, err));
    OP_MUST(c, backend_create("cpu", 1, &cpu, err));
    double *weights = flat_drawn(c, &config, layout, true),
           *direction = flat_drawn(c, &config, layout, false);
    side_open(&used, c, c->backend, &config, layout, weights, direction);
    side_open(&fresh, c, c->backend, &config, layout, weights, direction);
    side_open(&reference, c, cpu, &config, layout, weights, direction);
    flat_nudge(c, layout, weights);
    side_open(&nudged, c, cpu, &config, layout, weights, direction);
    draw_passes(c, &config, passes, count, slots);
    struct model_limits limits = limits_drawn(c, passes, count);
    struct model *model = model_with(&used, &limits);
    op_describe(c, "%s of %d layers, hidden %d, vocabulary %d, %d/%d heads of %d, up to %d rows, %s",
                model_family_name(config.family), config.layers, config.hidden, config.vocabulary,
                config.heads, config.kv_heads, config.head_dim, limits.rows,
                recompute_names[limits.recompute]);
    for (int i = 0; i < count; i++) {
        struct outcome got = run_pass(&used, model, &passes[i]);
        struct outcome same = run_fresh(&fresh, &passes[i]);
        expect_same_outcome(&used, &passes[i], &got, &same);
        if (c->backend->activations != DTYPE_F32) continue;
        struct outcome want = run_fresh(&reference, &passes[i]);
        struct outcome off = run_fresh(&nudged, &passes[i]);
        expect_close_outcome(&used, &passes[i], &got, &want, &off);
    }
    model_destroy(&model);
    for (int i = 0; i < count; i++) batch_destroy(&passes[i].batch);
    side_close(&used);
    side_close(&fresh);
    side_close(&reference);
    side_close(&nudged);
    backend_destroy(&cpu);
    parameter_layout_destroy(&layout);
}

/* --- continuations */

enum { MOST_CONTINUATIONS = 6, MOST_LENGTH = 60 };

/* A context and what may follow it; all tokens in a row, [context][length of the first][of the second].. */
struct continuations {
    int context, count, length[MOST_CONTINUATIONS];
    int32_t id[MOST_LENGTH * (MOST_CONTINUATIONS + 1)];
};

static struct continuations continuations_drawn(struct op_case *c, int vocabulary) {
    struct continuations k = {.context = op_size(c, 1, MOST_LENGTH),
                              .count = 1 + op_draw(c, MOST_CONTINUATIONS)};
    int all = k.context;
    for (int i = 0; i < k.count; i++) all += k.length[i] = op_size(c, 1, MOST_LENGTH);
    struct array *ids = array_indices(c, (size_t)all, (size_t)vocabulary);
    for (int i = 0; i < all; i++) k.id[i] = (int32_t)ids->value[i];
    return k;
}

/* Every token of a continuation predicts the same one. */
static void add_targets(struct batch *batch, int first, int count) {
    for (int row = first; row < first + count; row++) batch_add_target(batch, row, batch->id[first], 1);
}

/* The context once, then all that follows it; or every text whole. */
static struct batch *batch_of(struct op_case *c, const struct continuations *k, bool shared) {
    struct batch *batch;
    int rows = MOST_LENGTH * 2 * MOST_CONTINUATIONS, at = k->context;
    OP_MUST(c, batch_create(rows, rows, rows, &batch, err));
    int context = shared ? batch_add_segment(batch, k->id, k->context, 0, 0) : 0;
    for (int i = 0; i < k->count; at += k->length[i++]) {
        int32_t text[2 * MOST_LENGTH];
        memcpy(text, k->id, (size_t)k->context * sizeof *text);
        memcpy(text + k->context, k->id + at, (size_t)k->length[i] * sizeof *text);
        int first = shared ? batch_add_segment(batch, k->id + at, k->length[i], context, k->context)
                           : batch_add_segment(batch, text, k->context + k->length[i], 0, 0) + k->context;
        add_targets(batch, first, k->length[i]);
    }
    return batch;
}

/* What is asked of a model after a forward pass, as numbers; [targets], [targets, vocabulary]. */
struct answers {
    double *loss, *logits;
    int32_t *best;
};

static struct answers ask(struct side *s, const struct batch *batch) {
    size_t targets = (size_t)batch->targets, count = targets * (size_t)s->config->vocabulary;
    struct model_limits limits = {.rows = batch->rows + op_draw(s->c, 20), .targets = batch->targets};
    struct answers a = {.loss = op_numbers(s->c, targets),
                        .logits = op_numbers(s->c, count),
                        .best = (void *)op_numbers(s->c, targets)};
    float *loss = (void *)op_numbers(s->c, targets), *logits = (void *)op_numbers(s->c, count);
    struct model *model = model_with(s, &limits);
    OP_MUST(s->c, model_forward(model, s->parameters.view, batch, err));
    OP_MUST(s->c, model_best(model, a.best, err));
    OP_MUST(s->c, model_logits(model, logits, err));
    OP_MUST(s->c, model_losses(model, loss, NULL, err));
    for (size_t i = 0; i < count; i++) a.logits[i] = (double)logits[i];
    for (size_t i = 0; i < targets; i++) a.loss[i] = (double)loss[i];
    model_destroy(&model);
    return a;
}

static void expect_answers(struct op_case *c, int targets, int vocabulary, const struct answers *got,
                           const struct answers *want, const struct answers *nudged) {
    size_t count = (size_t)targets * (size_t)vocabulary;
    double apart = NUDGES * largest_difference(want->logits, nudged->logits, count);
    for (size_t i = 0; i < count; i++)
        expect_near(c, "logit", got->logits[i], want->logits[i],
                    LOGIT_TOLERANCE * (1 + fabs(want->logits[i])) + apart);
    for (int n = 0; n < targets; n++) {
        const double *logits = got->logits + (size_t)n * (size_t)vocabulary;
        int32_t best = got->best[n];
        expect_near(c, "loss", got->loss[n], want->loss[n], LOSS_TOLERANCE * (1 + want->loss[n]) + 2 * apart);
        expect_true(c, best >= 0 && best < vocabulary, "the likeliest token is %d", best);
        for (int v = 0; v < vocabulary && best >= 0 && best < vocabulary; v++)
            expect_true(c, logits[v] <= logits[best] + LOGIT_TOLERANCE * (1 + fabs(logits[v])),
                        "%d is likelier than %d", v, best);
    }
}

static void run_random_continuations(struct op_case *c, int index) {
    (void)index;
    struct model_config config = config_drawn(c);
    struct continuations k = continuations_drawn(c, config.vocabulary);
    struct batch *shared = batch_of(c, &k, true), *whole = batch_of(c, &k, false);
    op_describe(c, "%s of %d layers, vocabulary %d, window %d, %d tokens, %d continuations",
                model_family_name(config.family), config.layers, config.vocabulary, config.window, k.context,
                k.count);
    struct parameter_layout *layout;
    struct backend *cpu;
    struct side side, reference, nudged;
    OP_MUST(c, parameter_layout_create(&config, &layout, err));
    OP_MUST(c, backend_create("cpu", 1, &cpu, err));
    double *weights = flat_drawn(c, &config, layout, true);
    side_open(&side, c, c->backend, &config, layout, weights, weights);
    side_open(&reference, c, cpu, &config, layout, weights, weights);
    flat_nudge(c, layout, weights);
    side_open(&nudged, c, cpu, &config, layout, weights, weights);
    struct answers got = ask(&side, shared), want = ask(&reference, whole), off = ask(&nudged, whole);
    if (c->backend->activations == DTYPE_F32)
        expect_answers(c, whole->targets, config.vocabulary, &got, &want, &off);
    side_close(&side);
    side_close(&reference);
    side_close(&nudged);
    batch_destroy(&shared);
    batch_destroy(&whole);
    backend_destroy(&cpu);
    parameter_layout_destroy(&layout);
}

int main(int argc, char **argv) {
    static const struct op_suite suites[] = {{"random_passes", 8, run_random_passes},
                                             {"random_continuations", 10, run_random_continuations},
                                             {NULL, 0, NULL}};
    return op_test_main(argc, argv, suites);
}

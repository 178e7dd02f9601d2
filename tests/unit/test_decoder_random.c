/* Decoding with models, limits, prompts and forks of all sizes against the whole text through model_forward
 * on the cpu backend with one thread. BACKEND-ARGUMENT */
#include "tests/support/model_draw.h"
#include "train/decoder.h"

#include "base/random.h"
#include <math.h>

enum { SEQUENCES = 6, TEXTS = 3, MOST_POSITIONS = 220, MOST_ROWS = 150, PASSES = 30 };

/* As in test_model_random.c, relative to 1 and the logit. */
static const double SAME_TOLERANCE = 2e-5, NUDGES = 10;

struct known_text {
    int32_t id[MOST_POSITIONS];
    double *logits;  /* [positions, vocabulary] */
    double *allowed; /* how far others may be off */
};

struct bench {
    struct op_case *c;
    struct model_config config;
    struct parameter_layout *layout;
    struct decoder *decoder;
    struct decoder_limits limits;
    struct known_text text[TEXTS];
    struct {
        int text, most; /* tokens it was opened for; 0: closed */
    } open[SEQUENCES];
};

/* What follows every token of a text. */
static double *whole_text(struct bench *b, const struct known_text *text, struct flat *weights) {
    struct model *model;
    struct batch *batch;
    int rows = b->limits.positions;
    size_t count = (size_t)rows * (size_t)b->config.vocabulary;
    struct model_limits limits = {.rows = rows, .targets = rows};
    double *numbers = op_numbers(b->c, count);
    float *logits = (void *)op_numbers(b->c, count);
    OP_MUST(b->c, batch_create(rows, rows, 1, &batch, err));
    batch_add_segment(batch, text->id, rows, 0, 0);
    for (int t = 0; t < rows; t++) batch_add_target(batch, t, 0, 1);
    OP_MUST(b->c, model_create(weights->backend, &b->config, b->layout, &limits, &model, err));
    OP_MUST(b->c, model_forward(model, weights->view, batch, err));
    OP_MUST(b->c, model_logits(model, logits, err));
    for (size_t i = 0; i < count; i++) numbers[i] = (double)logits[i];
    model_destroy(&model);
    batch_destroy(&batch);
    return numbers;
}

static void draw_texts(struct bench *b, struct flat *reference, struct flat *nudged) {
    size_t count = (size_t)b->limits.positions * (size_t)b->config.vocabulary;
    for (int i = 0; i < TEXTS; i++) {
        struct known_text *text = &b->text[i];
        struct array *ids = array_indices(b->c, MOST_POSITIONS, (size_t)b->config.vocabulary);
        for (int t = 0; t < MOST_POSITIONS; t++) text->id[t] = (int32_t)ids->value[t];
        text->logits = whole_text(b, text, reference);
        text->allowed = whole_text(b, text, nudged);
        double apart = 0;
        for (size_t j = 0; j < count; j++) apart = fmax(apart, fabs(text->allowed[j] - text->logits[j]));
        for (size_t j = 0; j < count; j++)
            text->allowed[j] = SAME_TOLERANCE * (1 + fabs(text->logits[j])) + NUDGES * apart;
    }
}

/* --- passes */

/* A new sequence, or one that goes on from another. */
static void open_one(struct bench *b) {
    int from = op_draw(b->c, SEQUENCES), sequence, kept = 0, tokens = 0;
    int length = b->open[from].most ? decoder_length(b->decoder, from) : 0;
    if (length) tokens = op_size(b->c, 1, length);
    if (!length || tokens == b->limits.positions || op_draw(b->c, 2)) from = -1;
    int most = b->limits.positions;
    if (op_draw(b->c, 2)) most = op_size(b->c, from < 0 ? 1 : tokens + 1, most);
    if (!decoder_fits(b->decoder, from, tokens, most)) return;
    int text = from < 0 ? op_draw(b->c, TEXTS) : b->open[from].text;
    if (from < 0) OP_MUST(b->c, decoder_open(b->decoder, most, &sequence, err));
    if (from >= 0) OP_MUST(b->c, decoder_fork(b->decoder, from, tokens, most, &sequence, &kept, err));
    expect_true(b->c, sequence >= 0 && sequence < b->limits.sequences && !b->open[sequence].most,
                "sequence %d is given twice", sequence);
    expect_true(b->c, kept <= tokens && decoder_length(b->decoder, sequence) == kept,
                "%d tokens are kept of %d", kept, tokens);
    b->open[sequence].text = text;
    b->open[sequence].most = most;
}

static void compare(struct bench *b, const struct decoder_feed *feed, int32_t best, const float *logits) {
    int vocabulary = b->config.vocabulary, after = decoder_length(b->decoder, feed->sequence);
    const struct known_text *text = &b->text[b->open[feed->sequence].text];
    const double *want = text->logits + (size_t)(after - 1) * (size_t)vocabulary,
                 *allowed = text->allowed + (size_t)(after - 1) * (size_t)vocabulary;
    bool known = best >= 0 && best < vocabulary;
    expect_true(b->c, known, "the likeliest token is %d", best);
    for (int v = 0; v < vocabulary && known; v++) {
        expect_true(b->c, want[v] - want[best] <= allowed[v] + allowed[best],
                    "after %d tokens: %d is likelier than %d", after, v, best);
        if (!logits) continue;
        expect_true(b->c, fabs((double)logits[v] - want[v]) <= allowed[v],
                    "after %d tokens: logit %d is %.9g, expected %.9g within %.3g", after, v,
                    (double)logits[v], want[v], allowed[v]);
    }
}

static void step(struct bench *b) {
    struct decoder_feed feeds[SEQUENCES];
    int32_t best[SEQUENCES];
    int count = 0, asked = 0, left = b->limits.rows, first = op_draw(b->c, SEQUENCES);
    float *logits = NULL;
    if (op_draw(b->c, 3)) logits = (void *)op_numbers(b->c, (size_t)(SEQUENCES * b->config.vocabulary));
    for (int i = 0; i < SEQUENCES; i++) {
        int s = (first + i) % SEQUENCES, length = b->open[s].most ? decoder_length(b->decoder, s) : 0,
            room = b->open[s].most - length, most = room < left ? room : left;
        if (most < 1 || !op_draw(b->c, 6)) continue;
        int tokens = op_draw(b->c, 2) ? 1 : op_draw(b->c, 3) ? op_size(b->c, 1, most) : most;
        feeds[count++] =
            (struct decoder_feed){s, b->text[b->open[s].text].id + length, tokens, op_draw(b->c, 4) > 0};
        left -= tokens;
    }
    OP_MUST(b->c, decoder_step(b->decoder, feeds, count, best, logits, err));
    for (int i = 0; i < count; i++) {
        if (!feeds[i].predict) continue;
        compare(b, &feeds[i], best[asked], logits ? logits + (size_t)(asked * b->config.vocabulary) : NULL);
        asked++;
    }
}

static void close_some(struct bench *b, int one_of) {
    for (int s = 0; s < SEQUENCES; s++) {
        if (!b->open[s].most || op_draw(b->c, one_of)) continue;
        decoder_close(b->decoder, s);
        b->open[s].most = 0;
    }
}

static struct decoder_limits limits_drawn(struct op_case *c) {
    struct decoder_limits limits = {.rows = op_size(c, op_draw(c, 3) ? 40 : 1, MOST_ROWS),
                                    .sequences = 1 + op_draw(c, SEQUENCES),
                                    .positions = op_size(c, op_draw(c, 4) ? 64 : 1, MOST_POSITIONS)};
    limits.tokens = limits.positions + op_size(c, 0, limits.positions * limits.sequences);
    return limits;
}

static void run_random(struct op_case *c, int index) {
    (void)index;
    struct backend *cpu;
    struct bench b = {.c = c, .config = config_drawn(c), .limits = limits_drawn(c)};
    struct flat weights, reference, nudged;
    op_describe(c, "%s of %d layers, vocabulary %d, %d/%d heads of %d, window %d, %d rows, %d of %d, %lld",
                model_family_name(b.config.family), b.config.layers, b.config.vocabulary, b.config.heads,
                b.config.kv_heads, b.config.head_dim, b.config.window, b.limits.rows, b.limits.sequences,
                b.limits.positions, (long long)b.limits.tokens);
    OP_MUST(c, parameter_layout_create(&b.config, &b.layout, err));
    OP_MUST(c, backend_create("cpu", 1, &cpu, err));
    flat_open(c, &weights, c->backend, b.layout);
    flat_open(c, &reference, cpu, b.layout);
    flat_open(c, &nudged, cpu, b.layout);
    double *numbers = flat_drawn(c, &b.config, b.layout, true);
    flat_upload(c, &weights, b.layout, numbers);
    flat_upload(c, &reference, b.layout, numbers);
    flat_nudge(c, b.layout, numbers);
    flat_upload(c, &nudged, b.layout, numbers);
    draw_texts(&b, &reference, &nudged);
    OP_MUST(c, decoder_create(c->backend, &b.config, b.layout, weights.view, &b.limits, &b.decoder, err));
    int64_t all = decoder_free_pages(b.decoder);
    for (int pass = 0; pass < PASSES; pass++) {
        open_one(&b);
        open_one(&b);
        step(&b);
        close_some(&b, 12);
    }
    close_some(&b, 1);
    expect_true(c, decoder_free_pages(b.decoder) == all, "pages are lost");
    decoder_destroy(&b.decoder);
    flat_close(&weights);
    flat_close(&reference);
    flat_close(&nudged);
    backend_destroy(&cpu);
    parameter_layout_destroy(&b.layout);
}

int main(int argc, char **argv) {
    static const struct op_suite suites[] = {{"random", 10, run_random}, {NULL, 0, NULL}};
    return op_test_main(argc, argv, suites);
}

#include "train/decoder.h"

#include "base/memory.h"
#include "train/pages.h"
#include <math.h>

/* Rows of a page: a block of keys of attention, so that a page is one. */
enum { PAGE_ROWS = 64 };

/* The layers of one kind, with a window or without, and the pages that these have in common. */
struct kind {
    int layers; /* 0: none of what follows exists */
    struct pages *pages;
    struct view row;                /* I32 [rows] on the device */
    int32_t *host_row;              /* [rows] */
    struct cached_segment *segment; /* [sequences] */
};

struct sequence {
    bool open;
    int length, positions;
    int64_t pass; /* the last one that fed it */
};

struct decoder {
    struct backend *backend; /* borrowed */
    struct model_config config;
    struct decoder_limits limits;
    struct view parameters;
    struct model *model;
    struct batch *batch;
    struct kind full, windowed;
    struct buffer *buffer;      /* of all layers' keys and values, and of the kinds' rows */
    struct view *keys, *values; /* [layers] */
    struct sequence *sequence;  /* [sequences] */
    int64_t pass;
};

/* --- making one */

static struct model_limits model_limits_of(const struct decoder_limits *limits) {
    return (struct model_limits){
        .rows = limits->rows, .targets = limits->sequences, .positions = limits->positions};
}

static struct pages_limits pages_limits_of(const struct decoder *d, bool windowed) {
    const struct decoder_limits *limits = &d->limits;
    return (struct pages_limits){.page_rows = PAGE_ROWS,
                                 .window = windowed ? d->config.window : 0,
                                 .rows = limits->rows,
                                 .sequences = limits->sequences,
                                 .positions = limits->positions,
                                 .tokens = limits->tokens};
}

static struct view take(struct buffer *buffer, size_t *bytes, enum dtype dtype, size_t elements) {
    enum { ALIGNMENT = 256 };
    struct view view = {buffer, *bytes / dtype_bytes(dtype), dtype};
    *bytes += (elements * dtype_bytes(dtype) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return view;
}

/* Carves the views out of d->buffer (NULL: only counts) and gives the bytes that are needed. */
static size_t plan(struct decoder *d) {
    const struct model_config *c = &d->config;
    size_t bytes = 0, width = (size_t)c->kv_heads * (size_t)c->head_dim;
    enum dtype dtype = d->backend ? d->backend->activations : DTYPE_F32;
    d->full.layers = d->windowed.layers = 0;
    for (int layer = 0; layer < c->layers; layer++) {
        struct pages_limits limits = pages_limits_of(d, c->windowed[layer]);
        size_t elements = (size_t)pages_needed(&limits) * PAGE_ROWS * width;
        struct view keys = take(d->buffer, &bytes, dtype, elements);
        struct view values = take(d->buffer, &bytes, dtype, elements);
        (c->windowed[layer] ? &d->windowed : &d->full)->layers++;
        if (!d->buffer) continue;
        d->keys[layer] = keys;
        d->values[layer] = values;
    }
    d->full.row = take(d->buffer, &bytes, DTYPE_I32, (size_t)d->limits.rows);
    d->windowed.row = take(d->buffer, &bytes, DTYPE_I32, (size_t)d->limits.rows);
    return bytes;
}

size_t decoder_bytes(const struct model_config *config, const struct decoder_limits *limits) {
    struct decoder d = {.config = *config, .limits = *limits};
    struct model_limits model = model_limits_of(limits);
    return plan(&d) + model_bytes(config, &model);
}

static int create_kind(struct decoder *d, struct kind *kind, bool windowed, struct error *err) {
    if (!kind->layers) return 0;
    struct pages_limits limits = pages_limits_of(d, windowed);
    TRY(pages_create(&limits, &kind->pages, err));
    TRY(memory_alloc(&kind->host_row, (size_t)d->limits.rows, sizeof *kind->host_row, err));
    return memory_alloc(&kind->segment, (size_t)d->limits.sequences, sizeof *kind->segment, err);
}

static int prepare(struct decoder *d, const struct parameter_layout *layout, struct error *err) {
    const struct decoder_limits *l = &d->limits;
    struct model_limits model = model_limits_of(l);
    TRY(memory_alloc(&d->sequence, (size_t)l->sequences, sizeof *d->sequence, err));
    TRY(memory_alloc(&d->keys, (size_t)d->config.layers, sizeof *d->keys, err));
    TRY(memory_alloc(&d->values, (size_t)d->config.layers, sizeof *d->values, err));
    TRY(batch_create(l->rows, l->sequences, l->sequences, &d->batch, err));
    size_t bytes = plan(d);
    TRY(create_kind(d, &d->full, false, err));
    TRY(create_kind(d, &d->windowed, true, err));
    TRY(d->backend->buffer_create(d->backend, bytes, &d->buffer, err));
    plan(d);
    return model_create(d->backend, &d->config, layout, &model, &d->model, err);
}

int decoder_create(struct backend *backend, const struct model_config *config,
                   const struct parameter_layout *layout, struct view parameters,
                   const struct decoder_limits *limits, struct decoder **out, struct error *err) {
    *out = NULL;
    if (limits->rows < 1 || limits->sequences < 1 || limits->positions < 1 ||
        limits->tokens < limits->positions)
        return error_set(err, ERROR_INTERNAL,
                         "decoder: limits of %d rows, %d sequences, %d positions, %lld tokens", limits->rows,
                         limits->sequences, limits->positions, (long long)limits->tokens);
    TRY(memory_alloc(out, 1, sizeof **out, err));
    struct decoder *d = *out;
    d->backend = backend;
    d->config = *config;
    d->limits = *limits;
    d->parameters = parameters;
    int code = prepare(d, layout, err);
    if (code) decoder_destroy(out);
    return code;
}

static void destroy_kind(struct kind *kind) {
    pages_destroy(&kind->pages);
    memory_free(kind->host_row);
    memory_free(kind->segment);
}

void decoder_destroy(struct decoder **decoder) {
    struct decoder *d = *decoder;
    *decoder = NULL;
    if (!d) return;
    model_destroy(&d->model);
    d->backend->buffer_destroy(d->backend, &d->buffer);
    if (d->batch) batch_destroy(&d->batch);
    destroy_kind(&d->full);
    destroy_kind(&d->windowed);
    memory_free(d->keys);
    memory_free(d->values);
    memory_free(d->sequence);
    memory_free(d);
}

/* --- sequences */

static int unused(const struct decoder *d) {
    for (int s = 0; s < d->limits.sequences; s++)
        if (!d->sequence[s].open) return s;
    return -1;
}

static bool is_open(const struct decoder *d, int sequence) {
    return sequence >= 0 && sequence < d->limits.sequences && d->sequence[sequence].open;
}

/* Tokens that a fork would share: what both kinds of layers can. */
static int shareable(const struct decoder *d, int from, int tokens) {
    if (from < 0) return 0;
    int length = d->sequence[from].length, kept = tokens;
    if (d->full.layers) kept = pages_shareable(d->full.pages, from, length, kept);
    if (d->windowed.layers) kept = pages_shareable(d->windowed.pages, from, length, kept);
    return kept;
}

bool decoder_fits(const struct decoder *d, int from, int tokens, int positions) {
    if (from >= 0 && !is_open(d, from)) return false;
    if (unused(d) < 0 || positions < 1 || positions > d->limits.positions) return false;
    int kept = shareable(d, from, tokens);
    return (!d->full.layers || pages_fit(d->full.pages, from, kept, positions)) &&
           (!d->windowed.layers || pages_fit(d->windowed.pages, from, kept, positions));
}

int decoder_fork(struct decoder *d, int from, int tokens, int positions, int *sequence, int *kept,
                 struct error *err) {
    if (!decoder_fits(d, from, tokens, positions) || tokens > positions)
        return error_set(err, ERROR_INTERNAL,
                         "decoder: a sequence of %d positions, %d tokens of it of sequence %d, does "
                         "not fit",
                         positions, tokens, from);
    int s = unused(d);
    *kept = shareable(d, from, tokens);
    if (d->full.layers) pages_open(d->full.pages, s, from, *kept, positions);
    if (d->windowed.layers) pages_open(d->windowed.pages, s, from, *kept, positions);
    d->sequence[s] = (struct sequence){.open = true, .length = *kept, .positions = positions};
    *sequence = s;
    return 0;
}

int decoder_open(struct decoder *d, int positions, int *sequence, struct error *err) {
    int kept;
    return decoder_fork(d, -1, 0, positions, sequence, &kept, err);
}

void decoder_close(struct decoder *d, int sequence) {
    if (!is_open(d, sequence)) return;
    if (d->full.layers) pages_close(d->full.pages, sequence);
    if (d->windowed.layers) pages_close(d->windowed.pages, sequence);
    d->sequence[sequence].open = false;
}

int decoder_length(const struct decoder *d, int sequence) {
    return is_open(d, sequence) ? d->sequence[sequence].length : 0;
}

int decoder_page_tokens(const struct decoder *d) {
    (void)d;
    return PAGE_ROWS;
}

int64_t decoder_free_pages(const struct decoder *d) {
    return (d->full.layers ? pages_free(d->full.pages) : 0) +
           (d->windowed.layers ? pages_free(d->windowed.pages) : 0);
}

/* --- feeding */

static int check_feeds(struct decoder *d, const struct decoder_feed *feeds, int count, struct error *err) {
    int64_t rows = 0;
    d->pass++;
    for (int i = 0; i < count; i++) {
        const struct decoder_feed *feed = &feeds[i];
        if (!is_open(d, feed->sequence) || feed->count < 1 || d->sequence[feed->sequence].pass == d->pass)
            return error_set(err, ERROR_INTERNAL, "decoder: feed %d is of %d tokens for sequence %d, %s", i,
                             feed->count, feed->sequence,
                             is_open(d, feed->sequence) ? "fed before" : "which is not open");
        for (int t = 0; t < feed->count; t++)
            if (feed->ids[t] < 0 || feed->ids[t] >= d->config.vocabulary)
                return error_set(err, ERROR_INPUT, "decoder: token %d of feed %d is %d, outside 0..%d", t, i,
                                 (int)feed->ids[t], d->config.vocabulary - 1);
        struct sequence *sequence = &d->sequence[feed->sequence];
        if (feed->count > sequence->positions - sequence->length)
            return error_set(err, ERROR_INTERNAL,
                             "decoder: %d tokens more for sequence %d, which has %d of %d", feed->count,
                             feed->sequence, sequence->length, sequence->positions);
        sequence->pass = d->pass;
        rows += feed->count;
    }
    if (rows <= d->limits.rows) return 0;
    return error_set(err, ERROR_INTERNAL, "decoder: %lld tokens in a pass that takes %d", (long long)rows,
                     d->limits.rows);
}

/* Where the rows of a feed, `first` and on of the batch, lie in the cache of one kind of layers. */
static void place_rows(struct kind *kind, const struct decoder_feed *feed, int index, int first, int past) {
    if (!kind->layers) return;
    const int32_t *page = pages_table(kind->pages, feed->sequence);
    kind->segment[index] = (struct cached_segment){first, feed->count, past, page};
    for (int t = 0; t < feed->count; t++) {
        int position = past + t;
        kind->host_row[first + t] = page[position / PAGE_ROWS] * PAGE_ROWS + position % PAGE_ROWS;
    }
}

static bool extend(struct kind *kind, int sequence, int length) {
    return !kind->layers || pages_extend(kind->pages, sequence, length);
}

static void upload_rows(struct decoder *d, const struct kind *kind) {
    if (kind->layers) d->backend->upload(d->backend, kind->row, kind->host_row, (size_t)d->batch->rows);
}

static int pack(struct decoder *d, const struct decoder_feed *feeds, int count, struct error *err) {
    batch_clear(d->batch);
    for (int i = 0; i < count; i++) {
        const struct decoder_feed *feed = &feeds[i];
        int past = d->sequence[feed->sequence].length, length = past + feed->count;
        if (!extend(&d->full, feed->sequence, length) || !extend(&d->windowed, feed->sequence, length))
            return error_set(err, ERROR_INTERNAL, "decoder: no page for token %d of sequence %d", length,
                             feed->sequence);
        int first = batch_add_segment(d->batch, feed->ids, feed->count, 0, past);
        if (feed->predict) batch_add_target(d->batch, first + feed->count - 1, 0, 0);
        place_rows(&d->full, feed, i, first, past);
        place_rows(&d->windowed, feed, i, first, past);
    }
    upload_rows(d, &d->full);
    upload_rows(d, &d->windowed);
    return 0;
}

static int32_t likeliest(const float *logits, int vocabulary) {
    int32_t best = 0;
    for (int v = 0; v < vocabulary; v++) {
        if (isnan(logits[v])) return -1;
        if (logits[v] > logits[best]) best = v;
    }
    return best;
}

static int predict(struct decoder *d, int32_t *best, float *logits, struct error *err) {
    int targets = d->batch->targets, vocabulary = d->config.vocabulary;
    if (!targets) return 0;
    if (logits)
        TRY(model_logits(d->model, logits, err));
    else
        TRY(model_best(d->model, best, err));
    for (int n = 0; n < targets; n++) {
        if (logits) best[n] = likeliest(logits + (size_t)n * (size_t)vocabulary, vocabulary);
        if (best[n] < 0) return error_set(err, ERROR_NUMERIC, "decoder: logits that are not numbers");
    }
    return 0;
}

int decoder_step(struct decoder *d, const struct decoder_feed *feeds, int count, int32_t *best, float *logits,
                 struct error *err) {
    if (count == 0) return 0;
    struct model_cache cache = {.page_rows = PAGE_ROWS,
                                .keys = d->keys,
                                .values = d->values,
                                .full = {d->full.row, d->full.segment},
                                .windowed = {d->windowed.row, d->windowed.segment}};
    TRY(check_feeds(d, feeds, count, err));
    TRY(pack(d, feeds, count, err));
    TRY(model_forward_cached(d->model, d->parameters, d->batch, &cache, err));
    for (int i = 0; i < count; i++) {
        struct sequence *sequence = &d->sequence[feeds[i].sequence];
        sequence->length += feeds[i].count;
        if (d->full.layers) pages_trim(d->full.pages, feeds[i].sequence, sequence->length);
        if (d->windowed.layers) pages_trim(d->windowed.pages, feeds[i].sequence, sequence->length);
    }
    return predict(d, best, logits, err);
}

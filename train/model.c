/* Making a model, and what can be asked of it after a forward pass. */
#include "train/model_internal.h"

#include "base/memory.h"
#include "train/rope.h"

const char *const recompute_names[] = {[RECOMPUTE_NONE] = "none", [RECOMPUTE_LAYER] = "layer", NULL};

static int check_limits(const struct model_limits *limits, struct error *err) {
    if (limits->rows < 1 || limits->targets < 1 || limits->positions < 0 || limits->slots < 0)
        return error_set(err, ERROR_INTERNAL, "model: limits of %d rows, %d targets, %d positions, %d slots",
                         limits->rows, limits->targets, limits->positions, limits->slots);
    return 0;
}

size_t model_bytes(const struct model_config *config, const struct model_limits *limits) {
    struct layer_state layers[MODEL_LAYERS_MAX];
    struct model model = {.config = *config, .limits = *limits, .layers = layers};
    return model_plan(&model, NULL);
}

static int upload_rope(struct model *m, const struct rope_config *rope, struct view to, struct error *err) {
    float *table;
    size_t count = (size_t)model_positions(m) * (size_t)m->config.head_dim;
    TRY(memory_alloc(&table, count, sizeof *table, err));
    rope_table(rope, m->config.head_dim, model_positions(m), table);
    m->backend->upload(m->backend, to, table, count);
    memory_free(table);
    return 0;
}

static int upload_ones(struct model *m, struct error *err) {
    float *ones;
    size_t count = (size_t)m->limits.targets;
    TRY(memory_alloc(&ones, count, sizeof *ones, err));
    for (size_t i = 0; i < count; i++) ones[i] = 1.0f;
    m->backend->upload(m->backend, m->ones, ones, count);
    memory_free(ones);
    return 0;
}

static int prepare(struct model *m, struct error *err) {
    struct backend *b = m->backend;
    TRY(memory_alloc(&m->layers, (size_t)m->config.layers, sizeof *m->layers, err));
    TRY(memory_alloc(&m->slot_sums, 2 * (size_t)m->limits.slots, sizeof *m->slot_sums, err));
    size_t bytes = model_plan(m, NULL);
    TRY(b->buffer_create(b, bytes, &m->buffer, err));
    model_plan(m, m->buffer);
    TRY(b->reserve(b, m->limits.rows, m->config.hidden, m->config.vocabulary, m->limits.targets, err));
    TRY(upload_rope(m, &m->config.rope_full, m->rope_full, err));
    if (m->config.window) TRY(upload_rope(m, &m->config.rope_windowed, m->rope_windowed, err));
    if (m->limits.slots) TRY(upload_ones(m, err));
    return b->check(b, err);
}

int model_create(struct backend *backend, const struct model_config *config,
                 const struct parameter_layout *layout, const struct model_limits *limits, struct model **out,
                 struct error *err) {
    *out = NULL;
    TRY(check_limits(limits, err));
    TRY(memory_alloc(out, 1, sizeof **out, err));
    struct model *m = *out;
    m->backend = backend;
    m->config = *config;
    m->layout = layout;
    m->limits = *limits;
    m->limits.activations = backend->activations;
    int code = prepare(m, err);
    if (code) model_destroy(out);
    return code;
}

void model_destroy(struct model **model) {
    struct model *m = *model;
    if (!m) return;
    m->backend->buffer_destroy(m->backend, &m->buffer);
    memory_free(m->layers);
    memory_free(m->slot_sums);
    memory_free(m);
    *model = NULL;
}

static int need_forward(const struct model *m, const char *what, struct error *err) {
    if (m->batch) return 0;
    return error_set(err, ERROR_INTERNAL, "%s without a forward pass before it", what);
}

static void compute_losses(struct model *m, bool greedy) {
    struct linear_cross_entropy args = {.rows = m->batch->targets,
                                        .hidden = m->config.hidden,
                                        .vocabulary = m->config.vocabulary,
                                        .hidden_states = m->states,
                                        .weight = view_at(m->parameters, m->layout->head),
                                        .target = m->target_id,
                                        .loss = m->loss,
                                        .greedy = greedy ? m->greedy : view_none()};
    m->backend->linear_cross_entropy(m->backend, &args);
}

int model_losses(struct model *m, float *loss, int32_t *greedy, struct error *err) {
    struct backend *b = m->backend;
    TRY(need_forward(m, "model_losses", err));
    size_t targets = (size_t)m->batch->targets;
    if (!targets) return 0;
    compute_losses(m, greedy);
    b->download(b, m->loss, loss, targets);
    if (greedy) b->download(b, m->greedy, greedy, targets);
    return b->check(b, err);
}

void model_sum_losses(struct model *m) {
    struct backend *b = m->backend;
    if (m->limits.slots) b->row_dot(b, m->batch->targets, 1, m->loss, m->ones, m->target_slot, m->slot_loss);
}

int model_add_losses(struct model *m, struct error *err) {
    TRY(need_forward(m, "model_add_losses", err));
    if (!m->batch->targets) return 0;
    compute_losses(m, false);
    model_sum_losses(m);
    return 0;
}

int model_take_sums(struct model *m, double *loss, double *alignment, struct error *err) {
    struct backend *b = m->backend;
    size_t slots = (size_t)m->limits.slots;
    if (slots) b->download(b, m->slot_loss, m->slot_sums, 2 * slots);
    int code = b->check(b, err);
    if (slots) b->zero(b, 2 * slots, m->slot_loss);
    for (size_t i = 0; i < slots && !code; i++) {
        if (loss) loss[i] += m->slot_sums[i];
        if (alignment) alignment[i] += m->slot_sums[slots + i];
    }
    return code;
}

int model_best(struct model *m, int32_t *best, struct error *err) {
    struct backend *b = m->backend;
    TRY(need_forward(m, "model_best", err));
    int targets = m->batch->targets;
    b->linear_argmax(b, targets, m->config.hidden, m->config.vocabulary, m->states,
                     view_at(m->parameters, m->layout->head), m->greedy);
    b->download(b, m->greedy, best, (size_t)targets);
    return b->check(b, err);
}

int model_logits(struct model *m, float *logits, struct error *err) {
    struct backend *b = m->backend;
    TRY(need_forward(m, "model_logits", err));
    size_t vocabulary = (size_t)m->config.vocabulary, hidden = (size_t)m->config.hidden;
    int targets = m->batch->targets, width = m->config.hidden;
    /* As many whole rows of logits as scratch holds, or pieces of one row. */
    size_t piece = vocabulary < m->logits_room ? vocabulary : m->logits_room, rows = m->logits_room / piece;
    for (size_t row = 0; row < (size_t)targets; row += rows) {
        size_t count = (size_t)targets - row < rows ? (size_t)targets - row : rows;
        for (size_t first = 0; first < vocabulary; first += piece) {
            size_t columns = vocabulary - first < piece ? vocabulary - first : piece;
            struct view table = view_at(m->parameters, m->layout->head + first * hidden);
            model_linear(m, (int)count, (int)columns, width, view_at(m->states, row * hidden), table, 0,
                         m->logits);
            b->download(b, m->logits, logits + row * vocabulary + first, count * columns);
        }
    }
    return b->check(b, err);
}

#include "tests/support/model_draw.h"

#include "base/memory.h"
#include "base/random.h"
#include <math.h>

/* --- configurations */

static void draw_rope(struct op_case *c, struct rope_config *rope) {
    static const double thetas[] = {100, 10000, 500000};
    *rope = (struct rope_config){.theta = thetas[op_draw(c, 3)], .scaling = (enum rope_scaling)op_draw(c, 3)};
    if (rope->scaling == ROPE_PLAIN) return;
    rope->factor = 1 + op_draw(c, 8);
    rope->low_frequency_factor = 1;
    rope->high_frequency_factor = 4;
    rope->original_positions = 64;
}

static void draw_windows(struct op_case *c, struct model_config *config) {
    bool any = false;
    config->window = op_size(c, 1, 80);
    for (int i = 0; i < config->layers; i++) any |= config->windowed[i] = op_draw(c, 2);
    if (!any) config->window = 0;
}

struct model_config config_drawn(struct op_case *c) {
    struct model_config config = {.family = (enum model_family)op_draw(c, 3),
                                  .max_positions = 4096,
                                  .activation = (enum activation)op_draw(c, 2),
                                  .norm_epsilon = op_draw(c, 2) ? 1e-6f : 1e-5f,
                                  .tied = op_draw(c, 2),
                                  .begin_id = -1};
    bool gemma = config.family == MODEL_GEMMA3_TEXT;
    config.layers = 1 + op_draw(c, 4);
    config.vocabulary = op_size(c, 1, 1500);
    config.hidden = op_size(c, 4, 150);
    config.feed_forward = op_size(c, 1, 300);
    config.kv_heads = 1 + op_draw(c, 3);
    config.heads = config.kv_heads * (1 + op_draw(c, 4));
    config.head_dim = 2 * op_size(c, 1, op_draw(c, 4) ? 32 : 128);
    config.norm_offset = gemma ? 1 : 0;
    config.norm_after_blocks = gemma;
    config.qk_norm = config.family != MODEL_LLAMA;
    config.embedding_factor = gemma ? (float)sqrt(config.hidden) : 1;
    config.query_scale = (float)(1 / sqrt(config.head_dim));
    if (config.family != MODEL_LLAMA) draw_windows(c, &config);
    draw_rope(c, &config.rope_full);
    draw_rope(c, &config.rope_windowed);
    if (!gemma) config.rope_windowed = config.rope_full;
    return config;
}

/* --- flat vectors */

void flat_open(struct op_case *c, struct flat *f, struct backend *backend,
               const struct parameter_layout *layout) {
    *f = (struct flat){.backend = backend};
    OP_MUST(c, backend->buffer_create(backend, layout->elements * sizeof(float), &f->buffer, err));
    f->view = (struct view){f->buffer, 0, DTYPE_F32};
}

void flat_close(struct flat *f) {
    f->backend->buffer_destroy(f->backend, &f->buffer);
}

double *flat_drawn(struct op_case *c, const struct model_config *config,
                   const struct parameter_layout *layout, bool like_weights) {
    struct random_key key = {
        .seed = (uint64_t)c->index, .purpose = RANDOM_TEST, .stream = (uint32_t)c->streams++};
    double *numbers = op_numbers(c, layout->elements);
    for (int i = 0; i < layout->count; i++) {
        const struct parameter *p = &layout->parameters[i];
        bool norm = p->columns == 1 && !p->decays;
        double middle = norm && like_weights ? 1 - (double)config->norm_offset : 0;
        double spread = !like_weights ? 1 : norm ? 0.2 : 1 / sqrt(p->columns);
        for (size_t at = p->offset; at < p->offset + (size_t)p->rows * (size_t)p->columns; at++)
            numbers[at] = middle + spread * random_normal(key, at);
    }
    return numbers;
}

void flat_nudge(struct op_case *c, const struct parameter_layout *layout, double *numbers) {
    struct random_key key = {
        .seed = (uint64_t)c->index, .purpose = RANDOM_TEST, .stream = (uint32_t)c->streams++};
    for (size_t i = 0; i < layout->elements; i++)
        numbers[i] *= 1 + (random_bits(key, i) & 1 ? 1 : -1) * 0x1p-23;
}

void flat_upload(struct op_case *c, struct flat *f, const struct parameter_layout *layout,
                 const double *numbers) {
    float *floats;
    OP_MUST(c, memory_alloc(&floats, layout->elements, sizeof *floats, err));
    for (size_t i = 0; i < layout->elements; i++) floats[i] = (float)numbers[i];
    f->backend->upload(f->backend, f->view, floats, layout->elements);
    OP_MUST(c, f->backend->check(f->backend, err));
    memory_free(floats);
}

double *flat_download(struct op_case *c, struct flat *f, const struct parameter_layout *layout) {
    double *numbers = op_numbers(c, layout->elements);
    float *floats;
    OP_MUST(c, memory_alloc(&floats, layout->elements, sizeof *floats, err));
    f->backend->download(f->backend, f->view, floats, layout->elements);
    OP_MUST(c, f->backend->check(f->backend, err));
    for (size_t i = 0; i < layout->elements; i++) numbers[i] = (double)floats[i];
    memory_free(floats);
    return numbers;
}

/* --- batches */

struct batch *batch_drawn(struct op_case *c, int rows, int vocabulary, int slots) {
    static const int shares[] = {0, 1, 4, 8, 8}; /* of eight rows, how many are supervised */
    struct batch *batch;
    OP_MUST(c, batch_create(rows, rows, rows, &batch, err));
    int share = shares[op_draw(c, 5)], longest = op_size(c, 1, rows);
    while (batch->rows < rows) {
        int first = batch->rows, left = rows - first, slot = op_draw(c, slots);
        int length = op_size(c, 1, longest < left ? longest : left);
        struct random_key key = {
            .seed = (uint64_t)c->index, .purpose = RANDOM_TEST, .stream = (uint32_t)c->streams++};
        int32_t ids[1024];
        if (length > 1024) length = 1024;
        for (int i = 0; i < length; i++)
            ids[i] = (int32_t)random_below(key, (uint64_t)i, (uint64_t)vocabulary);
        batch_add_segment(batch, ids, length, 0, 0);
        for (int i = 0; i < length; i++) {
            uint64_t draw = (uint64_t)(length + 3 * i);
            batch->row_slot[first + i] = slot;
            if ((int)random_below(key, draw, 8) < share)
                batch_add_target(batch, first + i, (int32_t)random_below(key, draw + 1, (uint64_t)vocabulary),
                                 (float)random_normal(key, draw + 2));
        }
    }
    return batch;
}

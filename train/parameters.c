/* Where each tensor stands in the flat vector. */
#include "train/parameters.h"

#include "base/memory.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { TENSORS_A_LAYER = 13 };

/* A tensor of a layer: its name after "model.layers.N.", where its offset is kept, and its shape. */
struct layer_tensor {
    const char *name;
    size_t field; /* offset in struct layer_parameters */
    int rows, columns;
};

/* Fills `list` with what a layer of this family has, in the order of the forward pass; returns how many. */
static int layer_tensors(const struct model_config *c, struct layer_tensor list[TENSORS_A_LAYER]) {
#define FIELD(name) offsetof(struct layer_parameters, name)
    int queries = c->heads * c->head_dim, keys = c->kv_heads * c->head_dim, n = 0;
    list[n++] = (struct layer_tensor){"input_layernorm", FIELD(input_norm), c->hidden, 1};
    list[n++] = (struct layer_tensor){"self_attn.q_proj", FIELD(query), queries, c->hidden};
    list[n++] = (struct layer_tensor){"self_attn.k_proj", FIELD(key), keys, c->hidden};
    list[n++] = (struct layer_tensor){"self_attn.v_proj", FIELD(value), keys, c->hidden};
    if (c->qk_norm) {
        list[n++] = (struct layer_tensor){"self_attn.q_norm", FIELD(query_norm), c->head_dim, 1};
        list[n++] = (struct layer_tensor){"self_attn.k_norm", FIELD(key_norm), c->head_dim, 1};
    }
    list[n++] = (struct layer_tensor){"self_attn.o_proj", FIELD(output), c->hidden, queries};
    if (c->norm_after_blocks) {
        list[n++] =
            (struct layer_tensor){"post_attention_layernorm", FIELD(attention_norm_after), c->hidden, 1};
        list[n++] =
            (struct layer_tensor){"pre_feedforward_layernorm", FIELD(feed_forward_norm), c->hidden, 1};
    } else { /* the same word for another place */
        list[n++] = (struct layer_tensor){"post_attention_layernorm", FIELD(feed_forward_norm), c->hidden, 1};
    }
    list[n++] = (struct layer_tensor){"mlp.gate_proj", FIELD(gate), c->feed_forward, c->hidden};
    list[n++] = (struct layer_tensor){"mlp.up_proj", FIELD(up), c->feed_forward, c->hidden};
    list[n++] = (struct layer_tensor){"mlp.down_proj", FIELD(down), c->hidden, c->feed_forward};
    if (c->norm_after_blocks)
        list[n++] =
            (struct layer_tensor){"post_feedforward_layernorm", FIELD(feed_forward_norm_after), c->hidden, 1};
    return n;
#undef FIELD
}

/* Appends a tensor and returns its offset. */
static size_t append(struct parameter_layout *layout, const char *name, int rows, int columns) {
    struct parameter *p = &layout->parameters[layout->count++];
    size_t numbers = (size_t)rows * (size_t)columns;
    snprintf(p->name, sizeof p->name, "%s", name);
    p->rows = rows;
    p->columns = columns;
    p->offset = layout->elements;
    p->decays = columns > 1;
    layout->numbers += numbers;
    layout->elements += (numbers + PARAMETER_ALIGNMENT - 1) / PARAMETER_ALIGNMENT * PARAMETER_ALIGNMENT;
    return p->offset;
}

static void append_layer(struct parameter_layout *layout, int layer, const struct layer_tensor *list,
                         int count) {
    struct layer_parameters *offsets = &layout->layers[layer];
    memset(offsets, 0xff, sizeof *offsets); /* SIZE_MAX: absent */
    for (int i = 0; i < count; i++) {
        char name[sizeof layout->parameters->name];
        snprintf(name, sizeof name, "model.layers.%d.%s.weight", layer, list[i].name);
        size_t offset = append(layout, name, list[i].rows, list[i].columns);
        memcpy((char *)offsets + list[i].field, &offset, sizeof offset);
    }
}

int parameter_layout_create(const struct model_config *config, struct parameter_layout **out,
                            struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    struct parameter_layout *layout = *out;
    size_t layers = (size_t)config->layers;
    int code = memory_alloc(&layout->layers, layers, sizeof *layout->layers, err);
    if (!code)
        code =
            memory_alloc(&layout->parameters, layers * TENSORS_A_LAYER + 3, sizeof *layout->parameters, err);
    if (code) {
        parameter_layout_destroy(out);
        return code;
    }
    struct layer_tensor list[TENSORS_A_LAYER];
    int count = layer_tensors(config, list);
    layout->embedding = append(layout, "model.embed_tokens.weight", config->vocabulary, config->hidden);
    for (int i = 0; i < config->layers; i++) append_layer(layout, i, list, count);
    layout->final_norm = append(layout, "model.norm.weight", config->hidden, 1);
    layout->head = config->tied ? layout->embedding
                                : append(layout, "lm_head.weight", config->vocabulary, config->hidden);
    return 0;
}

void parameter_layout_destroy(struct parameter_layout **layout) {
    if (!*layout) return;
    memory_free((*layout)->parameters);
    memory_free((*layout)->layers);
    memory_free(*layout);
    *layout = NULL;
}

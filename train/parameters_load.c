/* The flat vector from safetensors. */
#include "train/parameters_internal.h"

#include "base/memory.h"
#include <string.h>

struct loading {
    const char *folder;
    const struct parameter_layout *layout;
    struct backend *backend;
    struct view to;
    struct safetensors *reader;
    float *chunk; /* [PARAMETERS_CHUNK] */
    bool *seen;   /* [layout->count] */
};

static int load_tensor(struct loading *l, const struct safetensors_tensor *tensor, const struct parameter *p,
                       struct error *err) {
    for (size_t first = 0; first < tensor->elements; first += PARAMETERS_CHUNK) {
        size_t count =
            tensor->elements - first < PARAMETERS_CHUNK ? tensor->elements - first : PARAMETERS_CHUNK;
        safetensors_read_floats(tensor, first, count, l->chunk);
        if (!parameters_all_finite(l->chunk, count))
            return error_set(err, ERROR_NUMERIC, "%s/%s: tensor \"%s\" holds a number that is not finite",
                             l->folder, safetensors_file_name(l->reader, tensor->file), tensor->name);
        l->backend->upload(l->backend, view_at(l->to, p->offset + first), l->chunk, count);
    }
    l->seen[p - l->layout->parameters] = true;
    return 0;
}

static int check_tied_head(const struct loading *l, const struct safetensors_tensor *head,
                           const struct parameter *p, struct error *err) {
    const struct safetensors_tensor *table = safetensors_find(l->reader, p->name);
    if (table && table->dtype == head->dtype && table->bytes == head->bytes &&
        memcmp(table->data, head->data, head->bytes) == 0)
        return 0;
    return error_set(
        err, ERROR_INPUT,
        "%s: config.json ties the embeddings (tie_word_embeddings), but lm_head.weight differs from %s",
        l->folder, p->name);
}

static int load_all(struct loading *l, struct error *err) {
    for (size_t i = 0; i < safetensors_count(l->reader); i++) {
        const struct safetensors_tensor *tensor = safetensors_at(l->reader, i);
        const struct parameter *p;
        TRY(parameters_match(l->folder, l->reader, tensor, l->layout, &p, err));
        if (!p) continue;
        if (parameters_is_tied_head(l->layout, tensor->name))
            TRY(check_tied_head(l, tensor, p, err));
        else
            TRY(load_tensor(l, tensor, p, err));
    }
    for (int i = 0; i < l->layout->count; i++)
        if (!l->seen[i])
            return error_set(err, ERROR_INPUT, "%s: tensor \"%s\" is missing", l->folder,
                             l->layout->parameters[i].name);
    return l->backend->check(l->backend, err);
}

int parameters_load(const char *folder, const struct parameter_layout *layout, struct backend *backend,
                    struct view to, struct error *err) {
    struct loading l = {.folder = folder, .layout = layout, .backend = backend, .to = to};
    int code = safetensors_open_folder(folder, &l.reader, err);
    if (!code) code = memory_alloc(&l.chunk, PARAMETERS_CHUNK, sizeof *l.chunk, err);
    if (!code) code = memory_alloc(&l.seen, (size_t)layout->count, sizeof *l.seen, err);
    if (!code) {
        backend->zero(backend, layout->elements, to); /* the padding */
        code = load_all(&l, err);
    }
    memory_free(l.chunk);
    memory_free(l.seen);
    safetensors_close(&l.reader);
    return code;
}

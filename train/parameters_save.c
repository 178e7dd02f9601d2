/* The flat vector to safetensors, in a folder laid out as the source's. */
#include "train/parameters_internal.h"

#include "base/memory.h"
#include "io/file.h"
#include <string.h>

struct saving {
    const char *source, *folder;
    const struct parameter_layout *layout;
    struct backend *backend;
    struct view from;
    enum parameters_precision precision;
    struct safetensors *reader;
    float *chunk;         /* [PARAMETERS_CHUNK] */
    unsigned char *bytes; /* [PARAMETERS_CHUNK * 4] */
};

/* The dtype that a tensor of the source is written in; buffers that follow from the config keep theirs. */
static enum safetensors_dtype dtype_of(const struct saving *s, const struct safetensors_tensor *tensor) {
    bool widen = s->precision == PARAMETERS_F32 && safetensors_is_float(tensor->dtype);
    return widen && !parameters_is_derived(tensor->name) ? SAFETENSORS_F32 : tensor->dtype;
}

static int save_tensor(struct saving *s, const struct safetensors_tensor *tensor, const struct parameter *p,
                       struct safetensors_writer *writer, struct error *err) {
    enum safetensors_dtype dtype = dtype_of(s, tensor);
    for (size_t first = 0; first < tensor->elements; first += PARAMETERS_CHUNK) {
        size_t count =
            tensor->elements - first < PARAMETERS_CHUNK ? tensor->elements - first : PARAMETERS_CHUNK;
        s->backend->download(s->backend, view_at(s->from, p->offset + first), s->chunk, count);
        TRY(s->backend->check(s->backend, err));
        safetensors_write_floats(dtype, s->chunk, count, s->bytes);
        /* What a reader will see must be finite too: a float32 may be too large for the 16-bit kinds. */
        struct safetensors_tensor written = {.dtype = dtype, .data = s->bytes};
        safetensors_read_floats(&written, 0, count, s->chunk);
        if (!parameters_all_finite(s->chunk, count))
            return error_set(err, ERROR_NUMERIC, "%s: tensor \"%s\" holds a number that is not finite in %s",
                             s->folder, tensor->name, safetensors_dtype_name(dtype));
        TRY(safetensors_writer_append(writer, s->bytes, count * safetensors_dtype_bytes(dtype), err));
    }
    return 0;
}

static int save_tensors(struct saving *s, size_t file, struct safetensors_writer *writer, struct error *err) {
    for (size_t i = 0; i < safetensors_count(s->reader); i++) {
        const struct safetensors_tensor *tensor = safetensors_at(s->reader, i);
        const struct parameter *p;
        if (tensor->file != file) continue;
        TRY(parameters_match(s->source, s->reader, tensor, s->layout, &p, err));
        if (p)
            TRY(save_tensor(s, tensor, p, writer, err));
        else
            TRY(safetensors_writer_append(writer, tensor->data, tensor->bytes, err));
    }
    return 0;
}

/* Writes one file as its namesake in the source folder is laid out. */
static int save_file(struct saving *s, size_t file, struct error *err) {
    struct safetensors_entry *entries;
    size_t count = 0, total = safetensors_count(s->reader);
    char *path = NULL;
    struct safetensors_writer *writer = NULL;
    TRY(memory_alloc(&entries, total, sizeof *entries, err));
    for (size_t i = 0; i < total; i++) {
        const struct safetensors_tensor *tensor = safetensors_at(s->reader, i);
        if (tensor->file != file) continue;
        entries[count] =
            (struct safetensors_entry){tensor->name, dtype_of(s, tensor), tensor->dimensions, {0}};
        memcpy(entries[count++].shape, tensor->shape, sizeof tensor->shape);
    }
    int code = file_join(s->folder, safetensors_file_name(s->reader, file), &path, err);
    if (!code) code = safetensors_writer_open(path, entries, count, &writer, err);
    if (!code) code = save_tensors(s, file, writer, err);
    if (!code) code = safetensors_writer_commit(&writer, err);
    safetensors_writer_abandon(&writer);
    memory_free(entries);
    memory_free(path);
    return code;
}

static int save_all(struct saving *s, struct error *err) {
    for (size_t file = 0; file < safetensors_files(s->reader); file++) TRY(save_file(s, file, err));
    return 0;
}

/* A model.safetensors left from an earlier save would be preferred to shards; then their index, last of all.
 */
static int finish_shards(const struct saving *s, struct error *err) {
    char *single;
    if (!safetensors_sharded(s->reader)) return 0;
    TRY(file_join(s->folder, "model.safetensors", &single, err));
    int code = file_remove_tree(single, err);
    memory_free(single);
    if (code) return code;
    size_t bytes = 0;
    for (size_t i = 0; i < safetensors_count(s->reader); i++) {
        const struct safetensors_tensor *tensor = safetensors_at(s->reader, i);
        bytes += tensor->elements * safetensors_dtype_bytes(dtype_of(s, tensor));
    }
    return parameters_copy_index(s->source, s->folder, s->precision, bytes, err);
}

int parameters_save(enum parameters_precision precision, const char *source_folder, const char *folder,
                    const struct parameter_layout *layout, struct backend *backend, struct view from,
                    struct error *err) {
    struct saving s = {.source = source_folder,
                       .folder = folder,
                       .layout = layout,
                       .backend = backend,
                       .from = from,
                       .precision = precision};
    int code = safetensors_open_folder(source_folder, &s.reader, err);
    if (!code) code = memory_alloc(&s.chunk, PARAMETERS_CHUNK, sizeof *s.chunk, err);
    if (!code) code = memory_alloc(&s.bytes, PARAMETERS_CHUNK, sizeof *s.chunk, err);
    if (!code) code = file_make_folder(folder, err);
    if (!code) code = parameters_copy_files(source_folder, folder, precision, err);
    if (!code) code = save_all(&s, err);
    if (!code) code = finish_shards(&s, err);
    memory_free(s.chunk);
    memory_free(s.bytes);
    safetensors_close(&s.reader);
    return code;
}

#include "runner/cell/weights_hash.h"

#include "base/memory.h"
#include "base/text.h"
#include "io/file.h"
#include "io/safetensors/safetensors.h"
#include <stdlib.h>
#include <string.h>

enum { PLACES = 4, PLACE_BYTES = 1024, CONFIG_BYTES_MAX = 1 << 20 };

static int add_config(const char *folder, struct hash *hash, struct error *err) {
    struct text text = {0};
    char *path;
    TRY(file_join(folder, "config.json", &path, err));
    int code = file_read(path, CONFIG_BYTES_MAX, &text, err);
    if (!code) code = hash_update(hash, text.data, text.length, err);
    text_free(&text);
    memory_free(path);
    return code;
}

static int add_tensor(const struct safetensors_tensor *tensor, struct hash *hash, struct error *err) {
    TRY(hash_update_string(hash, tensor->name, err));
    TRY(hash_update_string(hash, safetensors_dtype_name(tensor->dtype), err));
    for (int i = 0; i < tensor->dimensions; i++)
        TRY(hash_update(hash, &tensor->shape[i], sizeof tensor->shape[i], err));
    if (tensor->bytes <= PLACES * PLACE_BYTES) return hash_update(hash, tensor->data, tensor->bytes, err);
    for (size_t i = 0; i < PLACES; i++) /* the last one ends where the tensor ends */
        TRY(hash_update(hash, tensor->data + (tensor->bytes - PLACE_BYTES) / (PLACES - 1) * i, PLACE_BYTES,
                        err));
    return 0;
}

static int by_name(const void *a, const void *b) {
    const struct safetensors_tensor *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static int add_tensors(const struct safetensors *reader, struct hash *hash, struct error *err) {
    const struct safetensors_tensor **tensors;
    size_t count = safetensors_count(reader);
    TRY(memory_alloc(&tensors, count, sizeof *tensors, err));
    for (size_t i = 0; i < count; i++) tensors[i] = safetensors_at(reader, i);
    qsort(tensors, count, sizeof *tensors, by_name);
    int code = 0;
    for (size_t i = 0; i < count && !code; i++) code = add_tensor(tensors[i], hash, err);
    memory_free(tensors);
    return code;
}

int weights_hash(const char *folder, char hex[HASH_HEX_BYTES], struct error *err) {
    struct safetensors *reader;
    struct hash *hash;
    TRY(safetensors_open_folder(folder, &reader, err));
    int code = hash_create(&hash, err);
    if (!code) {
        code = add_config(folder, hash, err);
        if (!code) code = add_tensors(reader, hash, err);
        if (!code)
            code = hash_finish(&hash, hex, err);
        else
            hash_destroy(&hash);
    }
    safetensors_close(&reader);
    return code;
}

/* Any bytes as a safetensors file: refused, or every byte of every tensor can be read. */
#include "io/safetensors/safetensors_internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct safetensors_list list = {0};
    struct arena *arena;
    struct error err;
    if (arena_create(&arena, NULL)) return 0;
    /* A copy of its own, so that the sanitizer sees the first byte read beyond it. */
    unsigned char *bytes = malloc(size ? size : 1);
    memcpy(bytes, data, size);
    size_t total = 0;
    if (!safetensors_parse("fuzz", bytes, size, 0, arena, &list, &err))
        for (size_t i = 0; i < list.count; i++) {
            const struct safetensors_tensor *tensor = &list.tensors[i];
            if (tensor->bytes != tensor->elements * safetensors_dtype_bytes(tensor->dtype)) abort();
            total += tensor->bytes;
            volatile unsigned char sum = 0;
            for (size_t j = 0; j < tensor->bytes; j++) sum = (unsigned char)(sum + tensor->data[j]);
            float number;
            if (tensor->elements && safetensors_is_float(tensor->dtype))
                safetensors_read_floats(tensor, tensor->elements - 1, 1, &number);
        }
    if (total > size) abort();
    memory_free(list.tensors);
    arena_destroy(&arena);
    free(bytes);
    return 0;
}

#include "runner/checkpoint/manifest.h"

#include "base/memory.h"
#include <string.h>

size_t manifest_shard_bytes(const struct manifest *manifest, const struct manifest_shard *shard) {
    return (manifest->moments ? 3 : 1) * shard->count * sizeof(float);
}

int manifest_find(const struct manifest *manifest, const char *name, size_t count,
                  const struct manifest_section **out, struct error *err) {
    for (int i = 0; i < manifest->section_count; i++) {
        const struct manifest_section *section = &manifest->sections[i];
        if (strcmp(section->name, name)) continue;
        if (count && section->count != count)
            return error_set(err, ERROR_INPUT, "the checkpoint's \"%s\" has %zu words (%zu expected)", name,
                             section->count, count);
        *out = section;
        return 0;
    }
    return error_set(err, ERROR_INPUT, "the checkpoint has no \"%s\"", name);
}

void manifest_destroy(struct manifest **out) {
    struct manifest *manifest = *out;
    *out = NULL;
    if (!manifest) return;
    arena_destroy(&manifest->arena);
    memory_free(manifest);
}

#include "runner/checkpoint/manifest.h"

#include "base/memory.h"
#include "runner/checkpoint/sealed.h"
#include <cjson/cJSON.h>

static bool add_shards(cJSON *root, const struct manifest *manifest) {
    cJSON *list = cJSON_AddArrayToObject(root, "shards");
    for (int i = 0; list && i < manifest->shard_count; i++) {
        const struct manifest_shard *shard = &manifest->shards[i];
        cJSON *item = cJSON_CreateObject();
        if (!item || !cJSON_AddItemToArray(list, item)) return false;
        if (!cJSON_AddStringToObject(item, "file", shard->file) ||
            !cJSON_AddNumberToObject(item, "first", (double)shard->first) ||
            !cJSON_AddNumberToObject(item, "count", (double)shard->count) ||
            !cJSON_AddStringToObject(item, "sha256", shard->sha256))
            return false;
    }
    return list != NULL;
}

static bool add_sections(cJSON *root, const struct manifest *manifest) {
    static const char digits[] = "0123456789abcdef";
    cJSON *object = cJSON_AddObjectToObject(root, "sections");
    for (int i = 0; object && i < manifest->section_count; i++) {
        const struct manifest_section *section = &manifest->sections[i];
        char *hex;
        if (memory_alloc(&hex, 16 * section->count + 1, 1, NULL)) return false;
        for (size_t w = 0; w < section->count; w++)
            for (int d = 0; d < 16; d++)
                hex[16 * w + (size_t)d] = digits[section->words[w] >> (60 - 4 * d) & 15];
        bool added = cJSON_AddStringToObject(object, section->name, hex);
        memory_free(hex);
        if (!added) return false;
    }
    return object != NULL;
}

static bool add_all(cJSON *root, const struct manifest *manifest) {
    return root && cJSON_AddStringToObject(root, "schema", "adapt-checkpoint/1") &&
           cJSON_AddStringToObject(root, "identity", manifest->identity) &&
           cJSON_AddNumberToObject(root, "step", (double)manifest->step) &&
           cJSON_AddNumberToObject(root, "validations", (double)manifest->validations) &&
           cJSON_AddNumberToObject(root, "elements", (double)manifest->elements) &&
           cJSON_AddBoolToObject(root, "moments", manifest->moments) &&
           cJSON_AddBoolToObject(root, "trained", manifest->trained) && add_shards(root, manifest) &&
           add_sections(root, manifest);
}

int manifest_print(const struct manifest *manifest, struct text *out, struct error *err) {
    cJSON *root = cJSON_CreateObject();
    char *printed = add_all(root, manifest) ? cJSON_Print(root) : NULL;
    cJSON_Delete(root);
    if (!printed) return error_set(err, ERROR_MEMORY, "out of memory for a checkpoint's manifest");
    text_clear(out);
    int code = text_append_string(out, printed, err);
    cJSON_free(printed);
    return code ? code : sealed_close(out, err);
}

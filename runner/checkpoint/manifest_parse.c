#include "runner/checkpoint/manifest.h"

#include "base/memory.h"
#include "io/json.h"
#include "runner/checkpoint/sealed.h"
#include <math.h>
#include <string.h>

/* A whole number from 0 to 2^53. */
static int take_count(const char *name, const cJSON *object, const char *key, int64_t *out,
                      struct error *err) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    double value = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    if (!(value >= 0.0 && value <= 9007199254740992.0 && value == floor(value)))
        return error_set(err, ERROR_INPUT, "%s: \"%s\" is no whole number", name, key);
    *out = (int64_t)value;
    return 0;
}

static int take_size(const char *name, const cJSON *object, const char *key, size_t *out, struct error *err) {
    int64_t value = 0;
    TRY(take_count(name, object, key, &value, err));
    *out = (size_t)value;
    return 0;
}

static int take_flag(const char *name, const cJSON *object, const char *key, bool *out, struct error *err) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    if (!cJSON_IsBool(item))
        return error_set(err, ERROR_INPUT, "%s: \"%s\" is neither true nor false", name, key);
    *out = cJSON_IsTrue(item);
    return 0;
}

static const char *text_of(const cJSON *object, const char *key) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static int take_shard(const char *name, const cJSON *item, struct manifest_shard *out, struct error *err) {
    static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyz-.";
    const char *file = text_of(item, "file"), *hash = text_of(item, "sha256");
    size_t length = strlen(file);
    if (!length || length >= sizeof out->file || strspn(file, allowed) != length || file[0] == '.')
        return error_set(err, ERROR_INPUT, "%s: a shard's file has no good name", name);
    if (strlen(hash) != HASH_HEX_BYTES - 1)
        return error_set(err, ERROR_INPUT, "%s: %s: has no SHA-256", name, file);
    memcpy(out->file, file, length + 1);
    memcpy(out->sha256, hash, sizeof out->sha256);
    TRY(take_size(name, item, "first", &out->first, err));
    return take_size(name, item, "count", &out->count, err);
}

static int take_shards(const char *name, const cJSON *root, struct manifest *out, struct error *err) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "shards"), *item;
    if (!cJSON_IsArray(list)) return error_set(err, ERROR_INPUT, "%s: has no list of shards", name);
    size_t covered = 0;
    TRY(arena_alloc(out->arena, &out->shards, (size_t)cJSON_GetArraySize(list), sizeof *out->shards, err));
    cJSON_ArrayForEach(item, list) {
        struct manifest_shard *shard = &out->shards[out->shard_count++];
        TRY(take_shard(name, item, shard, err));
        if (shard->first != covered || shard->count > out->elements - covered)
            return error_set(err, ERROR_INPUT, "%s: %s: does not go on where the shard before it ends", name,
                             shard->file);
        covered += shard->count;
    }
    if (covered != out->elements)
        return error_set(err, ERROR_INPUT, "%s: the shards hold %zu of %zu elements", name, covered,
                         out->elements);
    return 0;
}

static int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int take_section(const char *name, const cJSON *item, struct arena *arena,
                        struct manifest_section *out, struct error *err) {
    const char *hex = cJSON_IsString(item) ? item->valuestring : "?";
    size_t length = strlen(hex);
    out->count = length / 16;
    char *copy;
    TRY(arena_copy(arena, item->string, strlen(item->string), &copy, err));
    out->name = copy;
    TRY(arena_alloc(arena, &out->words, out->count, sizeof *out->words, err));
    bool good = length % 16 == 0;
    for (size_t i = 0; i < length && good; i++) {
        int digit = digit_of(hex[i]);
        good = digit >= 0;
        out->words[i / 16] = out->words[i / 16] << 4 | (uint64_t)(digit & 15);
    }
    return good ? 0
                : error_set(err, ERROR_INPUT, "%s: section \"%.64s\" holds no 64-bit words", name,
                            item->string);
}

static int take_sections(const char *name, const cJSON *root, struct manifest *out, struct error *err) {
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(root, "sections"), *item;
    if (!cJSON_IsObject(object)) return error_set(err, ERROR_INPUT, "%s: has no sections", name);
    TRY(arena_alloc(out->arena, &out->sections, (size_t)cJSON_GetArraySize(object), sizeof *out->sections,
                    err));
    cJSON_ArrayForEach(item, object)
        TRY(take_section(name, item, out->arena, &out->sections[out->section_count++], err));
    return 0;
}

static int take_all(const char *name, const cJSON *root, struct manifest *out, struct error *err) {
    const char *identity = text_of(root, "identity");
    char *copy;
    if (strcmp(text_of(root, "schema"), "adapt-checkpoint/1"))
        return error_set(err, ERROR_INPUT, "%s: is no checkpoint of the schema adapt-checkpoint/1", name);
    TRY(arena_copy(out->arena, identity, strlen(identity), &copy, err));
    out->identity = copy;
    TRY(take_count(name, root, "step", &out->step, err));
    TRY(take_count(name, root, "validations", &out->validations, err));
    TRY(take_size(name, root, "elements", &out->elements, err));
    TRY(take_flag(name, root, "moments", &out->moments, err));
    TRY(take_flag(name, root, "trained", &out->trained, err));
    TRY(take_shards(name, root, out, err));
    return take_sections(name, root, out, err);
}

int manifest_parse(const char *name, const char *text, size_t length, struct manifest **out,
                   struct error *err) {
    size_t json_length;
    cJSON *root;
    *out = NULL;
    TRY(sealed_open(name, text, length, &json_length, err));
    TRY(json_parse(name, text, json_length, &root, err));
    int code = memory_alloc(out, 1, sizeof **out, err);
    if (!code) code = arena_create(&(*out)->arena, err);
    if (!code) code = take_all(name, root, *out, err);
    cJSON_Delete(root);
    if (code) manifest_destroy(out);
    return code;
}

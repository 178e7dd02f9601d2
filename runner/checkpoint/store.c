#include "runner/checkpoint/store.h"

#include "base/memory.h"
#include "io/archive/archive.h"
#include "io/file.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEPT = 2, MANIFEST_BYTES_MAX = 1 << 28 };
static const char SUFFIX[] = ".checkpoint";

int store_folder(const char *cell_path, char **out, struct error *err) {
    return archive_cell_beside(cell_path, SUFFIX, out, err);
}

void store_shard_name(int64_t number, int rank, int ranks, char out[MANIFEST_FILE_BYTES]) {
    snprintf(out, MANIFEST_FILE_BYTES, "%06" PRId64 ".rank-%d-of-%d", number, rank, ranks);
}

/* ---- listing */

/* The number that a name begins with; -1: none. */
static int64_t number_of(const char *name) {
    char *end;
    if (name[0] < '0' || name[0] > '9') return -1;
    long long number = strtoll(name, &end, 10);
    return *end == '.' && number < INT32_MAX ? (int64_t)number : -1;
}

static bool is_manifest(const char *name) {
    const char *dot = strchr(name, '.');
    return dot && !strcmp(dot, SUFFIX);
}

static int by_falling_number(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

int store_list(const char *folder, int64_t **numbers, size_t *count, int64_t *next, struct error *err) {
    char **names = NULL;
    size_t found = 0;
    *count = 0;
    *next = 0;
    if (file_is_folder(folder)) TRY(file_list(folder, "", &names, &found, err));
    int code = memory_alloc(numbers, found + 1, sizeof **numbers, err);
    for (size_t i = 0; i < found && !code; i++) {
        int64_t number = number_of(names[i]);
        if (number < 0) continue;
        if (number >= *next) *next = number + 1;
        if (is_manifest(names[i])) (*numbers)[(*count)++] = number;
    }
    if (!code) qsort(*numbers, *count, sizeof **numbers, by_falling_number);
    file_free_list(names, found);
    return code;
}

/* ---- reading */

static int manifest_path(const char *folder, int64_t number, struct text *out, struct error *err) {
    return text_printf(out, err, "%s/%06" PRId64 "%s", folder, number, SUFFIX);
}

int store_read(const char *folder, int64_t number, struct manifest **out, struct error *err) {
    struct text path = {0}, text = {0};
    *out = NULL;
    int code = manifest_path(folder, number, &path, err);
    if (!code) code = file_read(text_string(&path), MANIFEST_BYTES_MAX, &text, err);
    if (!code) code = manifest_parse(text_string(&path), text_string(&text), text.length, out, err);
    text_free(&path);
    text_free(&text);
    return code;
}

static int verify(const char *path, const struct manifest *manifest, const struct manifest_shard *shard,
                  struct error *err) {
    struct file_map map;
    char hex[HASH_HEX_BYTES];
    TRY(file_map(path, &map, err));
    int code = 0;
    if (map.length != manifest_shard_bytes(manifest, shard))
        code = error_set(err, ERROR_INPUT, "%s: has %zu bytes (%zu expected): it was cut", path, map.length,
                         manifest_shard_bytes(manifest, shard));
    if (!code) code = hash_bytes(map.data, map.length, hex, err);
    if (!code && strcmp(hex, shard->sha256))
        code = error_set(err, ERROR_INPUT, "%s: its checksum is wrong: it was changed", path);
    file_unmap(&map);
    return code;
}

int store_verify(const char *folder, const struct manifest *manifest, int index, int step,
                 struct error *err) {
    int code = 0;
    for (int i = index; i < manifest->shard_count && !code; i += step) {
        char *path = NULL;
        code = file_join(folder, manifest->shards[i].file, &path, err);
        if (!code) code = verify(path, manifest, &manifest->shards[i], err);
        memory_free(path);
    }
    return code;
}

/* ---- writing */

/* Files of checkpoint `number` alone, the manifest first, so that what is left after a kill is no checkpoint.
 */
static void drop(const char *folder, char **names, size_t count, int64_t number) {
    for (int manifests = 1; manifests >= 0; manifests--) {
        for (size_t i = 0; i < count; i++) {
            char *path;
            if (number_of(names[i]) != number || is_manifest(names[i]) != manifests) continue;
            if (file_join(folder, names[i], &path, NULL)) continue;
            unlink(path);
            memory_free(path);
        }
    }
}

void store_drop(const char *folder, int64_t number) {
    char **names;
    size_t count;
    if (file_list(folder, "", &names, &count, NULL)) return;
    drop(folder, names, count, number);
    file_free_list(names, count);
}

/* Everything older than the two newest whole checkpoints, parts of unfinished ones included. */
static void prune(const char *folder) {
    char **names;
    size_t count, whole;
    int64_t *numbers, next;
    if (store_list(folder, &numbers, &whole, &next, NULL)) return;
    int64_t oldest = whole >= KEPT ? numbers[KEPT - 1] : -1;
    memory_free(numbers);
    if (oldest < 0 || file_list(folder, "", &names, &count, NULL)) return;
    for (size_t i = 0; i < count; i++) {
        int64_t number = number_of(names[i]);
        if (number >= 0 && number < oldest) drop(folder, names, count, number);
    }
    file_free_list(names, count);
}

int store_commit(const char *folder, int64_t number, const struct manifest *manifest, struct error *err) {
    struct text path = {0}, text = {0};
    int code = manifest_path(folder, number, &path, err);
    if (!code) code = manifest_print(manifest, &text, err);
    if (!code) code = file_write(text_string(&path), text.data, text.length, err);
    text_free(&path);
    text_free(&text);
    if (!code) prune(folder);
    return code;
}

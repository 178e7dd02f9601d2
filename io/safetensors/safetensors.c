/* Opening safetensors: a single file, or a model folder with or without shards. */
#include "io/safetensors/safetensors_internal.h"

#include "io/file.h"
#include "io/json.h"
#include <stdlib.h>
#include <string.h>

enum { INDEX_LIMIT = 100 * 1000 * 1000 };

static const char SINGLE_NAME[] = "model.safetensors";
static const char INDEX_NAME[] = "model.safetensors.index.json";
static const char SUFFIX[] = ".safetensors";

struct shard {
    const char *name;    /* in the arena */
    struct file_map map; /* owned */
};

struct safetensors {
    struct arena *arena; /* names */
    struct shard *shards;
    size_t shard_count, shard_capacity;
    struct safetensors_list list;
    struct safetensors_tensor **by_name; /* pointers into the list, sorted */
    bool sharded;
};

static int compare_names(const void *a, const void *b) {
    const struct safetensors_tensor *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

/* Maps `path`, known as `name`, and appends its tensors. */
static int add_file(struct safetensors *reader, const char *path, const char *name, struct error *err) {
    TRY(memory_reserve(&reader->shards, &reader->shard_capacity, reader->shard_count + 1,
                       sizeof *reader->shards, err));
    struct shard shard = {0};
    char *copy;
    TRY(arena_copy(reader->arena, name, strlen(name), &copy, err));
    shard.name = copy;
    TRY(file_map(path, &shard.map, err));
    size_t file = reader->shard_count;
    reader->shards[reader->shard_count++] = shard;
    return safetensors_parse(path, shard.map.data, shard.map.length, file, reader->arena, &reader->list, err);
}

static int sort_names(struct safetensors *reader, const char *path, struct error *err) {
    size_t count = reader->list.count;
    TRY(memory_alloc(&reader->by_name, count, sizeof *reader->by_name, err));
    for (size_t i = 0; i < count; i++) reader->by_name[i] = &reader->list.tensors[i];
    if (count) qsort(reader->by_name, count, sizeof *reader->by_name, compare_names);
    for (size_t i = 1; i < count; i++)
        if (strcmp(reader->by_name[i - 1]->name, reader->by_name[i]->name) == 0)
            return error_set(err, ERROR_INPUT, "%s: tensor \"%s\" comes twice", path,
                             reader->by_name[i]->name);
    return 0;
}

/* --- shards */

static bool plain_shard_name(const char *name) {
    size_t length = strlen(name), suffix = sizeof SUFFIX - 1;
    return length > suffix && strcmp(name + length - suffix, SUFFIX) == 0 && !strchr(name, '/') &&
           !strchr(name, '\\');
}

static int add_shard(struct safetensors *reader, const char *folder, const char *index, const char *name,
                     struct error *err) {
    if (!plain_shard_name(name))
        return error_set(err, ERROR_INPUT,
                         "%s: \"%s\" is not the name of a .safetensors file in the same folder", index, name);
    for (size_t i = 0; i < reader->shard_count; i++)
        if (strcmp(reader->shards[i].name, name) == 0) return 0;
    char *path;
    TRY(file_join(folder, name, &path, err));
    int code = add_file(reader, path, name, err);
    memory_free(path);
    return code;
}

/* Every tensor must be listed for the file that holds it, and nothing else listed. */
static int check_weight_map(const struct safetensors *reader, const char *index, const cJSON *map,
                            struct error *err) {
    size_t listed = 0;
    for (const cJSON *item = map->child; item; item = item->next, listed++) {
        const struct safetensors_tensor *tensor = safetensors_find(reader, item->string);
        if (!tensor || strcmp(reader->shards[tensor->file].name, item->valuestring))
            return error_set(err, ERROR_INPUT, "%s: tensor \"%s\" is not in %s", index, item->string,
                             item->valuestring);
    }
    if (listed == reader->list.count) return 0;
    for (size_t i = 0; i < reader->list.count; i++) {
        const struct safetensors_tensor *tensor = &reader->list.tensors[i];
        if (!cJSON_GetObjectItemCaseSensitive(map, tensor->name))
            return error_set(err, ERROR_INPUT, "%s: tensor \"%s\" of %s is not listed", index, tensor->name,
                             reader->shards[tensor->file].name);
    }
    return error_set(err, ERROR_INPUT, "%s: a tensor is listed twice", index);
}

static int open_shards(struct safetensors *reader, const char *folder, const char *index, const cJSON *root,
                       struct error *err) {
    const cJSON *map = cJSON_GetObjectItemCaseSensitive(root, "weight_map");
    if (!cJSON_IsObject(map))
        return error_set(err, ERROR_INPUT, "%s: weight_map is missing or not an object", index);
    for (const cJSON *item = map->child; item; item = item->next) {
        if (!cJSON_IsString(item))
            return error_set(err, ERROR_INPUT, "%s: weight_map.%s is not a file name", index, item->string);
        TRY(add_shard(reader, folder, index, item->valuestring, err));
    }
    reader->sharded = true;
    TRY(sort_names(reader, index, err));
    return check_weight_map(reader, index, map, err);
}

static int open_index(struct safetensors *reader, const char *folder, const char *index, struct error *err) {
    cJSON *root;
    TRY(json_parse_file(index, INDEX_LIMIT, &root, err));
    int code = open_shards(reader, folder, index, root, err);
    cJSON_Delete(root);
    return code;
}

/* --- opening */

static int open_single(struct safetensors *reader, const char *path, const char *name, struct error *err) {
    TRY(add_file(reader, path, name, err));
    return sort_names(reader, path, err);
}

static int reader_create(struct safetensors **out, struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    int code = arena_create(&(*out)->arena, err);
    if (code) safetensors_close(out);
    return code;
}

int safetensors_open(const char *path, struct safetensors **out, struct error *err) {
    TRY(reader_create(out, err));
    const char *slash = strrchr(path, '/');
    int code = open_single(*out, path, slash ? slash + 1 : path, err);
    if (code) safetensors_close(out);
    return code;
}

int safetensors_open_folder(const char *folder, struct safetensors **out, struct error *err) {
    char *single = NULL, *index = NULL;
    *out = NULL;
    int code = file_join(folder, SINGLE_NAME, &single, err);
    if (!code) code = file_join(folder, INDEX_NAME, &index, err);
    if (!code) code = reader_create(out, err);
    if (!code) {
        if (file_exists(single))
            code = open_single(*out, single, SINGLE_NAME, err);
        else if (file_exists(index))
            code = open_index(*out, folder, index, err);
        else
            code = error_set(err, ERROR_INPUT, "%s: neither %s nor %s is there", folder, SINGLE_NAME,
                             INDEX_NAME);
    }
    if (code) safetensors_close(out);
    memory_free(single);
    memory_free(index);
    return code;
}

void safetensors_close(struct safetensors **reader) {
    struct safetensors *r = *reader;
    if (!r) return;
    for (size_t i = 0; i < r->shard_count; i++) file_unmap(&r->shards[i].map);
    memory_free(r->shards);
    memory_free(r->list.tensors);
    memory_free(r->by_name);
    arena_destroy(&r->arena);
    memory_free(r);
    *reader = NULL;
}

/* --- looking */

size_t safetensors_count(const struct safetensors *reader) {
    return reader->list.count;
}

const struct safetensors_tensor *safetensors_at(const struct safetensors *reader, size_t index) {
    return &reader->list.tensors[index];
}

const struct safetensors_tensor *safetensors_find(const struct safetensors *reader, const char *name) {
    struct safetensors_tensor wanted = {.name = name}, *key = &wanted;
    if (!reader->list.count) return NULL;
    struct safetensors_tensor **found =
        bsearch(&key, reader->by_name, reader->list.count, sizeof *reader->by_name, compare_names);
    return found ? *found : NULL;
}

size_t safetensors_files(const struct safetensors *reader) {
    return reader->shard_count;
}

const char *safetensors_file_name(const struct safetensors *reader, size_t file) {
    return reader->shards[file].name;
}

bool safetensors_sharded(const struct safetensors *reader) {
    return reader->sharded;
}

/* The header of a safetensors file, checked against the file it stands in. */
#include "io/safetensors/safetensors_internal.h"

#include "io/json.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 8, HEADER_LIMIT = 100 * 1000 * 1000 }; /* the limit of the reference implementation */

/* Where a tensor's message comes from. */
struct place {
    const char *path, *name;
    struct error *err;
};

#define REFUSE(place, ...) (error_set((place)->err, ERROR_INPUT, __VA_ARGS__))

/* JSON's numbers are doubles here: whole numbers up to 2^53 are exact, and no file is larger. */
static bool whole_number(const cJSON *item, size_t *out) {
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || item->valuedouble > 9007199254740992.0)
        return false;
    *out = (size_t)item->valuedouble;
    return (double)*out == item->valuedouble;
}

static int read_dtype(const struct place *place, const cJSON *item, enum safetensors_dtype *out) {
    if (!cJSON_IsString(item))
        return REFUSE(place, "%s: tensor \"%s\": dtype is missing or not a string", place->path, place->name);
    for (int i = 0; i < SAFETENSORS_DTYPES; i++) {
        if (strcmp(item->valuestring, safetensors_dtype_name((enum safetensors_dtype)i))) continue;
        *out = (enum safetensors_dtype)i;
        return 0;
    }
    return REFUSE(place, "%s: tensor \"%s\": dtype \"%s\" is unknown", place->path, place->name,
                  item->valuestring);
}

static int read_shape(const struct place *place, const cJSON *item, struct safetensors_tensor *tensor) {
    if (!cJSON_IsArray(item))
        return REFUSE(place, "%s: tensor \"%s\": shape is missing or not an array", place->path, place->name);
    tensor->elements = 1;
    for (const cJSON *size = item->child; size; size = size->next) {
        if (tensor->dimensions == SAFETENSORS_DIMENSIONS_MAX)
            return REFUSE(place, "%s: tensor \"%s\": more than %d dimensions", place->path, place->name,
                          SAFETENSORS_DIMENSIONS_MAX);
        size_t *slot = &tensor->shape[tensor->dimensions++];
        if (!whole_number(size, slot))
            return REFUSE(place, "%s: tensor \"%s\": a size of its shape is not a whole number", place->path,
                          place->name);
        if (__builtin_mul_overflow(tensor->elements, *slot, &tensor->elements))
            return REFUSE(place, "%s: tensor \"%s\": its shape overflows", place->path, place->name);
    }
    return 0;
}

static int read_offsets(const struct place *place, const cJSON *item, const unsigned char *data, size_t room,
                        struct safetensors_tensor *tensor) {
    size_t begin, end, need;
    if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) != 2 || !whole_number(item->child, &begin) ||
        !whole_number(item->child->next, &end))
        return REFUSE(place, "%s: tensor \"%s\": data_offsets are not two whole numbers", place->path,
                      place->name);
    if (begin > end || end > room)
        return REFUSE(place, "%s: tensor \"%s\": data_offsets [%zu, %zu] leave the file's %zu bytes of data",
                      place->path, place->name, begin, end, room);
    if (__builtin_mul_overflow(tensor->elements, safetensors_dtype_bytes(tensor->dtype), &need) ||
        need != end - begin)
        return REFUSE(place, "%s: tensor \"%s\": %zu bytes, but its shape and dtype %s need another number",
                      place->path, place->name, end - begin, safetensors_dtype_name(tensor->dtype));
    tensor->bytes = need;
    tensor->data = data + begin;
    return 0;
}

static int read_tensor(const struct place *place, const cJSON *item, const unsigned char *data, size_t room,
                       struct safetensors_tensor *tensor) {
    static const char *const keys[] = {"dtype", "shape", "data_offsets"};
    const cJSON *value[3] = {NULL, NULL, NULL};
    if (!cJSON_IsObject(item))
        return REFUSE(place, "%s: tensor \"%s\" is not an object", place->path, place->name);
    for (const cJSON *field = item->child; field; field = field->next) {
        int k = 0;
        while (k < 3 && strcmp(field->string, keys[k])) k++;
        if (k == 3 || value[k])
            return REFUSE(place, "%s: tensor \"%s\": %s field \"%s\"", place->path, place->name,
                          k == 3 ? "unknown" : "repeated", field->string);
        value[k] = field;
    }
    TRY(read_dtype(place, value[0], &tensor->dtype));
    TRY(read_shape(place, value[1], tensor));
    return read_offsets(place, value[2], data, room, tensor);
}

static int check_metadata(const char *path, const cJSON *item, struct error *err) {
    if (!cJSON_IsObject(item)) return error_set(err, ERROR_INPUT, "%s: __metadata__ is not an object", path);
    for (const cJSON *field = item->child; field; field = field->next)
        if (!cJSON_IsString(field))
            return error_set(err, ERROR_INPUT, "%s: __metadata__.%s is not a string", path, field->string);
    return 0;
}

static int by_place(const void *a, const void *b) {
    const struct safetensors_tensor *x = a, *y = b;
    if (x->data != y->data) return x->data < y->data ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes); /* empty tensors before the one that starts there */
}

/* The tensors must cover the data from the first byte to the last, each beginning where the one before it
 * ends. */
static int check_cover(const char *path, const struct safetensors_tensor *tensors, size_t count,
                       const unsigned char *data, size_t room, struct error *err) {
    const unsigned char *expected = data;
    for (size_t i = 0; i < count; i++) {
        if (tensors[i].data != expected)
            return error_set(err, ERROR_INPUT, "%s: tensor \"%s\" %s before it", path, tensors[i].name,
                             tensors[i].data < expected ? "overlaps the one" : "leaves a hole");
        expected += tensors[i].bytes;
    }
    if (expected != data + room)
        return error_set(err, ERROR_INPUT, "%s: %zu bytes after the last tensor belong to none", path,
                         (size_t)(data + room - expected));
    return 0;
}

static int read_tensors(const char *path, const cJSON *header, const unsigned char *data, size_t room,
                        size_t file, struct arena *arena, struct safetensors_list *list, struct error *err) {
    size_t first = list->count;
    bool metadata = false;
    TRY(memory_reserve(&list->tensors, &list->capacity, first + 1, sizeof *list->tensors,
                       err)); /* never NULL */
    for (const cJSON *item = header->child; item; item = item->next) {
        if (strcmp(item->string, "__metadata__") == 0) {
            if (metadata) return error_set(err, ERROR_INPUT, "%s: __metadata__ comes twice", path);
            metadata = true;
            TRY(check_metadata(path, item, err));
            continue;
        }
        struct safetensors_tensor tensor = {.file = file};
        char *name;
        TRY(arena_copy(arena, item->string, strlen(item->string), &name, err));
        tensor.name = name;
        TRY(read_tensor(&(struct place){path, name, err}, item, data, room, &tensor));
        TRY(memory_reserve(&list->tensors, &list->capacity, list->count + 1, sizeof tensor, err));
        list->tensors[list->count++] = tensor;
    }
    size_t count = list->count - first;
    if (count) qsort(list->tensors + first, count, sizeof *list->tensors, by_place);
    return check_cover(path, list->tensors + first, count, data, room, err);
}

int safetensors_parse(const char *path, const unsigned char *bytes, size_t length, size_t file,
                      struct arena *arena, struct safetensors_list *list, struct error *err) {
    uint64_t header_length;
    if (length < LENGTH_BYTES)
        return error_set(err, ERROR_INPUT, "%s: %zu bytes are too few for a safetensors file", path, length);
    memcpy(&header_length, bytes, sizeof header_length);
    if (header_length > HEADER_LIMIT || header_length > length - LENGTH_BYTES)
        return error_set(
            err, ERROR_INPUT,
            "%s: a header of %llu bytes does not fit (file of %zu bytes, limit of %d): cut short, or not "
            "a safetensors file",
            path, (unsigned long long)header_length, length, HEADER_LIMIT);
    const unsigned char *text = bytes + LENGTH_BYTES;
    if (!header_length || text[0] != '{')
        return error_set(err, ERROR_INPUT, "%s: the header does not begin with '{'", path);
    cJSON *header;
    TRY(json_parse(path, (const char *)text, (size_t)header_length, &header, err));
    int code = read_tensors(path, header, text + header_length, length - LENGTH_BYTES - (size_t)header_length,
                            file, arena, list, err);
    cJSON_Delete(header);
    return code;
}

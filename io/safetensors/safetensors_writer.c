/* Writing safetensors as a stream: the header first, then the tensors' bytes as they come. */
#include "io/safetensors/safetensors.h"

#include "base/memory.h"
#include "io/file.h"
#include <cjson/cJSON.h>
#include <stdint.h>
#include <string.h>

struct safetensors_writer {
    struct file_writer *file;
    size_t missing; /* bytes of data still to come */
};

enum { HEADER_ALIGNMENT = 8 };

/* {"dtype":..., "shape":[...], "data_offsets":[begin, end]}; *begin moves to the end. */
static cJSON *describe(const struct safetensors_entry *entry, size_t *begin) {
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "dtype", safetensors_dtype_name(entry->dtype));
    cJSON *shape = cJSON_AddArrayToObject(item, "shape");
    size_t bytes = safetensors_dtype_bytes(entry->dtype);
    for (int i = 0; i < entry->dimensions; i++) {
        cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)entry->shape[i]));
        bytes *= entry->shape[i];
    }
    cJSON *offsets = cJSON_AddArrayToObject(item, "data_offsets");
    cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)*begin));
    *begin += bytes;
    cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)*begin));
    return item;
}

/* The header's text, freed by cJSON_free; NULL when memory is out. */
static char *make_header(const struct safetensors_entry *entries, size_t count, size_t *data_bytes) {
    cJSON *header = cJSON_CreateObject();
    cJSON *metadata = cJSON_AddObjectToObject(header, "__metadata__");
    cJSON_AddStringToObject(metadata, "format", "pt");
    *data_bytes = 0;
    for (size_t i = 0; i < count; i++)
        cJSON_AddItemToObject(header, entries[i].name, describe(&entries[i], data_bytes));
    char *text = cJSON_PrintUnformatted(header);
    cJSON_Delete(header);
    return text;
}

/* The header's length, the header, and spaces up to the alignment of what follows. */
static int append_header(struct file_writer *file, const char *text, struct error *err) {
    size_t length = strlen(text);
    uint64_t padded = (length + HEADER_ALIGNMENT - 1) / HEADER_ALIGNMENT * HEADER_ALIGNMENT;
    TRY(file_writer_append(file, &padded, sizeof padded, err));
    TRY(file_writer_append(file, text, length, err));
    return file_writer_append(file, "        ", (size_t)padded - length, err);
}

int safetensors_writer_open(const char *path, const struct safetensors_entry *entries, size_t count,
                            struct safetensors_writer **out, struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    char *text = make_header(entries, count, &(*out)->missing);
    int code = text ? file_writer_open(path, &(*out)->file, err)
                    : error_set(err, ERROR_MEMORY, "%s: out of memory for the header", path);
    if (!code) code = append_header((*out)->file, text, err);
    cJSON_free(text);
    if (code) safetensors_writer_abandon(out);
    return code;
}

int safetensors_writer_append(struct safetensors_writer *writer, const void *bytes, size_t length,
                              struct error *err) {
    if (length > writer->missing)
        return error_set(err, ERROR_INTERNAL, "safetensors: %zu bytes more than the header announced",
                         length - writer->missing);
    TRY(file_writer_append(writer->file, bytes, length, err));
    writer->missing -= length;
    return 0;
}

int safetensors_writer_commit(struct safetensors_writer **writer, struct error *err) {
    int code = (*writer)->missing
                   ? error_set(err, ERROR_INTERNAL, "safetensors: %zu announced bytes were not written",
                               (*writer)->missing)
                   : file_writer_commit(&(*writer)->file, err);
    safetensors_writer_abandon(writer);
    return code;
}

void safetensors_writer_abandon(struct safetensors_writer **writer) {
    if (!*writer) return;
    file_writer_abandon(&(*writer)->file);
    memory_free(*writer);
    *writer = NULL;
}

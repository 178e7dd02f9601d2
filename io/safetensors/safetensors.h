/* Tensors in files: the safetensors format, read through a memory map and written as a stream.
 *
 * A file is eight bytes of header length (little-endian), a JSON object that names every tensor with its
 * dtype, shape and place, and the tensors' bytes end to end (https://github.com/huggingface/safetensors,
 * "Format"). Everything a header claims is checked before a byte of it is believed: a file that opens has
 * only tensors of known dtypes, whose sizes follow from their shapes, that lie inside the file and cover it
 * without overlap or hole. */
#ifndef ADAPT_IO_SAFETENSORS_H
#define ADAPT_IO_SAFETENSORS_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>

enum { SAFETENSORS_DIMENSIONS_MAX = 8 };

enum safetensors_dtype {
    SAFETENSORS_BOOL,
    SAFETENSORS_U8,
    SAFETENSORS_I8,
    SAFETENSORS_F8_E5M2,
    SAFETENSORS_F8_E4M3,
    SAFETENSORS_I16,
    SAFETENSORS_U16,
    SAFETENSORS_F16,
    SAFETENSORS_BF16,
    SAFETENSORS_I32,
    SAFETENSORS_U32,
    SAFETENSORS_F32,
    SAFETENSORS_F64,
    SAFETENSORS_I64,
    SAFETENSORS_U64,
    SAFETENSORS_DTYPES
};

/* The format's word ("BF16") and the bytes of one element. */
const char *safetensors_dtype_name(enum safetensors_dtype dtype);
size_t safetensors_dtype_bytes(enum safetensors_dtype dtype);

struct safetensors_tensor {
    const char *name; /* owned by the reader */
    enum safetensors_dtype dtype;
    int dimensions; /* 0: a scalar */
    size_t shape[SAFETENSORS_DIMENSIONS_MAX];
    size_t elements, bytes;
    const unsigned char *data; /* row-major, in the map; not necessarily aligned for its dtype */
    size_t file;               /* index of its file among the reader's */
};

struct safetensors;

/* Opens one file. ERROR_INPUT names the file, the tensor and the rule it breaks; ERROR_IO if it cannot be
 * read. */
int safetensors_open(const char *path, struct safetensors **out, struct error *err);

/* Opens a model folder: model.safetensors, or where that is absent the shards that
 * model.safetensors.index.json lists. Shards lie in the folder itself (a name with a path in it is refused),
 * hold exactly the tensors that the index says, and no tensor comes twice. */
int safetensors_open_folder(const char *folder, struct safetensors **out, struct error *err);

/* Unmaps; *reader may be NULL. Tensors of the reader are invalid afterwards. */
void safetensors_close(struct safetensors **reader);

/* All tensors: by file, then in the order of their data. */
size_t safetensors_count(const struct safetensors *reader);
const struct safetensors_tensor *safetensors_at(const struct safetensors *reader, size_t index);
/* NULL if there is none of that name. */
const struct safetensors_tensor *safetensors_find(const struct safetensors *reader, const char *name);

/* The files' names without their folder ("model.safetensors"), in the order of safetensors_tensor.file. */
size_t safetensors_files(const struct safetensors *reader);
const char *safetensors_file_name(const struct safetensors *reader, size_t file);
/* True if the folder was opened through an index of shards. */
bool safetensors_sharded(const struct safetensors *reader);

/* True for F32, F16 and BF16: what the two functions below convert. */
bool safetensors_is_float(enum safetensors_dtype dtype);
/* Elements first .. first+count-1 of an F32, F16 or BF16 tensor as float32: exact. */
void safetensors_read_floats(const struct safetensors_tensor *tensor, size_t first, size_t count, float *out);
/* `count` float32 numbers as F32, F16 or BF16 bytes, rounded to nearest even; too large a number becomes
 * infinite. */
void safetensors_write_floats(enum safetensors_dtype dtype, const float *numbers, size_t count, void *out);

/* What a new file will hold. */
struct safetensors_entry {
    const char *name;
    enum safetensors_dtype dtype;
    int dimensions;
    size_t shape[SAFETENSORS_DIMENSIONS_MAX];
};

struct safetensors_writer;

/* Begins a file of these tensors, in this order, with the metadata {"format": "pt"} that readers of PyTorch
 * checkpoints ask for. The entries are borrowed only during the call. */
int safetensors_writer_open(const char *path, const struct safetensors_entry *entries, size_t count,
                            struct safetensors_writer **out, struct error *err);
/* The next bytes of the tensors' data, in pieces of any size. */
int safetensors_writer_append(struct safetensors_writer *writer, const void *bytes, size_t length,
                              struct error *err);
/* Makes the file appear under its name; fewer bytes than the entries need is ERROR_INTERNAL. *writer is NULL
 * afterwards, always. */
int safetensors_writer_commit(struct safetensors_writer **writer, struct error *err);
void safetensors_writer_abandon(struct safetensors_writer **writer); /* *writer may be NULL */

#endif

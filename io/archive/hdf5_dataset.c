/* Whole datasets, written at once: texts and numbers. */
#include "io/archive/hdf5_helpers.h"
#include "io/archive/hdf5_text.h"

#include <string.h>
#include <utf8proc.h>

hid_t hdf5_text_type(void) {
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

int hdf5_valid_utf8(const char *from, struct text *out, struct error *err) {
    size_t left = strlen(from);
    while (left) {
        utf8proc_int32_t point;
        utf8proc_ssize_t bytes =
            utf8proc_iterate((const utf8proc_uint8_t *)from, (utf8proc_ssize_t)left, &point);
        bool valid = bytes > 0 && point >= 0;
        size_t step = valid ? (size_t)bytes : 1;
        TRY(valid ? text_append(out, from, step, err) : text_append_string(out, "\xEF\xBF\xBD", err));
        from += step;
        left -= step;
    }
    return 0;
}

/* ---- writing */

enum { CHUNK_ELEMENTS = 4096, COMPRESSION = 4 };

/* Small datasets are stored in one piece; larger ones in chunks, compressed where the library can. */
static hid_t storage(int rank, const hsize_t *shape) {
    hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t chunk[H5S_MAX_RANK], elements = 1, within = 1;
    for (int i = rank - 1; i >= 0; i--) {
        elements *= shape[i];
        chunk[i] = shape[i];
        if (within * chunk[i] > CHUNK_ELEMENTS)
            chunk[i] = CHUNK_ELEMENTS / within ? CHUNK_ELEMENTS / within : 1;
        within *= chunk[i];
    }
    if (elements > CHUNK_ELEMENTS) {
        H5Pset_chunk(properties, rank, chunk);
        if (H5Zfilter_avail(H5Z_FILTER_DEFLATE) > 0) H5Pset_deflate(properties, COMPRESSION);
    }
    return properties;
}

static int write_dataset(hid_t group, const char *name, hid_t stored, hid_t given, int rank,
                         const hsize_t *shape, const void *values, const char *units, const char *description,
                         hid_t *out, struct error *err) {
    HDF5_ID links = hdf5_link_properties();
    HDF5_ID space = H5Screate_simple(rank, shape, NULL);
    HDF5_ID properties = storage(rank, shape);
    HDF5_ID dataset = H5Dcreate2(group, name, stored, space, links, properties, H5P_DEFAULT);
    if (dataset < 0) return hdf5_error(err, ERROR_IO, "cannot make dataset %s", name);
    hssize_t elements = H5Sget_simple_extent_npoints(space);
    if (elements > 0 && H5Dwrite(dataset, given, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) {
        return hdf5_error(err, ERROR_IO, "cannot write dataset %s", name);
    }
    TRY(hdf5_describe(dataset, units, description, err));
    if (out) {
        *out = dataset;
        dataset = H5I_INVALID_HID;
    }
    return 0;
}

int hdf5_write_numbers(hid_t group, const char *name, hid_t type, int rank, const hsize_t *shape,
                       const void *values, const char *units, const char *description, hid_t *out,
                       struct error *err) {
    bool real = H5Tget_class(type) == H5T_FLOAT;
    return write_dataset(group, name, real ? H5T_IEEE_F64LE : H5T_STD_I64LE, type, rank, shape, values, units,
                         description, out, err);
}

int hdf5_write_texts(hid_t group, const char *name, const char *const *values, int64_t count,
                     const char *description, hid_t *out, struct error *err) {
    struct arena *arena;
    const char **valid;
    struct text one = {0};
    TRY(arena_create(&arena, err));
    int code = arena_alloc(arena, &valid, (size_t)count, sizeof *valid, err);
    for (int64_t i = 0; i < count && !code; i++) {
        char *copy = NULL;
        text_clear(&one);
        code = hdf5_valid_utf8(values[i] ? values[i] : "", &one, err);
        if (!code) code = arena_copy(arena, text_string(&one), one.length, &copy, err);
        valid[i] = copy;
    }
    if (!code) {
        HDF5_ID type = hdf5_text_type();
        hsize_t shape = (hsize_t)count;
        code = write_dataset(group, name, type, type, 1, &shape, valid, NULL, description, out, err);
    }
    text_free(&one);
    arena_destroy(&arena);
    return code;
}

/* ---- reading */

static int copy_texts(char **read, int64_t count, struct arena *arena, const char ***out, struct error *err) {
    TRY(arena_alloc(arena, out, (size_t)count, sizeof **out, err));
    for (int64_t i = 0; i < count; i++) {
        const char *from = read[i] ? read[i] : "";
        char *copy;
        TRY(arena_copy(arena, from, strnlen(from, HDF5_TEXT_LIMIT), &copy, err));
        (*out)[i] = copy;
    }
    return 0;
}

/* Opens a one-dimensional dataset of texts or of numbers and counts its elements. The caller releases
 * *dataset, also after a failure. */
static int open_list(hid_t group, const char *name, bool text, int64_t limit, hid_t *dataset, int64_t *count,
                     struct error *err) {
    *dataset = H5Dopen2(group, name, H5P_DEFAULT);
    if (*dataset < 0) return hdf5_error(err, ERROR_INPUT, "cannot open dataset %s", name);
    HDF5_ID type = H5Dget_type(*dataset);
    HDF5_ID space = H5Dget_space(*dataset);
    if (type < 0 || space < 0) return hdf5_error(err, ERROR_INPUT, "cannot open dataset %s", name);
    H5T_class_t class = H5Tget_class(type);
    bool fits = text ? class == H5T_STRING && H5Tis_variable_str(type) > 0
                     : class == H5T_INTEGER || class == H5T_FLOAT;
    if (!fits || H5Sget_simple_extent_ndims(space) != 1) {
        return error_set(err, ERROR_INPUT, "dataset %s is not a list of %s", name,
                         text ? "texts" : "numbers");
    }
    *count = H5Sget_simple_extent_npoints(space);
    if (*count < 0 || *count > limit) {
        return error_set(err, ERROR_INPUT, "dataset %s has %lld elements (expected at most %lld)", name,
                         (long long)*count, (long long)limit);
    }
    return 0;
}

int hdf5_read_texts(hid_t group, const char *name, int64_t limit, struct arena *arena, const char ***out,
                    int64_t *count, struct error *err) {
    HDF5_ID dataset = H5I_INVALID_HID;
    TRY(open_list(group, name, true, limit, &dataset, count, err));
    HDF5_ID stored = H5Dget_type(dataset);
    HDF5_ID space = H5Dget_space(dataset);
    HDF5_ID type = hdf5_text_type();
    H5Tset_cset(type, H5Tget_cset(stored));
    char **read;
    TRY(memory_alloc(&read, (size_t)*count, sizeof *read, err));
    int code = 0;
    if (*count && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, read) < 0) {
        code = hdf5_error(err, ERROR_INPUT, "cannot read dataset %s", name);
    }
    if (!code) code = copy_texts(read, *count, arena, out, err);
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, read);
    memory_free(read);
    return code;
}

int hdf5_read_numbers(hid_t group, const char *name, hid_t type, int64_t limit, struct arena *arena,
                      void *out, int64_t *count, struct error *err) {
    HDF5_ID dataset = H5I_INVALID_HID;
    TRY(open_list(group, name, false, limit, &dataset, count, err));
    TRY(arena_alloc(arena, out, (size_t)*count, H5Tget_size(type), err));
    void *values;
    memcpy(&values, out, sizeof values);
    if (*count && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) {
        return hdf5_error(err, ERROR_INPUT, "cannot read dataset %s", name);
    }
    return 0;
}

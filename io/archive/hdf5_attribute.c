/* Attributes: text, whole numbers and reals, one value each. */
#include "io/archive/hdf5_helpers.h"
#include "io/archive/hdf5_text.h"

#include <string.h>

static int set_value(hid_t object, const char *name, hid_t stored, hid_t given, const void *value,
                     struct error *err) {
    if (H5Aexists(object, name) > 0 && H5Adelete(object, name) < 0) {
        return hdf5_error(err, ERROR_IO, "cannot replace attribute %s", name);
    }
    HDF5_ID properties = H5Pcreate(H5P_ATTRIBUTE_CREATE);
    HDF5_ID space = H5Screate(H5S_SCALAR);
    H5Pset_char_encoding(properties, H5T_CSET_UTF8);
    HDF5_ID attribute = H5Acreate2(object, name, stored, space, properties, H5P_DEFAULT);
    if (attribute < 0 || H5Awrite(attribute, given, value) < 0) {
        return hdf5_error(err, ERROR_IO, "cannot write attribute %s", name);
    }
    return 0;
}

int hdf5_set_text(hid_t object, const char *name, const char *value, struct error *err) {
    HDF5_ID type = hdf5_text_type();
    struct text valid = {0};
    int code = hdf5_valid_utf8(value ? value : "", &valid, err);
    const char *string = text_string(&valid);
    if (!code) code = set_value(object, name, type, type, &string, err);
    text_free(&valid);
    return code;
}

int hdf5_set_count(hid_t object, const char *name, int64_t value, struct error *err) {
    return set_value(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value, err);
}

int hdf5_set_real(hid_t object, const char *name, double value, struct error *err) {
    return set_value(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value, err);
}

int hdf5_describe(hid_t dataset, const char *units, const char *description, struct error *err) {
    if (units) TRY(hdf5_set_text(dataset, "units", units, err));
    return hdf5_set_text(dataset, "description", description, err);
}

/* ---- reading */

/* Opens a one-element attribute of a class; *out is negative when there is none of that name. */
static int open_value(hid_t object, const char *name, bool text, hid_t *out, struct error *err) {
    *out = H5I_INVALID_HID;
    htri_t there = H5Aexists(object, name);
    if (there < 0) return hdf5_error(err, ERROR_INPUT, "cannot look for attribute %s", name);
    if (!there) return 0;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    if (attribute < 0) return hdf5_error(err, ERROR_INPUT, "cannot open attribute %s", name);
    HDF5_ID type = H5Aget_type(attribute);
    HDF5_ID space = H5Aget_space(attribute);
    H5T_class_t class = H5Tget_class(type);
    bool fits = text ? class == H5T_STRING : class == H5T_INTEGER || class == H5T_FLOAT;
    if (!fits || H5Sget_simple_extent_npoints(space) != 1) {
        hdf5_release(&attribute);
        return error_set(err, ERROR_INPUT, "attribute %s is not %s", name, text ? "a text" : "a number");
    }
    *out = attribute;
    return 0;
}

static int read_text(hid_t attribute, const char *name, struct arena *arena, const char **out,
                     struct error *err) {
    HDF5_ID type = H5Aget_type(attribute);
    if (H5Tis_variable_str(type) > 0) {
        HDF5_ID as = hdf5_text_type();
        HDF5_ID space = H5Aget_space(attribute);
        char *value = NULL;
        H5Tset_cset(as, H5Tget_cset(type)); /* HDF5 converts no character sets: ask for the stored one */
        if (H5Aread(attribute, as, &value) < 0)
            return hdf5_error(err, ERROR_INPUT, "cannot read attribute %s", name);
        const char *from = value ? value : "";
        size_t length = strnlen(from, HDF5_TEXT_LIMIT + 1);
        char *copy = NULL;
        int code = length > HDF5_TEXT_LIMIT ? error_set(err, ERROR_INPUT, "attribute %s is too long", name)
                                            : arena_copy(arena, from, length, &copy, err);
        *out = copy;
        H5Dvlen_reclaim(as, space, H5P_DEFAULT, &value);
        return code;
    }
    size_t size = H5Tget_size(type);
    if (!size || size > HDF5_TEXT_LIMIT) return error_set(err, ERROR_INPUT, "attribute %s is too long", name);
    char *fixed;
    TRY(arena_alloc(arena, &fixed, size + 1, 1, err));
    if (H5Aread(attribute, type, fixed) < 0)
        return hdf5_error(err, ERROR_INPUT, "cannot read attribute %s", name);
    if (H5Tget_strpad(type) == H5T_STR_SPACEPAD) {
        while (size && fixed[size - 1] == ' ') fixed[--size] = '\0';
    }
    *out = fixed;
    return 0;
}

int hdf5_get_text(hid_t object, const char *name, const char *fallback, struct arena *arena, const char **out,
                  struct error *err) {
    HDF5_ID attribute = H5I_INVALID_HID;
    *out = fallback;
    TRY(open_value(object, name, true, &attribute, err));
    return attribute < 0 ? 0 : read_text(attribute, name, arena, out, err);
}

int hdf5_get_count(hid_t object, const char *name, int64_t fallback, int64_t *out, struct error *err) {
    HDF5_ID attribute = H5I_INVALID_HID;
    *out = fallback;
    TRY(open_value(object, name, false, &attribute, err));
    if (attribute >= 0 && H5Aread(attribute, H5T_NATIVE_INT64, out) < 0) {
        return hdf5_error(err, ERROR_INPUT, "cannot read attribute %s", name);
    }
    return 0;
}

int hdf5_get_real(hid_t object, const char *name, double fallback, double *out, struct error *err) {
    HDF5_ID attribute = H5I_INVALID_HID;
    *out = fallback;
    TRY(open_value(object, name, false, &attribute, err));
    if (attribute >= 0 && H5Aread(attribute, H5T_NATIVE_DOUBLE, out) < 0) {
        return hdf5_error(err, ERROR_INPUT, "cannot read attribute %s", name);
    }
    return 0;
}

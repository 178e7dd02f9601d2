#include "io/archive/hdf5_helpers.h"

#include "base/text.h"
#include <hdf5_hl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- silence and errors */

void hdf5_silence(void) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

void hdf5_release(hid_t *id) {
    if (*id >= 0) H5Idec_ref(*id);
    *id = H5I_INVALID_HID;
}

enum { REASON_BYTES = 512 };

/* Keeps the first entry: the walk goes upward, from where it happened to who called. */
static herr_t take_innermost(unsigned index, const H5E_error2_t *entry, void *reason) {
    if (index == 0 && entry->desc) snprintf(reason, REASON_BYTES, "%s", entry->desc);
    return 0;
}

/* HDF5's driver reports a failed call as a paragraph with addresses; the system's own words are what helps.
 */
static void shorten_reason(char *reason) {
    static const char before[] = "error message = '";
    char *said = strstr(reason, before);
    if (said) {
        said += sizeof before - 1;
        size_t length = strcspn(said, "'");
        memmove(reason, said, length);
        reason[length] = '\0';
    }
    for (char *c = reason; *c; c++) {
        if (*c == '\n') *c = ' ';
    }
}

int hdf5_error(struct error *err, int code, const char *format, ...) {
    char reason[REASON_BYTES] = "";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_innermost, reason);
    H5Eclear2(H5E_DEFAULT);
    shorten_reason(reason);
    char message[sizeof err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return reason[0] ? error_set(err, code, "%s: %s", message, reason) : error_set(err, code, "%s", message);
}

/* ---- names and groups */

int hdf5_link_name(const char *label, char **out, struct error *err) {
    struct text name = {0};
    int code = label[0] ? 0 : text_append_string(&name, "%", err);
    for (const char *c = label; *c && !code; c++) {
        unsigned char byte = (unsigned char)*c;
        bool plain =
            byte >= ' ' && byte != 0x7f && byte != '/' && byte != '%' && !(byte == '.' && c == label);
        code = plain ? text_append(&name, c, 1, err) : text_printf(&name, err, "%%%02X", byte);
    }
    *out = NULL;
    if (!code) code = memory_alloc(out, name.length + 1, 1, err);
    if (!code) memcpy(*out, name.data, name.length);
    text_free(&name);
    return code;
}

hid_t hdf5_link_properties(void) {
    hid_t properties = H5Pcreate(H5P_LINK_CREATE);
    if (H5Pset_create_intermediate_group(properties, 1) < 0 ||
        H5Pset_char_encoding(properties, H5T_CSET_UTF8) < 0) {
        hdf5_release(&properties);
    }
    return properties;
}

int hdf5_group_create(hid_t at, const char *path, hid_t *out, struct error *err) {
    HDF5_ID links = hdf5_link_properties();
    *out = H5Gcreate2(at, path, links, H5P_DEFAULT, H5P_DEFAULT);
    return *out < 0 ? hdf5_error(err, ERROR_IO, "cannot make group %s", path) : 0;
}

/* ---- dimension scales */

int hdf5_make_scale(hid_t dataset, const char *name, struct error *err) {
    return H5DSset_scale(dataset, name) < 0
               ? hdf5_error(err, ERROR_IO, "cannot make dimension scale %s", name)
               : 0;
}

int hdf5_attach_scale(hid_t dataset, hid_t scale, unsigned dimension, struct error *err) {
    return H5DSattach_scale(dataset, scale, dimension) < 0
               ? hdf5_error(err, ERROR_IO, "cannot attach a dimension scale to dimension %u", dimension)
               : 0;
}

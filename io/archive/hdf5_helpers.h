/* What every use of HDF5 here shares: silence, ids that release themselves, errors with HDF5's own reason,
 * names, attributes, text datasets and dimension scales. Internal to io/. */
#ifndef ADAPT_IO_HDF5_HELPERS_H
#define ADAPT_IO_HDF5_HELPERS_H

#include "base/error.h"
#include "base/memory.h"
#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>

/* --- silence: HDF5 prints no error stack from here on, nor its complaint at exit when a damaged file made it
 * lose track of its own memory. Called first by every function of io/archive/archive.h; nothing else in the
 * process uses HDF5. */
void hdf5_silence(void);

/* --- an id that is released when it goes out of scope: `HDF5_ID space = H5Screate(...)`. Not for predefined
 * types. */
void hdf5_release(hid_t *id);
#define HDF5_ID __attribute__((cleanup(hdf5_release))) hid_t

/* Sets `err` to `code`, the formatted message and, after ": ", the innermost reason on HDF5's error stack;
 * the operating system's own words where it was the one that refused. Returns `code`. */
int hdf5_error(struct error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* --- names */
/* A label as a link name: "%XX" for '%', '/', control characters and a leading '.'; "%" alone for the empty
 * label. Freshly allocated. */
int hdf5_link_name(const char *label, char **out, struct error *err);

/* --- groups. Both create with UTF-8 names; `path` may make several levels at once. The id is the caller's.
 */
int hdf5_group_create(hid_t at, const char *path, hid_t *out, struct error *err);
/* Property list for links: makes missing groups on the way, UTF-8. Negative on failure. The caller's. */
hid_t hdf5_link_properties(void);

/* --- attributes. Setting replaces what is there. Text is stored as variable-length UTF-8; bytes that are not
 * UTF-8 become U+FFFD. A NULL text is stored as "". */
int hdf5_set_text(hid_t object, const char *name, const char *value, struct error *err);
int hdf5_set_count(hid_t object, const char *name, int64_t value, struct error *err);
int hdf5_set_real(hid_t object, const char *name, double value, struct error *err);
/* "units" and "description" of a dataset. */
int hdf5_describe(hid_t dataset, const char *units, const char *description, struct error *err);
/* Reading. A missing attribute gives the fallback; one of another type or shape, or a text longer than 64
 * MiB, is ERROR_INPUT that names it. Texts are copied into `arena`; text stored with a fixed length is
 * understood too. */
int hdf5_get_text(hid_t object, const char *name, const char *fallback, struct arena *arena, const char **out,
                  struct error *err);
int hdf5_get_count(hid_t object, const char *name, int64_t fallback, int64_t *out, struct error *err);
int hdf5_get_real(hid_t object, const char *name, double fallback, double *out, struct error *err);

/* --- whole datasets, written once */
/* One-dimensional text (variable-length UTF-8). The dataset's id goes to *out if `out` is not NULL. */
int hdf5_write_texts(hid_t group, const char *name, const char *const *values, int64_t count,
                     const char *description, hid_t *out, struct error *err);
/* Numbers of any rank: `type` is H5T_NATIVE_DOUBLE or H5T_NATIVE_INT64 (stored little-endian). Arrays of more
 * than a few thousand elements are compressed. */
int hdf5_write_numbers(hid_t group, const char *name, hid_t type, int rank, const hsize_t *shape,
                       const void *values, const char *units, const char *description, hid_t *out,
                       struct error *err);
/* Reads one-dimensional text into `arena`: *out [*count]. At most `limit` elements. */
int hdf5_read_texts(hid_t group, const char *name, int64_t limit, struct arena *arena, const char ***out,
                    int64_t *count, struct error *err);
/* Reads one-dimensional numbers as `type` (H5T_NATIVE_DOUBLE or H5T_NATIVE_INT64) into `arena`: *out (passed
 * as &pointer) [*count]. */
int hdf5_read_numbers(hid_t group, const char *name, hid_t type, int64_t limit, struct arena *arena,
                      void *out, int64_t *count, struct error *err);
/* Makes a dataset a dimension scale called `name`. */
int hdf5_make_scale(hid_t dataset, const char *name, struct error *err);
/* Attaches scale to dimension `dimension` of dataset. */
int hdf5_attach_scale(hid_t dataset, hid_t scale, unsigned dimension, struct error *err);

/* --- types; the caller releases them */
hid_t hdf5_text_type(void);

#endif

/* Text in HDF5: variable-length UTF-8. Internal to io/. */
#ifndef ADAPT_IO_HDF5_TEXT_H
#define ADAPT_IO_HDF5_TEXT_H

#include "base/text.h"
#include <stddef.h>

#define HDF5_TEXT_LIMIT ((size_t)64 << 20) /* longest text read back */

/* Appends `from` to `out`, each byte that is not part of valid UTF-8 replaced by U+FFFD: a model may predict
 * any bytes, and h5py refuses text that is not UTF-8. */
int hdf5_valid_utf8(const char *from, struct text *out, struct error *err);

#endif

/* A file driver for HDF5 that outlives a full disk. Internal to io/.
 *
 * HDF5 does not survive a failed write: it keeps what it could not write, fails to close the file, and
 * crashes the process at exit, when it tries again. So it never hears of one. When the system refuses a
 * write, the driver remembers the reason, copies the file into memory and goes on there; callers ask
 * hdf5_driver_failure after each flush. The file itself stays as it was at the last write that succeeded: as
 * if the process had been killed at that instant.
 *
 * There are no file locks: network file systems that lack them would refuse to open, and a cell has one
 * writer by construction. */
#ifndef ADAPT_IO_HDF5_DRIVER_H
#define ADAPT_IO_HDF5_DRIVER_H

#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>

/* Makes files opened with the property list use this driver; negative on failure. */
herr_t hdf5_driver_set(hid_t access_properties);

/* An open file of this driver; borrowed from HDF5, valid while the file is open. */
struct hdf5_driver;
/* NULL if `file` was not opened by this driver. */
struct hdf5_driver *hdf5_driver_of(hid_t file);

int hdf5_driver_descriptor(const struct hdf5_driver *driver);
/* 0, or the errno of the write that was refused. */
int hdf5_driver_failure(const struct hdf5_driver *driver);
/* From here on nothing that HDF5 writes reaches the file. */
void hdf5_driver_detach(struct hdf5_driver *driver);
bool hdf5_driver_detached(const struct hdf5_driver *driver);

#endif

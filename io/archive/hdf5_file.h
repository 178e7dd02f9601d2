/* An HDF5 file that a full disk or a kill leaves readable: opened by our driver (io/hdf5_driver.h), and
 * without the mark of a writer.
 *
 * A writer marks the file as being written to; a kill leaves the mark, and then `h5dump FILE` or
 * h5py.File(FILE) refuse a file that is perfectly fine (`h5clear -s FILE` takes the mark off): so it is taken
 * off after each flush, hdf5_file_unmark. Internal to io/. */
#ifndef ADAPT_IO_HDF5_FILE_H
#define ADAPT_IO_HDF5_FILE_H

#include "io/archive/hdf5_driver.h"
#include "io/archive/hdf5_helpers.h"

struct hdf5_file {
    hid_t id;
    struct hdf5_driver *driver; /* borrowed from HDF5 */
    bool writing;
};

/* Creates (replacing what is there) or opens a file, in the latest file format, without file locks. Reading
 * is single-writer/multiple-reader reading, so that a file that is being written, or whose writer was killed,
 * opens too. The errors of these two name the path; those below do not, for a file may be renamed while open.
 */
int hdf5_file_create(const char *path, struct hdf5_file **out, struct error *err);
int hdf5_file_open(const char *path, bool writing, struct hdf5_file **out, struct error *err);

/* From here on readers may open the file and see each flush whole. No object or attribute may be added any
 * more. */
int hdf5_file_start_swmr(struct hdf5_file *file, struct error *err);
/* Hands everything written so far to the operating system, in an order that keeps the file readable at every
 * instant. A write that the system has refused since the file was opened, in a flush or not, is told here:
 * ERROR_IO. */
int hdf5_file_flush(struct hdf5_file *file, struct error *err);
/* After a flush: removes the writer's mark from the file on disk (HDF5 keeps its own in memory and puts it
 * back when it next rewrites the superblock), so that the file opens with any tool should this process be
 * killed. */
int hdf5_file_unmark(struct hdf5_file *file, struct error *err);
/* Waits until the flushed bytes are on the device. */
int hdf5_file_sync(struct hdf5_file *file, struct error *err);

/* Flushes and closes; the objects opened in it must be closed before. On failure the file is abandoned. *file
 * is NULL afterwards, always, and may be NULL before. */
int hdf5_file_close(struct hdf5_file **file, struct error *err);
/* Closes after a failure: nothing written since reaches the disk; what was flushed before stays. */
void hdf5_file_abandon(struct hdf5_file **file);
/* The first half of that, for when objects in the file are still to be closed. */
void hdf5_file_give_up(struct hdf5_file *file);

/* Puts the finished file `from` in the place of `to`, after syncing it. */
int hdf5_file_replace(const char *from, const char *to, struct error *err);

#endif

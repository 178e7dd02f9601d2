/* An HDF5 file on an ordinary file system, opened and closed so that a full disk or a kill leaves it readable.
 *
 * Two habits of HDF5 are dealt with here. After a failed write it keeps what it could not write, and crashes the process when
 * it tries again at the next close or at exit: hdf5_file_abandon. And a writer marks the file as being written to; a kill leaves
 * the mark, and then `h5dump FILE` or h5py.File(FILE) refuse a file that is perfectly fine: hdf5_file_unmark. */
#ifndef ADAPT_IO_HDF5_FILE_H
#define ADAPT_IO_HDF5_FILE_H

#include "io/hdf5_helpers.h"

struct hdf5_file {
    hid_t id;
    int descriptor; /* the driver's, borrowed */
    bool writing;   /* and not given up */
};

/* Creates (replacing what is there) or opens a file, in the latest file format, without file locks (network file systems
 * that lack them would refuse). Reading is single-writer/multiple-reader reading, so that a file that is being written, or whose
 * writer was killed, opens too. The errors of these two name the path; those below do not, for a file may be renamed while open. */
int hdf5_file_create(const char *path, struct hdf5_file **out, struct error *err);
int hdf5_file_open(const char *path, bool writing, struct hdf5_file **out, struct error *err);

/* From here on readers may open the file and see each flush whole. No object or attribute may be added any more. */
int hdf5_file_start_swmr(struct hdf5_file *file, struct error *err);
/* Hands everything written so far to the operating system, in an order that keeps the file readable at every instant. */
int hdf5_file_flush(struct hdf5_file *file, struct error *err);
/* After a flush: removes the writer's mark from the file on disk (HDF5 keeps its own in memory and puts it back when it next
 * rewrites the superblock), so that the file opens with any tool should this process be killed. */
int hdf5_file_unmark(struct hdf5_file *file, struct error *err);
/* Waits until the flushed bytes are on the device. */
int hdf5_file_sync(struct hdf5_file *file, struct error *err);

/* Flushes and closes; the objects opened in it must be closed before. On failure the file is abandoned. *file is NULL
 * afterwards, always, and may be NULL before. */
int hdf5_file_close(struct hdf5_file **file, struct error *err);
/* Closes after a failed write, without writing anything more: what was flushed before stays on disk. */
void hdf5_file_abandon(struct hdf5_file **file);
/* After a failed write, before objects in the file are closed: nothing written from here on reaches the disk. */
void hdf5_file_give_up(struct hdf5_file *file);

/* Puts the finished file `from` in the place of `to`, after syncing it. */
int hdf5_file_replace(const char *from, const char *to, struct error *err);

#endif

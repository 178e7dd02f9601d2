/* The first bytes of an HDF5 file (superblock versions 2 and 3 of the HDF5 File Format Specification 3.0).
 * Internal to io/. */
#ifndef ADAPT_IO_HDF5_SUPERBLOCK_H
#define ADAPT_IO_HDF5_SUPERBLOCK_H

#include "base/error.h"
#include <stdint.h>

enum { HDF5_SUPERBLOCK_BYTES = 48 };

struct hdf5_superblock {
    int version;
    unsigned flags; /* bit 0: open for writing; bit 2: by a single writer with multiple readers */
    uint64_t end;   /* the file's length as the writer last recorded it */
};

/* Reads and checks the superblock of the open file `descriptor` of `length` bytes: signature, version 2 or 3,
 * 8-byte offsets and lengths, base address 0, checksum; and that the file is as long as recorded, unless it
 * is marked as being written: the mark may reach the disk before the bytes. ERROR_INPUT says what is wrong;
 * ERROR_IO if it cannot be read. */
int hdf5_superblock_read(int descriptor, uint64_t length, struct hdf5_superblock *out, struct error *err);

/* Clears the writer's flags on disk, if set, and, where the recorded end lies behind `length`, the file's
 * real length, lowers it to that: what the writer was about to append is not there. Does nothing to a
 * superblock that is already so. */
int hdf5_superblock_unmark(int descriptor, uint64_t length, struct error *err);

/* HDF5's checksum of metadata: Jenkins' lookup3 (2006), "hashlittle" with initial value 0. */
uint32_t hdf5_checksum(const unsigned char *bytes, uint32_t length);

#endif

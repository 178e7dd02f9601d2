#include "io/archive/hdf5_superblock.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* Places in a superblock with 8-byte offsets. */
enum {
    AT_VERSION = 8,
    AT_OFFSET_BYTES = 9,
    AT_LENGTH_BYTES = 10,
    AT_FLAGS = 11,
    AT_BASE = 12,
    AT_END = 28,
    AT_CHECKSUM = 44
};
enum { FLAG_WRITING = 1, FLAG_SWMR = 4 };

/* ---- checksum */

static uint32_t rotate(uint32_t x, int bits) {
    return x << bits | x >> (32 - bits);
}

static void mix(uint32_t s[3]) {
    static const int turn[6] = {4, 6, 8, 16, 19, 4};
    for (int i = 0; i < 6; i++) {
        uint32_t *a = &s[i % 3], *b = &s[(i + 1) % 3], *c = &s[(i + 2) % 3];
        *a -= *c;
        *a ^= rotate(*c, turn[i]);
        *c += *b;
    }
}

static void finish(uint32_t s[3]) {
    static const int turn[7] = {14, 11, 25, 16, 4, 14, 24};
    for (int i = 0; i < 7; i++) {
        uint32_t *to = &s[(i + 2) % 3], *from = &s[(i + 1) % 3];
        *to ^= *from;
        *to -= rotate(*from, turn[i]);
    }
}

uint32_t hdf5_checksum(const unsigned char *bytes, uint32_t length) {
    uint32_t s[3];
    s[0] = s[1] = s[2] = 0xdeadbeefu + length;
    while (length > 12) {
        for (int i = 0; i < 12; i++) s[i / 4] += (uint32_t)bytes[i] << (i % 4 * 8);
        mix(s);
        bytes += 12;
        length -= 12;
    }
    for (uint32_t i = 0; i < length; i++) s[i / 4] += (uint32_t)bytes[i] << (i % 4 * 8);
    if (length) finish(s);
    return s[2];
}

/* ---- the block */

static uint64_t get(const unsigned char *from, int bytes) {
    uint64_t value = 0;
    for (int i = bytes - 1; i >= 0; i--) value = value << 8 | from[i];
    return value;
}

static void put(unsigned char *to, int bytes, uint64_t value) {
    for (int i = 0; i < bytes; i++) to[i] = (unsigned char)(value >> (i * 8));
}

static int load(int descriptor, uint64_t length, unsigned char block[HDF5_SUPERBLOCK_BYTES],
                struct error *err) {
    static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    if (length < HDF5_SUPERBLOCK_BYTES) {
        return error_set(err, ERROR_INPUT, "is not an HDF5 file: %llu bytes only",
                         (unsigned long long)length);
    }
    ssize_t got = pread(descriptor, block, HDF5_SUPERBLOCK_BYTES, 0);
    if (got < 0) return error_set_errno(err, "cannot read");
    if (got < HDF5_SUPERBLOCK_BYTES || memcmp(block, signature, sizeof signature) != 0) {
        return error_set(err, ERROR_INPUT, "is not an HDF5 file: no HDF5 signature at its start");
    }
    if (block[AT_VERSION] < 2 || block[AT_VERSION] > 3 || block[AT_OFFSET_BYTES] != 8 ||
        block[AT_LENGTH_BYTES] != 8 || get(block + AT_BASE, 8) != 0) {
        return error_set(err, ERROR_INPUT,
                         "is an HDF5 file of another kind (superblock version %d; expected 2 or 3, with "
                         "8-byte offsets)",
                         block[AT_VERSION]);
    }
    if (hdf5_checksum(block, AT_CHECKSUM) != get(block + AT_CHECKSUM, 4)) {
        return error_set(err, ERROR_INPUT, "is damaged: the checksum of its first %d bytes is wrong",
                         HDF5_SUPERBLOCK_BYTES);
    }
    return 0;
}

int hdf5_superblock_read(int descriptor, uint64_t length, struct hdf5_superblock *out, struct error *err) {
    unsigned char block[HDF5_SUPERBLOCK_BYTES];
    TRY(load(descriptor, length, block, err));
    *out = (struct hdf5_superblock){block[AT_VERSION], block[AT_FLAGS], get(block + AT_END, 8)};
    if (out->end > length && !(out->flags & FLAG_WRITING)) {
        return error_set(err, ERROR_INPUT, "is cut short: %llu of its %llu bytes are there",
                         (unsigned long long)length, (unsigned long long)out->end);
    }
    return 0;
}

int hdf5_superblock_unmark(int descriptor, uint64_t length, struct error *err) {
    unsigned char block[HDF5_SUPERBLOCK_BYTES];
    TRY(load(descriptor, length, block, err));
    bool marked = block[AT_FLAGS] & (FLAG_WRITING | FLAG_SWMR);
    bool cut = get(block + AT_END, 8) > length;
    if (!marked && !cut) return 0;
    block[AT_FLAGS] &= (unsigned char)~(FLAG_WRITING | FLAG_SWMR);
    if (cut) put(block + AT_END, 8, length);
    put(block + AT_CHECKSUM, 4, hdf5_checksum(block, AT_CHECKSUM));
    ssize_t written = pwrite(descriptor, block, sizeof block, 0);
    if (written < 0) return error_set_errno(err, "cannot write");
    return written == sizeof block ? 0 : error_set(err, ERROR_IO, "cannot write: the device is full");
}

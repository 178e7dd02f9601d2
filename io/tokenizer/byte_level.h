/* The printable alphabet of byte-level BPE (GPT-2): each byte is one code point below U+0144. */
#ifndef ADAPT_IO_TOKENIZER_BYTE_LEVEL_H
#define ADAPT_IO_TOKENIZER_BYTE_LEVEL_H

#include <stddef.h>
#include <stdint.h>

/* Printable Latin-1 stands for itself; the other 68 bytes, in order, for U+0100 and on. */
static inline int32_t byte_level_point(unsigned char byte) {
    if (byte >= 0x21 && byte <= 0x7e) return byte;
    if (byte >= 0xa1 && byte != 0xad) return byte;
    if (byte <= 0x20) return 0x100 + byte;
    return byte == 0xad ? 0x143 : 0x121 + (byte - 0x7f);
}

/* The byte that a code point stands for, or -1. */
static inline int byte_level_byte(int32_t point) {
    if (point < 0x100) return point >= 0 && byte_level_point((unsigned char)point) == point ? point : -1;
    if (point <= 0x120) return point - 0x100;
    if (point <= 0x142) return point - 0x121 + 0x7f;
    return point == 0x143 ? 0xad : -1;
}

#endif

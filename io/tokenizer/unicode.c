#include "io/tokenizer/unicode.h"

#include "base/memory.h"
#include <string.h>
#include <utf8proc.h>

/* The bytes of the well-formed sequence at `byte` (Unicode 15, table 3-7), or 0; *part is then the length of
 * the maximal part that could have begun one, at least 1. */
static size_t sequence(const unsigned char *byte, size_t left, size_t *part) {
    *part = 1;
    if (byte[0] < 0x80) return 1;
    size_t need = byte[0] >= 0xc2 && byte[0] <= 0xdf ? 2 : (byte[0] & 0xf0) == 0xe0 ? 3 : 0;
    if (byte[0] >= 0xf0 && byte[0] <= 0xf4) need = 4;
    unsigned char low = byte[0] == 0xe0 ? 0xa0 : byte[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = byte[0] == 0xed ? 0x9f : byte[0] == 0xf4 ? 0x8f : 0xbf;
    for (size_t i = 1; i < need; i++) {
        if (i >= left || byte[i] < low || byte[i] > high) return 0;
        *part = i + 1;
        low = 0x80;
        high = 0xbf;
    }
    return need;
}

size_t unicode_valid_prefix(const char *text, size_t length) {
    const unsigned char *byte = (const unsigned char *)text;
    size_t at = 0, part;
    while (at < length) {
        uint64_t eight;
        if (length - at >= sizeof eight) {
            memcpy(&eight, byte + at, sizeof eight);
            if (!(eight & 0x8080808080808080ULL)) {
                at += sizeof eight;
                continue;
            }
        }
        size_t used = sequence(byte + at, length - at, &part);
        if (!used) return at;
        at += used;
    }
    return at;
}

int unicode_append_lossy(struct text *out, const char *bytes, size_t length, struct error *err) {
    size_t at = 0;
    while (at < length) {
        size_t good = unicode_valid_prefix(bytes + at, length - at), part;
        TRY(text_append(out, bytes + at, good, err));
        at += good;
        if (at == length) break;
        sequence((const unsigned char *)bytes + at, length - at, &part);
        TRY(text_append(out, "\xef\xbf\xbd", 3, err));
        at += part;
    }
    return 0;
}

bool unicode_is_number(int32_t point) {
    enum unicode_class class = unicode_table_class(point);
    if (class != UNICODE_AGREED) return class == UNICODE_NUMBER || class == UNICODE_DIGITS;
    utf8proc_category_t category = utf8proc_category(point);
    return category == UTF8PROC_CATEGORY_ND || category == UTF8PROC_CATEGORY_NL ||
           category == UTF8PROC_CATEGORY_NO;
}

bool unicode_is_space(int32_t point) {
    return (point >= 9 && point <= 13) || point == 0x20 || point == 0x85 || point == 0xa0 ||
           point == 0x1680 || (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 ||
           point == 0x202f || point == 0x205f || point == 0x3000;
}

bool unicode_is_word(int32_t point) {
    enum unicode_class class = unicode_table_class(point);
    if (class != UNICODE_AGREED)
        return class == UNICODE_LETTER || class == UNICODE_NUMBER || class == UNICODE_MARK;
    switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC: return true;
    default: break;
    }
    /* Join_Control, and the symbols that are Alphabetic: circled, squared and negative letters. */
    return point == 0x200c || point == 0x200d || (point >= 0x24b6 && point <= 0x24e9) ||
           (point >= 0x1f130 && point <= 0x1f149) || (point >= 0x1f150 && point <= 0x1f169) ||
           (point >= 0x1f170 && point <= 0x1f189);
}

/* A stand-in of the class that takes `bytes` bytes: code points whose class never changed and that have no
 * case. */
static const char *stand_in(enum unicode_class class, size_t bytes) {
    static const char *const letter[] = {"\xc6\xbb", "\xe4\xb8\x80",
                                         "\xf0\xa0\x80\x80"}; /* U+01BB, U+4E00, U+20000 */
    static const char *const number[] = {"\xd9\xa1", "\xe0\xa5\xa7",
                                         "\xf0\x9d\x9f\x8e"}; /* U+0661, U+0967, U+1D7CE */
    static const char *const mark[] = {"\xd6\x91", "\xe1\xac\x84",
                                       "\xf0\x91\x81\x86"}; /* U+0591, U+1B04, U+11046 */
    static const char *const other[] = {"\xc3\x97", "\xe2\x86\x90",
                                        "\xf0\x9f\x98\x80"}; /* U+00D7, U+2190, U+1F600 */
    switch (class) {
    case UNICODE_LETTER: return letter[bytes - 2];
    case UNICODE_NUMBER: return number[bytes - 2];
    case UNICODE_MARK: return mark[bytes - 2];
    default: return other[bytes - 2];
    }
}

int unicode_shadow(const char *text, size_t length, struct text *room, const char **shadow,
                   struct error *err) {
    *shadow = text;
    for (size_t at = 0; at < length;) {
        if ((unsigned char)text[at] <
            0xd5) { /* the tables begin at U+0558; a byte that continues another may be skipped */
            at++;
            continue;
        }
        int32_t point;
        size_t used = unicode_next(text + at, &point);
        enum unicode_class class = unicode_table_class(point);
        if (class != UNICODE_AGREED) {
            if (*shadow == text) {
                text_clear(room);
                TRY(text_append(room, text, length, err));
                *shadow = room->data;
            }
            memcpy(room->data + at, stand_in(class, used), used);
        }
        at += used;
    }
    return 0;
}

/* Unicode as the reference sees it.
 *
 * The reference's parts were built against different Unicode versions, and so were the PCRE2 and the utf8proc
 * of any one machine. Where they disagree, tables here say what the reference does; everything else is left
 * to the libraries. */
#ifndef ADAPT_IO_TOKENIZER_UNICODE_H
#define ADAPT_IO_TOKENIZER_UNICODE_H

#include "base/error.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes the code point at `text`, which must be valid UTF-8, into *point; returns its bytes, 1 to 4. */
static inline size_t unicode_next(const char *text, int32_t *point) {
    const unsigned char *byte = (const unsigned char *)text;
    if (byte[0] < 0x80) {
        *point = byte[0];
        return 1;
    }
    if (byte[0] < 0xe0) {
        *point = (byte[0] & 0x1f) << 6 | (byte[1] & 0x3f);
        return 2;
    }
    if (byte[0] < 0xf0) {
        *point = (byte[0] & 0x0f) << 12 | (byte[1] & 0x3f) << 6 | (byte[2] & 0x3f);
        return 3;
    }
    *point = (byte[0] & 0x07) << 18 | (byte[1] & 0x3f) << 12 | (byte[2] & 0x3f) << 6 | (byte[3] & 0x3f);
    return 4;
}

/* The length of the longest valid UTF-8 prefix: `length` when all is valid. */
size_t unicode_valid_prefix(const char *text, size_t length);

/* Appends the bytes as UTF-8, each maximal part that is not UTF-8 as one U+FFFD (Unicode 15, section 3.9,
 * "U+FFFD Substitution of Maximal Subparts"). */
int unicode_append_lossy(struct text *out, const char *bytes, size_t length, struct error *err);

bool unicode_is_number(int32_t point); /* general category N */
bool unicode_is_space(int32_t point);  /* property White_Space */
bool unicode_is_word(int32_t point);   /* \w: Alphabetic, M, Nd, Pc, Join_Control */

/* Makes a stand-in for `text` (valid UTF-8) to match patterns against: the code points that PCRE2's tables
 * may class otherwise than the reference's are replaced by others of the same class and the same number of
 * bytes, so that offsets agree. *shadow is `text` itself when there are none (the usual case), else `room`'s
 * memory. */
int unicode_shadow(const char *text, size_t length, struct text *room, const char **shadow,
                   struct error *err);

/* Scratch memory of unicode_nfc; zero-initialise, free with unicode_nfc_free. */
struct unicode_nfc {
    int32_t *points, *sorted;
    size_t capacity, sorted_capacity;
};
void unicode_nfc_free(struct unicode_nfc *nfc);

/* Normalises valid UTF-8 to NFC. *changed tells whether `out` (emptied first) holds the result or `text` is
 * the result already. */
int unicode_nfc(struct unicode_nfc *nfc, const char *text, size_t length, struct text *out, bool *changed,
                struct error *err);

/* What the tables say of a code point. */
enum unicode_class {
    UNICODE_AGREED, /* not in the tables */
    UNICODE_OTHER,
    UNICODE_LETTER,
    UNICODE_NUMBER,
    UNICODE_MARK,
    UNICODE_DIGITS /* a number to the pre-tokenizer Digits, not to patterns */
};
enum unicode_class unicode_table_class(int32_t point);
/* Whether the reference's normaliser does not know this code point: it leaves it alone. */
bool unicode_table_inert(int32_t point);

#endif

#include "eval/ifeval/language_grams.h"

#include "base/memory.h"
#include "eval/ifeval/shipped.h"
#include "io/tokenizer/unicode.h"
#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

enum { KANJI_FIRST = 0x4e00, KANJI_LAST = 0x9fff };

struct language_grams {
    uint16_t kanji[KANJI_LAST - KANJI_FIRST + 1]; /* the character that each one counts as */
    int32_t *numbers;
    size_t capacity;
};

/* A line of the data file is a class: its first character stands for all. */
static int read_class(struct language_grams *grams, struct shipped_text line, struct error *err) {
    int32_t first = 0;
    for (size_t at = 0; at < line.length;) {
        int32_t point;
        at += unicode_next(line.data + at, &point);
        if (point < KANJI_FIRST || point > KANJI_LAST)
            return error_set(err, ERROR_INTERNAL, "kanji_classes.txt: U+%04X is not a kanji",
                             (unsigned)point);
        if (!first) first = point;
        grams->kanji[point - KANJI_FIRST] = (uint16_t)first;
    }
    return 0;
}

static int read_classes(struct language_grams *grams, struct error *err) {
    for (int32_t point = KANJI_FIRST; point <= KANJI_LAST; point++)
        grams->kanji[point - KANJI_FIRST] = (uint16_t)point;
    struct shipped_text rest = shipped_kanji_classes(), line;
    while (shipped_line(&rest, &line)) TRY(read_class(grams, line, err));
    return 0;
}

int language_grams_create(struct language_grams **out, struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    int code = read_classes(*out, err);
    if (code) language_grams_destroy(out);
    return code;
}

void language_grams_destroy(struct language_grams **grams) {
    if (!*grams) return;
    memory_free((*grams)->numbers);
    memory_free(*grams);
    *grams = NULL;
}

static bool within(int32_t point, int32_t first, int32_t last) {
    return point >= first && point <= last;
}

/* What a character counts as; signs, digits and white space of ASCII count as spaces. (The reference also
 * makes one of all Bopomofo, which is in no profile.) */
static int32_t counted_as(const struct language_grams *grams, int32_t point) {
    if (point < 0x80) return within(point, 'A', 'Z') || within(point, 'a', 'z') ? point : ' ';
    switch (point) {
    case 0xa0:
    case 0xab:
    case 0xb0:
    case 0xbb: return ' ';
    case 0x219: /* Romanian s and t: a comma below is a cedilla in the profiles */ return 0x15f;
    case 0x21b: return 0x163;
    case 0x6cc: /* Farsi yeh */ return 0x64a;
    default: break;
    }
    if (within(point, 0x1ea0, 0x1eff)) return 0x1ec3; /* Vietnamese */
    if (within(point, 0x2000, 0x206f)) return ' ';    /* General Punctuation */
    if (within(point, 0x3040, 0x309f)) return 0x3042; /* Hiragana */
    if (within(point, 0x30a0, 0x30ff)) return 0x30a2; /* Katakana */
    if (within(point, KANJI_FIRST, KANJI_LAST)) return grams->kanji[point - KANJI_FIRST];
    if (within(point, 0xac00, 0xd7af)) return 0xac00; /* Hangul */
    return point;
}

int language_grams_take(struct language_grams *grams, const struct language_profiles *profiles,
                        const struct code_points *points, const int32_t **out, uint32_t *count,
                        struct error *err) {
    TRY(memory_reserve(&grams->numbers, &grams->capacity, LANGUAGE_GRAM_POINTS * points->count,
                       sizeof *grams->numbers, err));
    int32_t window[LANGUAGE_GRAM_POINTS] = {' '}; /* the last characters of a word, after a space */
    int filled = 1;
    uint32_t taken = 0;
    for (size_t i = 0; i < points->count; i++) {
        int32_t point = counted_as(grams, points->at[i]), before = window[filled - 1];
        if (before == ' ') {
            window[0] = ' ';
            filled = 1;
            if (point == ' ') continue;
        } else if (filled == LANGUAGE_GRAM_POINTS) {
            memmove(window, window + 1, (LANGUAGE_GRAM_POINTS - 1) * sizeof *window);
            filled--;
        }
        window[filled++] = point;
        if (utf8proc_isupper(point) && utf8proc_isupper(before)) continue;
        uint64_t key = 0;
        for (int n = 1; n <= filled; n++) {
            key |= (uint64_t)window[filled - n] << 21 * (n - 1);
            int32_t number = language_profiles_find(profiles, key);
            if (number >= 0) grams->numbers[taken++] = number;
        }
    }
    *out = grams->numbers;
    *count = taken;
    return 0;
}

#include "eval/overlap/ngrams.h"

#include "base/hash.h"
#include "base/memory.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* ---- n-grams */

/* Words are hashed first, so that the sum of powers, modulo 2^64, has random digits. */
enum { WORD_SEED = 13 };
static const uint64_t base = 0x9fb21c651e98df25ULL;

/* The last words of a text. */
struct window {
    struct ngrams *out;
    uint64_t word[NGRAMS_WORDS_MAX]; /* their hashes, in a ring; 0 before the first */
    uint64_t sum;                    /* of word[i] * base^(its age) */
    uint64_t leaving;                /* base^words: what the oldest word's factor becomes */
    int place;                       /* of the oldest in the ring */
    size_t seen;
};

/* All bits of the sum into all bits of the fingerprint (the finaliser of splitmix64). */
static uint64_t mix(uint64_t h) {
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ULL;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebULL;
    return h ^ (h >> 31);
}

static int add_word(struct window *window, const char *word, size_t bytes, struct error *err) {
    struct ngrams *out = window->out;
    uint64_t hash = hash_short(word, bytes, WORD_SEED), *oldest = &window->word[window->place];
    window->sum = window->sum * base + hash - *oldest * window->leaving;
    *oldest = hash;
    if (++window->place == out->words) window->place = 0;
    if (++window->seen < (size_t)out->words) return 0;
    if (out->count == out->capacity)
        TRY(memory_reserve(&out->gram, &out->capacity, out->count + 1, sizeof *out->gram, err));
    out->gram[out->count++] = mix(window->sum);
    return 0;
}

/* ---- words */

static bool is_base(utf8proc_category_t category) {
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
           (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

static bool is_mark(utf8proc_category_t category) {
    return category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
}

/* The words of a normalised text. */
static int add_words(struct window *window, const char *text, size_t length, struct error *err) {
    size_t begin = 0, at = 0;
    bool inside = false;
    while (at < length) {
        utf8proc_int32_t point;
        utf8proc_ssize_t bytes =
            utf8proc_iterate((const utf8proc_uint8_t *)text + at, (utf8proc_ssize_t)(length - at), &point);
        utf8proc_category_t category = utf8proc_category(point);
        bool goes_on = is_base(category) || (inside && is_mark(category));
        if (goes_on && !inside) begin = at;
        if (inside && !goes_on) TRY(add_word(window, text + begin, at - begin, err));
        inside = goes_on;
        at += (size_t)bytes;
    }
    return inside ? add_word(window, text + begin, length - begin, err) : 0;
}

/* The words of a piece of text that holds other characters than ASCII's. A text may be normalised piece by
 * piece between ASCII characters that are no part of any word: what a mark makes of one ("=" with a stroke)
 * is no part of a word either. */
static int add_piece(struct window *window, const char *piece, size_t length, struct error *err) {
    const utf8proc_option_t casefold =
        UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
    utf8proc_uint8_t *folded = NULL;
    utf8proc_ssize_t bytes =
        utf8proc_map((const utf8proc_uint8_t *)piece, (utf8proc_ssize_t)length, &folded, casefold);
    if (bytes == UTF8PROC_ERROR_INVALIDUTF8) return 0;
    if (bytes < 0)
        return error_set(err, ERROR_MEMORY, "cannot fold a text of %zu bytes: %s", length,
                         utf8proc_errmsg(bytes));
    int code = add_words(window, (const char *)folded, (size_t)bytes, err);
    free(folded); /* utf8proc's */
    return code;
}

/* ASCII: the folded character of a word, or 0 for what stands between words. */
static char fold_ascii(unsigned char c) {
    if (c >= 'A' && c <= 'Z') return (char)(c + ('a' - 'A'));
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? (char)c : 0;
}

int ngrams_append(struct ngrams *ngrams, const char *text, size_t length, struct error *err) {
    struct window window = {.out = ngrams, .leaving = 1};
    for (int i = 0; i < ngrams->words; i++) window.leaving *= base;
    char word[128];
    for (size_t at = 0; at < length; at++) { /* a piece, and the character behind it */
        size_t begin = at, bytes;
        unsigned char all = 0;
        for (; at < length; at++) {
            unsigned char c = (unsigned char)text[at];
            char folded = fold_ascii(c);
            if (!folded && c < 0x80) break;
            all |= c;
            if (at - begin < sizeof word) word[at - begin] = folded;
        }
        bytes = at - begin;
        if (!bytes) continue;
        if (all < 0x80 && bytes <= sizeof word) /* nearly always */
            TRY(add_word(&window, word, bytes, err));
        else
            TRY(add_piece(&window, text + begin, bytes, err));
    }
    return 0;
}

void ngrams_clear(struct ngrams *ngrams) {
    ngrams->count = 0;
}

void ngrams_free(struct ngrams *ngrams) {
    memory_free(ngrams->gram);
    *ngrams = (struct ngrams){.words = ngrams->words};
}

/* Normal form C: utf8proc's data and composition, with the reordering of marks done here because utf8proc's
 * takes quadratic time on long runs. */
#include "base/memory.h"
#include "io/tokenizer/unicode.h"
#include <string.h>
#include <utf8proc.h>

enum { SHORT_RUN = 32, LONGEST_DECOMPOSITION = 4, FIRST_MARK = 0x300 };

void unicode_nfc_free(struct unicode_nfc *nfc) {
    memory_free(nfc->points);
    memory_free(nfc->sorted);
    *nfc = (struct unicode_nfc){0};
}

static int combining_class(int32_t point) {
    return utf8proc_get_property(point)->combining_class;
}

/* Sorts a run of marks by combining class, stably. */
static int sort_run(struct unicode_nfc *nfc, int32_t *run, size_t count, struct error *err) {
    if (count <= SHORT_RUN) {
        for (size_t i = 1; i < count; i++) {
            int32_t point = run[i];
            int class = combining_class(point);
            size_t at = i;
            for (; at > 0 && combining_class(run[at - 1]) > class; at--) run[at] = run[at - 1];
            run[at] = point;
        }
        return 0;
    }
    TRY(memory_reserve(&nfc->sorted, &nfc->sorted_capacity, count, sizeof *nfc->sorted, err));
    size_t first[257] = {0};
    for (size_t i = 0; i < count; i++) first[combining_class(run[i]) + 1]++;
    for (size_t class = 0; class < 256; class ++) first[class + 1] += first[class];
    for (size_t i = 0; i < count; i++) nfc->sorted[first[combining_class(run[i])]++] = run[i];
    memcpy(run, nfc->sorted, count * sizeof *run);
    return 0;
}

static int order_marks(struct unicode_nfc *nfc, size_t count, struct error *err) {
    for (size_t at = 0; at < count;) {
        size_t end = at;
        while (end < count && combining_class(nfc->points[end])) end++;
        if (end - at > 1) TRY(sort_run(nfc, nfc->points + at, end - at, err));
        at = end + 1;
    }
    return 0;
}

/* Normalises a stretch in which every code point is known to the reference. */
static int normalise(struct unicode_nfc *nfc, const char *text, size_t length, struct text *out,
                     struct error *err) {
    size_t count = 0;
    for (size_t at = 0; at < length;) {
        int32_t point;
        int boundary = 0;
        at += unicode_next(text + at, &point);
        TRY(memory_reserve(&nfc->points, &nfc->capacity, count + LONGEST_DECOMPOSITION, sizeof *nfc->points,
                           err));
        utf8proc_ssize_t parts = utf8proc_decompose_char(point, nfc->points + count, LONGEST_DECOMPOSITION,
                                                         UTF8PROC_STABLE | UTF8PROC_COMPOSE, &boundary);
        if (parts < 1 || parts > LONGEST_DECOMPOSITION)
            return error_set(err, ERROR_INTERNAL, "utf8proc cannot decompose U+%04X", (unsigned)point);
        count += (size_t)parts;
    }
    TRY(order_marks(nfc, count, err));
    utf8proc_ssize_t composed =
        utf8proc_normalize_utf32(nfc->points, (utf8proc_ssize_t)count, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (composed < 0) return error_set(err, ERROR_INTERNAL, "utf8proc: %s", utf8proc_errmsg(composed));
    for (utf8proc_ssize_t i = 0; i < composed; i++) {
        utf8proc_uint8_t bytes[4];
        utf8proc_ssize_t used = utf8proc_encode_char(nfc->points[i], bytes);
        TRY(text_append(out, bytes, (size_t)used, err));
    }
    return 0;
}

int unicode_nfc(struct unicode_nfc *nfc, const char *text, size_t length, struct text *out, bool *changed,
                struct error *err) {
    size_t at = 0;
    int32_t point;
    /* Nothing below U+0300 decomposes with composition undone, or combines with what stands before it. */
    while (at < length && (unsigned char)text[at] < 0xcc) at++;
    *changed = at < length;
    if (!*changed) return 0;
    text_clear(out);
    size_t start = 0;
    for (at = 0; at < length;) {
        size_t used = unicode_next(text + at, &point);
        if (point >= FIRST_MARK && unicode_table_inert(point)) {
            TRY(normalise(nfc, text + start, at - start, out, err));
            TRY(text_append(out, text + at, used, err));
            start = at + used;
        }
        at += used;
    }
    return normalise(nfc, text + start, length - start, out, err);
}

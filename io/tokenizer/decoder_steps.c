#include "io/tokenizer/byte_level.h"
#include "io/tokenizer/decoder_private.h"
#include "io/tokenizer/unicode.h"
#include <string.h>

struct span {
    const char *text;
    size_t length;
};

static struct span span_of(const struct text_list *list, size_t index) {
    size_t start = index ? list->ends[index - 1] : 0;
    return (struct span){text_string(&list->bytes) + start, list->ends[index] - start};
}

/* Appends the bytes that a token spells in the byte-level alphabet, or the token itself where it is not in
 * that alphabet. */
static int spell_bytes(struct span token, struct text *out, struct error *err) {
    size_t before = out->length;
    for (size_t at = 0; at < token.length;) {
        int32_t point;
        at += unicode_next(token.text + at, &point);
        int byte = byte_level_byte(point);
        if (byte < 0) {
            out->length = before;
            return text_append(out, token.text, token.length, err);
        }
        char c = (char)byte;
        TRY(text_append(out, &c, 1, err));
    }
    return 0;
}

static int byte_level(const struct text_list *in, struct text_list *out, struct text *room,
                      struct error *err) {
    text_clear(room);
    for (size_t i = 0; i < in->count; i++) TRY(spell_bytes(span_of(in, i), room, err));
    TRY(unicode_append_lossy(&out->bytes, text_string(room), room->length, err));
    return text_list_end(out, err);
}

static int replace(const struct decoder_step *step, const struct text_list *in, struct text_list *out,
                   struct text *room, struct error *err) {
    for (size_t i = 0; i < in->count; i++) {
        struct span token = span_of(in, i);
        struct piece piece = {token.text, token.text, token.length};
        TRY(unicode_shadow(token.text, token.length, room, &piece.shadow, err));
        size_t at = 0, start = 0, end = 0;
        while (at < token.length) {
            bool found;
            TRY(pattern_find(step->pattern, &piece, at, &start, &end, &found, err));
            if (!found) break;
            TRY(text_append(&out->bytes, token.text + at, start - at, err));
            TRY(text_append(&out->bytes, step->content, step->content_length, err));
            at = end;
        }
        TRY(text_append(&out->bytes, token.text + at, token.length - at, err));
        TRY(text_list_end(out, err));
    }
    return 0;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that a token such as "<0x0A>" stands for, or -1. */
static int fallback_byte(struct span token) {
    if (token.length != 6 || memcmp(token.text, "<0x", 3) || token.text[5] != '>') return -1;
    int low = hex_digit(token.text[4]);
    if (token.text[3] == '+') return low; /* the reference's number parser takes a sign */
    int high = hex_digit(token.text[3]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Ends a run of byte tokens: its text if it is UTF-8, else one U+FFFD for each byte. */
static int end_run(struct text *run, struct text_list *out, struct error *err) {
    if (!run->length) return 0;
    if (unicode_valid_prefix(run->data, run->length) == run->length) {
        TRY(text_append(&out->bytes, run->data, run->length, err));
    } else {
        for (size_t i = 0; i < run->length; i++) TRY(text_append(&out->bytes, "\xef\xbf\xbd", 3, err));
    }
    text_clear(run);
    return text_list_end(out, err);
}

static int byte_fallback(const struct text_list *in, struct text_list *out, struct text *run,
                         struct error *err) {
    text_clear(run);
    for (size_t i = 0; i < in->count; i++) {
        struct span token = span_of(in, i);
        int byte = fallback_byte(token);
        if (byte >= 0) {
            char c = (char)byte;
            TRY(text_append(run, &c, 1, err));
            continue;
        }
        TRY(end_run(run, out, err));
        TRY(text_append(&out->bytes, token.text, token.length, err));
        TRY(text_list_end(out, err));
    }
    return end_run(run, out, err);
}

static int fuse(const struct text_list *in, struct text_list *out, struct error *err) {
    TRY(text_append(&out->bytes, text_string(&in->bytes), in->bytes.length, err));
    return text_list_end(out, err);
}

static int strip(const struct decoder_step *step, const struct text_list *in, struct text_list *out,
                 struct error *err) {
    size_t unit = step->content_length;
    for (size_t i = 0; i < in->count; i++) {
        struct span token = span_of(in, i);
        for (int n = 0; n < step->start && token.length >= unit && !memcmp(token.text, step->content, unit);
             n++) {
            token.text += unit;
            token.length -= unit;
        }
        for (int n = 0; n < step->stop && token.length >= unit &&
                        !memcmp(token.text + token.length - unit, step->content, unit);
             n++) {
            token.length -= unit;
        }
        TRY(text_append(&out->bytes, token.text, token.length, err));
        TRY(text_list_end(out, err));
    }
    return 0;
}

int decoder_step_apply(const struct decoder_step *step, const struct text_list *in, struct text_list *out,
                       struct text *room, struct error *err) {
    switch (step->kind) {
    case DECODER_BYTE_LEVEL: return byte_level(in, out, room, err);
    case DECODER_REPLACE: return replace(step, in, out, room, err);
    case DECODER_BYTE_FALLBACK: return byte_fallback(in, out, room, err);
    case DECODER_FUSE: return fuse(in, out, err);
    case DECODER_STRIP: return strip(step, in, out, err);
    }
    return error_set(err, ERROR_INTERNAL, "unknown kind of decoder");
}

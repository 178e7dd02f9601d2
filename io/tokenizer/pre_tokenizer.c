/* Splitting: each stage cuts its piece and hands the parts to the next; the last hands words to the receiver.
 * Nothing is stored but one part that may still grow. */
#include "io/tokenizer/pre_tokenizer.h"

#include "io/tokenizer/pre_tokenizer_private.h"
#include "io/tokenizer/unicode.h"

/* One stage at work on one piece. */
struct cut {
    struct pre_tokenizer *pre_tokenizer;
    size_t stage;
    const struct piece *piece;
    const struct word_receiver *receiver;
    bool pending, last_matched; /* a part that may grow; whether the last part was a match */
    size_t start, end;          /* of the pending part */
};

static int run_stage(struct pre_tokenizer *pre_tokenizer, size_t stage, const struct piece *piece,
                     const struct word_receiver *receiver, struct error *err);

static int hand_on(struct cut *cut, size_t start, size_t end, struct error *err) {
    struct piece part = {cut->piece->text + start, cut->piece->shadow + start, end - start};
    return run_stage(cut->pre_tokenizer, cut->stage + 1, &part, cut->receiver, err);
}

static int flush(struct cut *cut, struct error *err) {
    if (!cut->pending) return 0;
    cut->pending = false;
    return hand_on(cut, cut->start, cut->end, err);
}

/* The next part, which is not empty and begins where the last ended. */
static int add_part(struct cut *cut, size_t start, size_t end, bool matched, struct error *err) {
    const struct stage *stage = &cut->pre_tokenizer->stages[cut->stage];
    matched = matched != stage->invert;
    bool grows = false;
    switch (stage->behavior) {
    case SPLIT_ISOLATED: return hand_on(cut, start, end, err);
    case SPLIT_REMOVED: return matched ? 0 : hand_on(cut, start, end, err);
    case SPLIT_CONTIGUOUS: grows = matched == cut->last_matched; break;
    case SPLIT_MERGED_PREVIOUS: grows = matched && !cut->last_matched; break;
    case SPLIT_MERGED_NEXT: grows = !matched && cut->last_matched; break;
    }
    cut->last_matched = matched;
    if (grows && cut->pending) {
        cut->end = end;
        return 0;
    }
    TRY(flush(cut, err));
    cut->pending = true;
    cut->start = start;
    cut->end = end;
    return 0;
}

static int cut_by_pattern(struct cut *cut, struct pattern *pattern, struct error *err) {
    size_t at = 0, start = 0, end = 0, length = cut->piece->length;
    while (at < length) {
        bool found;
        TRY(pattern_find(pattern, cut->piece, at, &start, &end, &found, err));
        if (!found) break;
        if (start > at) TRY(add_part(cut, at, start, false, err));
        TRY(add_part(cut, start, end, true, err));
        at = end;
    }
    if (at < length) TRY(add_part(cut, at, length, false, err));
    return flush(cut, err);
}

static int cut_by_digits(struct cut *cut, struct error *err) {
    const struct piece *piece = cut->piece;
    size_t begun = 0; /* of the part without digits */
    for (size_t at = 0, used; at < piece->length; at += used) {
        unsigned char byte = (unsigned char)piece->text[at];
        int32_t point = byte;
        used = byte < 0x80 ? 1 : unicode_next(piece->text + at, &point);
        if (point < 0x80 ? point < '0' || point > '9' : !unicode_is_number(point)) continue;
        if (at > begun) TRY(add_part(cut, begun, at, false, err));
        TRY(add_part(cut, at, at + used, true, err));
        begun = at + used;
    }
    if (begun < piece->length) TRY(add_part(cut, begun, piece->length, false, err));
    return flush(cut, err);
}

/* The piece with a space before it, in scratch memory: ByteLevel comes last, so the words are taken before
 * the next piece. */
static int prefix_space(struct pre_tokenizer *pre_tokenizer, struct piece *piece, struct error *err) {
    bool same = piece->shadow == piece->text;
    text_clear(&pre_tokenizer->prefixed);
    TRY(text_append(&pre_tokenizer->prefixed, " ", 1, err));
    TRY(text_append(&pre_tokenizer->prefixed, piece->text, piece->length, err));
    if (!same) {
        text_clear(&pre_tokenizer->prefixed_shadow);
        TRY(text_append(&pre_tokenizer->prefixed_shadow, " ", 1, err));
        TRY(text_append(&pre_tokenizer->prefixed_shadow, piece->shadow, piece->length, err));
    }
    piece->text = pre_tokenizer->prefixed.data;
    piece->shadow = same ? piece->text : pre_tokenizer->prefixed_shadow.data;
    piece->length++;
    return 0;
}

static int run_stage(struct pre_tokenizer *pre_tokenizer, size_t stage, const struct piece *piece,
                     const struct word_receiver *receiver, struct error *err) {
    if (stage == pre_tokenizer->count)
        return receiver->take(receiver->context, piece->text, piece->length, err);
    const struct stage *settings = &pre_tokenizer->stages[stage];
    struct piece prefixed = *piece;
    if (settings->prefix_space && piece->text[0] != ' ') TRY(prefix_space(pre_tokenizer, &prefixed, err));
    struct cut cut = {
        .pre_tokenizer = pre_tokenizer, .stage = stage, .piece = &prefixed, .receiver = receiver};
    if (settings->kind == STAGE_DIGITS) return cut_by_digits(&cut, err);
    if (settings->pattern) return cut_by_pattern(&cut, settings->pattern, err);
    return hand_on(&cut, 0, prefixed.length, err);
}

int pre_tokenizer_split(struct pre_tokenizer *pre_tokenizer, const struct piece *piece,
                        const struct word_receiver *receiver, struct error *err) {
    return piece->length ? run_stage(pre_tokenizer, 0, piece, receiver, err) : 0;
}

bool pre_tokenizer_is_byte_level(const struct pre_tokenizer *pre_tokenizer) {
    return pre_tokenizer->count && pre_tokenizer->stages[pre_tokenizer->count - 1].kind == STAGE_BYTE_LEVEL;
}

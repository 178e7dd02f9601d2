/* Encoding one word: its characters become symbols, and merges apply in order of rank, then of position, out
 * of a heap. */
#include "io/tokenizer/bpe.h"

#include "base/memory.h"
#include "io/tokenizer/bpe_private.h"
#include "io/tokenizer/byte_level.h"
#include "io/tokenizer/unicode.h"
#include <string.h>

/* The next character of a word as the vocabulary spells it; returns the bytes it takes in `text`. */
static inline size_t next_point(const struct bpe *bpe, const char *text, int32_t *point) {
    if (!bpe->byte_level) return unicode_next(text, point);
    *point = byte_level_point((unsigned char)*text);
    return 1;
}

static int add_symbol(struct bpe *bpe, int32_t id, struct error *err) {
    size_t at = bpe->symbol_count;
    TRY(memory_reserve(&bpe->symbols, &bpe->symbol_capacity, at + 1, sizeof *bpe->symbols, err));
    bpe->symbols[at] = (struct bpe_symbol){id, (int32_t)at - 1, (int32_t)at + 1};
    bpe->symbol_count++;
    return 0;
}

/* A character without a token: as the tokens of its bytes if all of them exist. */
static int add_bytes(struct bpe *bpe, const char *text, size_t length, bool *added, struct error *err) {
    *added = false;
    if (!bpe->byte_fallback || bpe->byte_level) return 0;
    for (size_t i = 0; i < length; i++)
        if (bpe->fallback[(unsigned char)text[i]] < 0) return 0;
    for (size_t i = 0; i < length; i++) TRY(add_symbol(bpe, bpe->fallback[(unsigned char)text[i]], err));
    *added = true;
    return 0;
}

/* Fills `symbols`. The unknown token is held back until the next known character or the end, behind byte
 * tokens that come meanwhile: so does the reference. */
static int split_symbols(struct bpe *bpe, const char *word, size_t length, struct error *err) {
    bpe->symbol_count = 0;
    bool held = false;
    for (size_t at = 0; at < length;) {
        int32_t point;
        const char *text = word + at;
        size_t used = next_point(bpe, text, &point);
        at += used;
        int32_t id = bpe_point_id(bpe, point);
        if (id < 0) {
            bool added;
            TRY(add_bytes(bpe, text, used, &added, err));
            if (added || bpe->unknown < 0) continue; /* without an unknown token the character is dropped */
            if (held && !bpe->fuse_unknown) TRY(add_symbol(bpe, bpe->unknown, err));
            held = true;
            continue;
        }
        if (held) TRY(add_symbol(bpe, bpe->unknown, err));
        held = false;
        TRY(add_symbol(bpe, id, err));
    }
    if (held) TRY(add_symbol(bpe, bpe->unknown, err));
    if (bpe->symbol_count) bpe->symbols[bpe->symbol_count - 1].next = -1;
    return 0;
}

static void sift_down(struct bpe_candidate *heap, size_t count, size_t at) {
    struct bpe_candidate moved = heap[at];
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && heap[child + 1].key < heap[child].key) child++;
        if (heap[child].key >= moved.key) break;
        heap[at] = heap[child];
    }
    heap[at] = moved;
}

/* Puts the merge of symbol `at` with its right neighbour, if there is one, at the end of the heap's array. */
static bool append_candidate(struct bpe *bpe, int32_t at) {
    int32_t next = bpe->symbols[at].next;
    if (next < 0) return false;
    const struct merge *merge = merges_find(&bpe->merges, bpe->symbols[at].id, bpe->symbols[next].id);
    if (!merge) return false;
    bpe->heap[bpe->heap_count++] =
        (struct bpe_candidate){(uint64_t)merge->rank << 32 | (uint32_t)at, merge->id};
    return true;
}

static void push_candidate(struct bpe *bpe, int32_t symbol) {
    if (!append_candidate(bpe, symbol)) return;
    size_t at = bpe->heap_count - 1;
    struct bpe_candidate moved = bpe->heap[at];
    for (size_t parent; at > 0 && bpe->heap[parent = (at - 1) / 2].key > moved.key; at = parent)
        bpe->heap[at] = bpe->heap[parent];
    bpe->heap[at] = moved;
}

static void apply_merges(struct bpe *bpe) {
    struct bpe_symbol *symbols = bpe->symbols;
    bpe->heap_count = 0;
    for (size_t i = 0; i < bpe->symbol_count; i++) append_candidate(bpe, (int32_t)i);
    for (size_t i = bpe->heap_count / 2; i-- > 0;) sift_down(bpe->heap, bpe->heap_count, i);
    while (bpe->heap_count) {
        struct bpe_candidate top = bpe->heap[0];
        bpe->heap[0] = bpe->heap[--bpe->heap_count];
        if (bpe->heap_count) sift_down(bpe->heap, bpe->heap_count, 0);

        int32_t at = (int32_t)(uint32_t)top.key, right = symbols[at].next;
        if (symbols[at].id < 0 || right < 0) continue;
        const struct merge *merge = merges_find(&bpe->merges, symbols[at].id, symbols[right].id);
        if (!merge || merge->id != top.id) continue; /* stale: one of the two has changed since */
        symbols[at].id = top.id;
        symbols[at].next = symbols[right].next;
        symbols[right].id = -1;
        if (symbols[at].next >= 0) symbols[symbols[at].next].prev = at;
        if (symbols[at].prev >= 0) push_candidate(bpe, symbols[at].prev);
        push_candidate(bpe, at);
    }
}

/* The id of the whole word, or -1. */
static int whole_word(struct bpe *bpe, const char *word, size_t length, int32_t *id, struct error *err) {
    *id = -1;
    if (length > vocabulary_longest(bpe->vocabulary)) return 0;
    if (!bpe->byte_level) {
        *id = vocabulary_find(bpe->vocabulary, word, length);
        return 0;
    }
    text_clear(&bpe->spelling);
    for (size_t i = 0; i < length; i++) {
        int32_t point = byte_level_point((unsigned char)word[i]);
        char two[2] = {(char)point, 0};
        if (point >= 0x80) {
            two[0] = (char)(0xc0 | point >> 6);
            two[1] = (char)(0x80 | (point & 0x3f));
        }
        TRY(text_append(&bpe->spelling, two, point < 0x80 ? 1 : 2, err));
    }
    *id = vocabulary_find(bpe->vocabulary, text_string(&bpe->spelling), bpe->spelling.length);
    return 0;
}

static int encode_anew(struct bpe *bpe, const char *word, size_t length, struct token_list *out,
                       struct error *err) {
    if (bpe->ignore_merges) {
        int32_t id;
        TRY(whole_word(bpe, word, length, &id, err));
        if (id >= 0) return token_list_append(out, id, err);
    }
    TRY(split_symbols(bpe, word, length, err));
    /* Each symbol has at most one candidate at first, and each merge takes one away and adds at most two. */
    TRY(memory_reserve(&bpe->heap, &bpe->heap_capacity, 2 * bpe->symbol_count + 2, sizeof *bpe->heap, err));
    apply_merges(bpe);
    for (int32_t at = bpe->symbol_count ? 0 : -1; at >= 0; at = bpe->symbols[at].next)
        TRY(token_list_append(out, bpe->symbols[at].id, err));
    return 0;
}

static int encode_word(struct bpe *bpe, const char *word, size_t length, struct token_list *out,
                       struct error *err) {
    if (length > WORD_CACHE_LONGEST) return encode_anew(bpe, word, length, out, err);
    size_t count, before = out->count;
    unsigned long long hash = word_cache_hash(word, length);
    const int32_t *ids = word_cache_find(bpe->cache, word, length, hash, &count);
    if (ids) {
        TRY(memory_reserve(&out->ids, &out->capacity, before + count, sizeof *out->ids, err));
        memcpy(out->ids + before, ids, count * sizeof *ids);
        out->count += count;
        return 0;
    }
    TRY(encode_anew(bpe, word, length, out, err));
    if (out->count > before)
        word_cache_add(bpe->cache, word, length, hash, out->ids + before, out->count - before);
    return 0;
}

/* A long word (a whole document where nothing splits the text) is cut where no merge can join the two
 * characters: the pieces' ids are the word's, and most pieces are in the cache. A cut needs known characters
 * on both sides, because unknown ones fuse, and spell merges by their bytes' names. */
int bpe_encode(struct bpe *bpe, const char *word, size_t length, struct token_list *out, struct error *err) {
    if (length > INT32_MAX)
        return error_set(err, ERROR_INPUT, "a word of %zu bytes is too long to encode", length);
    if (length <= WORD_CACHE_LONGEST || bpe->ignore_merges) return encode_word(bpe, word, length, out, err);
    int32_t before = -1, point;
    size_t start = 0;
    for (size_t at = 0, used; at < length; at += used) {
        used = next_point(bpe, word + at, &point);
        if (bpe_point_id(bpe, point) < 0) point = -1;
        if (before >= 0 && point >= 0 && !bpe_may_join(bpe, before, point)) {
            TRY(encode_word(bpe, word + start, at - start, out, err));
            start = at;
        }
        before = point;
    }
    return encode_word(bpe, word + start, length - start, out, err);
}

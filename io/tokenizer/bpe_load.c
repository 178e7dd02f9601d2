/* Building a BPE model from tokenizer.json. */
#include "base/memory.h"
#include "io/tokenizer/bpe_private.h"
#include "io/tokenizer/unicode.h"
#include <stdio.h>
#include <string.h>

enum { TOKEN_LIMIT = 1 << 24 }; /* more tokens than this are no vocabulary */

static int load_vocabulary(struct bpe *bpe, const struct component *model, struct error *err) {
    struct component vocab = component_member(model, "vocab");
    TRY(component_need_object(&vocab, err));
    int size = 0, id;
    for (const cJSON *token = vocab.json->child; token; token = token->next)
        if (++size > TOKEN_LIMIT)
            return component_fail(&vocab, ERROR_INPUT, err, "more than %d tokens", TOKEN_LIMIT);
    if (!size) return component_fail(&vocab, ERROR_INPUT, err, "empty (expected at least one token)");
    TRY(vocabulary_create(size, &bpe->vocabulary, err));
    for (const cJSON *token = vocab.json->child; token; token = token->next) {
        if (!component_whole(token, size - 1, &id)) {
            char *value = cJSON_PrintUnformatted(token);
            int code = component_fail(&vocab, ERROR_INPUT, err,
                                      "token \"%s\" has id %.40s (expected each of 0 to %d once: %d tokens)",
                                      token->string, value ? value : "?", size - 1, size);
            cJSON_free(value);
            return code;
        }
        if (!token->string[0])
            return component_fail(&vocab, ERROR_INPUT, err, "token %d is the empty text", id);
        if (vocabulary_add(bpe->vocabulary, token->string, strlen(token->string), id, err))
            return error_context(err, "%s: %s", vocab.file, vocab.place);
    }
    return 0; /* `size` different ids below `size`: no holes */
}

/* Notes the code points that are tokens by themselves, and the tokens of the byte fallback. */
static int index_vocabulary(struct bpe *bpe, struct error *err) {
    for (int32_t id = 0; id < vocabulary_size(bpe->vocabulary); id++) {
        const char *text = vocabulary_text(bpe->vocabulary, id);
        int32_t point;
        if (unicode_next(text, &point) != vocabulary_length(bpe->vocabulary, id)) continue;
        int32_t **page = &bpe->pages[point >> 8];
        if (!*page) {
            TRY(memory_alloc(page, 256, sizeof **page, err));
            memset(*page, 0xff, 256 * sizeof **page);
        }
        (*page)[point & 0xff] = id;
    }
    for (int byte = 0; byte < 256; byte++) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", byte);
        bpe->fallback[byte] = vocabulary_find(bpe->vocabulary, name, strlen(name));
    }
    return 0;
}

/* The two halves of merge `json`: a pair of strings, or "left right". Halves are borrowed. */
struct halves {
    const char *left, *right;
    size_t left_length, right_length;
};

static bool merge_halves(const cJSON *json, struct halves *out) {
    if (cJSON_IsArray(json)) {
        const cJSON *left = json->child, *right = left ? left->next : NULL;
        if (!cJSON_IsString(left) || !cJSON_IsString(right) || right->next) return false;
        *out = (struct halves){left->valuestring, right->valuestring, strlen(left->valuestring),
                               strlen(right->valuestring)};
        return true;
    }
    if (!cJSON_IsString(json)) return false;
    const char *space = strchr(json->valuestring, ' ');
    if (!space || strchr(space + 1, ' ')) return false;
    *out =
        (struct halves){json->valuestring, space + 1, (size_t)(space - json->valuestring), strlen(space + 1)};
    return true;
}

static int32_t last_point(const char *text, size_t length) {
    size_t at = length;
    do at--;
    while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80);
    int32_t point;
    unicode_next(text + at, &point);
    return point;
}

static int add_merge(struct bpe *bpe, const struct component *merges, const cJSON *json, int32_t rank,
                     struct text *product, struct error *err) {
    struct halves halves;
    const char *missing = NULL;
    int32_t left = -1, right = -1, id = -1;
    if (merge_halves(json, &halves)) {
        left = vocabulary_find(bpe->vocabulary, halves.left, halves.left_length);
        right = vocabulary_find(bpe->vocabulary, halves.right, halves.right_length);
        text_clear(product);
        TRY(text_append(product, halves.left, halves.left_length, err));
        TRY(text_append(product, halves.right, halves.right_length, err));
        id = vocabulary_find(bpe->vocabulary, text_string(product), product->length);
        missing = right < 0 ? halves.right : id < 0 ? text_string(product) : NULL;
        if (left < 0) { /* the left half of a string is not ended by a NUL */
            product->data[halves.left_length] = '\0';
            missing = product->data;
        }
        if (!missing) {
            merges_add(&bpe->merges, (struct merge){left, right, rank, id});
            int32_t first;
            unicode_next(halves.right, &first);
            size_t bit = bpe_join_bit(last_point(halves.left, halves.left_length), first);
            bpe->joins[bit >> 3] |= (unsigned char)(1 << (bit & 7));
            return 0;
        }
    }
    struct component place = component_element(merges, json, (size_t)rank);
    if (missing)
        return component_fail(&place, ERROR_INPUT, err, "needs token \"%s\", which the vocabulary lacks",
                              missing);
    return component_fail(&place, ERROR_INPUT, err,
                          "not a merge (expected [\"left\", \"right\"] or \"left right\")");
}

static int load_merges(struct bpe *bpe, const struct component *model, struct error *err) {
    struct component merges = component_member(model, "merges");
    TRY(component_need_array(&merges, err));
    size_t count = 0;
    for (const cJSON *merge = merges.json->child; merge; merge = merge->next) count++;
    if (count > 8u * TOKEN_LIMIT)
        return component_fail(&merges, ERROR_INPUT, err, "too many merges: %zu", count);
    TRY(merges_create(count, &bpe->merges, err));
    TRY(memory_alloc(&bpe->joins, 1u << (BPE_JOIN_BITS - 3), 1, err));
    struct text product = {0};
    int code = 0;
    int32_t rank = 0;
    for (const cJSON *merge = merges.json->child; merge && !code; merge = merge->next) {
        if (cJSON_IsString(merge) && !strncmp(merge->valuestring, "#version", 8))
            continue; /* a line of merges.txt */
        code = add_merge(bpe, &merges, merge, rank++, &product, err);
    }
    text_free(&product);
    return code;
}

/* Settings that change the ids and that no model of our families uses. */
static int refuse_settings(const struct component *model, struct error *err) {
    static const char *const affixes[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    for (size_t i = 0; i < 2; i++) {
        const char *affix;
        TRY(component_optional_string(model, affixes[i], &affix, err));
        struct component member = component_member(model, affixes[i]);
        if (affix && affix[0])
            return component_fail(&member, ERROR_UNSUPPORTED, err, "\"%s\" is not implemented", affix);
    }
    struct component dropout = component_member(model, "dropout");
    if (dropout.json && !(cJSON_IsNumber(dropout.json) && dropout.json->valuedouble == 0))
        return component_fail(&dropout, ERROR_UNSUPPORTED, err, "not implemented (expected null)");
    return 0;
}

static int load_parts(struct bpe *bpe, const struct component *model, struct error *err) {
    TRY(component_need_object(model, err));
    const char *type, *unknown;
    TRY(component_optional_string(model, "type", &type, err)); /* files of before 2020 leave it out */
    if (type && strcmp(type, "BPE")) return component_refuse(model, type, "BPE", err);
    TRY(refuse_settings(model, err));
    TRY(component_flag(model, "byte_fallback", false, &bpe->byte_fallback, err));
    TRY(component_flag(model, "fuse_unk", false, &bpe->fuse_unknown, err));
    TRY(component_flag(model, "ignore_merges", false, &bpe->ignore_merges, err));
    TRY(load_vocabulary(bpe, model, err));
    TRY(component_optional_string(model, "unk_token", &unknown, err));
    bpe->unknown = unknown ? vocabulary_find(bpe->vocabulary, unknown, strlen(unknown)) : -1;
    if (unknown && bpe->unknown < 0) {
        struct component member = component_member(model, "unk_token");
        return component_fail(&member, ERROR_INPUT, err, "\"%s\" is not in the vocabulary", unknown);
    }
    TRY(index_vocabulary(bpe, err));
    TRY(load_merges(bpe, model, err));
    return word_cache_create(&bpe->cache, err);
}

int bpe_load(const struct component *model, bool byte_level, struct bpe **out, struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    (*out)->byte_level = byte_level;
    int code = load_parts(*out, model, err);
    if (code) bpe_destroy(out);
    return code;
}

void bpe_destroy(struct bpe **bpe) {
    if (!*bpe) return;
    vocabulary_destroy(&(*bpe)->vocabulary);
    merges_free(&(*bpe)->merges);
    for (size_t i = 0; i < BPE_PAGES; i++) memory_free((*bpe)->pages[i]);
    memory_free((*bpe)->joins);
    word_cache_destroy(&(*bpe)->cache);
    memory_free((*bpe)->symbols);
    memory_free((*bpe)->heap);
    text_free(&(*bpe)->spelling);
    memory_free(*bpe);
    *bpe = NULL;
}

const struct vocabulary *bpe_vocabulary(const struct bpe *bpe) {
    return bpe->vocabulary;
}

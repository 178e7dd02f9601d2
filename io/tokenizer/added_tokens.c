#include "io/tokenizer/added_tokens.h"

#include "base/memory.h"
#include "io/tokenizer/unicode.h"
#include <string.h>

enum { ADDED_LIMIT = 1 << 20 };

struct added {
    const char *content, *decoded;
    int32_t id;
    bool single_word, lstrip, rstrip, normalized, special, skipped;
};

/* Tries of bytes. Node 0 is unused: index 0 means none. */
struct node {
    uint32_t child, sibling; /* first child, next sibling */
    int32_t token;           /* index of the token that ends here, or -1 */
    unsigned char byte;
};

struct trie {
    uint32_t roots[256]; /* by first byte */
    struct node *nodes;
    size_t count, capacity;
};

struct added_tokens {
    struct added *list;
    int32_t count, size;
    int32_t *by_id;             /* size entries: index into list, or -1 */
    struct vocabulary *by_text; /* content to index into list */
    struct trie tries[2];       /* by enum added_set */
    struct arena *arena;
};

static int add_node(struct trie *trie, unsigned char byte, uint32_t *out, struct error *err) {
    if (!trie->count) trie->count = 1;
    TRY(memory_reserve(&trie->nodes, &trie->capacity, trie->count + 1, sizeof *trie->nodes, err));
    trie->nodes[trie->count] = (struct node){.token = -1, .byte = byte};
    *out = (uint32_t)trie->count++;
    return 0;
}

/* Files `text` under `token`; *taken is the token that has it already, or -1. */
static int trie_add(struct trie *trie, const char *text, int32_t token, int32_t *taken, struct error *err) {
    uint32_t *root = &trie->roots[(unsigned char)text[0]];
    if (!*root) TRY(add_node(trie, (unsigned char)text[0], root, err));
    uint32_t at = *root;
    for (const char *c = text + 1; *c; c++) {
        uint32_t child = trie->nodes[at].child;
        while (child && trie->nodes[child].byte != (unsigned char)*c) child = trie->nodes[child].sibling;
        if (!child) {
            TRY(add_node(trie, (unsigned char)*c, &child, err));
            trie->nodes[child].sibling = trie->nodes[at].child;
            trie->nodes[at].child = child;
        }
        at = child;
    }
    *taken = trie->nodes[at].token;
    if (*taken < 0) trie->nodes[at].token = token;
    return 0;
}

/* The longest token that begins at `text`, or -1; its bytes in *used. */
static int32_t trie_longest(const struct trie *trie, const char *text, size_t length, size_t *used) {
    int32_t token = -1;
    uint32_t at = trie->roots[(unsigned char)text[0]];
    for (size_t i = 1; at; i++) {
        if (trie->nodes[at].token >= 0) {
            token = trie->nodes[at].token;
            *used = i;
        }
        if (i == length) break;
        at = trie->nodes[at].child;
        while (at && trie->nodes[at].byte != (unsigned char)text[i]) at = trie->nodes[at].sibling;
    }
    return token;
}

static int load_fields(struct added_tokens *tokens, const struct component *component, struct added *token,
                       struct error *err) {
    const char *content;
    int id;
    TRY(component_need_object(component, err));
    TRY(component_string(component, "content", &content, err));
    TRY(component_count(component, "id", ADDED_LIMIT * 32 - 1, &id, err));
    token->id = id;
    TRY(component_flag(component, "single_word", false, &token->single_word, err));
    TRY(component_flag(component, "lstrip", false, &token->lstrip, err));
    TRY(component_flag(component, "rstrip", false, &token->rstrip, err));
    TRY(component_flag(component, "special", false, &token->special, err));
    TRY(component_flag(component, "normalized", !token->special, &token->normalized, err));
    if (!content[0]) return component_fail(component, ERROR_INPUT, err, "the content is the empty text");
    char *copy;
    TRY(arena_copy(tokens->arena, content, strlen(content), &copy, err));
    token->content = token->decoded = copy;
    return 0;
}

static int load_token(struct added_tokens *tokens, const struct component *component, int32_t index,
                      const struct vocabulary *vocabulary, struct normalizer *normalizer, struct error *err) {
    struct added *token = &tokens->list[index];
    TRY(load_fields(tokens, component, token, err));
    size_t length = strlen(token->content);
    if (vocabulary_find(tokens->by_text, token->content, length) >= 0)
        return component_fail(component, ERROR_INPUT, err, "\"%s\" is added twice", token->content);
    TRY(vocabulary_add(tokens->by_text, token->content, length, index, err));
    int32_t known = vocabulary_find(vocabulary, token->content, length);
    int32_t expected = known >= 0 ? known : tokens->size;
    if (token->id != expected)
        return component_fail(component, ERROR_INPUT, err, "\"%s\" has id %d (expected %d, %s)",
                              token->content, token->id, expected,
                              known >= 0 ? "as in the model's vocabulary" : "the next free one");
    if (known < 0) tokens->size++;

    if (token->normalized) {
        const char *normal;
        char *copy;
        TRY(normalizer_apply(normalizer, token->content, length, &normal, &length, err));
        TRY(arena_copy(tokens->arena, normal, length, &copy, err));
        token->decoded = copy;
        if (!length)
            return component_fail(component, ERROR_INPUT, err, "normalised, the content is the empty text");
    }
    int32_t taken;
    TRY(trie_add(&tokens->tries[token->normalized ? ADDED_NORMALIZED : ADDED_RAW], token->decoded, index,
                 &taken, err));
    if (taken < 0) return 0;
    return component_fail(component, ERROR_INPUT, err, "\"%s\" and \"%s\" are the same when normalised",
                          token->content, tokens->list[taken].content);
}

static int load_all(struct added_tokens *tokens, const struct component *component,
                    const struct vocabulary *vocabulary, struct normalizer *normalizer, struct error *err) {
    if (component->json) TRY(component_need_array(component, err));
    const cJSON *first = component->json ? component->json->child : NULL;
    for (const cJSON *json = first; json; json = json->next)
        if (++tokens->count > ADDED_LIMIT)
            return component_fail(component, ERROR_INPUT, err, "more than %d tokens", ADDED_LIMIT);
    tokens->size = vocabulary_size(vocabulary);
    TRY(arena_create(&tokens->arena, err));
    TRY(memory_alloc(&tokens->list, (size_t)tokens->count, sizeof *tokens->list, err));
    TRY(vocabulary_create(tokens->count, &tokens->by_text, err));
    int32_t index = 0;
    for (const cJSON *json = first; json; json = json->next, index++) {
        struct component element = component_element(component, json, (size_t)index);
        TRY(load_token(tokens, &element, index, vocabulary, normalizer, err));
    }

    TRY(memory_alloc(&tokens->by_id, (size_t)tokens->size, sizeof *tokens->by_id, err));
    for (int32_t id = 0; id < tokens->size; id++) tokens->by_id[id] = -1;
    for (int32_t i = 0; i < tokens->count; i++) {
        /* The reference asks whether the decoded text, not the id, is that of a special token. */
        struct added *token = &tokens->list[i];
        int32_t same = vocabulary_find(tokens->by_text, token->decoded, strlen(token->decoded));
        token->skipped = same >= 0 && tokens->list[same].special;
        tokens->by_id[token->id] = i;
    }
    return 0;
}

int added_tokens_load(const struct component *component, const struct vocabulary *vocabulary,
                      struct normalizer *normalizer, struct added_tokens **out, struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    int code = load_all(*out, component, vocabulary, normalizer, err);
    if (code) added_tokens_destroy(out);
    return code;
}

void added_tokens_destroy(struct added_tokens **tokens) {
    if (!*tokens) return;
    memory_free((*tokens)->list);
    memory_free((*tokens)->by_id);
    vocabulary_destroy(&(*tokens)->by_text);
    for (size_t i = 0; i < 2; i++) memory_free((*tokens)->tries[i].nodes);
    arena_destroy(&(*tokens)->arena);
    memory_free(*tokens);
    *tokens = NULL;
}

int32_t added_tokens_size(const struct added_tokens *tokens) {
    return tokens->size;
}

int32_t added_tokens_find(const struct added_tokens *tokens, const char *content, size_t length) {
    int32_t index = vocabulary_find(tokens->by_text, content, length);
    return index < 0 ? -1 : tokens->list[index].id;
}

static const struct added *of_id(const struct added_tokens *tokens, int32_t id) {
    if (id < 0 || id >= tokens->size || tokens->by_id[id] < 0) return NULL;
    return &tokens->list[tokens->by_id[id]];
}

const char *added_tokens_content(const struct added_tokens *tokens, int32_t id) {
    const struct added *token = of_id(tokens, id);
    return token ? token->content : NULL;
}

const char *added_tokens_decoded(const struct added_tokens *tokens, int32_t id) {
    const struct added *token = of_id(tokens, id);
    return token ? token->decoded : NULL;
}

bool added_tokens_skipped(const struct added_tokens *tokens, int32_t id) {
    const struct added *token = of_id(tokens, id);
    return token && token->skipped;
}

/* The code point that ends at `end` > 0; *start is where it begins. */
static int32_t point_before(const char *text, size_t end, size_t *start) {
    int32_t point;
    do end--;
    while (((unsigned char)text[end] & 0xc0) == 0x80);
    unicode_next(text + end, &point);
    *start = end;
    return point;
}

static bool stands_alone(const char *text, size_t length, size_t start, size_t end) {
    size_t before;
    int32_t after;
    if (start > 0 && unicode_is_word(point_before(text, start, &before))) return false;
    if (end == length) return true;
    unicode_next(text + end, &after);
    return !unicode_is_word(after);
}

bool added_tokens_next(const struct added_tokens *tokens, enum added_set set, const char *text, size_t length,
                       size_t *at, struct added_match *match) {
    const struct trie *trie = &tokens->tries[set];
    while (trie->nodes && *at < length) {
        size_t start = *at, used = 0;
        while (start < length && !trie->roots[(unsigned char)text[start]]) start++;
        if (start == length) break;
        int32_t index = trie_longest(trie, text + start, length - start, &used);
        *at = start + (index < 0 ? 1 : used);
        if (index < 0) continue;
        const struct added *token = &tokens->list[index];
        size_t end = *at;
        if (token->single_word && !stands_alone(text, length, start, end)) continue;
        if (token->lstrip) {
            size_t before;
            while (start > 0 && unicode_is_space(point_before(text, start, &before))) start = before;
        }
        if (token->rstrip) {
            int32_t point;
            for (size_t step; end < length; end += step) {
                step = unicode_next(text + end, &point);
                if (!unicode_is_space(point)) break;
            }
        }
        *match = (struct added_match){start, end, token->id};
        return true;
    }
    return false;
}

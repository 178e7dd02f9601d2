#include "io/tokenizer/vocabulary.h"

#include "base/hash.h"
#include "base/memory.h"
#include <string.h>

/* One slot of the hash table; the tag saves most looks at texts that differ. */
struct slot {
    int32_t id; /* -1 when empty */
    uint32_t tag;
};

struct vocabulary {
    int32_t size;
    char **texts; /* size; each in the arena, NULL while free */
    uint32_t *lengths;
    struct slot *slots; /* a power of two, at most half full, linear probing */
    size_t mask, longest;
    struct arena *arena;
};

int vocabulary_create(int32_t size, struct vocabulary **out, struct error *err) {
    struct vocabulary *vocabulary;
    *out = NULL;
    TRY(memory_alloc(&vocabulary, 1, sizeof *vocabulary, err));
    size_t slots = 16;
    while (slots < 2 * (size_t)size) slots *= 2;
    vocabulary->size = size;
    vocabulary->mask = slots - 1;
    int code = arena_create(&vocabulary->arena, err);
    if (!code) code = memory_alloc(&vocabulary->texts, (size_t)size, sizeof *vocabulary->texts, err);
    if (!code) code = memory_alloc(&vocabulary->lengths, (size_t)size, sizeof *vocabulary->lengths, err);
    if (!code) code = memory_alloc(&vocabulary->slots, slots, sizeof *vocabulary->slots, err);
    if (code) {
        vocabulary_destroy(&vocabulary);
        return code;
    }
    for (size_t i = 0; i < slots; i++) vocabulary->slots[i].id = -1;
    *out = vocabulary;
    return 0;
}

void vocabulary_destroy(struct vocabulary **vocabulary) {
    if (!*vocabulary) return;
    memory_free((*vocabulary)->texts);
    memory_free((*vocabulary)->lengths);
    memory_free((*vocabulary)->slots);
    arena_destroy(&(*vocabulary)->arena);
    memory_free(*vocabulary);
    *vocabulary = NULL;
}

/* The slot that holds the text, or the empty one where it belongs. */
static struct slot *find_slot(const struct vocabulary *vocabulary, const char *text, size_t length,
                              uint32_t *tag) {
    unsigned long long hash = hash_short(text, length, 0);
    *tag = (uint32_t)(hash >> 32);
    for (size_t at = (size_t)hash & vocabulary->mask;; at = (at + 1) & vocabulary->mask) {
        struct slot *slot = &vocabulary->slots[at];
        if (slot->id < 0) return slot;
        if (slot->tag == *tag && vocabulary->lengths[slot->id] == length &&
            !memcmp(vocabulary->texts[slot->id], text, length))
            return slot;
    }
}

int vocabulary_add(struct vocabulary *vocabulary, const char *text, size_t length, int32_t id,
                   struct error *err) {
    if (id < 0 || id >= vocabulary->size)
        return error_set(err, ERROR_INPUT, "token \"%s\" has id %d (expected 0 to %d)", text, id,
                         vocabulary->size - 1);
    if (vocabulary->texts[id])
        return error_set(err, ERROR_INPUT, "tokens \"%s\" and \"%s\" have the same id %d",
                         vocabulary->texts[id], text, id);
    uint32_t tag;
    struct slot *slot = find_slot(vocabulary, text, length, &tag);
    if (slot->id >= 0)
        return error_set(err, ERROR_INPUT, "token \"%s\" has two ids, %d and %d", text, slot->id, id);
    if (length > UINT32_MAX) return error_set(err, ERROR_INPUT, "token %d is longer than 4 GiB", id);
    TRY(arena_copy(vocabulary->arena, text, length, &vocabulary->texts[id], err));
    vocabulary->lengths[id] = (uint32_t)length;
    if (length > vocabulary->longest) vocabulary->longest = length;
    *slot = (struct slot){id, tag};
    return 0;
}

int32_t vocabulary_find(const struct vocabulary *vocabulary, const char *text, size_t length) {
    uint32_t tag;
    return find_slot(vocabulary, text, length, &tag)->id;
}

const char *vocabulary_text(const struct vocabulary *vocabulary, int32_t id) {
    return id >= 0 && id < vocabulary->size ? vocabulary->texts[id] : NULL;
}

size_t vocabulary_length(const struct vocabulary *vocabulary, int32_t id) {
    return id >= 0 && id < vocabulary->size ? vocabulary->lengths[id] : 0;
}

int32_t vocabulary_size(const struct vocabulary *vocabulary) {
    return vocabulary->size;
}

size_t vocabulary_longest(const struct vocabulary *vocabulary) {
    return vocabulary->longest;
}

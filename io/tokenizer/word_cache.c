#include "io/tokenizer/word_cache.h"

#include "base/hash.h"
#include "base/memory.h"
#include <string.h>

enum { SLOTS = 1 << 16, WORDS = SLOTS / 2, KEY_BYTES = 1 << 20, IDS = 1 << 18 };

struct entry {
    uint32_t tag, key, ids; /* key and ids: offsets */
    uint16_t length, count; /* length 0: empty */
};

struct word_cache {
    struct entry entries[SLOTS];
    char keys[KEY_BYTES];
    int32_t ids[IDS];
    size_t words, key_bytes, id_count;
};

int word_cache_create(struct word_cache **out, struct error *err) {
    return memory_alloc(out, 1, sizeof **out, err);
}

void word_cache_destroy(struct word_cache **cache) {
    memory_free(*cache);
    *cache = NULL;
}

unsigned long long word_cache_hash(const char *word, size_t length) {
    return hash_short(word, length, 1);
}

const int32_t *word_cache_find(const struct word_cache *cache, const char *word, size_t length,
                               unsigned long long hash, size_t *count) {
    uint32_t tag = (uint32_t)(hash >> 32);
    for (size_t at = hash % SLOTS; cache->entries[at].length; at = (at + 1) % SLOTS) {
        const struct entry *entry = &cache->entries[at];
        if (entry->tag == tag && entry->length == length && !memcmp(cache->keys + entry->key, word, length)) {
            *count = entry->count;
            return cache->ids + entry->ids;
        }
    }
    return NULL;
}

void word_cache_add(struct word_cache *cache, const char *word, size_t length, unsigned long long hash,
                    const int32_t *ids, size_t count) {
    if (!length || length > WORD_CACHE_LONGEST || count > UINT16_MAX) return;
    if (cache->words == WORDS || cache->key_bytes + length > KEY_BYTES || cache->id_count + count > IDS) {
        memset(cache->entries, 0, sizeof cache->entries);
        cache->words = cache->key_bytes = cache->id_count = 0;
    }
    size_t at = hash % SLOTS;
    while (cache->entries[at].length) at = (at + 1) % SLOTS;
    cache->entries[at] = (struct entry){.tag = (uint32_t)(hash >> 32),
                                        .key = (uint32_t)cache->key_bytes,
                                        .ids = (uint32_t)cache->id_count,
                                        .length = (uint16_t)length,
                                        .count = (uint16_t)count};
    memcpy(cache->keys + cache->key_bytes, word, length);
    if (count) memcpy(cache->ids + cache->id_count, ids, count * sizeof *ids);
    cache->words++;
    cache->key_bytes += length;
    cache->id_count += count;
}

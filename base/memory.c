#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64, BLOCK_BYTES = 64 * 1024 };

/* Stores a pointer through `out`, the address of a pointer of any object type, without breaking aliasing
 * rules. */
static void store(void *out, void *pointer) {
    memcpy(out, &pointer, sizeof pointer);
}

int memory_alloc(void *out, size_t count, size_t size, struct error *err) {
    void *pointer = NULL;
    store(out, pointer);
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - ALIGNMENT)
        return error_set(err, ERROR_MEMORY, "an allocation of %zu x %zu bytes overflows", count, size);
    size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    pointer = aligned_alloc(ALIGNMENT, rounded ? rounded : ALIGNMENT);
    if (!pointer) return error_set(err, ERROR_MEMORY, "out of memory for %zu bytes", bytes);
    memset(pointer, 0, rounded ? rounded : ALIGNMENT);
    store(out, pointer);
    return 0;
}

int memory_reserve(void *array, size_t *capacity, size_t need, size_t size, struct error *err) {
    if (need <= *capacity) return 0;
    size_t wanted = *capacity < 8 ? 8 : *capacity;
    while (wanted < need) {
        if (wanted > SIZE_MAX / 2)
            return error_set(err, ERROR_MEMORY, "an array of %zu elements overflows", need);
        wanted *= 2;
    }
    void *old, *larger;
    memcpy(&old, array, sizeof old);
    TRY(memory_alloc(&larger, wanted, size, err));
    if (old) memcpy(larger, old, *capacity * size);
    memory_free(old);
    store(array, larger);
    *capacity = wanted;
    return 0;
}

void memory_free(void *pointer) {
    free(pointer);
}

struct block {
    struct block *next;
    size_t used, size;
    _Alignas(16) unsigned char data[];
};

struct arena {
    struct block *blocks;
};

int arena_create(struct arena **out, struct error *err) {
    return memory_alloc(out, 1, sizeof **out, err);
}

int arena_alloc(struct arena *arena, void *out, size_t count, size_t size, struct error *err) {
    store(out, NULL);
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2)
        return error_set(err, ERROR_MEMORY, "an allocation of %zu x %zu bytes overflows", count, size);
    bytes = (bytes + 15) / 16 * 16;
    struct block *block = arena->blocks;
    if (!block || block->size - block->used < bytes) {
        size_t room = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
        TRY(memory_alloc(&block, 1, sizeof *block + room, err));
        block->size = room;
        block->next = arena->blocks;
        arena->blocks = block;
    }
    store(out, block->data + block->used);
    block->used += bytes;
    return 0;
}

int arena_copy(struct arena *arena, const char *text, size_t length, char **out, struct error *err) {
    TRY(arena_alloc(arena, out, length + 1, 1, err));
    memcpy(*out, text, length);
    return 0;
}

void arena_destroy(struct arena **arena) {
    if (!*arena) return;
    for (struct block *block = (*arena)->blocks, *next; block; block = next) {
        next = block->next;
        memory_free(block);
    }
    memory_free(*arena);
    *arena = NULL;
}

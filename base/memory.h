/* Host memory: zeroed, aligned allocations that report failure, and arenas for things freed together. */
#ifndef ADAPT_BASE_MEMORY_H
#define ADAPT_BASE_MEMORY_H

#include "base/error.h"
#include <stddef.h>

/* Allocates `count * size` zeroed bytes aligned to 64 into *out (typed pointer, passed as &pointer). A
 * product of 0 still yields a valid pointer. ERROR_MEMORY, naming the size, when the product overflows or
 * memory is out; *out is then NULL. Free with memory_free. */
int memory_alloc(void *out, size_t count, size_t size, struct error *err);

/* Makes room for at least `need` elements of `size` bytes in *array (passed as &pointer; NULL when empty),
 * doubling *capacity; old contents are kept and new room is zeroed. */
int memory_reserve(void *array, size_t *capacity, size_t need, size_t size, struct error *err);

/* Frees what memory_alloc or memory_reserve gave; NULL is allowed. */
void memory_free(void *pointer);

/* An arena: many small allocations with one lifetime. */
struct arena;
int arena_create(struct arena **out, struct error *err);
/* Zeroed bytes aligned to 16, owned by the arena, into *out (passed as &pointer). */
int arena_alloc(struct arena *arena, void *out, size_t count, size_t size, struct error *err);
/* Copies `length` bytes of `text` and a final NUL into the arena. */
int arena_copy(struct arena *arena, const char *text, size_t length, char **out, struct error *err);
/* Frees everything at once and sets *arena to NULL; *arena may be NULL. */
void arena_destroy(struct arena **arena);

#endif

#include "io/tokenizer/merges.h"

#include "base/memory.h"

int merges_create(size_t count, struct merges *out, struct error *err) {
    size_t slots = 16;
    while (slots < 2 * count) slots *= 2;
    TRY(memory_alloc(&out->slots, slots, sizeof *out->slots, err));
    for (size_t i = 0; i < slots; i++) out->slots[i].left = -1;
    out->mask = slots - 1;
    return 0;
}

void merges_free(struct merges *merges) {
    memory_free(merges->slots);
    *merges = (struct merges){0};
}

void merges_add(struct merges *merges, struct merge merge) {
    size_t at = merges_slot(merges, merge.left, merge.right);
    for (;; at = (at + 1) & merges->mask) {
        struct merge *slot = &merges->slots[at];
        if (slot->left < 0 || (slot->left == merge.left && slot->right == merge.right)) {
            *slot = merge;
            return;
        }
    }
}

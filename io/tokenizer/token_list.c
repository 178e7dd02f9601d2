#include "base/memory.h"
#include "io/tokenizer/tokenizer.h"

int token_list_append(struct token_list *list, int32_t id, struct error *err) {
    if (list->count == list->capacity)
        TRY(memory_reserve(&list->ids, &list->capacity, list->count + 1, sizeof *list->ids, err));
    list->ids[list->count++] = id;
    return 0;
}

void token_list_free(struct token_list *list) {
    memory_free(list->ids);
    *list = (struct token_list){0};
}

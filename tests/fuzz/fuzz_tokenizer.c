/* Any text as a tokenizer.json, and what follows its first NUL as the text to encode: refused with a message,
 * or loaded; a loaded tokenizer encodes whatever is UTF-8, the same way twice, and decodes every id it gives.
 */
#include "io/tokenizer/tokenizer_private.h"
#include "io/tokenizer/unicode.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void encode(struct tokenizer *tokenizer, const char *text, size_t length) {
    struct token_list first = {0}, second = {0};
    struct text decoded = {0};
    struct error err = {0};
    int code = tokenizer_encode(tokenizer, text, length, true, &first, &err);
    if (!code != (unicode_valid_prefix(text, length) == length)) abort();
    if (!code) {
        if (tokenizer_encode(tokenizer, text, length, true, &second, &err)) abort();
        if (first.count != second.count) abort();
        if (first.count && memcmp(first.ids, second.ids, first.count * sizeof *first.ids)) abort();
        for (size_t i = 0; i < first.count; i++)
            if (!tokenizer_token_text(tokenizer, first.ids[i])) abort();
        if (tokenizer_decode(tokenizer, first.ids, first.count, length % 2, &decoded, &err)) abort();
        if (unicode_valid_prefix(text_string(&decoded), decoded.length) != decoded.length) abort();
    }
    token_list_free(&first);
    token_list_free(&second);
    text_free(&decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct tokenizer *tokenizer;
    struct error err = {0};
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    size_t length = end ? (size_t)(end - data) : size;
    if (tokenizer_load_text("f", length ? (const char *)data : "", length, &tokenizer, &err)) {
        if (tokenizer || strncmp(err.message, "f:", 2)) abort();
        return 0;
    }
    if (end) encode(tokenizer, (const char *)end + 1, size - length - 1);
    encode(tokenizer, (const char *)data, length);
    tokenizer_destroy(&tokenizer);
    return 0;
}

#include "runner/checkpoint/sealed.h"

#include "base/hash.h"
#include <string.h>

static const char LAST_LINE[] = "sha256 ";
enum { SEAL_BYTES = sizeof LAST_LINE - 1 + HASH_HEX_BYTES - 1 + 1 }; /* with the line's end */

int sealed_close(struct text *text, struct error *err) {
    char hex[HASH_HEX_BYTES];
    TRY(text_append_string(text, "\n", err));
    TRY(hash_bytes(text->data, text->length, hex, err));
    return text_printf(text, err, "%s%s\n", LAST_LINE, hex);
}

int sealed_open(const char *name, const char *text, size_t sealed_length, size_t *length, struct error *err) {
    char hex[HASH_HEX_BYTES];
    const char *seal = text + sealed_length - SEAL_BYTES;
    if (sealed_length <= SEAL_BYTES || text[sealed_length - 1] != '\n' ||
        memcmp(seal, LAST_LINE, sizeof LAST_LINE - 1))
        return error_set(err, ERROR_INPUT, "%s: has no checksum at its end: it was cut or changed", name);
    *length = sealed_length - SEAL_BYTES;
    TRY(hash_bytes(text, *length, hex, err));
    if (memcmp(hex, seal + sizeof LAST_LINE - 1, HASH_HEX_BYTES - 1))
        return error_set(err, ERROR_INPUT, "%s: its checksum is wrong: it was changed", name);
    return 0;
}

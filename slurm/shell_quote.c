#include "slurm/shell_quote.h"

#include <string.h>

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/+,:@%=-";

int shell_quote(const char *data, struct text *out, struct error *err) {
    if (*data && !data[strspn(data, plain)]) return text_append_string(out, data, err);
    TRY(text_append_string(out, "'", err));
    while (*data) {
        size_t length = strcspn(data, "'");
        TRY(text_append(out, data, length, err));
        data += length;
        /* Nothing escapes inside single quotes: end them, a quote by itself, begin again. */
        for (; *data == '\''; data++) TRY(text_append_string(out, "'\\''", err));
    }
    return text_append_string(out, "'", err);
}

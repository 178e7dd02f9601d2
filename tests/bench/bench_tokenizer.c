/* How fast tokenizers load, encode and decode, on one core.
 *
 *     bench_tokenizer TEXT_FILE MODEL_DIR...
 *
 * prints a line a tokenizer: seconds to load, and MB/s (of UTF-8 text, megabytes of 10^6 bytes) to encode the
 * text line by line, to encode it as one piece, and to decode it. A first encoding is part of the
 * measurement: nothing is warm. */
#include "io/file.h"
#include "io/tokenizer/tokenizer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TEXT_LIMIT = 1 << 30 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(int code, const struct error *err) {
    if (!code) return;
    fprintf(stderr, "bench_tokenizer: %s\n", err->message);
    exit(1);
}

static struct tokenizer *load(const char *folder) {
    struct tokenizer *tokenizer;
    struct error err;
    must(tokenizer_load(folder, &tokenizer, &err), &err);
    return tokenizer;
}

static void encode_lines(struct tokenizer *tokenizer, const struct text *text, struct token_list *out) {
    struct error err;
    const char *at = text_string(text), *end = at + text->length;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop + 1 : end;
        must(tokenizer_encode(tokenizer, at, (size_t)(stop - at), false, out, &err), &err);
        at = stop;
    }
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fputs("usage: bench_tokenizer TEXT_FILE MODEL_DIR...\n", stderr);
        return 2;
    }
    struct text text = {0}, decoded = {0};
    struct error err;
    must(file_read(argv[1], TEXT_LIMIT, &text, &err), &err);
    double megabytes = (double)text.length / 1e6;
    for (int i = 2; i < argc; i++) {
        struct token_list lines = {0}, whole = {0};
        double start = now();
        struct tokenizer *tokenizer = load(argv[i]);
        double loaded = now() - start;

        start = now();
        encode_lines(tokenizer, &text, &lines);
        double by_line = now() - start;
        tokenizer_destroy(&tokenizer);

        tokenizer = load(argv[i]); /* with an empty cache again */
        start = now();
        must(tokenizer_encode(tokenizer, text_string(&text), text.length, false, &whole, &err), &err);
        double at_once = now() - start;

        text_clear(&decoded);
        start = now();
        must(tokenizer_decode(tokenizer, whole.ids, whole.count, false, &decoded, &err), &err);
        double decoding = now() - start;
        printf("%s: loaded in %.2f s; MB/s: lines %.1f, whole %.1f, decoding %.1f; %.2f bytes a token%s\n",
               argv[i], loaded, megabytes / by_line, megabytes / at_once, megabytes / decoding,
               (double)text.length / (double)whole.count,
               decoded.length == text.length && !memcmp(decoded.data, text.data, text.length)
                   ? ""
                   : " (decoded text differs)");
        tokenizer_destroy(&tokenizer);
        token_list_free(&lines);
        token_list_free(&whole);
    }
    text_free(&text);
    text_free(&decoded);
    return 0;
}

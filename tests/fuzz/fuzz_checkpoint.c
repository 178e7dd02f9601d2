/* A checkpoint's manifest and a kept evaluation. The seal is made good first, or no input would ever come
 * past it; what is read must print as it was read. */
#include "base/memory.h"
#include "runner/checkpoint/evaluation_file.h"
#include "runner/checkpoint/manifest.h"
#include "runner/checkpoint/sealed.h"
#include <stdlib.h>
#include <string.h>

static void try_manifest(const char *text, size_t length) {
    struct manifest *manifest, *again;
    struct text printed = {0}, twice = {0};
    if (manifest_parse("fuzz", text, length, &manifest, NULL)) return;
    if (manifest_print(manifest, &printed, NULL) ||
        manifest_parse("again", printed.data, printed.length, &again, NULL))
        abort();
    if (manifest_print(again, &twice, NULL) || twice.length != printed.length ||
        memcmp(twice.data, printed.data, twice.length))
        abort();
    manifest_destroy(&manifest);
    manifest_destroy(&again);
    text_free(&printed);
    text_free(&twice);
}

static void try_evaluation(const char *text, size_t length) {
    struct archive_evaluation evaluation;
    struct arena *arena;
    if (arena_create(&arena, NULL)) return;
    if (!evaluation_file_parse("fuzz", text, length, arena, &evaluation, NULL))
        for (int64_t i = 0; i < evaluation.sample_count; i++)
            if (evaluation.samples[i].choices < 0 || !evaluation.samples[i].id) abort();
    arena_destroy(&arena);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    struct text text = {0};
    if (text_append(&text, data, size, NULL)) return 0;
    try_manifest(text_string(&text), text.length); /* as it is */
    if (!sealed_close(&text, NULL)) {
        try_manifest(text.data, text.length);
        try_evaluation(text.data, text.length);
    }
    text_free(&text);
    return 0;
}

/* Anything as the files that a run leaves for the next one: a checkpoint's manifest, an evaluation, a claim. Read or refused; what
 * was read is sound, and a manifest prints as text that is read as the same. Odd first byte: the rest gets the seal that such
 * files end with, or nothing would come past its checksum. */
#include "base/memory.h"
#include "runner/checkpoint/evaluation_file.h"
#include "runner/checkpoint/manifest.h"
#include "runner/checkpoint/sealed.h"
#include "runner/claim/claim_internal.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void check_manifest(const struct text *input) {
    struct manifest *manifest, *again;
    struct error err = {0};
    struct text first = {0}, second = {0};
    const struct manifest_section *section;
    if (manifest_parse("m", text_string(input), input->length, &manifest, &err)) {
        if (manifest || !err.message[0]) abort();
        return;
    }
    size_t covered = 0;
    for (int i = 0; i < manifest->shard_count; i++) {
        const struct manifest_shard *shard = &manifest->shards[i];
        if (shard->first != covered || strchr(shard->file, '/') || shard->file[0] == '.') abort();
        covered += shard->count;
        (void)manifest_shard_bytes(manifest, shard);
    }
    if (covered != manifest->elements) abort();
    for (int i = 0; i < manifest->section_count; i++)
        if (manifest_find(manifest, manifest->sections[i].name, 0, &section, &err)) abort();
    if (manifest_print(manifest, &first, &err)) abort();
    if (manifest_parse("m", text_string(&first), first.length, &again, &err)) abort();
    if (manifest_print(again, &second, &err) || strcmp(text_string(&first), text_string(&second))) abort();
    manifest_destroy(&again);
    manifest_destroy(&manifest);
    text_free(&first);
    text_free(&second);
}

static void check_evaluation(const struct text *input) {
    struct arena *arena;
    struct archive_evaluation evaluation;
    struct error err = {0};
    if (arena_create(&arena, NULL)) return;
    if (evaluation_file_parse("e", text_string(input), input->length, arena, &evaluation, &err)) {
        if (!err.message[0]) abort();
    } else if (!evaluation.benchmark || !evaluation.metric || evaluation.sample_count < 0 || evaluation.metric_count < 0) {
        abort();
    }
    arena_destroy(&arena);
}

static void check_claim(const uint8_t *data, size_t size) {
    struct claim_info info;
    char path[64];
    bool found;
    int file = memfd_create("claim", 0);
    if (file < 0 || write(file, data, size) != (ssize_t)size) abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (!claim_file_read(path, &found, &info, NULL) && found) {
        if (strspn(info.token, "0123456789abcdef") != strlen(info.token)) abort();
        if (!memchr(info.host, 0, sizeof info.host) || !memchr(info.job, 0, sizeof info.job) || info.process < 0 || info.restart < 0)
            abort();
    }
    close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct text input = {0};
    if (!size || text_append(&input, data + 1, size - 1, NULL)) return 0;
    if (data[0] & 1 && sealed_close(&input, NULL)) abort();
    check_manifest(&input);
    check_evaluation(&input);
    check_claim(data + 1, size - 1);
    text_free(&input);
    return 0;
}

/* What a checkpoint says of itself: the file N.checkpoint in a cell's folder NAME.checkpoint/, which is
 * written last, so that a checkpoint with a manifest is whole.
 *
 * It is one JSON object, sealed (runner/checkpoint/sealed.h). The object names the files
 * of the large vectors ("shards", each with its range of the flat vector, its length and its SHA-256) and
 * holds everything small as sections of 64-bit words in hexadecimal, so that every bit of a number comes
 * back. */
#ifndef ADAPT_RUNNER_MANIFEST_H
#define ADAPT_RUNNER_MANIFEST_H

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One rank's file: float32 in the machine's order, `count` parameters from `first` on; where the checkpoint
 * has moments, behind them AdamW's first moments of the same elements, and then the second ones. */
enum { MANIFEST_FILE_BYTES = 64 };
struct manifest_shard {
    char file[MANIFEST_FILE_BYTES];
    size_t first, count; /* elements */
    char sha256[HASH_HEX_BYTES];
};

struct manifest_section {
    const char *name;
    uint64_t *words;
    size_t count;
};

struct manifest {
    const char *identity; /* of the cell and of what it computes with: another's checkpoint is of no use */
    int64_t step, validations; /* optimizer steps taken, each a row of the archive; rows of its validations */
    size_t elements;           /* of a flat vector */
    bool moments;              /* the shards hold them */
    bool trained;              /* the budget is spent: only weights and evaluations count */
    struct manifest_shard *shards; /* cover all elements once, in order */
    int shard_count;
    struct manifest_section *sections;
    int section_count;
    struct arena *arena; /* of all this where it was parsed; else NULL */
};

int manifest_print(const struct manifest *manifest, struct text *out, struct error *err);
/* ERROR_INPUT, naming `name` and the place, for anything else than what manifest_print prints: a file that
 * was cut or changed, shards that leave a hole, names that lead out of the folder. */
int manifest_parse(const char *name, const char *text, size_t length, struct manifest **out,
                   struct error *err);
void manifest_destroy(struct manifest **manifest);

/* A section of exactly `count` words (0: any number), or ERROR_INPUT. */
int manifest_find(const struct manifest *manifest, const char *name, size_t count,
                  const struct manifest_section **out, struct error *err);
/* Bytes of a shard's file. */
size_t manifest_shard_bytes(const struct manifest *manifest, const struct manifest_shard *shard);

#endif

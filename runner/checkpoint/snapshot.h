/* The large vectors of one rank on their way to disk: copied at a step's end into memory that was set aside
 * for it, then written by a thread while training goes on. Each rank writes the same share of weights and
 * moments, whether its optimizer holds all moments or only these.
 *
 * Where there is no memory for the copy, the vectors are written at once, while training waits. */
#ifndef ADAPT_RUNNER_SNAPSHOT_H
#define ADAPT_RUNNER_SNAPSHOT_H

#include "runner/checkpoint/manifest.h"
#include "train/optimizer.h"

/* What is written, all on the device. */
struct snapshot_vectors {
    struct backend *backend;
    struct view parameters; /* the whole flat vector */
    struct optimizer_state optimizer;
    struct parameter_range range; /* what this rank writes; the optimizer holds it */
    bool moments;                 /* else the weights alone */
};

struct snapshot;
/* For up to `range` elements of each vector; `copies` says whether memory is set aside. */
int snapshot_create(const struct snapshot_vectors *vectors, bool copies, struct snapshot **out,
                    struct error *err);
/* Waits for the thread. *snapshot may be NULL. */
void snapshot_destroy(struct snapshot **snapshot);

/* Bytes that snapshot_create sets aside for copies of `count` elements. */
size_t snapshot_bytes(size_t count, bool moments);

/* Begins to write DIR/FILE; nothing else may be on its way. */
int snapshot_begin(struct snapshot *snapshot, const struct snapshot_vectors *vectors, const char *path,
                   struct error *err);
/* Whether the file stands there, or cannot; never waits. True where none was begun. */
bool snapshot_ended(struct snapshot *snapshot);
/* Waits, and tells how it went: the file's SHA-256, or why it is not there. */
int snapshot_finish(struct snapshot *snapshot, char sha256[HASH_HEX_BYTES], struct error *err);

#endif

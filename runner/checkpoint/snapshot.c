#include "runner/checkpoint/snapshot.h"

#include "base/memory.h"
#include "base/thread.h"
#include "io/file.h"
#include <string.h>

enum { PIECE = 1 << 20 }; /* elements that are written and hashed at a time */

struct snapshot {
    float *copy;     /* owned: parameters, first and second moments end to end; NULL: none are made */
    float *piece;    /* owned, [PIECE], where there is no copy */
    size_t elements; /* room in `copy` */
    size_t filled;   /* of them in use */
    struct snapshot_vectors vectors; /* of what is being written */
    char *path;                      /* owned */
    bool begun, threaded;
    pthread_t thread;
    pthread_mutex_t lock;
    bool ended; /* under the lock; with it, what follows is there */
    int code;
    struct error why;
    char sha256[HASH_HEX_BYTES];
};

size_t snapshot_bytes(size_t count, bool moments) {
    return (moments ? 3 : 1) * count * sizeof(float);
}

int snapshot_create(const struct snapshot_vectors *vectors, bool copies, struct snapshot **out,
                    struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    struct snapshot *s = *out;
    pthread_mutex_init(&s->lock, NULL);
    s->elements = snapshot_bytes(vectors->range.count, vectors->moments) / sizeof(float);
    int code = copies ? memory_alloc(&s->copy, s->elements, sizeof(float), err)
                      : memory_alloc(&s->piece, PIECE, sizeof(float), err);
    if (code) snapshot_destroy(out);
    return code;
}

static void join(struct snapshot *s) {
    if (s->threaded) pthread_join(s->thread, NULL);
    s->threaded = false;
}

void snapshot_destroy(struct snapshot **out) {
    struct snapshot *s = *out;
    if (!s) return;
    *out = NULL;
    join(s);
    pthread_mutex_destroy(&s->lock);
    memory_free(s->copy);
    memory_free(s->piece);
    memory_free(s->path);
    memory_free(s);
}

/* ---- the file */

struct output {
    struct file_writer *file;
    struct hash *hash;
};

static int put(struct output *to, const float *numbers, size_t count, struct error *err) {
    TRY(hash_update(to->hash, numbers, count * sizeof *numbers, err));
    return file_writer_append(to->file, numbers, count * sizeof *numbers, err);
}

static int put_copy(const struct snapshot *s, struct output *to, struct error *err) {
    for (size_t done = 0; done < s->filled;) {
        size_t count = s->filled - done < PIECE ? s->filled - done : PIECE;
        TRY(put(to, s->copy + done, count, err));
        done += count;
    }
    return 0;
}

/* The parts of the vectors that this rank writes. */
static int parts_of(const struct snapshot_vectors *v, struct view out[3]) {
    size_t at = v->range.first - v->optimizer.held.first;
    out[0] = view_at(v->parameters, v->range.first);
    if (!v->moments) return 1;
    out[1] = view_at(v->optimizer.first, at);
    out[2] = view_at(v->optimizer.second, at);
    return 3;
}

static int put_vectors(const struct snapshot *s, struct output *to, struct error *err) {
    const struct snapshot_vectors *v = &s->vectors;
    struct view parts[3];
    int count = parts_of(v, parts);
    for (int i = 0; i < count; i++) {
        for (size_t done = 0; done < v->range.count;) {
            size_t length = v->range.count - done < PIECE ? v->range.count - done : PIECE;
            v->backend->download(v->backend, view_at(parts[i], done), s->piece, length);
            TRY(put(to, s->piece, length, err));
            done += length;
        }
    }
    return v->backend->check(v->backend, err);
}

static int write_file(struct snapshot *s, struct error *err) {
    struct output to = {0};
    TRY(hash_create(&to.hash, err));
    int code = file_writer_open(s->path, &to.file, err);
    if (!code) code = s->copy ? put_copy(s, &to, err) : put_vectors(s, &to, err);
    if (code)
        file_writer_abandon(&to.file);
    else
        code = file_writer_commit(&to.file, err);
    if (!code) return hash_finish(&to.hash, s->sha256, err);
    hash_destroy(&to.hash);
    return code;
}

static void *write_and_tell(void *context) {
    struct snapshot *s = context;
    struct error why = {0};
    int code = write_file(s, &why);
    pthread_mutex_lock(&s->lock);
    s->code = code;
    s->why = why;
    s->ended = true;
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- the owner */

static int copy_vectors(struct snapshot *s, struct error *err) {
    const struct snapshot_vectors *v = &s->vectors;
    struct view parts[3];
    int count = parts_of(v, parts);
    s->filled = (size_t)count * v->range.count;
    if (s->filled > s->elements)
        return error_set(err, ERROR_INTERNAL, "a checkpoint of %zu numbers has room for %zu", s->filled,
                         s->elements);
    for (int i = 0; i < count; i++)
        v->backend->download(v->backend, parts[i], s->copy + (size_t)i * v->range.count, v->range.count);
    return v->backend->check(v->backend, err);
}

int snapshot_begin(struct snapshot *s, const struct snapshot_vectors *vectors, const char *path,
                   struct error *err) {
    size_t length = strlen(path);
    memory_free(s->path);
    TRY(memory_alloc(&s->path, length + 1, 1, err));
    memcpy(s->path, path, length);
    s->vectors = *vectors;
    if (s->copy) TRY(copy_vectors(s, err));
    s->ended = false;
    s->begun = true;
    if (s->copy) s->threaded = !thread_start("adapt-checkpoint", write_and_tell, s, &s->thread, NULL);
    if (!s->threaded) write_and_tell(s); /* no copy, or no thread to be had */
    return 0;
}

bool snapshot_ended(struct snapshot *s) {
    if (!s->begun) return true;
    pthread_mutex_lock(&s->lock);
    bool ended = s->ended;
    pthread_mutex_unlock(&s->lock);
    return ended;
}

int snapshot_finish(struct snapshot *s, char sha256[HASH_HEX_BYTES], struct error *err) {
    join(s);
    s->begun = false;
    memcpy(sha256, s->sha256, HASH_HEX_BYTES);
    return s->code ? error_set(err, s->code, "%s", s->why.message) : 0;
}

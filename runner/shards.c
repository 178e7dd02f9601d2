#include "runner/shards.h"

#include "base/memory.h"
#include "runner/link.h"
#include <limits.h>

enum { STAGING_ELEMENTS = 4 << 20 };

struct shards {
    const struct group *group; /* borrowed */
    struct backend *backend;   /* borrowed */
    size_t elements;
    MPI_Datatype piece;        /* PARAMETER_ALIGNMENT floats: counts of them fit into MPI's int */
    int *count, *displacement; /* [ranks] in pieces; owned */
    size_t *length;            /* [ranks] in elements; owned */
    float *staging;            /* where the backend's memory is not the host's: [ranks * step]; owned */
    size_t step;               /* elements of each shard that travel at a time */
};

struct parameter_range shards_range(size_t elements, int ranks, int rank) {
    size_t pieces = elements / PARAMETER_ALIGNMENT;
    size_t first = pieces * (size_t)rank / (size_t)ranks, end = pieces * ((size_t)rank + 1) / (size_t)ranks;
    return (struct parameter_range){first * PARAMETER_ALIGNMENT, (end - first) * PARAMETER_ALIGNMENT};
}

static int take_memory(struct shards *s, struct error *err) {
    struct buffer *probe;
    size_t ranks = (size_t)s->group->size;
    TRY(memory_alloc(&s->count, ranks, sizeof(int), err));
    TRY(memory_alloc(&s->displacement, ranks, sizeof(int), err));
    TRY(memory_alloc(&s->length, ranks, sizeof(size_t), err));
    TRY(s->backend->buffer_create(s->backend, sizeof(float), &probe, err));
    bool hosted = s->backend->host_pointer(s->backend, probe);
    s->backend->buffer_destroy(s->backend, &probe);
    if (hosted) return 0;
    s->step = STAGING_ELEMENTS / ranks;
    if (s->step > s->elements) s->step = s->elements;
    if (s->step < PARAMETER_ALIGNMENT) s->step = PARAMETER_ALIGNMENT;
    return memory_alloc(&s->staging, ranks * s->step, sizeof(float), err);
}

static int make_piece(struct shards *s, struct error *err) {
    TRY(group_check_status(MPI_Type_contiguous(PARAMETER_ALIGNMENT, MPI_FLOAT, &s->piece),
                           "MPI_Type_contiguous", err));
    return group_check_status(MPI_Type_commit(&s->piece), "MPI_Type_commit", err);
}

int shards_create(const struct group *group, struct backend *backend, size_t elements, struct shards **out,
                  struct error *err) {
    *out = NULL;
    if (elements % PARAMETER_ALIGNMENT || elements / PARAMETER_ALIGNMENT > INT_MAX)
        return error_set(err, ERROR_INTERNAL, "a flat vector of %zu elements cannot be shared out", elements);
    TRY(memory_alloc(out, 1, sizeof **out, err));
    struct shards *s = *out;
    *s =
        (struct shards){.group = group, .backend = backend, .elements = elements, .piece = MPI_DATATYPE_NULL};
    int code = take_memory(s, err);
    if (!code) code = make_piece(s, err);
    if (code) {
        shards_destroy(out);
        return code;
    }
    for (int rank = 0; rank < group->size; rank++) {
        struct parameter_range range = shards_range(elements, group->size, rank);
        s->length[rank] = range.count;
        s->count[rank] = (int)(range.count / PARAMETER_ALIGNMENT);
        s->displacement[rank] = (int)(range.first / PARAMETER_ALIGNMENT);
    }
    return 0;
}

void shards_destroy(struct shards **shards) {
    struct shards *s = *shards;
    if (!s) return;
    if (s->piece != MPI_DATATYPE_NULL) MPI_Type_free(&s->piece);
    memory_free(s->count);
    memory_free(s->displacement);
    memory_free(s->length);
    memory_free(s->staging);
    memory_free(s);
    *shards = NULL;
}

/* What of a rank's shard travels in the round that begins `done` elements into the shards. */
static struct parameter_range round_of(const struct shards *s, int rank, size_t done) {
    struct parameter_range range = shards_range(s->elements, s->group->size, rank);
    if (done >= range.count) return (struct parameter_range){range.first, 0};
    size_t left = range.count - done;
    return (struct parameter_range){range.first + done, left < s->step ? left : s->step};
}

/* The longest shard ends a gathering for all. */
static bool travels(const struct shards *s, size_t done) {
    for (int rank = 0; rank < s->group->size; rank++)
        if (round_of(s, rank, done).count) return true;
    return false;
}

static int gather_staged(struct shards *s, struct view vector, struct error *err) {
    struct backend *b = s->backend;
    int own = s->group->rank;
    for (size_t done = 0; travels(s, done); done += s->step) {
        struct parameter_range range = round_of(s, own, done);
        b->download(b, view_at(vector, range.first), s->staging + (size_t)own * s->step, range.count);
        TRY(group_check_status(MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, s->staging, (int)s->step,
                                             MPI_FLOAT, s->group->comm),
                               "MPI_Allgather", err));
        for (int rank = 0; rank < s->group->size; rank++) {
            range = round_of(s, rank, done);
            if (rank != own)
                b->upload(b, view_at(vector, range.first), s->staging + (size_t)rank * s->step, range.count);
        }
    }
    return b->check(b, err);
}

static int gather_by_peers(struct shards *s, struct peers *peers, struct view vector, struct error *err) {
    peers->gather(peers, s->length, vector);
    return link_settle(s->group, err);
}

/* `at`: memory that MPI takes. */
static int gather_in_place(struct shards *s, float *at, struct error *err) {
    return group_check_status(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, at, s->count,
                                             s->displacement, s->piece, s->group->comm),
                              "MPI_Allgatherv", err);
}

static int gather_on_device(struct shards *s, struct view vector, struct error *err) {
    struct backend *b = s->backend;
    float *at = NULL;
    int code = b->check(b, err); /* waits for the shard */
    if (!code) at = b->device_pointer(b, vector, s->elements, true);
    if (!code && !at) code = b->check(b, err);
    TRY(group_agree(s->group, code, err));
    return gather_in_place(s, at, err);
}

int shards_gather(struct shards *s, struct view vector, struct error *err) {
    if (s->group->size == 1) return 0;
    struct peers *peers = link_peers(s->group);
    if (peers) return gather_by_peers(s, peers, vector, err);
    float *host = s->backend->host_pointer(s->backend, vector.buffer);
    if (host) return gather_in_place(s, host + vector.offset, err);
    return link_takes_device_memory(s->group) ? gather_on_device(s, vector, err)
                                              : gather_staged(s, vector, err);
}

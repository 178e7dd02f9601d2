#include "runner/reduction.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "runner/link.h"
#include <sched.h>
#include <time.h>

enum {
    /* Elements: large enough for bandwidth, small enough to begin early and for the library's scratch memory,
       as long as a bucket, to come from the heap: Open MPI's MPI_Iallreduce takes five times as long from
       2^18 on. */
    BUCKET = 1 << 16,
    PEERS_BUCKET = 1 << 22, /* between devices, where a call costs more and bandwidth comes later */
    IN_FLIGHT = 64,         /* buckets that MPI works on at a time */
    /* Between looks at them. A blocking call would keep a core busy while it waits for ranks that still
       compute. */
    PAUSE_NANOSECONDS = 100 * 1000
};

struct reduction {
    const struct group *group; /* borrowed */
    struct backend *backend;   /* borrowed */
    bool by_peers;             /* sums go by the devices' own link, and not by MPI */
    size_t elements, bucket;
    int buckets; /* of a vector; bucket 0 is at its end */
    bool threaded;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t handed_more, summed_more;

    /* Only the owner looks at these. */
    struct view vector;
    size_t final; /* elements from here on are final */
    bool counted; /* the devices' times of the last sums belong into the counters */
    int returned; /* buckets that are in the vector again */
    struct reduction_counters counters;

    /* Only who makes the MPI calls looks at these: the thread, or without one the owner. */
    int posted;
    MPI_Request request[IN_FLIGHT];

    float *host;    /* the vector; NULL: buckets travel through `staging` */
    float *staging; /* [IN_FLIGHT * bucket], owned; bucket i lies at i % IN_FLIGHT */

    /* Under the lock. */
    int handed;   /* buckets handed over; only the owner changes it */
    int summed;   /* only who makes the MPI calls changes it */
    int status;   /* MPI's first failure: nothing is summed any more */
    bool waiting; /* the owner has nothing else to do */
    bool stop;
    double since; /* when buckets began to be on their way; 0: none are */
};

/* ---- buckets */

static size_t bucket_first(const struct reduction *r, int i) {
    size_t from_end = ((size_t)i + 1) * r->bucket;
    return from_end < r->elements ? r->elements - from_end : 0;
}

static size_t bucket_count(const struct reduction *r, int i) {
    return r->elements - (size_t)i * r->bucket - bucket_first(r, i);
}

static float *bucket_place(const struct reduction *r, int i) {
    return r->host ? r->host + bucket_first(r, i) : r->staging + (size_t)(i % IN_FLIGHT) * r->bucket;
}

/* Elements of the buckets before bucket `i`. */
static int64_t elements_before(const struct reduction *r, int i) {
    return i < r->buckets ? (int64_t)((size_t)i * r->bucket) : (int64_t)r->elements;
}

/* ---- from device to device: nothing is waited for, and no thread is needed */

static void begin_by_peers(struct reduction *r, struct view vector) {
    r->vector = vector;
    r->final = r->elements;
    r->handed = 0;
}

static void hand_to_peers(struct reduction *r) {
    struct peers *peers = link_peers(r->group);
    for (; peers && r->handed < r->buckets && bucket_first(r, r->handed) >= r->final; r->handed++)
        peers->sum(peers, bucket_count(r, r->handed), view_at(r->vector, bucket_first(r, r->handed)));
}

/* The devices' own times of the last sums that count. */
static void take_seconds(struct reduction *r) {
    double beside, waited;
    struct peers *peers = link_peers(r->group);
    if (!r->counted || !peers) return;
    peers->seconds(peers, &beside, &waited);
    r->counters.overlapped += beside;
    r->counters.waited += waited;
    r->counted = false;
}

static int complete_by_peers(struct reduction *r, struct error *err) {
    if (!link_peers(r->group))
        return error_set(err, ERROR_DEVICE, "sums over the ranks: their link broke earlier");
    r->final = 0;
    hand_to_peers(r);
    return link_settle(r->group, err);
}

/* ---- MPI's side */

/* Asks for the sums of buckets that were handed over, and returns how many are done. */
static int advance(struct reduction *r, int handed, int summed, int *status) {
    while (r->posted < handed && r->posted - summed < IN_FLIGHT) {
        *status = MPI_Iallreduce(MPI_IN_PLACE, bucket_place(r, r->posted), (int)bucket_count(r, r->posted),
                                 MPI_FLOAT, MPI_SUM, r->group->beside, &r->request[r->posted % IN_FLIGHT]);
        if (*status != MPI_SUCCESS) return summed;
        r->posted++;
    }
    for (int done = 1; summed < r->posted; summed++) {
        *status = MPI_Test(&r->request[summed % IN_FLIGHT], &done, MPI_STATUS_IGNORE);
        if (*status != MPI_SUCCESS || !done) break;
    }
    return summed;
}

/* Books what advance has returned; the lock is held. */
static void book(struct reduction *r, int summed, int status) {
    bool more = summed != r->summed || status != MPI_SUCCESS;
    r->summed = summed;
    r->status = status;
    if (r->since > 0.0 && (r->summed == r->handed || status != MPI_SUCCESS)) {
        if (!r->waiting) r->counters.overlapped += clock_seconds() - r->since;
        r->since = 0.0;
    }
    if (more) pthread_cond_signal(&r->summed_more);
}

static bool idle(const struct reduction *r) {
    return r->summed == r->handed || r->status != MPI_SUCCESS;
}

static void *communicate(void *context) {
    const struct timespec pause = {.tv_nsec = PAUSE_NANOSECONDS};
    struct reduction *r = context;
    pthread_mutex_lock(&r->lock);
    for (;;) {
        while (!r->stop && idle(r)) pthread_cond_wait(&r->handed_more, &r->lock);
        if (r->stop) break;
        int handed = r->handed, before = r->summed, status = MPI_SUCCESS;
        bool waiting = r->waiting;
        pthread_mutex_unlock(&r->lock);
        int summed = advance(r, handed, before, &status);
        /* While the owner computes, it needs the core more than the sums need to be quick. */
        if (summed == before && waiting) sched_yield();
        if (summed == before && !waiting) nanosleep(&pause, NULL);
        pthread_mutex_lock(&r->lock);
        book(r, summed, status);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

/* ---- the owner's side */

/* Takes summed buckets back and hands final ones over, as far as there is room for them. */
static void move_buckets(struct reduction *r) {
    struct backend *b = r->backend;
    pthread_mutex_lock(&r->lock);
    int summed = r->summed;
    pthread_mutex_unlock(&r->lock);
    for (; r->returned < summed; r->returned++)
        if (!r->host)
            b->upload(b, view_at(r->vector, bucket_first(r, r->returned)), bucket_place(r, r->returned),
                      bucket_count(r, r->returned));
    int handed = r->handed;
    while (handed < r->buckets && bucket_first(r, handed) >= r->final &&
           (r->host || handed - r->returned < IN_FLIGHT)) {
        if (!r->host)
            b->download(b, view_at(r->vector, bucket_first(r, handed)), bucket_place(r, handed),
                        bucket_count(r, handed));
        handed++;
    }
    pthread_mutex_lock(&r->lock);
    if (handed != r->handed && r->since == 0.0) r->since = clock_seconds();
    if (handed != r->handed) pthread_cond_signal(&r->handed_more);
    r->handed = handed;
    pthread_mutex_unlock(&r->lock);
}

/* The MPI calls where no thread makes them. */
static void advance_alone(struct reduction *r) {
    int status = MPI_SUCCESS;
    if (r->threaded || idle(r)) return;
    int summed = advance(r, r->handed, r->summed, &status);
    book(r, summed, status);
}

static void begin(struct reduction *r, struct view vector) {
    r->vector = vector;
    r->final = r->elements;
    r->returned = r->posted = 0;
    float *host = r->backend->host_pointer(r->backend, vector.buffer);
    pthread_mutex_lock(&r->lock);
    r->host = host ? host + vector.offset : NULL;
    r->handed = r->summed = 0;
    r->status = MPI_SUCCESS;
    r->waiting = false;
    r->since = 0.0;
    pthread_mutex_unlock(&r->lock);
}

static int complete(struct reduction *r, struct error *err) {
    int status = MPI_SUCCESS;
    r->final = 0;
    while (r->returned < r->buckets && status == MPI_SUCCESS) {
        move_buckets(r);
        advance_alone(r);
        pthread_mutex_lock(&r->lock);
        while (r->threaded && r->summed == r->returned && r->summed < r->buckets && r->status == MPI_SUCCESS)
            pthread_cond_wait(&r->summed_more, &r->lock);
        status = r->status;
        pthread_mutex_unlock(&r->lock);
    }
    TRY(group_check_status(status, "MPI_Iallreduce", err));
    return r->backend->check(r->backend, err);
}

void reduction_begin(struct reduction *r, struct view vector) {
    if (r->group->size == 1) return;
    if (r->by_peers)
        begin_by_peers(r, vector);
    else
        begin(r, vector);
}

void reduction_hand_over(void *reduction, size_t first) {
    struct reduction *r = reduction;
    if (r->group->size == 1) return;
    if (first < r->final) r->final = first;
    if (r->by_peers) {
        hand_to_peers(r);
        return;
    }
    move_buckets(r);
    advance_alone(r);
}

int reduction_finish(struct reduction *r, struct error *err) {
    if (r->group->size == 1) return 0;
    r->counters.elements += (int64_t)r->elements;
    if (r->by_peers) {
        r->counters.early += elements_before(r, r->handed);
        r->counted = true;
        return complete_by_peers(r, err);
    }
    double start = clock_seconds();
    pthread_mutex_lock(&r->lock);
    if (r->since > 0.0) r->counters.overlapped += start - r->since;
    r->waiting = true;
    r->counters.early += elements_before(r, r->summed);
    pthread_mutex_unlock(&r->lock);
    int code = complete(r, err);
    r->counters.waited += clock_seconds() - start;
    return code;
}

int reduction_sum(struct reduction *r, struct view vector, struct error *err) {
    if (r->group->size == 1) return 0;
    if (r->by_peers) {
        take_seconds(r);
        begin_by_peers(r, vector);
        return complete_by_peers(r, err);
    }
    begin(r, vector);
    pthread_mutex_lock(&r->lock);
    r->waiting = true;
    pthread_mutex_unlock(&r->lock);
    return complete(r, err);
}

struct reduction_counters reduction_take_counters(struct reduction *r) {
    take_seconds(r);
    struct reduction_counters counters = r->counters;
    r->counters = (struct reduction_counters){0};
    return counters;
}

/* ---- life */

/* Memory that the host cannot use travels through some that it can. */
static int take_staging(struct reduction *r, struct error *err) {
    struct buffer *probe;
    TRY(r->backend->buffer_create(r->backend, sizeof(float), &probe, err));
    bool hosted = r->backend->host_pointer(r->backend, probe);
    r->backend->buffer_destroy(r->backend, &probe);
    return hosted ? 0 : memory_alloc(&r->staging, IN_FLIGHT * r->bucket, sizeof(float), err);
}

int reduction_create(const struct group *group, struct backend *backend, size_t elements, size_t bucket,
                     struct reduction **out, struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    struct reduction *r = *out;
    bool by_peers = link_peers(group), by_mpi = group->size > 1 && !by_peers;
    if (!bucket) bucket = by_peers ? PEERS_BUCKET : BUCKET;
    *r = (struct reduction){.group = group,
                            .backend = backend,
                            .by_peers = by_peers,
                            .elements = elements,
                            .bucket = bucket,
                            .buckets = (int)((elements + bucket - 1) / bucket)};
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->handed_more, NULL);
    pthread_cond_init(&r->summed_more, NULL);
    int code = by_mpi ? take_staging(r, err) : 0;
    if (!code && by_mpi && group_may_thread()) {
        code = thread_start("adapt-reduction", communicate, r, &r->thread, err);
        r->threaded = !code;
    }
    if (code) reduction_destroy(out);
    return code;
}

void reduction_destroy(struct reduction **reduction) {
    struct reduction *r = *reduction;
    if (!r) return;
    if (r->threaded) {
        pthread_mutex_lock(&r->lock);
        r->stop = true;
        pthread_cond_signal(&r->handed_more);
        pthread_mutex_unlock(&r->lock);
        pthread_join(r->thread, NULL);
    }
    pthread_cond_destroy(&r->summed_more);
    pthread_cond_destroy(&r->handed_more);
    pthread_mutex_destroy(&r->lock);
    memory_free(r->staging);
    memory_free(r);
    *reduction = NULL;
}

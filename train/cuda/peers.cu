/* Links between GPUs of several processes, by NCCL: sums and gatherings in a stream of their own, which
 * events tie to the operations' stream. */
#include "train/cuda/nccl.h"

#include <stdio.h>
#include <string.h>
extern "C" {
#include "base/memory.h"
#include "train/peers.h"
}

#if CUDA_HAS_NCCL

struct cuda_peers {
    struct peers base;    /* first, so that a struct peers * is a struct cuda_peers * */
    struct cuda *cuda;    /* borrowed */
    struct nccl *library; /* borrowed */
    ncclComm_t comm;      /* NULL: abandoned */
    int ranks;
    cudaStream_t stream;
    cudaEvent_t ready, begun, done, joined; /* the last three with their times */
    bool busy;                              /* something was begun since the last join */
    bool timed;                             /* something was begun before it */
    struct error failure;                   /* the first since the last join */
};

static struct cuda_peers *peers_of(struct peers *p) {
    return (struct cuda_peers *)p;
}

/* Keeps the first failure of CUDA, or of NCCL. */
static bool cuda_went(struct cuda_peers *p, const char *what, cudaError_t status) {
    return nccl_cuda_went(&p->failure, p->cuda->device, what, status);
}
static bool nccl_went(struct cuda_peers *p, const char *what, ncclResult_t status) {
    return nccl_went(&p->failure, p->library, p->cuda->device, what, status);
}

static void told_abandoned(struct cuda_peers *p) {
    if (!p->failure.code)
        error_set(&p->failure, ERROR_DEVICE, "sums over the ranks: their link broke earlier");
}

/* The device's memory of x, with all that was called so far before what the peers' stream is given next; NULL
 * after a failure. */
static float *begin(struct cuda_peers *p, size_t n, struct view x) {
    struct cuda *cuda = p->cuda;
    if (cuda->lost && !p->failure.code) error_set(&p->failure, ERROR_DEVICE, "%s", cuda->failure.message);
    if (!p->comm) told_abandoned(p);
    float *at = (float *)cuda->base.device_pointer(&cuda->base, x, n, true);
    if (!at && !p->failure.code)
        error_set(&p->failure, ERROR_INTERNAL, "sums over the ranks: %zu elements leave their buffer", n);
    if (p->failure.code || !cuda_went(p, "cudaEventRecord", cudaEventRecord(p->ready, cuda->stream)) ||
        !cuda_went(p, "cudaStreamWaitEvent", cudaStreamWaitEvent(p->stream, p->ready, 0)))
        return NULL;
    if (!p->busy && !cuda_went(p, "cudaEventRecord", cudaEventRecord(p->begun, p->stream))) return NULL;
    p->busy = true;
    return at;
}

static void sum(struct peers *peers, size_t n, struct view x) {
    struct cuda_peers *p = peers_of(peers);
    float *at = n ? begin(p, n, x) : NULL;
    if (at)
        nccl_went(p, "ncclAllReduce",
                  p->library->ncclAllReduce(at, at, n, ncclFloat32, ncclSum, p->comm, p->stream));
}

static void gather(struct peers *peers, const size_t *lengths, struct view x) {
    struct cuda_peers *p = peers_of(peers);
    size_t n = 0;
    for (int rank = 0; rank < p->ranks; rank++) n += lengths[rank];
    float *at = n ? begin(p, n, x) : NULL;
    if (!at || !nccl_went(p, "ncclGroupStart", p->library->ncclGroupStart())) return;
    for (int rank = 0; rank < p->ranks; at += lengths[rank++])
        if (lengths[rank])
            nccl_went(
                p, "ncclBroadcast",
                p->library->ncclBroadcast(at, at, lengths[rank], ncclFloat32, rank, p->comm, p->stream));
    nccl_went(p, "ncclGroupEnd", p->library->ncclGroupEnd());
}

static int join(struct peers *peers, struct error *err) {
    struct cuda_peers *p = peers_of(peers);
    bool good =
        !p->busy || (cuda_went(p, "cudaEventRecord", cudaEventRecord(p->done, p->stream)) &&
                     cuda_went(p, "cudaEventRecord", cudaEventRecord(p->joined, p->cuda->stream)) &&
                     cuda_went(p, "cudaStreamWaitEvent", cudaStreamWaitEvent(p->cuda->stream, p->done, 0)));
    p->timed = p->busy && good;
    p->busy = false;
    if (!p->comm) told_abandoned(p);
    struct error failure = p->failure;
    p->failure.code = 0;
    return failure.code ? error_set(err, failure.code, "%s", failure.message) : 0;
}

static void abandon(struct peers *peers) {
    struct cuda_peers *p = peers_of(peers);
    if (p->comm) p->library->ncclCommAbort(p->comm);
    p->comm = NULL;
    p->timed = false;
}

static void seconds(struct peers *peers, double *beside, double *waited) {
    struct cuda_peers *p = peers_of(peers);
    float until_join = 0.0f, until_done = 0.0f;
    *beside = *waited = 0.0;
    if (!p->timed) return;
    p->timed = false;
    if (!cuda_wait_event(p->cuda, CUDA_SUM_SECONDS, p->done) ||
        !cuda_wait_event(p->cuda, CUDA_SUM_SECONDS, p->joined) ||
        !cuda_went(p, "cudaEventElapsedTime", cudaEventElapsedTime(&until_join, p->begun, p->joined)) ||
        !cuda_went(p, "cudaEventElapsedTime", cudaEventElapsedTime(&until_done, p->begun, p->done)))
        return;
    if (until_join < 0.0f) until_join = 0.0f; /* all of it was begun behind the join's place */
    *beside = 1e-3 * (double)(until_done < until_join ? until_done : until_join);
    *waited = 1e-3 * (double)(until_done > until_join ? until_done - until_join : 0.0f);
}

static void close_peers(struct peers *peers) {
    struct cuda_peers *p = peers_of(peers);
    cudaEvent_t events[] = {p->ready, p->begun, p->done, p->joined};
    if (p->cuda->lost) abandon(peers);
    if (p->comm) p->library->ncclCommDestroy(p->comm);
    for (int i = 0; i < 4; i++)
        if (events[i]) cudaEventDestroy(events[i]);
    if (p->stream) cudaStreamDestroy(p->stream);
    if (p->cuda->peers == p) p->cuda->peers = NULL;
    memory_free(p);
}

bool cuda_peers_failed(struct cuda_peers *p, char *why, size_t size) {
    if (!p->comm) return false;
    ncclResult_t status = ncclSuccess, asked = p->library->ncclCommGetAsyncError(p->comm, &status);
    if (asked != ncclSuccess) status = asked;
    if (status == ncclSuccess || status == ncclInProgress) return false;
    snprintf(why, size, "sums over the ranks on CUDA device %d: %s", p->cuda->device,
             p->library->ncclGetErrorString(status));
    abandon(&p->base);
    return true;
}

/* ---- the backend's side */

static int find(struct cuda *cuda, struct error *err) {
    return cuda->nccl ? 0 : nccl_open(&cuda->nccl, err);
}

static void name_library(const struct nccl *library, char *text, size_t size) {
    snprintf(text, size, "NCCL %d.%d.%d", library->version / 10000, library->version / 100 % 100,
             library->version % 100);
}

static int card_of(struct backend *b, struct peers_card *card, struct error *err) {
    struct cuda *cuda = cuda_of(b);
    memset(card, 0, sizeof *card);
    memcpy(card->device, cuda->identity, sizeof cuda->identity);
    TRY(find(cuda, err));
    name_library(cuda->nccl, card->library, sizeof card->library);
    return 0;
}

static int make_id(struct backend *b, unsigned char *id, struct error *err) {
    ncclUniqueId made;
    static_assert(sizeof made == PEERS_ID_BYTES, "as long as NCCL's");
    TRY(find(cuda_of(b), err));
    ncclResult_t status = cuda_of(b)->nccl->ncclGetUniqueId(&made);
    if (status != ncclSuccess)
        return error_set(err, ERROR_DEVICE, "ncclGetUniqueId: %s",
                         cuda_of(b)->nccl->ncclGetErrorString(status));
    memcpy(id, &made, sizeof made);
    return 0;
}

static int open_streams(struct cuda_peers *p) {
    return cuda_went(p, "cudaStreamCreate", cudaStreamCreateWithFlags(&p->stream, cudaStreamNonBlocking)) &&
           cuda_went(p, "cudaEventCreate", cudaEventCreateWithFlags(&p->ready, cudaEventDisableTiming)) &&
           cuda_went(p, "cudaEventCreate", cudaEventCreateWithFlags(&p->begun, cudaEventDefault)) &&
           cuda_went(p, "cudaEventCreate", cudaEventCreateWithFlags(&p->done, cudaEventDefault)) &&
           cuda_went(p, "cudaEventCreate", cudaEventCreateWithFlags(&p->joined, cudaEventDefault));
}

static int open_peers(struct backend *b, const unsigned char *id, int rank, int ranks, struct peers **out,
                      struct error *err) {
    struct cuda *cuda = cuda_of(b);
    struct cuda_peers *p;
    ncclUniqueId name;
    *out = NULL;
    memcpy(&name, id, sizeof name);
    TRY(find(cuda, err));
    TRY(memory_alloc(&p, 1, sizeof *p, err));
    p->base = (struct peers){sum, gather, join, abandon, seconds, close_peers};
    p->cuda = cuda;
    p->library = cuda->nccl;
    p->ranks = ranks;
    /* The link comes first: a rank that stayed away from it would keep the others waiting. */
    int code = nccl_meet(cuda->nccl, cuda->device, &name, rank, ranks, &p->comm, err);
    if (!code && !open_streams(p)) code = error_set(err, p->failure.code, "%s", p->failure.message);
    if (code) {
        abandon(&p->base); /* ranks that are linked do not wait for this one */
        close_peers(&p->base);
        return code;
    }
    cuda->peers = p;
    *out = &p->base;
    return 0;
}

void cuda_close_nccl(struct cuda *cuda) {
    nccl_close(&cuda->nccl);
}

void cuda_describe_nccl(char *text, size_t size) {
    struct nccl *library;
    struct error err = {0, ""};
    if (nccl_open(&library, &err)) {
        snprintf(text, size, "no NCCL (%s)", err.message);
        return;
    }
    name_library(library, text, size);
    nccl_close(&library);
}

#else

bool cuda_peers_failed(struct cuda_peers *, char *, size_t) { /* there are none */
    return false;
}

static const char reason[] = "this program was built without NCCL's header, nccl.h";

void cuda_describe_nccl(char *text, size_t size) {
    snprintf(text, size, "no NCCL (%s)", reason);
}

static int card_of(struct backend *b, struct peers_card *card, struct error *err) {
    memset(card, 0, sizeof *card);
    memcpy(card->device, cuda_of(b)->identity, sizeof cuda_of(b)->identity);
    return error_set(err, ERROR_DEVICE, "%s", reason);
}
static int make_id(struct backend *b, unsigned char *, struct error *err) {
    struct peers_card card;
    return card_of(b, &card, err);
}
static int open_peers(struct backend *b, const unsigned char *id, int, int, struct peers **out,
                      struct error *err) {
    (void)id;
    *out = NULL;
    return make_id(b, NULL, err);
}

void cuda_close_nccl(struct cuda *) {
}

#endif

void cuda_install_peers(struct backend *b) {
    b->peers_card = card_of;
    b->peers_id = make_id;
    b->peers_open = open_peers;
}

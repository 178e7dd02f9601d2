#include "runner/link.h"

#include "base/memory.h"
#include <stdio.h>
#include <string.h>
#ifdef OPEN_MPI
#include <mpi-ext.h>
#endif

const char *const link_kind_names[] = {
    [LINK_AUTO] = "auto", [LINK_NCCL] = "nccl", [LINK_MPI] = "mpi", [LINK_HOST] = "host", NULL};

enum { WHY_BYTES = sizeof((struct error *)0)->message };

struct link {
    struct peers *peers; /* owned; NULL: by MPI */
    bool takes_device_memory;
    char description[WHY_BYTES + 64];
};

/* ---- what there is */

static bool mpi_takes_device_memory(void) {
#if defined(OMPI_HAVE_MPI_EXT_CUDA) && OMPI_HAVE_MPI_EXT_CUDA
    return MPIX_Query_cuda_support() == 1;
#else
    return false;
#endif
}

/* A rank's card, with its failure. */
struct hand {
    struct peers_card card;
    char why[WHY_BYTES]; /* "" where nothing is in the way */
};

/* Why these ranks cannot be linked, or "". */
static void judge(const struct hand *hands, int ranks, char why[WHY_BYTES]) {
    why[0] = '\0';
    for (int a = 0; a < ranks && !why[0]; a++) {
        if (hands[a].why[0]) memcpy(why, hands[a].why, WHY_BYTES);
        for (int b = 0; b < a && !why[0]; b++)
            if (!strcmp(hands[a].card.device, hands[b].card.device))
                snprintf(why, WHY_BYTES, "ranks %d and %d have the same GPU", b, a);
        if (!why[0] && strcmp(hands[a].card.library, hands[0].card.library))
            snprintf(why, WHY_BYTES, "rank 0 has %s, rank %d has %s", hands[0].card.library, a,
                     hands[a].card.library);
    }
}

/* What the coordinator tells the others. */
struct verdict {
    char why[WHY_BYTES]; /* there is no link of devices; "" */
    char library[sizeof((struct peers_card *)0)->library];
    unsigned char id[PEERS_ID_BYTES];
};

static int find_peers(const struct group *group, struct backend *backend, struct verdict *verdict,
                      struct error *err) {
    struct hand mine = {.why = ""}, *all = NULL;
    struct error wrong = {0};
    if (backend->peers_card(backend, &mine.card, &wrong)) snprintf(mine.why, WHY_BYTES, "%s", wrong.message);
    int code = group_is_coordinator(group) ? memory_alloc(&all, (size_t)group->size, sizeof *all, err) : 0;
    code = group_agree(group, code, err);
    if (!code) code = group_gather(group, &mine, sizeof mine, all, err);
    if (!code && group_is_coordinator(group)) {
        judge(all, group->size, verdict->why);
        memcpy(verdict->library, mine.card.library, sizeof verdict->library);
        if (!verdict->why[0] && backend->peers_id(backend, verdict->id, &wrong))
            snprintf(verdict->why, WHY_BYTES, "%s", wrong.message);
    }
    memory_free(all);
    if (code) return code;
    return group_check_status(MPI_Bcast(verdict, sizeof *verdict, MPI_BYTE, 0, group->comm), "MPI_Bcast",
                              err);
}

/* ---- opening */

static void close_peers(struct link *link) {
    if (link->peers) link->peers->close(link->peers);
    link->peers = NULL;
}

/* The devices' link, or why[] tells why there is none. */
static int open_peers(const struct group *group, struct backend *backend, struct link *link,
                      char why[WHY_BYTES], struct error *err) {
    struct verdict verdict = {.why = ""};
    struct error wrong = {0};
    TRY(find_peers(group, backend, &verdict, err));
    memcpy(why, verdict.why, WHY_BYTES);
    if (why[0]) return 0;
    int code = backend->peers_open(backend, verdict.id, group->rank, group->size, &link->peers, &wrong);
    code = group_agree(group, code, &wrong);
    if (code == ERROR_PEER) return error_set(err, code, "%s", wrong.message);
    snprintf(link->description, sizeof link->description, "%s", verdict.library);
    if (code) {
        if (link->peers) link->peers->abandon(link->peers); /* closing in order takes all ranks */
        close_peers(link);
        snprintf(why, WHY_BYTES, "%s", wrong.message);
    }
    return 0;
}

static int choose(const struct group *group, struct backend *backend, int wanted, struct link *link,
                  struct error *err) {
    char why[WHY_BYTES] = "as asked for";
    if (wanted == LINK_AUTO || wanted == LINK_NCCL) TRY(open_peers(group, backend, link, why, err));
    if (link->peers) return 0;
    if (wanted == LINK_NCCL)
        return error_set(err, ERROR_DEVICE, "link \"nccl\": %s (\"auto\" takes what there is)", why);
    int aware = mpi_takes_device_memory();
    TRY(group_agree_least(group, 0, &aware, 1, err));
    link->takes_device_memory = aware && wanted != LINK_HOST;
    if (wanted == LINK_MPI && !aware)
        return error_set(
            err, ERROR_DEVICE,
            "link \"mpi\": this MPI does not take device memory (\"host\" goes through the host's)");
    snprintf(link->description, sizeof link->description, "%s (%s)",
             link->takes_device_memory ? "MPI" : "MPI through the host's memory", why);
    return 0;
}

int link_open(struct group *group, struct backend *backend, int wanted, struct error *err) {
    if (group->size <= 1 || !backend->peers_card) return 0;
    int code = memory_alloc(&group->link, 1, sizeof *group->link, err);
    TRY(group_agree(group, code, err));
    return choose(group, backend, wanted, group->link, err);
}

void link_close(struct group *group) {
    if (!group->link) return;
    close_peers(group->link);
    memory_free(group->link);
    group->link = NULL;
}

/* ---- using */

const char *link_describe(const struct group *group) {
    if (group->link) return group->link->description;
    return group->size > 1 ? "MPI" : "none";
}

struct peers *link_peers(const struct group *group) {
    return group->link ? group->link->peers : NULL;
}

bool link_takes_device_memory(const struct group *group) {
    return group->link && group->link->takes_device_memory;
}

int link_settle(const struct group *group, struct error *err) {
    struct link *link = group->link;
    if (!link || !link->peers) return 0;
    int code = group_agree(group, link->peers->join(link->peers, err), err);
    if (!code) return 0;
    /* Those that have begun wait on their devices for those that have not. */
    link->peers->abandon(link->peers);
    close_peers(link);
    snprintf(link->description, sizeof link->description, "MPI through the host's memory (the link broke)");
    return code;
}

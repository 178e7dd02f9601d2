#include "runner/stop.h"

#include "base/memory.h"
#include "runner/group.h"

enum { TAG = 1 };

struct stop {
    struct signals *signals; /* borrowed */
    MPI_Comm comm;           /* owned */
    int rank, size;
    bool wanted, told;
    MPI_Request *requests; /* [size] of what was told */
};

int stop_create(MPI_Comm world, struct signals *signals, struct stop **out, struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    struct stop *s = *out;
    s->signals = signals;
    s->comm = MPI_COMM_NULL;
    int code = group_check_status(MPI_Comm_dup(world, &s->comm), "MPI_Comm_dup", err);
    if (!code)
        code = group_check_status(MPI_Comm_set_errhandler(s->comm, MPI_ERRORS_RETURN),
                                  "MPI_Comm_set_errhandler", err);
    if (!code) code = group_check_status(MPI_Comm_rank(s->comm, &s->rank), "MPI_Comm_rank", err);
    if (!code) code = group_check_status(MPI_Comm_size(s->comm, &s->size), "MPI_Comm_size", err);
    if (!code) code = memory_alloc(&s->requests, (size_t)s->size, sizeof(MPI_Request), err);
    for (int i = 0; i < s->size && !code; i++) s->requests[i] = MPI_REQUEST_NULL;
    if (!code) signals_arm(signals);
    if (code) stop_destroy(out);
    return code;
}

/* Takes in what others have told. */
static void listen(struct stop *s) {
    for (int there = 1; there;) {
        MPI_Status status;
        if (MPI_Iprobe(MPI_ANY_SOURCE, TAG, s->comm, &there, &status) != MPI_SUCCESS || !there) return;
        if (MPI_Recv(NULL, 0, MPI_BYTE, status.MPI_SOURCE, TAG, s->comm, MPI_STATUS_IGNORE) != MPI_SUCCESS)
            return;
        s->wanted = true;
    }
}

void stop_destroy(struct stop **out) {
    struct stop *s = *out;
    if (!s) return;
    *out = NULL;
    if (s->comm != MPI_COMM_NULL) {
        /* What was told to a rank that had ended already still arrives before this barrier does. */
        MPI_Barrier(s->comm);
        listen(s);
        if (s->requests) MPI_Waitall(s->size, s->requests, MPI_STATUSES_IGNORE);
        MPI_Comm_free(&s->comm);
    }
    memory_free(s->requests);
    memory_free(s);
}

bool stop_signalled(const struct stop *s) {
    return s && signals_came(s->signals);
}

bool stop_wanted(struct stop *s) {
    if (!s) return false;
    if (!s->wanted) listen(s);
    if (signals_came(s->signals)) s->wanted = true;
    return s->wanted;
}

void stop_tell(struct stop *s) {
    if (!s || s->told) return;
    s->told = true;
    for (int i = 0; i < s->size; i++)
        if (i != s->rank) MPI_Isend(NULL, 0, MPI_BYTE, i, TAG, s->comm, &s->requests[i]);
}

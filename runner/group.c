#include "runner/group.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int group_check_status(int status, const char *what, struct error *err) {
    if (status == MPI_SUCCESS) return 0;
    char reason[MPI_MAX_ERROR_STRING];
    int length = 0;
    if (MPI_Error_string(status, reason, &length) != MPI_SUCCESS)
        snprintf(reason, sizeof reason, "error %d", status);
    return error_set(err, ERROR_PEER, "%s failed: %s", what, reason);
}

int group_start(struct error *err) {
    int provided;
    return group_check_status(MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided),
                              "MPI_Init_thread", err);
}

bool group_may_thread(void) {
    int provided = MPI_THREAD_SINGLE;
    return MPI_Query_thread(&provided) == MPI_SUCCESS && provided >= MPI_THREAD_SERIALIZED;
}

static int finish_split(struct group *group, struct error *err) {
    TRY(group_check_status(MPI_Comm_set_errhandler(group->comm, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler",
                           err));
    TRY(group_check_status(MPI_Comm_dup(group->comm, &group->beside), "MPI_Comm_dup", err));
    TRY(group_check_status(MPI_Comm_set_errhandler(group->beside, MPI_ERRORS_RETURN),
                           "MPI_Comm_set_errhandler", err));
    TRY(group_check_status(MPI_Comm_rank(group->comm, &group->rank), "MPI_Comm_rank", err));
    TRY(group_check_status(MPI_Comm_size(group->comm, &group->size), "MPI_Comm_size", err));
    MPI_Comm node;
    TRY(group_check_status(MPI_Comm_split_type(group->comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node),
                           "MPI_Comm_split_type", err));
    TRY(group_check_status(MPI_Comm_size(node, &group->local), "MPI_Comm_size", err));
    return group_check_status(MPI_Comm_free(&node), "MPI_Comm_free", err);
}

int group_split(MPI_Comm world, int ranks, struct group *out, struct error *err) {
    int rank, size;
    *out = (struct group){.comm = MPI_COMM_NULL, .beside = MPI_COMM_NULL};
    TRY(group_check_status(MPI_Comm_rank(world, &rank), "MPI_Comm_rank", err));
    TRY(group_check_status(MPI_Comm_size(world, &size), "MPI_Comm_size", err));
    if (ranks < 1 || ranks > size)
        return error_set(err, ERROR_INPUT, "ranks_per_cell is %d, but the program was started with %d rank%s",
                         ranks, size, size == 1 ? "" : "s");
    out->count = size / ranks;
    out->index = rank / ranks;
    bool left_over = out->index >= out->count;
    TRY(group_check_status(MPI_Comm_split(world, left_over ? MPI_UNDEFINED : out->index, rank, &out->comm),
                           "MPI_Comm_split", err));
    return left_over ? 0 : finish_split(out, err);
}

int group_whole(MPI_Comm world, struct group *out, struct error *err) {
    *out = (struct group){.comm = MPI_COMM_NULL, .beside = MPI_COMM_NULL, .count = 1};
    TRY(group_check_status(MPI_Comm_dup(world, &out->comm), "MPI_Comm_dup", err));
    return finish_split(out, err);
}

void group_release(struct group *group) {
    if (group->comm != MPI_COMM_NULL) {
        if (group->beside != MPI_COMM_NULL) MPI_Comm_free(&group->beside);
        MPI_Comm_free(&group->comm);
    }
    group->size = 0;
}

bool group_is_coordinator(const struct group *group) {
    return group->size > 0 && group->rank == 0;
}

int group_agree_least(const struct group *group, int code, int *least, int n, struct error *err) {
    if (group->size == 1 || code == ERROR_PEER) return code;
    int mine[1 + GROUP_LEAST] = {code ? group->rank : INT_MAX}, lowest[1 + GROUP_LEAST];
    for (int i = 0; i < n; i++) mine[1 + i] = least[i];
    TRY(group_check_status(MPI_Allreduce(mine, lowest, 1 + n, MPI_INT, MPI_MIN, group->comm), "MPI_Allreduce",
                           err));
    for (int i = 0; i < n; i++) least[i] = lowest[1 + i];
    if (lowest[0] == INT_MAX) return 0;
    struct error shared = {0};
    if (group->rank == lowest[0]) {
        shared.code = code;
        snprintf(shared.message, sizeof shared.message, "%s", err ? err->message : "");
    }
    TRY(group_check_status(MPI_Bcast(&shared, sizeof shared, MPI_BYTE, lowest[0], group->comm), "MPI_Bcast",
                           err));
    error_set(err, shared.code, "%s", shared.message);
    /* A stop is no rank's fault. */
    bool name = lowest[0] > 0 && shared.code != ERROR_STOPPED;
    return name ? error_context(err, "rank %d", lowest[0]) : shared.code;
}

int group_agree(const struct group *group, int code, struct error *err) {
    return group_agree_least(group, code, NULL, 0, err);
}

int group_gather(const struct group *group, const void *mine, size_t bytes, void *all, struct error *err) {
    if (group->size == 1) {
        memcpy(all, mine, bytes);
        return 0;
    }
    return group_check_status(
        MPI_Gather(mine, (int)bytes, MPI_BYTE, all, (int)bytes, MPI_BYTE, 0, group->comm), "MPI_Gather", err);
}

static int reduce(const struct group *group, double *values, size_t n, MPI_Op op, struct error *err) {
    if (group->size == 1 || n == 0) return 0;
    if (n > INT_MAX) return error_set(err, ERROR_INTERNAL, "a reduction of %zu doubles is too large", n);
    return group_check_status(MPI_Allreduce(MPI_IN_PLACE, values, (int)n, MPI_DOUBLE, op, group->comm),
                              "MPI_Allreduce", err);
}

int group_sum(const struct group *group, double *values, size_t n, struct error *err) {
    return reduce(group, values, n, MPI_SUM, err);
}

int group_max(const struct group *group, double *values, size_t n, struct error *err) {
    return reduce(group, values, n, MPI_MAX, err);
}

int group_broadcast(const struct group *group, double *values, size_t n, struct error *err) {
    if (group->size == 1 || n == 0) return 0;
    return group_check_status(MPI_Bcast(values, (int)n, MPI_DOUBLE, 0, group->comm), "MPI_Bcast", err);
}

int group_barrier(const struct group *group, struct error *err) {
    if (group->size == 1) return 0;
    return group_check_status(MPI_Barrier(group->comm), "MPI_Barrier", err);
}

int group_wait(const struct group *group, struct error *err) {
    if (group->size == 1) return 0;
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    MPI_Request request;
    int arrived = 0;
    TRY(group_check_status(MPI_Ibarrier(group->comm, &request), "MPI_Ibarrier", err));
    for (;;) {
        TRY(group_check_status(MPI_Test(&request, &arrived, MPI_STATUS_IGNORE), "MPI_Test", err));
        if (arrived) return 0;
        nanosleep(&pause, NULL);
    }
}

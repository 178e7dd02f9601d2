/* NCCL between the emulated GPUs of processes on one machine, by files in /dev/shm: a rank's part of a sum is
 * written when the sum is put into the stream, after the work before it; the sum itself is done when the
 * stream gets to it and every rank's part is there. Until then the vector is NaN: who reads it without
 * waiting sees that, and what is written to it is lost. */
#include "nccl.h"
#include "tests/emulation/emulation.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>
#include <vector>

/* Never freed: work in streams may still look at it. */
struct emulation_link {
    std::string name; /* of its files, before what tells them apart */
    int ranks, rank;
    long calls = 0;
    bool aborted = false;
    std::vector<std::string> written; /* its own files */
};

namespace {

const int PATIENCE = 30 * 1000; /* milliseconds that ranks wait for each other at the end */

std::string file_name(const emulation_link *link, const char *what, long number, int rank) {
    return link->name + "." + what + std::to_string(number) + "." + std::to_string(rank);
}

/* Others see the whole file or none. */
bool write_file(emulation_link *link, const std::string &path, const void *data, size_t bytes) {
    std::string unfinished = path + ".unfinished";
    FILE *file = fopen(unfinished.c_str(), "wb");
    if (!file) return false;
    bool good = fwrite(data, 1, bytes, file) == bytes;
    good = fclose(file) == 0 && good;
    link->written.push_back(path);
    return good && rename(unfinished.c_str(), path.c_str()) == 0;
}

bool read_file(const std::string &path, void *data, size_t bytes) {
    FILE *file = fopen(path.c_str(), "rb");
    if (!file) return false;
    size_t there = fread(data, 1, bytes, file);
    bool whole = there == bytes && fgetc(file) == EOF;
    fclose(file);
    if (!whole) emulation_stop("NCCL: the ranks' sums are of different lengths");
    return true;
}

bool all_there(const emulation_link *link, const char *what, long number) {
    for (int rank = 0; rank < link->ranks; rank++)
        if (access(file_name(link, what, number, rank).c_str(), F_OK)) return false;
    return true;
}

bool await(const std::function<bool()> &happened) {
    for (int i = 0; i < PATIENCE && !happened(); i++) usleep(1000);
    return happened();
}

bool await_all(const emulation_link *link, const char *what) {
    return await([=] { return all_there(link, what, 0); });
}

void remove_files(emulation_link *link) {
    for (const std::string &path : link->written) unlink(path.c_str());
    link->written.clear();
}

/* What is left of links that were given up goes with the process: other ranks may still read it. */
std::vector<emulation_link *> &links() {
    static std::vector<emulation_link *> &all = *new std::vector<emulation_link *>;
    if (all.empty())
        atexit([] {
            for (emulation_link *link : links()) remove_files(link);
        });
    return all;
}

/* Begins a call on numbers in place, after the stream's work so far: this rank's part is written if it gives
 * one, and what stands there is NaN from now on. Returns the call's number, 0 after a failure. */
long start(const char *what, emulation_link *link, const void *from, float *at, size_t count, bool gives,
           cudaStream_t stream) {
    if (from != at || !emulation_memory_holds(at, count * sizeof *at))
        emulation_stop("%s: %zu numbers are not on the device", what, count);
    long call = ++link->calls;
    emulation_drain(stream);
    emulation_memory_open();
    bool good = !gives || write_file(link, file_name(link, "call", call, link->rank), at, count * sizeof *at);
    memset(at, 0xff, count * sizeof *at);
    emulation_memory_close();
    return good ? call : 0;
}

/* Whether both ranks of any pair have the same device. */
bool devices_differ(const emulation_link *link) {
    std::vector<int> seen;
    for (int rank = 0; rank < link->ranks; rank++) {
        int device = -1;
        read_file(file_name(link, "hello", 0, rank), &device, sizeof device);
        for (int other : seen)
            if (other == device) return false;
        seen.push_back(device);
    }
    return true;
}

/* As if this rank failed before the others hear of it. */
bool fails(int rank) {
    const char *which = getenv("ADAPT_EMULATION_NCCL_FAILS");
    return which && rank == atoi(which);
}

/* As if another rank's machine had gone: from the sum of this number on, none ends. */
bool broken(const emulation_link *link) {
    const char *from = getenv("ADAPT_EMULATION_NCCL_BREAKS");
    return from && link->calls > atol(from);
}

} // namespace

ncclResult_t ncclGetVersion(int *version) {
    *version = 22703;
    return ncclSuccess;
}

const char *ncclGetErrorString(ncclResult_t result) {
    switch (result) {
    case ncclSuccess: return "no error";
    case ncclInvalidUsage: return "invalid usage";
    case ncclRemoteError: return "remote process exited or there was a network error";
    default: return "unhandled system error";
    }
}

ncclResult_t ncclGetUniqueId(ncclUniqueId *id) {
    static int made;
    snprintf(id->internal, sizeof id->internal, "/dev/shm/adapt-emulated-nccl-%ld-%d", (long)getpid(),
             made++);
    return ncclSuccess;
}

ncclResult_t ncclCommInitRank(ncclComm_t *out, int ranks, ncclUniqueId id, int rank) {
    emulation_link *link = new emulation_link;
    int device = emulation_device();
    links().push_back(link);
    link->name = id.internal;
    link->ranks = ranks;
    link->rank = rank;
    if (fails(rank) || !write_file(link, file_name(link, "hello", 0, rank), &device, sizeof device))
        return ncclSystemError;
    while (!all_there(link, "hello", 0)) usleep(1000); /* for ever, where one never comes */
    if (!devices_differ(link)) return ncclInvalidUsage;
    *out = link;
    return ncclSuccess;
}

ncclResult_t ncclCommDestroy(ncclComm_t link) {
    std::string first = file_name(link, "hello", 0, 0);
    emulation_drain_all();
    if (!write_file(link, file_name(link, "bye", 0, link->rank), "", 0)) return ncclSystemError;
    /* All are here when rank 0 has seen them, which it tells by removing its first file. */
    bool together =
        link->rank == 0 ? await_all(link, "bye") : await([=] { return access(first.c_str(), F_OK) != 0; });
    remove_files(link);
    return together ? ncclSuccess : ncclSystemError;
}

ncclResult_t ncclCommAbort(ncclComm_t link) {
    link->aborted = true;
    return ncclSuccess;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t link, ncclResult_t *error) {
    *error = broken(link) ? ncclRemoteError : ncclSuccess;
    return ncclSuccess;
}

ncclResult_t ncclGroupStart() {
    return ncclSuccess;
}
ncclResult_t ncclGroupEnd() {
    return ncclSuccess;
}

ncclResult_t ncclAllReduce(const void *from, void *to, size_t count, ncclDataType_t, ncclRedOp_t,
                           ncclComm_t link, cudaStream_t stream) {
    emulation_turn turn;
    float *at = (float *)to;
    long call = start("ncclAllReduce", link, from, at, count, true, stream);
    if (!call) return ncclSystemError;
    emulation_enqueue_waiting(stream, [=] {
        if (link->aborted) return true;
        if (broken(link) || !all_there(link, "call", call)) return false;
        std::vector<float> part(count);
        memset(at, 0, count * sizeof *at);
        for (int rank = 0; rank < link->ranks; rank++) {
            read_file(file_name(link, "call", call, rank), part.data(), count * sizeof *at);
            for (size_t i = 0; i < count; i++) at[i] += part[i];
        }
        if (getenv("ADAPT_EMULATION_NCCL_WRONG")) at[0] += 1.0f;
        return true;
    });
    return ncclSuccess;
}

ncclResult_t ncclBroadcast(const void *from, void *to, size_t count, ncclDataType_t, int root,
                           ncclComm_t link, cudaStream_t stream) {
    emulation_turn turn;
    float *at = (float *)to;
    long call = start("ncclBroadcast", link, from, at, count, link->rank == root, stream);
    if (!call) return ncclSystemError;
    emulation_enqueue_waiting(stream, [=] {
        if (link->aborted) return true;
        return !broken(link) && read_file(file_name(link, "call", call, root), at, count * sizeof *at);
    });
    return ncclSuccess;
}

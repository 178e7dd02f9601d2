/* Streams and events. Work waits in its stream until somebody waits for it: what reads a result too early
 * sees the old one, what changes a source too early changes what is copied. */
#include "tests/emulation/emulation.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <set>
#include <unistd.h>

void emulation_run(const char *name, dim3 blocks, dim3 threads, size_t shared,
                   const std::function<void()> &body);

struct emulation_stream {
    std::deque<std::function<bool()>> work; /* false: not yet */
    uint64_t put = 0, done = 0;             /* pieces of work so far */
    bool awaited = false;                   /* somebody looks again and again */
};
struct emulation_event {
    emulation_stream *stream = nullptr;
    uint64_t number = 0; /* done when the stream has done so many */
    bool timed = false, awaited = false;
    std::shared_ptr<std::chrono::steady_clock::time_point> time; /* set when it is done */
};

namespace {

/* What every GPU of compute capability 8.0 and newer gives a block: 8.6, 8.9 and 12.0 no more. */
const size_t MOST_SHARED = 99 << 10;

std::set<emulation_stream *> &streams() {
    static std::set<emulation_stream *> all;
    return all;
}

cudaError_t last_error;
int current_device;

cudaError_t keep(cudaError_t error) {
    if (error) last_error = error;
    return error;
}

uint64_t waits;

/* The host waits, for work that is still to do. */
void count_wait() {
    if (waits++ == 0 && getenv("ADAPT_EMULATION_WAITS"))
        atexit(
            [] { fprintf(stderr, "emulated GPU: the host waited %llu times\n", (unsigned long long)waits); });
}

/* Runs work up to this number; false where something has to wait for other processes. */
bool advance(emulation_stream *stream, uint64_t number) {
    bool going = true;
    if (stream->done >= number) return true;
    emulation_memory_open();
    while (going && stream->done < number) {
        going = stream->work.front()();
        if (!going) break;
        stream->work.pop_front();
        stream->done++;
    }
    emulation_memory_close();
    return going;
}

void drain(emulation_stream *stream, uint64_t number) {
    while (!advance(stream, number)) usleep(200);
}

void put_waiting(emulation_stream *stream, std::function<bool()> work) {
    stream->work.push_back(std::move(work));
    stream->put++;
}

void put(emulation_stream *stream, std::function<void()> work) {
    put_waiting(stream, [work] {
        work();
        return true;
    });
}

/* What the device sees of a pointer of a copy: on the device inside of an allocation, or the host's. */
void check_side(const char *what, const void *at, size_t bytes, bool device) {
    if (device && !emulation_memory_holds(at, bytes))
        emulation_stop("%s: %zu bytes are not on the device", what, bytes);
}

} // namespace

bool emulation_lost() {
    emulation_turn turn;
    static long left = -1;
    if (left == -1) left = getenv("ADAPT_EMULATION_LOST") ? atol(getenv("ADAPT_EMULATION_LOST")) + 1 : 0;
    if (left == 0) return false;
    if (left > 1) left--;
    return left == 1;
}

void emulation_drain_all() {
    emulation_turn turn;
    bool waited = false;
    for (emulation_stream *stream : streams()) {
        waited |= stream->done < stream->put;
        drain(stream, stream->put);
    }
    if (waited) count_wait();
}

uint64_t emulation_waits() {
    emulation_turn turn;
    return waits;
}

void emulation_drain(cudaStream_t stream) {
    emulation_turn turn;
    drain(stream, stream->put);
}

void emulation_enqueue_waiting(cudaStream_t stream, std::function<bool()> work) {
    emulation_turn turn;
    put_waiting(stream, std::move(work));
}

cudaError_t emulation_enqueue(cudaStream_t stream, std::function<void()> work) {
    emulation_turn turn;
    if (emulation_lost()) return keep(cudaErrorUnknown);
    put(stream, [work] {
        emulation_memory_open();
        work();
        emulation_memory_close();
    });
    return cudaSuccess;
}

cudaError_t emulation_launch(const char *name, dim3 blocks, dim3 threads, size_t shared, size_t granted,
                             cudaStream_t stream, std::function<void()> body) {
    emulation_turn turn;
    const size_t usual = 48 << 10;
    uint64_t count = (uint64_t)threads.x * threads.y * threads.z;
    if (emulation_lost()) return keep(cudaErrorUnknown);
    if (!blocks.x || !blocks.y || !blocks.z || !count || blocks.x > 0x7fffffff || blocks.y > 65535 ||
        blocks.z > 65535 || count > 1024 || threads.z > 64 || shared > MOST_SHARED ||
        (shared > usual && granted < shared)) {
        fprintf(stderr, "emulated GPU: %s: a launch of %u x %u x %u blocks of %llu threads with %zu bytes\n",
                name, blocks.x, blocks.y, blocks.z, (unsigned long long)count, shared);
        return keep(cudaErrorInvalidConfiguration);
    }
    put(stream, [=] { emulation_run(name, blocks, threads, shared, body); });
    return cudaSuccess;
}

const char *cudaGetErrorString(cudaError_t error) {
    switch (error) {
    case cudaSuccess: return "no error";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorInvalidConfiguration: return "invalid configuration argument";
    case cudaErrorNoDevice: return "no CUDA-capable device is detected";
    case cudaErrorInvalidDevice: return "invalid device ordinal";
    case cudaErrorInsufficientDriver: return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorInvalidResourceHandle: return "invalid resource handle";
    case cudaErrorNotReady: return "device not ready";
    default: return "unknown error";
    }
}

cudaError_t cudaGetLastError() {
    emulation_turn turn;
    cudaError_t error = last_error;
    last_error = cudaSuccess;
    return error;
}

cudaError_t cudaDriverGetVersion(int *version) {
    emulation_turn turn;
    *version = 13000;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version) {
    emulation_turn turn;
    *version = 13000;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *count) {
    emulation_turn turn;
    const char *text = getenv("ADAPT_EMULATION_DEVICES");
    *count = text ? atoi(text) : 1;
    return *count > 0 ? cudaSuccess : cudaErrorNoDevice;
}

cudaError_t cudaSetDevice(int device) {
    emulation_turn turn;
    int count = 0;
    cudaGetDeviceCount(&count);
    if (device < 0 || device >= count) return cudaErrorInvalidDevice;
    current_device = device;
    return cudaSuccess;
}

int emulation_device() {
    return current_device;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device) {
    emulation_turn turn;
    memset(properties, 0, sizeof *properties);
    snprintf(properties->name, sizeof properties->name, "emulated GPU");
    size_t free;
    cudaMemGetInfo(&free, &properties->totalGlobalMem);
    memset(properties->uuid.bytes, 0x5a, sizeof properties->uuid.bytes);
    properties->uuid.bytes[0] = (char)device;
    properties->major = 9;
    properties->multiProcessorCount = 4;
    properties->sharedMemPerBlockOptin = MOST_SHARED;
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
    emulation_turn turn;
    if (emulation_lost()) return keep(cudaErrorUnknown);
    check_side("cudaMemcpyAsync's target", to, bytes,
               kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice);
    check_side("cudaMemcpyAsync's source", from, bytes,
               kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice);
    return emulation_enqueue(stream, [=] { memmove(to, from, bytes); });
}

cudaError_t cudaMemsetAsync(void *at, int value, size_t bytes, cudaStream_t stream) {
    emulation_turn turn;
    if (emulation_lost()) return keep(cudaErrorUnknown);
    check_side("cudaMemsetAsync", at, bytes, true);
    return emulation_enqueue(stream, [=] { memset(at, value, bytes); });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned) {
    emulation_turn turn;
    *out = new emulation_stream;
    streams().insert(*out);
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    emulation_turn turn;
    /* Events and other streams' work still look at it: all of it is done. */
    static std::set<emulation_stream *> &ended = *new std::set<emulation_stream *>;
    drain(stream, stream->put);
    streams().erase(stream);
    ended.insert(stream);
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    emulation_turn turn;
    if (emulation_lost()) return keep(cudaErrorUnknown);
    if (stream->done < stream->put) count_wait();
    drain(stream, stream->put);
    emulation_memory_check("cudaStreamSynchronize");
    return cudaSuccess;
}

/* Work goes on a little with every look, as nobody waits for it otherwise. */
static cudaError_t look(emulation_stream *stream, uint64_t number, bool *awaited) {
    bool ready = !stream || stream->done >= number;
    if (!ready && !*awaited) count_wait();
    *awaited = !ready;
    if (!ready && !advance(stream, stream->done + 1)) usleep(200);
    return ready ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
    emulation_turn turn;
    if (emulation_lost()) return keep(cudaErrorUnknown);
    cudaError_t status = look(stream, stream->put, &stream->awaited);
    if (!status) emulation_memory_check("cudaStreamQuery");
    return status;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
    emulation_turn turn;
    if (!event->stream) return cudaSuccess;
    emulation_stream *other = event->stream;
    uint64_t number = event->number;
    put_waiting(stream, [=] { return other == stream || advance(other, number); });
    return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *out, unsigned flags) {
    emulation_turn turn;
    *out = new emulation_event;
    (*out)->timed = !(flags & cudaEventDisableTiming);
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
    emulation_turn turn;
    delete event;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    emulation_turn turn;
    if (emulation_lost()) return keep(cudaErrorUnknown);
    if (event->timed) { /* a time of its own: the event may be recorded again, or go, before */
        auto time = std::make_shared<std::chrono::steady_clock::time_point>();
        event->time = time;
        put(stream, [time] { *time = std::chrono::steady_clock::now(); });
    }
    event->stream = stream;
    event->number = stream->put;
    return cudaSuccess;
}

static bool is_done(const emulation_event *event) {
    return !event->stream || event->stream->done >= event->number;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    emulation_turn turn;
    if (emulation_lost()) return keep(cudaErrorUnknown);
    if (is_done(event)) return cudaSuccess;
    count_wait();
    drain(event->stream, event->number);
    return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
    emulation_turn turn;
    if (emulation_lost()) return keep(cudaErrorUnknown);
    return look(event->stream, event->number, &event->awaited);
}

cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t start, cudaEvent_t end) {
    emulation_turn turn;
    if (emulation_lost()) return keep(cudaErrorUnknown);
    if (!start->time || !end->time) return keep(cudaErrorInvalidResourceHandle);
    if (!is_done(start) || !is_done(end)) return keep(cudaErrorNotReady);
    *milliseconds = std::chrono::duration<float, std::milli>(*end->time - *start->time).count();
    return cudaSuccess;
}

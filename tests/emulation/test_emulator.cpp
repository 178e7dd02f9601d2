/* The emulator's own promises: what it must not let pass ends the program with a reason. Each case runs in a
 * child. */
#include "tests/emulation/emulation.h"

#include <cstdio>
#include <cstdlib>
#include <sys/wait.h>
#include <unistd.h>
#include "cuda_bf16.h"

static cudaStream_t stream;

template <typename F> static void launch(dim3 blocks, dim3 threads, size_t shared, F body) {
    if (emulation_launch("kernel", blocks, threads, shared, 0, stream, body)) exit(3);
}
static float *device(size_t count) {
    void *at;
    if (cudaMalloc(&at, count * sizeof(float))) exit(3);
    return (float *)at;
}
static void expect(bool condition, const char *what) {
    if (condition) return;
    fprintf(stderr, "not so: %s\n", what);
    exit(4);
}

static void writes_beyond() {
    float *x = device(10);
    launch(1, 11, 0, [=] { x[threadIdx.x] = 1; });
    cudaStreamSynchronize(stream);
}
static void writes_before() {
    float *x = device(10);
    launch(1, 1, 0, [=] { x[-1] = 1; });
    cudaFree(x);
}
static void writes_beyond_shared() {
    launch(1, 9, 32, [] { ((volatile float *)emulation_shared())[threadIdx.x] = 1; });
    cudaStreamSynchronize(stream);
}
static void host_touches() {
    device(10)[3] = 1;
}
static void barrier_diverges() {
    launch(1, 64, 0, [] {
        if (threadIdx.x < 32) __syncthreads();
    });
    cudaStreamSynchronize(stream);
}
static void barriers_differ() {
    launch(1, 64, 0, [] {
        if (threadIdx.x < 32)
            __syncthreads();
        else {
            __syncthreads();
        }
    });
    cudaStreamSynchronize(stream);
}
static void shuffle_diverges() {
    launch(1, 32, 0, [] {
        if (threadIdx.x != 5) (void)__shfl_xor_sync(0xffffffffu, 1.0f, 1);
    });
    cudaStreamSynchronize(stream);
}
static void copies_from_beyond() {
    float *x = device(10), y[20];
    cudaMemcpyAsync(y, x, sizeof y, cudaMemcpyDeviceToHost, stream);
}
static void frees_what_is_not() {
    cudaFree(device(10) + 1);
}

/* ---- what must work */

static void sums_a_block() {
    float *x = device(3), got[3];
    launch(3, 64, 64 * sizeof(float), [=] {
        float *room = (float *)emulation_shared();
        room[threadIdx.x] = (float)threadIdx.x;
        __syncthreads();
        float sum = room[63 - threadIdx.x];
        for (int lane = 16; lane > 0; lane /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, lane);
        __syncthreads();
        if (threadIdx.x % 32 == 0) room[threadIdx.x / 32] = sum;
        int many = __syncthreads_count(threadIdx.x < 7);
        if (threadIdx.x == 0) x[blockIdx.x] = room[0] + room[1] + (float)many + (float)blockIdx.x;
    });
    cudaMemcpyAsync(got, x, sizeof got, cudaMemcpyDeviceToHost, stream);
    cudaStreamSynchronize(stream);
    for (int i = 0; i < 3; i++) expect(got[i] == 2016 + 7 + (float)i, "the sum of a block");
}
static void memory_starts_as_nan() {
    float *x = device(2), got[2] = {0, 0};
    cudaMemcpyAsync(got, x, sizeof got, cudaMemcpyDeviceToHost, stream);
    cudaStreamSynchronize(stream);
    expect(got[0] != got[0] && got[1] != got[1], "memory that was not written is NaN");
}
static void work_waits() {
    float *x = device(1), from = 1, got = 7;
    cudaMemcpyAsync(x, &from, sizeof from, cudaMemcpyHostToDevice, stream);
    cudaMemcpyAsync(&got, x, sizeof got, cudaMemcpyDeviceToHost, stream);
    from = 2; /* too early: the copy has not been made yet */
    expect(got == 7, "nothing is done before it is waited for");
    cudaStreamSynchronize(stream);
    expect(got == 2, "what changed too early is what is copied");
}
static void events_keep_the_time() {
    cudaEvent_t event[3], plain;
    float first = 0, second = 0, both = 0;
    for (cudaEvent_t &one : event) cudaEventCreateWithFlags(&one, cudaEventDefault);
    cudaEventCreateWithFlags(&plain, cudaEventDisableTiming);
    expect(cudaEventElapsedTime(&first, event[0], event[1]) == cudaErrorInvalidResourceHandle,
           "not recorded");
    cudaEventRecord(event[0], stream);
    emulation_enqueue(stream, [] { usleep(20000); });
    cudaEventRecord(event[1], stream);
    cudaEventRecord(plain, stream);
    emulation_enqueue(stream, [] { usleep(5000); });
    cudaEventRecord(event[2], stream);
    expect(cudaEventElapsedTime(&first, event[0], event[1]) == cudaErrorNotReady, "the stream waits");
    cudaEventSynchronize(event[1]);
    expect(!cudaEventElapsedTime(&first, event[0], event[1]), "both are done");
    expect(cudaEventElapsedTime(&second, event[1], event[2]) == cudaErrorNotReady, "the last is not done");
    cudaEventSynchronize(event[2]);
    expect(!cudaEventElapsedTime(&second, event[1], event[2]) &&
               !cudaEventElapsedTime(&both, event[0], event[2]),
           "all are done");
    expect(first >= 20 && second >= 5 && both >= 25 && both < first + second + 1, "milliseconds");
    expect(cudaEventElapsedTime(&first, event[0], plain) == cudaErrorInvalidResourceHandle,
           "an event without time");
    cudaEventRecord(event[0], stream);
    expect(cudaEventElapsedTime(&first, event[0], event[1]) == cudaErrorNotReady, "recorded again");
    usleep(200000); /* no time of the stream's, which does nothing meanwhile */
    cudaEventRecord(event[1], stream);
    cudaEventSynchronize(event[1]);
    expect(!cudaEventElapsedTime(&first, event[0], event[1]) && first < 100,
           "what the host does is not timed");
    cudaEventRecord(event[0], stream);
    cudaEventDestroy(event[0]); /* while it is still to come */
    cudaStreamSynchronize(stream);
}
static void streams_end_before_their_events() {
    cudaStream_t other;
    cudaEvent_t event;
    float *x = device(1), got = 0;
    cudaStreamCreateWithFlags(&other, 0);
    cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
    emulation_enqueue(other, [=] { *x = 3; });
    cudaEventRecord(event, other);
    cudaStreamWaitEvent(stream, event, 0);
    cudaMemcpyAsync(&got, x, sizeof got, cudaMemcpyDeviceToHost, stream);
    cudaStreamDestroy(other);
    expect(cudaEventQuery(event) == cudaSuccess && !cudaEventSynchronize(event), "an ended stream is done");
    cudaStreamSynchronize(stream);
    expect(got == 3, "what came before the event");
}
static void waits_are_counted() {
    cudaEvent_t event;
    cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
    float *x = device(1);
    uint64_t before = emulation_waits();
    cudaStreamSynchronize(stream);
    cudaEventSynchronize(event);
    expect(emulation_waits() == before, "there is nothing to wait for");
    for (int i = 0; i < 3; i++) {
        launch(1, 1, 0, [=] { *x = 1; });
        cudaEventRecord(event, stream);
        cudaEventSynchronize(event);
        cudaEventSynchronize(event);
        cudaStreamSynchronize(stream);
    }
    expect(emulation_waits() == before + 3, "each is counted once");
    for (int i = 0; i < 2; i++) {
        launch(1, 1, 0, [=] { *x = 1; });
        launch(1, 1, 0, [=] { *x = 2; });
        cudaEventRecord(event, stream);
        while ((i ? cudaEventQuery(event) : cudaStreamQuery(stream)) == cudaErrorNotReady) {
        }
    }
    expect(emulation_waits() == before + 5, "looking until it is done is one wait");
    launch(1, 1, 0, [=] { *x = 1; });
    cudaFree(x);
    expect(emulation_waits() == before + 6, "freeing waits");
}
static void order_shows() {
    int different = 0;
    float first = -1;
    for (int i = 0; i < 20; i++) {
        float *x = device(1), got;
        launch(8, 1, 0, [=] { *x = (float)blockIdx.x; });
        cudaMemcpyAsync(&got, x, sizeof got, cudaMemcpyDeviceToHost, stream);
        cudaStreamSynchronize(stream);
        if (i == 0) first = got;
        different += got != first;
    }
    expect(different > 0, "what hangs on the order of blocks comes out differently");
}
static void halves_round() {
    expect(__float2bfloat16_rn(1.00390625f).bits == 0x3f80 && __float2bfloat16_rn(1.01171875f).bits == 0x3f82,
           "ties go to the even one");
}

static const struct {
    const char *name;
    void (*run)();
    bool stops;
} cases[] = {{"writes_beyond", writes_beyond, true},
             {"writes_before", writes_before, true},
             {"writes_beyond_shared", writes_beyond_shared, true},
             {"host_touches", host_touches, true},
             {"barrier_diverges", barrier_diverges, true},
             {"barriers_differ", barriers_differ, true},
             {"shuffle_diverges", shuffle_diverges, true},
             {"copies_from_beyond", copies_from_beyond, true},
             {"frees_what_is_not", frees_what_is_not, true},
             {"sums_a_block", sums_a_block, false},
             {"memory_starts_as_nan", memory_starts_as_nan, false},
             {"work_waits", work_waits, false},
             {"events_keep_the_time", events_keep_the_time, false},
             {"streams_end_before_their_events", streams_end_before_their_events, false},
             {"waits_are_counted", waits_are_counted, false},
             {"order_shows", order_shows, false},
             {"halves_round", halves_round, false}};

int main() {
    int failed = 0;
    for (const auto &one : cases) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            if (one.stops) fclose(stderr);
            cudaStreamCreateWithFlags(&stream, 0);
            one.run();
            _exit(0);
        }
        int status = 0;
        waitpid(child, &status, 0);
        bool stopped =
            WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 1); /* sanitizers exit */
        bool good = one.stops ? stopped : WIFEXITED(status) && WEXITSTATUS(status) == 0;
        printf("%s %s\n", good ? "ok  " : "FAIL", one.name);
        failed += !good;
    }
    return failed;
}

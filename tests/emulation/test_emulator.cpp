/* The emulator's own promises: what it must not let pass ends the program with a reason. Each case runs in a
 * child. */
#include "tests/emulation/emulation.h"
#include "train/cuda/tensor.h"

#include <cstdio>
#include <cstdlib>
#include <sys/wait.h>
#include <unistd.h>

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
static void product_diverges() {
    launch(1, 32, 0, [] {
        float d[4] = {};
        uint32_t a[4] = {}, b[2] = {};
        if (threadIdx.x != 5) tensor_multiply(d, a, b);
    });
    cudaStreamSynchronize(stream);
}
static void loads_beyond_shared() {
    launch(1, 32, 16 * 32, [] {
        uint32_t to[4];
        tensor_load(to, (__nv_bfloat16 *)emulation_shared() + (threadIdx.x + 1) * 8);
    });
    cudaStreamSynchronize(stream);
}
static void loads_misaligned() {
    launch(1, 32, 16 * 33, [] {
        uint32_t to[4];
        tensor_load(to, (__nv_bfloat16 *)emulation_shared() + threadIdx.x * 8 + 4);
    });
    cudaStreamSynchronize(stream);
}
static void copy_misaligned() {
    float *x = device(8);
    launch(1, 1, 16, [=] { copy_begin(emulation_shared(), x + 1, true); });
    cudaStreamSynchronize(stream);
}
static void copy_from_beyond() {
    float *x = device(8);
    launch(1, 1, 16, [=] { copy_begin(emulation_shared(), x + 8, true); });
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

/* ---- tensor cores, as train/cuda/tensor.h has them */

static float some(unsigned i) {
    return (float)((int)(i * 2654435761u >> 20) % 33 - 16) /
           8; /* exact in bfloat16, and so are sums of products */
}
static __nv_bfloat16 half(float x) {
    return __float2bfloat16_rn(x);
}

/* Fragments by the formulas of the PTX ISA, element i of lane's row and column. */
static void multiplies_fragments() {
    float *x = device(16 * 8), got[16 * 8];
    launch(1, 32, 0, [=] {
        const int group = (int)threadIdx.x >> 2, in_group = (int)threadIdx.x % 4;
        uint32_t a[4], b[2];
        float d[4];
        for (int i = 0; i < 8; i += 2) {
            int row = i < 2 || (i >= 4 && i < 6) ? group : group + 8,
                column = in_group * 2 + (i >= 4 ? 8 : 0);
            a[i / 2] = pack(some((unsigned)(row * 16 + column)), some((unsigned)(row * 16 + column + 1)));
        }
        for (int i = 0; i < 4; i += 2) {
            int row = in_group * 2 + (i >= 2 ? 8 : 0), column = group;
            b[i / 2] =
                pack(some((unsigned)(1000 + row * 8 + column)), some((unsigned)(1008 + row * 8 + column)));
        }
        for (int i = 0; i < 4; i++)
            d[i] = some((unsigned)(2000 + (i < 2 ? group : group + 8) * 8 + in_group * 2 + i % 2));
        tensor_multiply(d, a, b);
        for (int i = 0; i < 4; i++) x[(i < 2 ? group : group + 8) * 8 + in_group * 2 + i % 2] = d[i];
    });
    cudaMemcpyAsync(got, x, sizeof got, cudaMemcpyDeviceToHost, stream);
    cudaStreamSynchronize(stream);
    for (unsigned m = 0; m < 16; m++)
        for (unsigned n = 0; n < 8; n++) {
            float want = some(2000 + m * 8 + n);
            for (unsigned k = 0; k < 16; k++) want += some(m * 16 + k) * some(1000 + k * 8 + n);
            expect(got[m * 8 + n] == want, "a product of fragments");
        }
}
static void loads_matrices() {
    enum { STRIDE = 24 }; /* of 32 rows of 8 columns */
    float *x = device(2 * 4 * 64), got[2][4][8][8];
    launch(1, 32, 32 * STRIDE * 2, [=] {
        __nv_bfloat16 *rows = (__nv_bfloat16 *)emulation_shared();
        uint32_t to[2][4];
        for (unsigned c = 0; c < 8; c++) rows[threadIdx.x * STRIDE + c] = half(some(threadIdx.x * 8 + c));
        __syncwarp();
        tensor_load(to[0], rows + threadIdx.x * STRIDE);
        tensor_load_transposed(to[1], rows + threadIdx.x * STRIDE);
        for (int t = 0; t < 2; t++)
            for (int i = 0; i < 4; i++)
                for (unsigned h = 0; h < 2; h++)
                    x[(t * 4 + i) * 64 + (threadIdx.x * 2 + h)] =
                        __bfloat162float(__nv_bfloat16{(uint16_t)(to[t][i] >> 16 * h)});
    });
    cudaMemcpyAsync(got, x, sizeof got, cudaMemcpyDeviceToHost, stream);
    cudaStreamSynchronize(stream);
    for (unsigned i = 0; i < 4; i++)
        for (unsigned r = 0; r < 8; r++)
            for (unsigned c = 0; c < 8; c++) {
                expect(got[0][i][r][c] == some((i * 8 + r) * 8 + c), "a matrix");
                expect(got[1][i][c][r] == some((i * 8 + r) * 8 + c), "a transposed matrix");
            }
}
static void copies_land_when_waited_for() {
    float *x = device(64), from[32], got[64];
    for (int i = 0; i < 32; i++) from[i] = (float)i;
    cudaMemcpyAsync(x, from, sizeof from, cudaMemcpyHostToDevice, stream);
    launch(1, 8, 9 * 16, [=] {
        float *shared = (float *)emulation_shared();
        shared[threadIdx.x * 4] = 5;
        copy_begin(shared + threadIdx.x * 4, x + threadIdx.x * 4, threadIdx.x != 3);
        if (threadIdx.x == 7) copy_begin_word(shared + 33, x + 1, true);
        float early = shared[threadIdx.x * 4];
        x[32 + threadIdx.x] = early != early;
        copy_wait();
        __syncthreads();
        if (threadIdx.x < 6) x[40 + threadIdx.x * 4] = shared[threadIdx.x * 4 + 1];
        if (threadIdx.x == 7) x[63] = shared[33];
    });
    cudaMemcpyAsync(got, x, sizeof got, cudaMemcpyDeviceToHost, stream);
    cudaStreamSynchronize(stream);
    for (int i = 0; i < 8; i++) expect(got[32 + i] == 1, "there is NaN before a copy was waited for");
    for (int i = 0; i < 6; i++)
        expect(got[40 + i * 4] == (i == 3 ? 0 : (float)(i * 4 + 1)), "what was copied");
    expect(got[63] == 1, "a word that was copied");
}
static void pairs_are_packed() {
    expect(pack(1.0f, -2.5f) == 0xc0203f80, "the first number is in the lower half");
    expect(exponential(-3.0f) == 0.125f && exponential(-INFINITY) == 0.0f, "powers of two");
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
             {"product_diverges", product_diverges, true},
             {"loads_beyond_shared", loads_beyond_shared, true},
             {"loads_misaligned", loads_misaligned, true},
             {"copy_misaligned", copy_misaligned, true},
             {"copy_from_beyond", copy_from_beyond, true},
             {"copies_from_beyond", copies_from_beyond, true},
             {"frees_what_is_not", frees_what_is_not, true},
             {"sums_a_block", sums_a_block, false},
             {"memory_starts_as_nan", memory_starts_as_nan, false},
             {"work_waits", work_waits, false},
             {"events_keep_the_time", events_keep_the_time, false},
             {"streams_end_before_their_events", streams_end_before_their_events, false},
             {"waits_are_counted", waits_are_counted, false},
             {"order_shows", order_shows, false},
             {"halves_round", halves_round, false},
             {"multiplies_fragments", multiplies_fragments, false},
             {"loads_matrices", loads_matrices, false},
             {"copies_land_when_waited_for", copies_land_when_waited_for, false},
             {"pairs_are_packed", pairs_are_packed, false}};

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

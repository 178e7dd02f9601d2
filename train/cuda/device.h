/* The cuda backend from inside: its state, its failures, how an operation gets at its operands and starts
 * kernels.
 *
 * "CUDA C": kernels are templates over the types of their operands, the rest is C. The same sources are
 * compiled by nvcc and, for tests without a GPU, by g++ against tests/emulation/include (ADAPT_EMULATION). */
#ifndef ADAPT_TRAIN_CUDA_DEVICE_H
#define ADAPT_TRAIN_CUDA_DEVICE_H

#include "train/cuda/operations.h"
#include <cuda_bf16.h>
#include <cuda_runtime.h>
extern "C" {
#include "train/cuda/cuda.h"
}

/* A float32 buffer that is used as weights has a bfloat16 copy, `shadow`, good while its version is the
 * buffer's. */
struct buffer {
    unsigned char *data;
    size_t bytes;
    uint64_t version; /* counts what was written to it */
    __nv_bfloat16 *shadow;
    uint64_t shadow_version;
};

/* What went wrong inside of a kernel, told by the next check: an index that is out of bounds, the first of
 * its operation whatever the order of the threads. All bits are set while nothing is wrong. */
struct trouble {
    int operation; /* enum cuda_operation, -1: none */
    int unused;
    unsigned long long first; /* where, and below it the 32 bits of the index */
    long long bound;
};

/* A table of attention has a tile for some rows of a segment: at most as many as there are rows. */
enum { CUDA_TABLES = 4, CUDA_TABLE_ROW = 32 };
/* Numbers of the host that kernels read, such as where segments lie, as long as they stay the same. */
struct cuda_table {
    void *device;
    unsigned char *host; /* what the device's copy holds */
    size_t bytes, capacity;
    uint64_t used; /* when; the oldest is overwritten */
};

struct cuda_stamp {
    cudaEvent_t event;
    bool put;
};

struct matmul_cache;
struct cublaslt;
struct nccl;
struct cuda_peers;

struct cuda {
    struct backend base; /* first, so that a struct backend * is a struct cuda * */
    int device, processors;
    cudaStream_t stream;
    struct error failure; /* the first one since the last check; operations do nothing while it stands */
    bool lost;            /* the device failed: nothing works any more */
    struct trouble *trouble, *trouble_host; /* on the device; pinned */
    unsigned char *scratch;                 /* shared by operations, contents last for one operation */
    size_t scratch_bytes;
    unsigned char *workspace; /* the matrix products' */
    unsigned char *staging;   /* pinned, [2 * CUDA_STAGING] for uploads and as much for downloads */
    size_t staged;            /* bytes of it taken by uploads, of the half in turn */
    int half;
    cudaEvent_t half_done[2];
    bool half_used[2];
    struct cuda_table tables[CUDA_TABLES];
    uint64_t table_clock;
    struct cuda_stamp stamps[BACKEND_STAMPS];
    int stamps_made; /* that have an event */
    struct cublaslt *library;
    struct matmul_cache *matmuls;
    struct nccl *nccl;        /* NULL until it is asked for */
    struct cuda_peers *peers; /* the link that is open; closed by who opened it */
    char identity[40];        /* "GPU-" and the device's UUID */
};

#ifdef ADAPT_EMULATION /* smaller: every thread costs the emulator time, and every edge is met sooner */
enum { CUDA_STAGING = 64 << 10, CUDA_WORKSPACE = 4096, CUDA_THREADS = 64 };
#else
enum { CUDA_STAGING = 4 << 20, CUDA_WORKSPACE = 32 << 20, CUDA_THREADS = 256 };
#endif

static inline struct cuda *cuda_of(struct backend *b) {
    return (struct cuda *)b;
}
/* Whether an operation may run; the first question of each. */
static inline bool cuda_ready(const struct cuda *cuda) {
    return cuda->failure.code == 0;
}

/* Keeps the failure of `op` unless an earlier one is kept. */
void cuda_fail(struct cuda *cuda, int code, enum cuda_operation op, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Whether a call of the runtime went well; a failure of `op` at `what` otherwise. */
bool cuda_good(struct cuda *cuda, enum cuda_operation op, const char *what, cudaError_t status);
/* Waits for all of the stream; a failure of `op` also where sums over the ranks that it waits for broke. */
bool cuda_wait(struct cuda *cuda, enum cuda_operation op);
/* The same for what came before an event of the stream. */
bool cuda_wait_event(struct cuda *cuda, enum cuda_operation op, cudaEvent_t event);
/* Whether a sum failed while it went on; why[size] tells what. The link is abandoned then, as whatever waits
 * for the sum would wait for ever. */
bool cuda_peers_failed(struct cuda_peers *peers, char *why, size_t size);
void cuda_close_nccl(struct cuda *cuda);
/* "NCCL 2.27.3", or why there is none. */
void cuda_describe_nccl(char *text, size_t size);
/* Whether sizes are not negative; a failure otherwise. */
bool cuda_sizes(struct cuda *cuda, enum cuda_operation op, int a, int b, int c);

/* ---- operands: device memory of `count` elements at a view. NULL after a failure: the buffer is absent, of
 * another dtype, or shorter. With count 0 any view is good, and the pointer is not NULL but must not be used.
 * `cuda_write` of whatever an operation changes: copies of it are then known to be old. */
const void *cuda_read(struct cuda *cuda, enum cuda_operation op, struct view view, size_t count,
                      enum dtype dtype);
void *cuda_write(struct cuda *cuda, enum cuda_operation op, struct view view, size_t count, enum dtype dtype);
/* Whether a view is of a dtype that activations may have; a failure otherwise. */
bool cuda_is_activation(struct cuda *cuda, enum cuda_operation op, struct view view);
/* Elements from the view to the end of its buffer; 0 for an absent one. */
size_t cuda_room(struct view view);
/* `count` bfloat16 of a view: its own, or those of its buffer's shadow, brought up to date. */
const __nv_bfloat16 *cuda_halves(struct cuda *cuda, enum cuda_operation op, struct view view, size_t count);

/* At least `bytes` of scratch memory, aligned to 256; NULL after a failure. The contents are whatever the
 * last operation left. */
void *cuda_scratch(struct cuda *cuda, enum cuda_operation op, size_t bytes);
/* Takes so much scratch, for `reserve`. */
int cuda_reserve_scratch(struct cuda *cuda, size_t bytes, struct error *err);
/* Makes room for so many bytes in each of the tables below, for `reserve`. */
int cuda_reserve_tables(struct cuda *cuda, size_t bytes, struct error *err);
/* The host's numbers on the device, valid for the operation; copied only where they are not there yet. */
const void *cuda_numbers(struct cuda *cuda, enum cuda_operation op, const void *numbers, size_t bytes);
/* Copies from the host to the device in the order of the stream; `from` may be changed at once. */
bool cuda_copy_in(struct cuda *cuda, enum cuda_operation op, void *to, const void *from, size_t bytes);

/* The error code for a status of the runtime. */
int cuda_error_code(cudaError_t status);
/* Blocks of CUDA_THREADS for a loop over n elements. */
static inline unsigned cuda_blocks(size_t n) {
    size_t blocks = (n + 4 * CUDA_THREADS - 1) / (4 * CUDA_THREADS);
    return (unsigned)(blocks < 1 ? 1 : blocks > 65535 ? 65535 : blocks);
}
static inline size_t cuda_least(size_t a, size_t b) {
    return a < b ? a : b;
}
static inline size_t cuda_most(size_t a, size_t b) {
    return a > b ? a : b;
}

/* Scratch that operations need, in bytes; `reserve` takes the largest. */
size_t cuda_dot_scratch(void);
size_t cuda_row_dot_scratch(int rows);
size_t cuda_rmsnorm_scratch(int columns);
size_t cuda_align_scratch(int rows);
size_t cuda_attention_scratch(int rows, int heads);
size_t cuda_cross_entropy_scratch(int targets, int vocabulary, bool alignment);

/* sums[slot[t]] += dots[t] for t < rows in a fixed order; slots outside of 0..bound-1 are left out and told.
 */
void cuda_add_by_slot(struct cuda *cuda, enum cuda_operation op, int rows, const double *dots,
                      const int32_t *slot, size_t bound, double *sums);

/* A matrix of weights as products with activations of `dtype` take it. */
const void *cuda_weights(struct cuda *cuda, enum cuda_operation op, struct view view, size_t count,
                         enum dtype dtype);

/* C[m,n] = alpha op(A) op(B) + beta C on device memory; row-major. A and B are of one dtype. */
struct cuda_product {
    bool transpose_a, transpose_b;
    int m, n, k;
    float alpha, beta;
    const void *a, *b;
    void *c;
    int lda, ldb, ldc;
    enum dtype dtype, dtype_c; /* of A and B; of C */
};
void cuda_multiply(struct cuda *cuda, enum cuda_operation op, const struct cuda_product *product);

/* Alignments of rows of a linear layer: sums[slot[t]] += < dy_t^T x_t, direction >. */
struct cuda_alignment {
    int rows, out, in;
    enum dtype dtype;
    const void *input;           /* [rows, in] */
    const void *output_gradient; /* [rows, out] */
    const void *direction;       /* [out, in] */
    const int32_t *slot;         /* [rows] */
    size_t slots;
    double *sums;  /* [slots] */
    void *scratch; /* cuda_align_scratch(rows) bytes */
};
/* Fills direction, slot, slots and sums from the views; false after a failure. */
bool cuda_alignment_find(struct cuda *cuda, enum cuda_operation op, struct view direction, struct view slot,
                         struct view alignment, struct cuda_alignment *to);
void cuda_align(struct cuda *cuda, enum cuda_operation op, const struct cuda_alignment *alignment);

int cuda_matmul_open(struct cuda *cuda, struct error *err);
void cuda_matmul_close(struct cuda *cuda);
void cuda_stamps_close(struct cuda *cuda);

/* Each family puts its operations into the table. */
void cuda_install_memory(struct backend *b);
void cuda_install_stamps(struct backend *b);
void cuda_install_vectors(struct backend *b);
void cuda_install_matmul(struct backend *b);
void cuda_install_linear_gradient(struct backend *b);
void cuda_install_rows(struct backend *b);
void cuda_install_embedding(struct backend *b);
void cuda_install_row_dot(struct backend *b);
void cuda_install_rmsnorm(struct backend *b);
void cuda_install_rope(struct backend *b);
void cuda_install_attention(struct backend *b);
void cuda_install_attention_backward(struct backend *b);
void cuda_install_attention_cached(struct backend *b);
void cuda_install_gated(struct backend *b);
void cuda_install_cross_entropy(struct backend *b);
void cuda_install_linear_argmax(struct backend *b);
void cuda_install_optimizer(struct backend *b);
void cuda_install_peers(struct backend *b);

/* ---- starting kernels */

#ifdef ADAPT_EMULATION
#define KERNEL_SHARED(name) unsigned char *name = emulation_shared()
#else
#define KERNEL_SHARED(name) extern __shared__ __align__(128) unsigned char name[]
#endif

template <typename T> struct cuda_same { typedef T type; };

/* Puts kernel(arguments...) into the stream, with `shared` bytes of shared memory for a block. */
template <typename... P>
void cuda_launch(struct cuda *cuda, enum cuda_operation op, void (*kernel)(P...), dim3 blocks, dim3 threads,
                 size_t shared, typename cuda_same<P>::type... arguments) {
    if (!cuda_ready(cuda)) return;
#ifdef ADAPT_EMULATION
    cuda_good(cuda, op, "launch",
              emulation_launch(cuda_operation_names[op], blocks, threads, shared, shared, cuda->stream,
                               [=] { kernel(arguments...); }));
#else
    void *list[] = {(void *)&arguments...};
    if (shared > (48u << 10) &&
        !cuda_good(cuda, op, "cudaFuncSetAttribute",
                   cudaFuncSetAttribute((const void *)kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                        (int)shared)))
        return;
    cuda_good(cuda, op, "cudaLaunchKernel",
              cudaLaunchKernel((const void *)kernel, blocks, threads, list, shared, cuda->stream));
#endif
}

/* Runs the statement with T as the C++ type of an activation's dtype. */
#define WITH_TYPE(activation, T, ...)                                                                        \
    do {                                                                                                     \
        if ((activation) == DTYPE_BF16) {                                                                    \
            typedef __nv_bfloat16 T;                                                                         \
            __VA_ARGS__;                                                                                     \
        } else {                                                                                             \
            typedef float T;                                                                                 \
            __VA_ARGS__;                                                                                     \
        }                                                                                                    \
    } while (0)

#endif

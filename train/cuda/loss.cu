/* The output layer and its loss together, a chunk of rows at a time: the logits of all rows never exist at
 * once. Logits and losses are float32; the gradient by the logits is of the activations' dtype. */
#include "train/cuda/kernels.h"

enum {
    ROW_THREADS = 2 * CUDA_THREADS,
#ifdef ADAPT_EMULATION
    LEAST_ROWS = 16,
    LOGIT_BYTES = 64 << 10
#else
    LEAST_ROWS = 128, /* of a chunk, even where its logits are more than LOGIT_BYTES: the weight is read once
                         a chunk */
    LOGIT_BYTES = 256 << 20 /* of one chunk; half as many more for bfloat16 gradients */
#endif
};

/* Rows of a chunk at most. */
static int most_rows(int targets, int vocabulary) {
    size_t row = sizeof(float) * (size_t)(vocabulary > 0 ? vocabulary : 1), most = LOGIT_BYTES / row;
    if (most < LEAST_ROWS) most = LEAST_ROWS;
    return (size_t)targets < most ? targets : (int)most;
}

static int chunk_rows(int targets, int vocabulary) {
    int most = most_rows(targets, vocabulary), chunks = most ? (targets + most - 1) / most : 1;
    return (targets + chunks - 1) / chunks; /* even chunks rather than a small last one */
}

/* Where a chunk's numbers lie in scratch: room for the most rows, so that more targets never need less. */
struct chunk {
    int rows;
    size_t gradient, alignment, bytes; /* offsets; the logits are at 0 */
};

static size_t aligned(size_t bytes) {
    return (bytes + 255) / 256 * 256;
}

static struct chunk chunk_of(int targets, int vocabulary, bool halves, bool alignment) {
    struct chunk c;
    c.rows = chunk_rows(targets, vocabulary);
    int most = most_rows(targets, vocabulary);
    size_t logits = (size_t)most * (size_t)vocabulary;
    c.gradient =
        halves ? aligned(logits * sizeof(float)) : 0; /* float32 gradients stand in place of the logits */
    c.alignment = c.gradient + aligned(logits * (halves ? 2 : sizeof(float)));
    c.bytes = c.alignment + (alignment ? cuda_align_scratch(most) : 0);
    return c;
}

size_t cuda_cross_entropy_scratch(int targets, int vocabulary, bool alignment) {
    return chunk_of(targets, vocabulary, true, alignment).bytes;
}

/* The largest over the block, and the lowest index where it stands; NaN is passed over. All threads get both.
 */
static __device__ __forceinline__ void block_largest(float *value, int *index, float *room, int *room_index) {
    for (int lane = WARP / 2; lane > 0; lane /= 2) {
        float other = __shfl_xor_sync(ALL_LANES, *value, lane);
        int other_index = __shfl_xor_sync(ALL_LANES, *index, lane);
        if (other > *value || (other == *value && other_index < *index)) {
            *value = other;
            *index = other_index;
        }
    }
    __syncthreads();
    if (threadIdx.x % WARP == 0) {
        room[threadIdx.x / WARP] = *value;
        room_index[threadIdx.x / WARP] = *index;
    }
    __syncthreads();
    for (unsigned w = 0; w < blockDim.x / WARP; w++)
        if (room[w] > *value || (room[w] == *value && room_index[w] < *index)) {
            *value = room[w];
            *index = room_index[w];
        }
}

/* A block a row: its loss, whether its target is the largest, and the gradient of its weighted loss.
 * `gradient` may be `logits`. */
template <typename T>
static __global__ void kernel_loss(int vocabulary, const float *logits, const int32_t *target, float *loss,
                                   int32_t *greedy, const float *row_weight, T *gradient,
                                   struct trouble *trouble) {
    KERNEL_SHARED(memory);
    double *sums = (double *)memory; /* [warps] */
    float *room = (float *)(sums + blockDim.x / WARP);
    int *room_index = (int *)(room + blockDim.x / WARP);
    const size_t row = blockIdx.x, start = row * vocabulary;
    const int mine = target[row];
    float largest = -INFINITY;
    int first = 0x7fffffff;
    if (!in_bounds(trouble, CUDA_CROSS_ENTROPY, row, mine, (size_t)vocabulary)) return; /* the whole block */
    const float score = logits[start + mine];
    for (int v = (int)threadIdx.x; v < vocabulary; v += (int)blockDim.x)
        if (logits[start + v] > largest) {
            largest = logits[start + v];
            first = v;
        }
    block_largest(&largest, &first, room, room_index);
    float part = 0.0f;
    for (int v = (int)threadIdx.x; v < vocabulary; v += (int)blockDim.x)
        part += expf(logits[start + v] - largest);
    double sum = row_sum((double)part, sums);
    if (threadIdx.x == 0) {
        loss[row] = (float)(log(sum) + (double)largest - (double)score);
        if (greedy) greedy[row] = score == largest && first == mine;
    }
    if (!row_weight) return;
    __syncthreads(); /* all have read the target's logit, which may become a gradient */
    const double weight = (double)row_weight[row];
    const float factor = (float)(weight / sum);
    for (int v = (int)threadIdx.x; v < vocabulary; v += (int)blockDim.x) {
        float e = expf(logits[start + v] - largest);
        put(gradient, start + v, v == mine ? (float)(weight * ((double)e / sum - 1.0)) : factor * e);
    }
}

/* Places of the operands in device memory; NULL where absent. */
struct places {
    const void *hidden, *weight;
    const float *row_weight;
    const int32_t *target;
    float *loss, *weight_gradient;
    void *hidden_gradient;
    int32_t *greedy;
    struct cuda_alignment alignment; /* of all rows */
    unsigned char *scratch;
};

static bool find_places(struct cuda *cuda, enum cuda_operation op, const struct linear_cross_entropy *args,
                        const struct chunk *chunk, struct places *at) {
    size_t rows = (size_t)args->rows, states = rows * (size_t)args->hidden;
    size_t table = (size_t)args->vocabulary * (size_t)args->hidden;
    enum dtype dtype = args->hidden_states.dtype;
    at->hidden = cuda_read(cuda, op, args->hidden_states, states, dtype);
    at->weight = cuda_weights(cuda, op, args->weight, table, dtype);
    at->target = (const int32_t *)cuda_read(cuda, op, args->target, rows, DTYPE_I32);
    at->loss = (float *)cuda_write(cuda, op, args->loss, rows, DTYPE_F32);
    if (args->greedy.buffer) at->greedy = (int32_t *)cuda_write(cuda, op, args->greedy, rows, DTYPE_I32);
    if (args->row_weight.buffer)
        at->row_weight = (const float *)cuda_read(cuda, op, args->row_weight, rows, DTYPE_F32);
    if (args->hidden_gradient.buffer)
        at->hidden_gradient = cuda_write(cuda, op, args->hidden_gradient, states, dtype);
    if (args->weight_gradient.buffer)
        at->weight_gradient = (float *)cuda_write(cuda, op, args->weight_gradient, table, DTYPE_F32);
    at->alignment.rows = args->rows;
    at->alignment.out = args->vocabulary;
    at->alignment.in = args->hidden;
    at->alignment.dtype = dtype;
    if (args->alignment.buffer)
        cuda_alignment_find(cuda, op, args->direction, args->slot, args->alignment, &at->alignment);
    at->scratch = (unsigned char *)cuda_scratch(cuda, op, chunk->bytes);
    return cuda_ready(cuda);
}

static void align(struct cuda *cuda, enum cuda_operation op, const struct places *at,
                  const struct chunk *chunk, int start, int rows) {
    struct cuda_alignment alignment = at->alignment;
    size_t skipped = (size_t)start * (size_t)alignment.in * dtype_bytes(alignment.dtype);
    alignment.rows = rows;
    alignment.input = (const unsigned char *)at->hidden + skipped;
    alignment.output_gradient = at->scratch + chunk->gradient;
    alignment.slot += start;
    alignment.scratch = at->scratch + chunk->alignment;
    cuda_align(cuda, op, &alignment);
}

static void run_chunk(struct cuda *cuda, enum cuda_operation op, const struct linear_cross_entropy *args,
                      const struct places *at, const struct chunk *chunk, int start, int rows) {
    int hidden = args->hidden, vocabulary = args->vocabulary;
    enum dtype dtype = args->hidden_states.dtype;
    size_t skipped = (size_t)start * (size_t)hidden * dtype_bytes(dtype);
    const unsigned char *states = (const unsigned char *)at->hidden + skipped;
    void *gradient = at->scratch + chunk->gradient;
    struct cuda_product forward = {false,  true,   rows,       vocabulary, hidden,
                                   1.0f,   0.0f,   states,     at->weight, at->scratch,
                                   hidden, hidden, vocabulary, dtype,      DTYPE_F32};
    cuda_multiply(cuda, op, &forward);
    WITH_TYPE(dtype, T,
              cuda_launch(cuda, op, kernel_loss<T>, (unsigned)rows, ROW_THREADS, ROW_THREADS / WARP * 16,
                          vocabulary, (const float *)(const void *)at->scratch, at->target + start,
                          at->loss + start, at->greedy ? at->greedy + start : NULL,
                          at->row_weight ? at->row_weight + start : NULL, (T *)gradient, cuda->trouble));
    if (at->alignment.sums) align(cuda, op, at, chunk, start, rows);
    struct cuda_product to_hidden = {
        false,      false,  rows,     hidden,     vocabulary,
        1.0f,       0.0f,   gradient, at->weight, (unsigned char *)at->hidden_gradient + skipped,
        vocabulary, hidden, hidden,   dtype,      dtype};
    struct cuda_product to_weight = {true,       false,  vocabulary, hidden, rows,
                                     1.0f,       1.0f,   gradient,   states, at->weight_gradient,
                                     vocabulary, hidden, hidden,     dtype,  DTYPE_F32};
    if (at->hidden_gradient) cuda_multiply(cuda, op, &to_hidden);
    if (at->weight_gradient) cuda_multiply(cuda, op, &to_weight);
}

static void cross_entropy(struct backend *b, const struct linear_cross_entropy *args) {
    struct cuda *cuda = cuda_of(b);
    const enum cuda_operation op = CUDA_CROSS_ENTROPY;
    if (!cuda_sizes(cuda, op, args->rows, args->hidden, args->vocabulary) || args->rows == 0) return;
    bool aligned_too = args->alignment.buffer != NULL;
    if (args->hidden == 0 || args->vocabulary == 0) {
        cuda_fail(cuda, ERROR_INTERNAL, op, "no hidden columns or no vocabulary");
        return;
    }
    if (!args->row_weight.buffer &&
        (args->hidden_gradient.buffer || args->weight_gradient.buffer || aligned_too)) {
        cuda_fail(cuda, ERROR_INTERNAL, op, "gradients without row weights");
        return;
    }
    if (!cuda_is_activation(cuda, op, args->hidden_states)) return;
    struct chunk chunk =
        chunk_of(args->rows, args->vocabulary, args->hidden_states.dtype == DTYPE_BF16, aligned_too);
    struct places at = {};
    if (!find_places(cuda, op, args, &chunk, &at)) return;
    for (int start = 0; start < args->rows; start += chunk.rows)
        run_chunk(cuda, op, args, &at, &chunk, start,
                  args->rows - start < chunk.rows ? args->rows - start : chunk.rows);
}

void cuda_install_cross_entropy(struct backend *b) {
    b->linear_cross_entropy = cross_entropy;
}

/* ---- the likeliest token */

static __global__ void kernel_argmax(int vocabulary, const float *logits, int32_t *best) {
    KERNEL_SHARED(memory);
    float *room = (float *)memory;
    int *room_index = (int *)(room + blockDim.x / WARP);
    size_t start = (size_t)blockIdx.x * vocabulary;
    float largest = -INFINITY;
    int first = 0x7fffffff, odd = 0;
    for (int v = (int)threadIdx.x; v < vocabulary; v += (int)blockDim.x) {
        float x = logits[start + v];
        odd |= x != x;
        if (x > largest || (x == largest && v < first)) {
            largest = x;
            first = v;
        }
    }
    odd = __syncthreads_count(odd);
    block_largest(&largest, &first, room, room_index);
    if (threadIdx.x == 0) best[blockIdx.x] = odd ? -1 : first;
}

static void linear_argmax(struct backend *b, int rows, int hidden, int vocabulary, struct view hidden_states,
                          struct view weight, struct view best) {
    const enum cuda_operation op = CUDA_LINEAR_ARGMAX;
    struct cuda *cuda = cuda_of(b);
    if (!cuda_sizes(cuda, op, rows, hidden, vocabulary) || rows == 0) return;
    if (hidden == 0 || vocabulary == 0) {
        cuda_fail(cuda, ERROR_INTERNAL, op, "no hidden columns or no vocabulary");
        return;
    }
    enum dtype dtype = hidden_states.dtype;
    size_t width = (size_t)hidden;
    if (!cuda_is_activation(cuda, op, hidden_states)) return;
    struct chunk chunk = chunk_of(rows, vocabulary, false, false);
    const unsigned char *states =
        (const unsigned char *)cuda_read(cuda, op, hidden_states, (size_t)rows * width, dtype);
    const void *table = cuda_weights(cuda, op, weight, (size_t)vocabulary * width, dtype);
    int32_t *out = (int32_t *)cuda_write(cuda, op, best, (size_t)rows, DTYPE_I32);
    float *logits = (float *)cuda_scratch(cuda, op, chunk.bytes);
    if (!states || !table || !out || !logits) return;
    for (int start = 0; start < rows; start += chunk.rows) {
        int count = rows - start < chunk.rows ? rows - start : chunk.rows;
        struct cuda_product p = {
            false,      true,   count,    vocabulary,
            hidden,     1.0f,   0.0f,     states + (size_t)start * width * dtype_bytes(dtype),
            table,      logits, hidden,   hidden,
            vocabulary, dtype,  DTYPE_F32};
        cuda_multiply(cuda, op, &p);
        cuda_launch(cuda, op, kernel_argmax, (unsigned)count, ROW_THREADS, ROW_THREADS / WARP * 8, vocabulary,
                    (const float *)logits, out + start);
    }
}

void cuda_install_linear_argmax(struct backend *b) {
    b->linear_argmax = linear_argmax;
}

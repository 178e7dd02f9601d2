/* The output layer and its loss together, a chunk of rows at a time: the logits of all rows never exist at
 * once. */
#include "train/cpu/cpu.h"
#include "train/cpu/few.h"
#include "train/cpu/gemm.h"
#include "train/cpu/kernels.h"
#include "train/cpu/weight_gradient.h"

enum {
    LOGIT_BYTES = 64 << 20, /* of one chunk */
    SMALL = 4096,           /* logits of a chunk up to which one thread does the rows */
    LEAST_ROWS = 128        /* of a chunk, even where that is more: the weight is read once a chunk */
};

/* Rows of a chunk at most. Scratch memory has room for them, so that more targets never need less of it. */
static int most_rows(int targets, int vocabulary) {
    size_t row = sizeof(float) * (size_t)(vocabulary > 0 ? vocabulary : 1), most = LOGIT_BYTES / row;
    if (most < LEAST_ROWS) most = LEAST_ROWS;
    return (size_t)targets < most ? targets : (int)most;
}

static int chunk_rows(int targets, int vocabulary) {
    int most = most_rows(targets, vocabulary), chunks = most ? (targets + most - 1) / most : 1;
    return (targets + chunks - 1) / chunks; /* even chunks rather than a small last one */
}

/* Bytes of the logits of a chunk. */
static size_t logit_bytes(int targets, int vocabulary) {
    return (sizeof(float) * (size_t)most_rows(targets, vocabulary) * (size_t)vocabulary + 63) / 64 * 64;
}

/* Bytes of what the products around the logits need, one after the other. */
static size_t product_bytes(int threads, int targets, int hidden, int vocabulary, bool alignment) {
    /* A last chunk may be small where the others are not. */
    size_t few = few_room(targets < FEW_ROWS ? targets : FEW_ROWS, hidden);
    size_t aligned = alignment ? weight_gradient_scratch(threads, most_rows(targets, vocabulary)) : 0;
    return few > aligned ? few : aligned;
}

size_t cpu_cross_entropy_scratch(int threads, int targets, int hidden, int vocabulary, bool alignment) {
    return logit_bytes(targets, vocabulary) + product_bytes(threads, targets, hidden, vocabulary, alignment);
}

static CPU_KERNEL float kernel_maximum(int n, const float *x) {
    float largest = -INFINITY;
    int i = 0;
    if (n >= CPU_LANES) {
        cpu_vec most = *(const cpu_vec *)x;
        for (i = CPU_LANES; i + CPU_LANES <= n; i += CPU_LANES) cpu_keep_larger(&most, x + i);
        largest = cpu_largest_lane(&most);
    }
    for (; i < n; i++) largest = x[i] > largest ? x[i] : largest;
    return largest;
}

/* x = e^(x - largest); their sum, in double over runs that are short enough for float. */
static CPU_KERNEL double kernel_exponentials(int n, float largest, float *x) {
    enum { RUN = 1024 };
    double sum = 0.0;
    for (int start = 0; start < n; start += RUN) {
        int end = n - start < RUN ? n : start + RUN, i = start;
        cpu_vec lanes = {0};
        for (; i < end; i++) x[i] = cpu_exp(x[i] - largest);
        for (i = start; i + CPU_LANES <= end; i += CPU_LANES) lanes += *(const cpu_vec *)(x + i);
        float rest = cpu_sum_lanes(&lanes);
        for (; i < end; i++) rest += x[i];
        sum += (double)rest;
    }
    return sum;
}

static CPU_KERNEL void kernel_weigh(int n, float factor, float *x) {
    for (int i = 0; i < n; i++) x[i] = cpu_flush(x[i] * factor);
}

static bool is_greedy(const float *x, int target, float largest) {
    if (!(x[target] == largest)) return false;
    for (int i = 0; i < target; i++)
        if (x[i] == largest) return false;
    return true;
}

/* Places of the operands in host memory; NULL where absent. */
struct places {
    const float *hidden, *weight, *row_weight, *direction;
    const int32_t *target, *slot;
    float *loss, *hidden_gradient, *weight_gradient, *logits;
    void *room; /* of products */
    int32_t *greedy;
    double *alignment;
};

static bool find_places(struct cpu *cpu, const struct linear_cross_entropy *args, struct places *at) {
    static const char name[] = "linear_cross_entropy";
    size_t rows = (size_t)args->rows, hidden = (size_t)args->hidden, vocabulary = (size_t)args->vocabulary;
    bool backward = args->row_weight.buffer != NULL, aligned = args->alignment.buffer != NULL;
    if (!backward && (args->hidden_gradient.buffer || args->weight_gradient.buffer || aligned)) {
        cpu_fail(cpu, ERROR_INTERNAL, name, "gradients without row weights");
        return false;
    }
    at->hidden = cpu_f32(cpu, name, args->hidden_states, rows * hidden);
    at->weight = cpu_f32(cpu, name, args->weight, vocabulary * hidden);
    at->target = cpu_indices(cpu, name, args->target, rows, vocabulary);
    at->loss = cpu_f32(cpu, name, args->loss, rows);
    if (args->greedy.buffer) at->greedy = cpu_i32(cpu, name, args->greedy, rows);
    if (backward) at->row_weight = cpu_f32(cpu, name, args->row_weight, rows);
    if (args->hidden_gradient.buffer)
        at->hidden_gradient = cpu_f32(cpu, name, args->hidden_gradient, rows * hidden);
    if (args->weight_gradient.buffer)
        at->weight_gradient = cpu_f32(cpu, name, args->weight_gradient, vocabulary * hidden);
    if (aligned) {
        at->direction = cpu_f32(cpu, name, args->direction, vocabulary * hidden);
        at->slot = cpu_indices(cpu, name, args->slot, rows, cpu_room(args->alignment));
        at->alignment = cpu_f64(cpu, name, args->alignment, 1);
    }
    unsigned char *scratch = cpu_scratch(
        cpu, name,
        cpu_cross_entropy_scratch(cpu->threads, args->rows, args->hidden, args->vocabulary, aligned));
    if (!scratch) return false;
    at->logits = (float *)(void *)scratch;
    at->room = scratch + logit_bytes(args->rows, args->vocabulary);
    return cpu_ready(cpu);
}

/* One row: loss, greedy and, for a backward pass, the gradient of the weighted loss in place of the logits.
 */
static void finish_row(const struct places *at, int vocabulary, int n, float *logits) {
    int target = at->target[n];
    float largest = kernel_maximum(vocabulary, logits), mine = logits[target];
    if (at->greedy) at->greedy[n] = is_greedy(logits, target, largest);
    double sum = kernel_exponentials(vocabulary, largest, logits);
    at->loss[n] = (float)(log(sum) + (double)largest - (double)mine);
    if (!at->row_weight) return;
    float weight = at->row_weight[n], e = logits[target];
    kernel_weigh(vocabulary, (float)((double)weight / sum), logits);
    logits[target] = (float)((double)weight * ((double)e / sum - 1.0));
}

static void linear_cross_entropy(struct backend *b, const struct linear_cross_entropy *args) {
    static const char name[] = "linear_cross_entropy";
    struct cpu *cpu = cpu_of(b);
    int hidden = args->hidden, vocabulary = args->vocabulary, threads = cpu->threads;
    if (!cpu_sizes(cpu, name, args->rows, hidden, vocabulary) || args->rows == 0) return;
    if (hidden == 0 || vocabulary == 0) {
        cpu_fail(cpu, ERROR_INTERNAL, name, "no hidden columns or no vocabulary");
        return;
    }
    struct places at = {0};
    if (!find_places(cpu, args, &at)) return;
    int chunk = chunk_rows(args->rows, vocabulary), status = 0;
    size_t width = (size_t)hidden, classes = (size_t)vocabulary;
    for (int start = 0; start < args->rows && !status; start += chunk) {
        int rows = args->rows - start < chunk ? args->rows - start : chunk;
        const float *states = at.hidden + (size_t)start * width;
        status = few_linear(cpu->gemm, threads, rows, vocabulary, hidden, 1.0f, states, hidden, at.weight,
                            hidden, 0.0f, at.logits, vocabulary, at.room);
#pragma omp parallel for num_threads(threads) schedule(static) if ((size_t)rows * classes > SMALL)
        for (int r = 0; r < rows; r++)
            finish_row(&at, vocabulary, start + r, at.logits + (size_t)r * classes);
        if (at.hidden_gradient && !status)
            status =
                gemm_multiply(cpu->gemm, false, false, rows, hidden, vocabulary, 1.0f, at.logits, vocabulary,
                              at.weight, hidden, 0.0f, at.hidden_gradient + (size_t)start * width, hidden);
        const struct weight_gradient work = {
            rows,        vocabulary,         hidden,       states,
            at.logits,   at.weight_gradient, at.direction, at.slot ? at.slot + start : NULL,
            at.alignment};
        if (!status) status = weight_gradient_add(cpu->gemm, threads, &work, at.room);
    }
    if (status) cpu_fail(cpu, ERROR_DEVICE, name, "the GEMM library gave status %d", status);
}

void cpu_install_cross_entropy(struct backend *b) {
    b->linear_cross_entropy = linear_cross_entropy;
}

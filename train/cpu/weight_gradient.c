#include "train/cpu/weight_gradient.h"

#include "train/cpu/cpu.h"
#include "train/cpu/kernels.h"
#include <omp.h>

enum {
    TILE_ROWS = 96, /* a tile of W: with the direction's and the gradient's it stays in a core's own cache */
    TILE_COLUMNS = 768, /* at most */
    SHARES = 64         /* partial sums of an alignment, whatever the number of threads */
};

/* Consecutive rows of one slot. */
struct row_run {
    int start, length;
};

/* The parts of the scratch memory. */
struct room {
    double *partial;      /* [SHARES, runs] */
    struct row_run *runs; /* [rows] at most */
    float *tiles;         /* [threads, TILE_ROWS * TILE_COLUMNS] */
};

static size_t rounded(size_t bytes) {
    return (bytes + 63) / 64 * 64;
}

static size_t partial_bytes(int runs) {
    return rounded(sizeof(double) * SHARES * (size_t)runs);
}

static size_t run_bytes(int rows) {
    return rounded(sizeof(struct row_run) * (size_t)rows);
}

size_t weight_gradient_scratch(int threads, int rows) {
    return partial_bytes(rows) + run_bytes(rows) + sizeof(float) * TILE_ROWS * TILE_COLUMNS * (size_t)threads;
}

static struct room room_in(unsigned char *scratch, int rows) {
    struct room room;
    room.partial = (double *)(void *)scratch;
    room.runs = (struct row_run *)(void *)(scratch + partial_bytes(rows));
    room.tiles = (float *)(void *)(scratch + partial_bytes(rows) + run_bytes(rows));
    return room;
}

static int find_runs(const int32_t *slot, int rows, struct row_run *runs) {
    int count = 0;
    for (int start = 0, end; start < rows; start = end) {
        for (end = start + 1; end < rows && slot[end] == slot[start];) end++;
        runs[count++] = (struct row_run){start, end - start};
    }
    return count;
}

/* Of one row of a tile: short enough for sums in float. */
static CPU_KERNEL float kernel_dot(int n, const float *x, const float *y) {
    cpu_vec lanes = {0};
    int i = 0;
    for (; i + CPU_LANES <= n; i += CPU_LANES) lanes += *(const cpu_vec *)(x + i) * *(const cpu_vec *)(y + i);
    float sum = cpu_sum_lanes(&lanes);
    for (; i < n; i++) sum += x[i] * y[i];
    return sum;
}

static CPU_KERNEL void kernel_add(int n, const float *restrict x, float *restrict y) {
    for (int i = 0; i < n; i++) y[i] += x[i];
}

/* Tiles of W in rows and columns. */
struct tiling {
    int down, across, width;
};

static struct tiling tiling_of(const struct weight_gradient *a) {
    struct tiling tiling = {.down = (a->out + TILE_ROWS - 1) / TILE_ROWS,
                            .across = (a->in + TILE_COLUMNS - 1) / TILE_COLUMNS};
    int even = (a->in + tiling.across - 1) / tiling.across;
    tiling.width = (even + CPU_LANES - 1) / CPU_LANES * CPU_LANES;
    return tiling;
}

/* One tile: every run's product, its part of the alignment into sums[run], and its addition to the gradient.
 */
static int add_tile(struct gemm *gemm, const struct weight_gradient *a, int top, int height, int left,
                    int width, const struct row_run *runs, int count, float *tile, double *sums) {
    for (int r = 0; r < count; r++) {
        size_t first = (size_t)runs[r].start;
        int status = gemm_multiply_here(gemm, true, false, height, width, runs[r].length, 1.0f,
                                        a->output_gradient + first * (size_t)a->out + top, a->out,
                                        a->input + first * (size_t)a->in + left, a->in, 0.0f, tile, width);
        if (status) return status;
        for (int i = 0; i < height; i++) {
            size_t at = (size_t)(top + i) * (size_t)a->in + (size_t)left;
            const float *row = tile + (size_t)i * (size_t)width;
            sums[r] += (double)kernel_dot(width, row, a->direction + at);
            if (a->gradient) kernel_add(width, row, a->gradient + at);
        }
    }
    return 0;
}

static int add_aligned(struct gemm *gemm, int threads, const struct weight_gradient *a, void *scratch) {
    struct room room = room_in(scratch, a->rows);
    struct tiling tiling = tiling_of(a);
    int count = find_runs(a->slot, a->rows, room.runs), tiles = tiling.down * tiling.across, failure = 0;
    int shares = tiles < SHARES ? tiles : SHARES;
#pragma omp parallel for num_threads(threads) schedule(dynamic) reduction(| : failure)
    for (int share = 0; share < shares; share++) {
        float *tile = room.tiles + (size_t)omp_get_thread_num() * TILE_ROWS * TILE_COLUMNS;
        double *sums = room.partial + (size_t)share * (size_t)count;
        for (int r = 0; r < count; r++) sums[r] = 0.0;
        for (int t = share; t < tiles; t += shares) {
            int top = t / tiling.across * TILE_ROWS, left = t % tiling.across * tiling.width;
            int height = a->out - top < TILE_ROWS ? a->out - top : TILE_ROWS;
            int width = a->in - left < tiling.width ? a->in - left : tiling.width;
            failure |= add_tile(gemm, a, top, height, left, width, room.runs, count, tile, sums);
        }
    }
    for (int r = 0; r < count; r++)
        for (int share = 0; share < shares; share++)
            a->alignment[a->slot[room.runs[r].start]] +=
                room.partial[(size_t)share * (size_t)count + (size_t)r];
    return failure;
}

int weight_gradient_add(struct gemm *gemm, int threads, const struct weight_gradient *args, void *scratch) {
    if (args->direction) return add_aligned(gemm, threads, args, scratch);
    if (!args->gradient) return 0;
    return gemm_multiply(gemm, true, false, args->out, args->in, args->rows, 1.0f, args->output_gradient,
                         args->out, args->input, args->in, 1.0f, args->gradient, args->in);
}

/* Tensor cores: what the lanes of a warp hold of matrices, as the PTX ISA says ("Matrix Fragments for
 * mma.m16n8k16", "ldmatrix"). */
#include "tests/emulation/emulation.h"
#include "cuda_bf16.h"

namespace {

enum { M = 16, N = 8, K = 16 };

struct product {
    float *d;
    const uint32_t *a, *b;
};

/* The numbers of a register: the lower half first. */
float number(uint32_t pair, int which) {
    return __bfloat162float(__nv_bfloat16{(uint16_t)(pair >> 16 * which)});
}

void multiply(void *const lanes[32]) {
    float a[M][K], b[K][N], d[M][N];
    for (int lane = 0; lane < 32; lane++) {
        const product *p = (const product *)lanes[lane];
        const int group = lane / 4, pair = lane % 4 * 2;
        for (int i = 0; i < 4; i++)
            for (int h = 0; h < 2; h++) {
                a[group + i % 2 * 8][pair + i / 2 * 8 + h] = number(p->a[i], h);
                if (i < 2) b[pair + i * 8 + h][group] = number(p->b[i], h);
            }
        for (int i = 0; i < 4; i++) d[group + i / 2 * 8][pair + i % 2] = p->d[i];
    }
    for (int m = 0; m < M; m++)
        for (int k = 0; k < K; k++)
            for (int n = 0; n < N; n++) d[m][n] += a[m][k] * b[k][n];
    for (int lane = 0; lane < 32; lane++)
        for (int i = 0; i < 4; i++)
            ((const product *)lanes[lane])->d[i] = d[lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2];
}

struct load {
    uint32_t *to;
    const void *row;
};

uint16_t element(const load *from, int column) {
    uint16_t bits;
    memcpy(&bits, (const unsigned char *)from->row + column * 2, sizeof bits);
    return bits;
}

template <bool TRANSPOSED> void load_matrices(void *const lanes[32]) {
    for (int lane = 0; lane < 32; lane++)
        for (int i = 0; i < 4; i++) {
            uint32_t pair = 0;
            for (int h = 0; h < 2; h++) {
                int row = lane / 4, column = lane % 4 * 2 + h;
                const load *from = (const load *)lanes[i * 8 + (TRANSPOSED ? column : row)];
                pair |= (uint32_t)element(from, TRANSPOSED ? row : column) << 16 * h;
            }
            ((const load *)lanes[lane])->to[i] = pair;
        }
}

} // namespace

void emulation_mma(const char *file, int line, float d[4], const uint32_t a[4], const uint32_t b[2]) {
    product mine = {d, a, b};
    emulation_together(file, line, &mine, multiply);
}

void emulation_ldmatrix(const char *file, int line, uint32_t to[4], const void *row, bool transposed) {
    load mine = {to, row};
    emulation_check_shared("matrices", row, 16);
    if ((uintptr_t)row % 16) emulation_misaligned(file, line, row);
    emulation_together(file, line, &mine, transposed ? load_matrices<true> : load_matrices<false>);
}

void emulation_misaligned(const char *file, int line, const void *at) {
    emulation_stop("%s:%d: misaligned: %p", file, line, at);
}

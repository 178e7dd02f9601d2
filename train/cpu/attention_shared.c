#include "train/cpu/attention.h"
#include "train/cpu/tile.h"

enum { BLOCK = ATTENTION_BLOCK };

void attention_scores(const struct pairs *pairs, int head_dim, const float *queries, ptrdiff_t stride,
                      const float *keys, float *scores) {
    int strip = pairs_strip(pairs);
    for (int i = 0; i < pairs->rows; i += strip) {
        int end = i + strip < pairs->rows ? i + strip : pairs->rows;
        struct range seen = pairs_keys(pairs, i, end);
        int first = seen.first / ATTENTION_STRIP * ATTENTION_STRIP; /* whole vectors */
        int columns = (seen.last - first + ATTENTION_STRIP - 1) / ATTENTION_STRIP * ATTENTION_STRIP;
        if (seen.last > seen.first)
            tile_multiply(end - i, columns, head_dim, queries + i * stride, stride, 1, keys + first, BLOCK, 0,
                          scores + i * BLOCK + first, BLOCK);
    }
}

void attention_combine(const struct pairs *pairs, int head_dim, const float *weights, const float *values,
                       ptrdiff_t stride, float *out, ptrdiff_t out_stride) {
    int strip = pairs_strip(pairs);
    for (int i = 0; i < pairs->rows; i += strip) {
        int end = i + strip < pairs->rows ? i + strip : pairs->rows;
        struct range seen = pairs_keys(pairs, i, end);
        tile_multiply(end - i, head_dim, seen.last - seen.first, weights + i * BLOCK + seen.first, BLOCK, 1,
                      values + seen.first * stride, stride, 1, out + i * out_stride, out_stride);
    }
}

/* Stands for CUDA's header of this name: bfloat16 and its conversions. */
#ifndef ADAPT_EMULATION_CUDA_BF16_H
#define ADAPT_EMULATION_CUDA_BF16_H

#include <cstdint>
#include <cstring>

struct __nv_bfloat16 {
    uint16_t bits;
};

static inline float __bfloat162float(__nv_bfloat16 half) {
    uint32_t bits = (uint32_t)half.bits << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* To the nearest, ties to even; a NaN stays one. */
static inline __nv_bfloat16 __float2bfloat16_rn(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    __nv_bfloat16 half = {(uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
    if (value != value) half.bits = 0x7fff;
    return half;
}

#endif

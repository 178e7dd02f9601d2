/* Element types of safetensors, and the conversions between float32 and the two 16-bit kinds. */
#include "io/safetensors/safetensors.h"

#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "safetensors are little-endian: so must the machine be");

static const struct {
    const char *name;
    size_t bytes;
} DTYPES[SAFETENSORS_DTYPES] = {
    [SAFETENSORS_BOOL] = {"BOOL", 1},       [SAFETENSORS_U8] = {"U8", 1},
    [SAFETENSORS_I8] = {"I8", 1},           [SAFETENSORS_F8_E5M2] = {"F8_E5M2", 1},
    [SAFETENSORS_F8_E4M3] = {"F8_E4M3", 1}, [SAFETENSORS_I16] = {"I16", 2},
    [SAFETENSORS_U16] = {"U16", 2},         [SAFETENSORS_F16] = {"F16", 2},
    [SAFETENSORS_BF16] = {"BF16", 2},       [SAFETENSORS_I32] = {"I32", 4},
    [SAFETENSORS_U32] = {"U32", 4},         [SAFETENSORS_F32] = {"F32", 4},
    [SAFETENSORS_F64] = {"F64", 8},         [SAFETENSORS_I64] = {"I64", 8},
    [SAFETENSORS_U64] = {"U64", 8},
};

const char *safetensors_dtype_name(enum safetensors_dtype dtype) {
    return DTYPES[dtype].name;
}

size_t safetensors_dtype_bytes(enum safetensors_dtype dtype) {
    return DTYPES[dtype].bytes;
}

bool safetensors_is_float(enum safetensors_dtype dtype) {
    return dtype == SAFETENSORS_F32 || dtype == SAFETENSORS_F16 || dtype == SAFETENSORS_BF16;
}

static float float_of(uint32_t bits) {
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static uint32_t bits_of(float number) {
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

/* The maps' tensors may lie at odd addresses, hence memcpy, which compiles to plain loads. */
static uint32_t half_at(const unsigned char *bytes, size_t index) {
    uint16_t half;
    memcpy(&half, bytes + 2 * index, sizeof half);
    return half;
}

static void put_half(unsigned char *bytes, size_t index, uint32_t bits) {
    uint16_t half = (uint16_t)bits;
    memcpy(bytes + 2 * index, &half, sizeof half);
}

static uint32_t to_bfloat16(float number) {
    uint32_t bits = bits_of(number);
    if (number != number) return bits >> 16 | 0x40; /* rounding could carry a NaN into infinity */
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

/* IEEE 754 binary16: 5 bits of exponent with bias 15, 10 of mantissa. */
static float from_float16(uint32_t half) {
    uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 31, mantissa = half & 0x3ff;
    if (exponent == 31) return float_of(sign | 0x7f800000 | mantissa << 13);
    float size = exponent ? float_of((exponent + 112) << 23 | mantissa << 13) : (float)mantissa * 0x1p-24f;
    return sign ? -size : size;
}

static uint32_t to_float16(float number) {
    uint32_t bits = bits_of(number), sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
    if (size > 0x7f800000) return sign | 0x7e00;  /* NaN */
    if (size >= 0x47800000) return sign | 0x7c00; /* from 2^16 on */
    if (size < 0x38800000)                        /* below 2^-14: the last bit of 0.5 is worth 2^-24 */
        return sign | (bits_of(float_of(size) + 0.5f) - bits_of(0.5f));
    return sign | (size + 0xfff + (size >> 13 & 1) - (112u << 23)) >> 13;
}

void safetensors_read_floats(const struct safetensors_tensor *tensor, size_t first, size_t count,
                             float *out) {
    const unsigned char *data = tensor->data + first * DTYPES[tensor->dtype].bytes;
    switch (tensor->dtype) {
    case SAFETENSORS_F32: memcpy(out, data, count * sizeof *out); break;
    case SAFETENSORS_BF16:
        for (size_t i = 0; i < count; i++) out[i] = float_of(half_at(data, i) << 16);
        break;
    case SAFETENSORS_F16:
        for (size_t i = 0; i < count; i++) out[i] = from_float16(half_at(data, i));
        break;
    default: memset(out, 0xff, count * sizeof *out); /* NaN: callers ask safetensors_is_float first */
    }
}

void safetensors_write_floats(enum safetensors_dtype dtype, const float *numbers, size_t count, void *out) {
    unsigned char *bytes = out;
    switch (dtype) {
    case SAFETENSORS_F32: memcpy(bytes, numbers, count * sizeof *numbers); break;
    case SAFETENSORS_BF16:
        for (size_t i = 0; i < count; i++) put_half(bytes, i, to_bfloat16(numbers[i]));
        break;
    case SAFETENSORS_F16:
        for (size_t i = 0; i < count; i++) put_half(bytes, i, to_float16(numbers[i]));
        break;
    default: memset(bytes, 0xff, count * DTYPES[dtype].bytes);
    }
}

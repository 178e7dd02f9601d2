/* Element types of safetensors, and the conversions between float32 and the two 16-bit kinds. */
#include "io/safetensors.h"

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

/* The maps' tensors may lie at odd addresses, hence memcpy, which compiles to plain loads. */
static float from_bfloat16(const unsigned char *bytes) {
    uint16_t half;
    memcpy(&half, bytes, sizeof half);
    uint32_t bits = (uint32_t)half << 16;
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static uint16_t to_bfloat16(float number) {
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    if (number != number) return (uint16_t)(bits >> 16 | 0x40); /* rounding could carry a NaN into infinity */
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static float from_float16(const unsigned char *bytes) {
    _Float16 half;
    memcpy(&half, bytes, sizeof half);
    return (float)half;
}

void safetensors_read_floats(const struct safetensors_tensor *tensor, size_t first, size_t count,
                             float *out) {
    const unsigned char *data = tensor->data + first * DTYPES[tensor->dtype].bytes;
    switch (tensor->dtype) {
    case SAFETENSORS_F32:
        memcpy(out, data, count * sizeof *out);
        break;
    case SAFETENSORS_BF16:
        for (size_t i = 0; i < count; i++) out[i] = from_bfloat16(data + 2 * i);
        break;
    case SAFETENSORS_F16:
        for (size_t i = 0; i < count; i++) out[i] = from_float16(data + 2 * i);
        break;
    default:
        memset(out, 0xff, count * sizeof *out); /* NaN: callers ask safetensors_is_float first */
    }
}

void safetensors_write_floats(enum safetensors_dtype dtype, const float *numbers, size_t count, void *out) {
    unsigned char *bytes = out;
    switch (dtype) {
    case SAFETENSORS_F32:
        memcpy(bytes, numbers, count * sizeof *numbers);
        break;
    case SAFETENSORS_BF16:
        for (size_t i = 0; i < count; i++) {
            uint16_t half = to_bfloat16(numbers[i]);
            memcpy(bytes + 2 * i, &half, sizeof half);
        }
        break;
    case SAFETENSORS_F16:
        for (size_t i = 0; i < count; i++) {
            _Float16 half = (_Float16)numbers[i];
            memcpy(bytes + 2 * i, &half, sizeof half);
        }
        break;
    default:
        memset(bytes, 0xff, count * DTYPES[dtype].bytes);
    }
}

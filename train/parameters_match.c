/* Which tensor of a checkpoint is which parameter. */
#include "train/parameters_internal.h"

#include <math.h>
#include <string.h>

static const struct parameter *find_parameter(const struct parameter_layout *layout, const char *name) {
    for (int i = 0; i < layout->count; i++)
        if (strcmp(layout->parameters[i].name, name) == 0) return &layout->parameters[i];
    return NULL;
}

bool parameters_is_derived(const char *name) {
    static const char suffix[] = ".rotary_emb.inv_freq";
    size_t length = strlen(name), end = sizeof suffix - 1;
    return length > end && strcmp(name + length - end, suffix) == 0;
}

bool parameters_is_tied_head(const struct parameter_layout *layout, const char *name) {
    return layout->head == layout->embedding && strcmp(name, "lm_head.weight") == 0;
}

int parameters_match(const char *folder, const struct safetensors *reader,
                     const struct safetensors_tensor *tensor, const struct parameter_layout *layout,
                     const struct parameter **out, struct error *err) {
    const char *file = safetensors_file_name(reader, tensor->file);
    *out = NULL;
    if (parameters_is_derived(tensor->name)) return 0;
    const struct parameter *p = parameters_is_tied_head(layout, tensor->name)
                                    ? find_parameter(layout, "model.embed_tokens.weight")
                                    : find_parameter(layout, tensor->name);
    if (!p)
        return error_set(err, ERROR_INPUT,
                         "%s/%s: tensor \"%s\" is none of the model that config.json describes", folder, file,
                         tensor->name);
    size_t rows = tensor->dimensions > 0 ? tensor->shape[0] : 0,
           columns = tensor->dimensions > 1 ? tensor->shape[1] : 1;
    if (tensor->dimensions != (p->columns > 1 ? 2 : 1) || rows != (size_t)p->rows ||
        columns != (size_t)p->columns)
        return error_set(err, ERROR_INPUT,
                         "%s/%s: tensor \"%s\" has %d dimensions, %zu x %zu; config.json asks for %d x %d",
                         folder, file, tensor->name, tensor->dimensions, rows, columns, p->rows, p->columns);
    if (!safetensors_is_float(tensor->dtype))
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s/%s: tensor \"%s\" is %s (BF16, F16 and F32 are supported)", folder, file,
                         tensor->name, safetensors_dtype_name(tensor->dtype));
    *out = p;
    return 0;
}

bool parameters_all_finite(const float *numbers, size_t count) {
    bool finite = true;
    for (size_t i = 0; i < count; i++) finite &= isfinite(numbers[i]) != 0;
    return finite;
}

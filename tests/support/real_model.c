#include "tests/support/real_model.h"

#include "io/file.h"
#include "tests/support/model_test.h"
#include "train/parameters.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static bool find(const char *name, char folder[REAL_PATH_BYTES]) {
    const char *root = getenv("ADAPT_TEST_MODELS"), *home = getenv("HOME");
    if (root)
        snprintf(folder, REAL_PATH_BYTES, "%s/%s", root, name);
    else
        snprintf(folder, REAL_PATH_BYTES, "%s/.cache/adapt/models/%s", home ? home : "", name);
    return file_is_folder(folder);
}

bool real_models_absent(void) {
    char smollm2[REAL_PATH_BYTES], gemma3[REAL_PATH_BYTES];
    if (find(REAL_SMOLLM2, smollm2) || find(REAL_GEMMA3, gemma3)) return false;
    printf("skipped: neither %s nor %s is there (tests/fetch_models.sh)\n", smollm2, gemma3);
    return true;
}

void real_model_find(const char *name, char folder[REAL_PATH_BYTES]) {
    if (find(name, folder)) return;
    print_message("  skipped: no model in %s\n", folder);
    skip();
}

void real_model_open(const char *name, struct real_model *out) {
    char folder[REAL_PATH_BYTES];
    real_model_find(name, folder);
    *out = (struct real_model){0};
    MUST(model_config_load(folder, &out->config, err));
    MUST(parameter_layout_create(&out->config, &out->layout, err));
    MUST(tokenizer_load(folder, &out->tokenizer, err));
    MUST(backend_create("cpu", 0, &out->backend, err));
    MUST(
        out->backend->buffer_create(out->backend, out->layout->elements * sizeof(float), &out->weights, err));
    out->model = (struct eval_model){.backend = out->backend,
                                     .config = &out->config,
                                     .layout = out->layout,
                                     .parameters = {out->weights, 0, DTYPE_F32},
                                     .tokenizer = out->tokenizer};
    MUST(parameters_load(folder, out->layout, out->backend, out->model.parameters, err));
}

void real_model_close(struct real_model *model) {
    model->backend->buffer_destroy(model->backend, &model->weights);
    backend_destroy(&model->backend);
    tokenizer_destroy(&model->tokenizer);
    parameter_layout_destroy(&model->layout);
}

/* Any bytes as config.json: refused with a message that names the file, or a config whose sizes make sense.
 */
#include "train/parameters.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);

static char folder[] = "/tmp/adapt-fuzz-config-XXXXXX", path[64];

static void remove_folder(void) {
    unlink(path);
    rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    if (!mkdtemp(folder)) return 1;
    snprintf(path, sizeof path, "%s/config.json", folder);
    return atexit(remove_folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file)) abort();
    struct model_config c;
    struct error err = {0};
    if (model_config_load(folder, &c, &err)) {
        if (!err.code || !strstr(err.message, "config.json")) abort();
        return 0;
    }
    if (c.heads % c.kv_heads || c.head_dim % 2 || c.layers < 1 || c.layers > MODEL_LAYERS_MAX ||
        !(c.query_scale > 0) || !(c.norm_epsilon > 0) || !(c.rope_full.theta >= 1) ||
        c.end_count > MODEL_END_IDS_MAX || c.begin_id >= c.vocabulary)
        abort();
    struct parameter_layout *layout;
    if (parameter_layout_create(&c, &layout, &err)) abort();
    if (layout->numbers > layout->elements) abort();
    parameter_layout_destroy(&layout);
    return 0;
}

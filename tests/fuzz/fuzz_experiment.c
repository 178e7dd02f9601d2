/* Any text as an experiment file: it is read or refused, never worse; what was read equals itself. */
#include "runner/experiment/experiment.h"

#include "base/memory.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct error err = {0};
    struct experiment *experiment;
    if (experiment_parse("e.json", (const char *)data, size, &experiment, &err)) {
        if (experiment || !err.message[0]) abort();
        return 0;
    }
    for (int i = 0; i < experiment->method_count; i++) {
        char *text = NULL;
        if (experiment_method_json(&experiment->methods[i], &text, &err)) abort();
        memory_free(text);
    }
    if (experiment_compare(experiment, experiment->text, &err)) abort();
    experiment_destroy(&experiment);
    return 0;
}

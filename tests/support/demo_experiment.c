#include "tests/support/demo_experiment.h"

#include "base/text.h"
#include "io/file.h"
#include <stdio.h>
#include <stdlib.h>

int demo_folder(char *folder, struct error *err) {
    const char *base = getenv("TMPDIR");
    snprintf(folder, 256, "%s/adapt-test-XXXXXX", base && *base ? base : "/tmp");
    return mkdtemp(folder) ? 0 : error_set_errno(err, "cannot make a folder like %s", folder);
}

int demo_experiment(const char *folder, const char *data, const char *model, const char *training,
                    const char *method, struct experiment **out, struct error *err) {
    struct text text = {0}, path = {0};
    int code = text_printf(
        &text, err,
        "{\"name\": \"test\",\n"
        " \"models\": [{\"name\": \"%s\", \"path\": \"%s/models/%s\"}],\n"
        " \"tasks\": {\"path\": \"%s/tasks\", \"group_by\": \"category\", \"validation_examples\": 8,\n"
        "            \"max_tokens\": 128},\n"
        " \"budgets\": [0.05],\n"
        " \"methods\": [{%s}],\n"
        " \"seeds\": [1],\n"
        " \"training\": {%s},\n"
        " \"evaluation\": {\"validation_at\": [0, 1]},\n"
        " \"out\": \"%s/out\"}\n",
        model, data, model, data, method, training, folder);
    if (!code) code = text_printf(&path, err, "%s/experiment.json", folder);
    if (!code) code = file_write(path.data, text.data, text.length, err);
    if (!code) code = experiment_load(path.data, out, err);
    text_free(&text);
    text_free(&path);
    return code;
}

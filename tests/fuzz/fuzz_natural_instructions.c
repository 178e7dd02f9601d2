/* Any text as a Natural Instructions file: every instance comes sound or explained, twice the same way; and
 * the format as a template renders or is refused. */
#include "io/tasks/natural_instructions.h"
#include "io/tasks/template.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static size_t walk(struct instructions_file *file) {
    size_t sum = 0;
    for (;;) {
        struct error err = {0};
        struct instructions_instance instance;
        enum instructions_found found;
        if (instructions_next(file, &instance, &found, &err)) return sum * 31 + 7;
        if (found == INSTRUCTIONS_END) return sum;
        if (found == INSTRUCTIONS_BAD) {
            if (!instructions_explain(file, &err) || !err.message[0] || strstr(err.message, ": sound"))
                abort();
            sum = sum * 31 + 1;
        } else {
            if (!instance.output[0]) abort();
            sum = sum * 31 + strlen(instance.input) + strlen(instance.output);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct error err = {0};
    struct instructions_file *file;
    if (instructions_open_bytes("f", (const char *)data, size, 3, &file, &err)) {
        if (file || strncmp(err.message, "f:", 2)) abort();
        return 0;
    }
    size_t first = walk(file);
    instructions_rewind(file);
    if (walk(file) != first) abort();

    const char *definition = instructions_definition(file);
    size_t count;
    const struct instructions_example *examples = instructions_examples(file, &count);
    if (!template_check(definition, 0, &err)) {
        struct text text = {0};
        if (template_render(definition, definition, examples, count, "input", &text, &err)) abort();
        text_free(&text);
    }
    instructions_close(&file);
    return 0;
}

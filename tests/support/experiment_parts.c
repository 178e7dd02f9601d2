#include "tests/support/experiment_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

const struct experiment_parts experiment_parts_good = {
    .name = "\"name\": \"small\"",
    .models = "\"models\": [{\"name\": \"m\", \"path\": \"models/m\"}]",
    .tasks = "\"tasks\": {\"path\": \"data\"}",
    .budgets = "\"budgets\": [0.01]",
    .methods = "\"methods\": [{\"name\": \"uniform\"}]",
};

void experiment_parts_write(const struct experiment_parts *parts, struct text *out) {
    const char *list[] = {parts->name,    parts->models,  parts->tasks,
                          parts->budgets, parts->methods, parts->rest};
    assert_int_equal(text_append_string(out, "{", NULL), 0);
    int count = 0;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        if (list[i] && *list[i])
            assert_int_equal(text_printf(out, NULL, "%s%s", count++ ? ",\n " : "", list[i]), 0);
    }
    assert_int_equal(text_append_string(out, "}\n", NULL), 0);
}

struct experiment *experiment_parts_parse(const struct experiment_parts *parts) {
    struct text text = {0};
    struct error err = {0};
    struct experiment *experiment;
    experiment_parts_write(parts, &text);
    if (experiment_parse(EXPERIMENT_PARTS_PATH, text_string(&text), text.length, &experiment, &err))
        fail_msg("%s", err.message);
    text_free(&text);
    return experiment;
}

void experiment_text_refused(const char *text, const char *message) {
    struct error err = {0};
    struct experiment *experiment;
    int code = experiment_parse(EXPERIMENT_PARTS_PATH, text, strlen(text), &experiment, &err);
    if (code != ERROR_INPUT) fail_msg("code %d for %s", code, text);
    assert_null(experiment);
    if (strcmp(err.message, message))
        fail_msg("\n%s\nwas expected for\n%s\nnot\n%s", message, text, err.message);
}

void experiment_parts_refused(const struct experiment_parts *parts, const char *message) {
    struct text text = {0};
    experiment_parts_write(parts, &text);
    experiment_text_refused(text_string(&text), message);
    text_free(&text);
}

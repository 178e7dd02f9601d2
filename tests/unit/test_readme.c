/* README.md tells every key of the experiment file, its default and its meaning, as the settings tables have
 * them. A failure prints the line that the README should have. */
#include "base/memory.h"
#include "base/text.h"
#include "io/file.h"
#include "runner/experiment/experiment_internal.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* "| `key` | default | meaning |". */
static void describe(const struct setting *row, struct text *out) {
    struct error err = {0};
    char *printed = NULL;
    cJSON *text = NULL;
    assert_int_equal(text_printf(out, &err, "| `%s` | ", row->name), 0);
    switch (row->kind) {
    case SETTING_REAL:
    case SETTING_COUNT: assert_int_equal(text_printf(out, &err, "%.15g", row->initial), 0); break;
    case SETTING_FLAG:
        assert_int_equal(text_append_string(out, row->initial != 0.0 ? "true" : "false", &err), 0);
        break;
    case SETTING_CHOICE:
        for (const char *const *choice = row->choices; *choice; choice++) {
            const char *mark = choice - row->choices == (long)row->initial ? "**" : "";
            assert_int_equal(
                text_printf(out, &err, "%s%s%s%s", choice == row->choices ? "" : ", ", mark, *choice, mark),
                0);
        }
        break;
    case SETTING_TEXT:
        text = row->initial_text ? cJSON_CreateString(row->initial_text) : NULL;
        printed = text ? cJSON_PrintUnformatted(text) : NULL;
        if (printed) assert_int_equal(text_printf(out, &err, "`%s`", printed), 0);
        cJSON_free(printed);
        cJSON_Delete(text);
        break;
    }
    assert_int_equal(text_printf(out, &err, "%s| %s |\n",
                                 row->kind == SETTING_TEXT && !row->initial_text ? "" : " ", row->meaning),
                     0);
}

static int check_table(const char *readme, const char *name, const struct setting *table) {
    int missing = 0;
    for (const struct setting *row = table; row->name; row++) {
        struct text line = {0};
        describe(row, &line);
        if (!strstr(readme, text_string(&line))) {
            if (!missing) print_error("README.md lacks, under %s:\n", name);
            print_error("%s", text_string(&line));
            missing++;
        }
        text_free(&line);
    }
    return missing;
}

static void test_every_setting_is_told(void **state) {
    (void)state;
    struct error err = {0};
    struct text readme = {0};
    struct arena *arena = NULL;
    const struct setting *training = NULL;
    assert_int_equal(file_read(TEST_SOURCE_DIR "/../README.md", 1 << 20, &readme, &err), 0);
    assert_int_equal(arena_create(&arena, &err), 0);
    assert_int_equal(experiment_training_table(arena, &training, &err), 0);
    const char *text = text_string(&readme);
    int missing = check_table(text, "the experiment", experiment_table);
    missing += check_table(text, "tasks", tasks_settings_table);
    missing += check_table(text, "training", training);
    missing += check_table(text, "evaluation", eval_settings_table);
    missing += check_table(text, "decontaminate", experiment_decontaminate_table);
    missing += check_table(text, "slurm", slurm_settings_table);
    for (const struct method *const *method = method_list(); *method; method++) {
        struct text line = {0};
        assert_int_equal(text_printf(&line, &err, "| `%s` | %s", (*method)->name, (*method)->meaning), 0);
        if (!strstr(text, text_string(&line))) {
            print_error("README.md lacks the method: %s\n", text_string(&line));
            missing++;
        }
        text_free(&line);
        missing += check_table(text, (*method)->name, (*method)->settings);
    }
    arena_destroy(&arena);
    text_free(&readme);
    assert_int_equal(missing, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_setting_is_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

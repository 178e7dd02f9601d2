/* Sandboxes live against the reference's way of running programs (tests/support/code_eval.py): the
 * benchmarks' own solutions, empty completions and broken variants. Needs the benchmarks below
 * $ADAPT_TEST_DATA; skipped (77) without. ADAPT_TEST_VARIANTS: variants of each solution (default 1),
 * ADAPT_TEST_SEED: of their choice. */
#include "base/clock.h"
#include "base/text.h"
#include "io/file.h"
#include "tests/support/sandbox_run.h"
#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { MOST_PROGRAMS = 100000, FILE_LIMIT = 1 << 30 };
static const double PROGRAM_SECONDS = 0.080; /* a trivial program, on a machine with a processor for it */

struct program {
    char *name, *kind, *text;
    bool passes; /* in the reference */
    bool late;   /* the reference stopped it at its time limit */
    struct sandbox_verdict verdict;
};

struct live {
    char folder[64], data[512];
    struct program *programs;
    size_t count;
};

/* Runs python3 with a script of tests/support. */
static void run_script(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void run_script(const char *format, ...) {
    char arguments[2048], command[4096];
    va_list values;
    va_start(values, format);
    vsnprintf(arguments, sizeof arguments, format, values);
    va_end(values);
    /* The sandbox fixes the order of sets, so the reference does. */
    snprintf(command, sizeof command, "PYTHONHASHSEED=0 python3 -B %s/support/%s", TEST_SOURCE_DIR,
             arguments);
    if (system(command)) fail_msg("%s", command);
}

static char *member(const cJSON *object, const char *name) {
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));
    assert_non_null(value);
    return strdup(value);
}

static void read_programs(struct live *live, const char *path) {
    struct text text = {0};
    struct error err = {0};
    if (file_read(path, FILE_LIMIT, &text, &err)) fail_msg("%s", err.message);
    live->programs = calloc(MOST_PROGRAMS, sizeof *live->programs);
    assert_non_null(live->programs);
    for (char *line = text.data, *end; line && *line; line = end + 1) {
        end = strchr(line, '\n');
        assert_non_null(end);
        cJSON *object = cJSON_ParseWithLength(line, (size_t)(end - line));
        assert_non_null(object);
        assert_true(live->count < MOST_PROGRAMS);
        live->programs[live->count++] = (struct program){.name = member(object, "name"),
                                                         .kind = member(object, "kind"),
                                                         .text = member(object, "program")};
        cJSON_Delete(object);
    }
    text_free(&text);
}

/* Asks the reference about programs `first` .. `first + count - 1`. */
static void ask_reference(struct live *live, size_t first, size_t count) {
    char path[128], answers[128], line[4096];
    snprintf(path, sizeof path, "%s/texts", live->folder);
    snprintf(answers, sizeof answers, "%s/answers", live->folder);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    for (size_t i = first; i < first + count; i++) {
        cJSON *text = cJSON_CreateString(live->programs[i].text);
        char *printed = cJSON_PrintUnformatted(text);
        fprintf(file, "%s\n", printed);
        cJSON_free(printed);
        cJSON_Delete(text);
    }
    assert_int_equal(fclose(file), 0);
    run_script("code_eval.py %s %s 2", path, answers);
    file = fopen(answers, "re");
    assert_non_null(file);
    for (size_t i = first; i < first + count; i++) {
        assert_non_null(fgets(line, sizeof line, file));
        bool whole = strchr(line, '\n') != NULL;
        live->programs[i].passes = !strcmp(line, "passed\n");
        live->programs[i].late = !strcmp(line, "timed out\n");
        for (; !whole && fgets(line, sizeof line, file); whole = strchr(line, '\n') != NULL) {
        }
    }
    fclose(file);
}

static void ask_sandboxes(struct live *live, size_t first, size_t count) {
    static const struct sandbox_settings settings = {0};
    const char **texts = calloc(count, sizeof *texts);
    struct sandbox_verdict *verdicts = calloc(count, sizeof *verdicts);
    assert_true(texts && verdicts);
    for (size_t i = 0; i < count; i++) texts[i] = live->programs[first + i].text;
    sandbox_run(&settings, texts, count, verdicts);
    for (size_t i = 0; i < count; i++) live->programs[first + i].verdict = verdicts[i];
    free(texts);
    free(verdicts);
}

static bool differs(const struct program *program) {
    return program->passes != (program->verdict.outcome == SANDBOX_PASSED);
}

/* Whether only a clock, which does not stop while a program waits for a processor, may have made the difference. */
static bool differs_by_time(const struct program *program) {
    return differs(program) && (program->late || program->verdict.outcome == SANDBOX_TIMEOUT);
}

static void agrees_with_the_reference(void **state) {
    struct live *live = *state;
    size_t differences = 0, solutions = 0, right = 0, passing = 0;
    ask_reference(live, 0, live->count);
    double start = clock_seconds();
    ask_sandboxes(live, 0, live->count);
    double seconds = clock_seconds() - start;
    for (size_t i = 0; i < live->count; i++) {
        struct program *program = &live->programs[i];
        for (int chance = 0; chance < 3 && differs_by_time(program); chance++) { /* alone */
            ask_reference(live, i, 1);
            if (differs_by_time(program)) ask_sandboxes(live, i, 1);
        }
        if (differs(program)) {
            differences++;
            printf("%s (%s): %s in the reference, here %s: %s\n%s\n", program->name, program->kind,
                   program->passes ? "passed" : "not passed", sandbox_outcome_name(program->verdict.outcome),
                   program->verdict.message, program->text);
        }
        bool passed = program->verdict.outcome == SANDBOX_PASSED;
        bool solution = !strcmp(program->kind, "solution");
        passing += passed;
        solutions += solution;
        right += solution && passed;
        if (solution && !passed) { /* too slow for this machine, and for the reference on it */
            printf("%s: %s: %s\n", program->name, sandbox_outcome_name(program->verdict.outcome),
                   program->verdict.message);
            assert_int_equal(program->verdict.outcome, SANDBOX_TIMEOUT);
        }
        if (!strcmp(program->kind, "empty") && passed)
            fail_msg("%s passes without a completion", program->name);
    }
    printf("%zu programs in %.1f s (%.1f a second), %zu pass; %zu of %zu solutions pass; %zu differences\n",
           live->count, seconds, (double)live->count / seconds, passing, right, solutions, differences);
    assert_int_equal(differences, 0);
}

static int expect_passed(void *context, size_t number, const struct sandbox_verdict *verdict,
                         struct error *err) {
    (void)context, (void)number, (void)err;
    assert_int_equal(verdict->outcome, SANDBOX_PASSED);
    return 0;
}

/* Not a benchmark: the fastest of many, so that other work on the machine does not decide. */
static void trivial_programs_are_fast(void **state) {
    (void)state;
    struct sandbox_pool *pool;
    struct error err = {0};
    double best = 1e9;
    if (sandbox_pool_create(&(struct sandbox_settings){.workers = 1}, &pool, &err))
        fail_msg("%s", err.message);
    for (int i = 0; i < 50; i++) {
        double start = clock_seconds();
        assert_int_equal(sandbox_pool_submit(pool, 0, "assert True", &err), 0);
        assert_int_equal(sandbox_pool_finish(pool, expect_passed, NULL, &err), 0);
        double seconds = clock_seconds() - start;
        if (seconds < best) best = seconds;
    }
    sandbox_pool_destroy(&pool);
    printf("a trivial program takes %.1f ms\n", 1e3 * best);
    assert_true(best < PROGRAM_SECONDS);
}

static int set_up(void **state) {
    struct live *live = *state;
    const char *variants = getenv("ADAPT_TEST_VARIANTS"), *seed = getenv("ADAPT_TEST_SEED");
    char path[128];
    strcpy(live->folder, "/tmp/adapt-live-XXXXXX");
    if (!mkdtemp(live->folder)) return -1;
    snprintf(path, sizeof path, "%s/programs", live->folder);
    run_script("sandbox_programs.py %s %s --variants %d --seed %d", live->data, path,
               variants ? atoi(variants) : 1, seed ? atoi(seed) : 0);
    read_programs(live, path);
    return 0;
}

static int tear_down(void **state) {
    struct live *live = *state;
    for (size_t i = 0; i < live->count; i++) {
        free(live->programs[i].name);
        free(live->programs[i].kind);
        free(live->programs[i].text);
    }
    free(live->programs);
    return file_remove_tree(live->folder, NULL);
}

int main(void) {
    struct live live = {0};
    void *state = &live;
    const char *data = getenv("ADAPT_TEST_DATA");
    snprintf(live.data, sizeof live.data, "%s/data/benchmarks",
             data ? data : TEST_SOURCE_DIR "/../../shared");
    if (!file_is_folder(live.data)) snprintf(live.data, sizeof live.data, "%s/benchmarks", data ? data : "");
    if (!file_is_folder(live.data)) {
        printf("skipped: no benchmarks (set ADAPT_TEST_DATA)\n");
        return 77;
    }
    sandbox_run_or_skip();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(agrees_with_the_reference, &live),
        cmocka_unit_test(trivial_programs_are_fast),
    };
    int code = set_up(&state);
    if (!code) code = cmocka_run_group_tests(tests, NULL, NULL);
    tear_down(&state);
    return code;
}

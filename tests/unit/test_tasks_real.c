/* The twenty real tasks with the tokenizer of SmolLM2: the reference tokenizer's counts, disjoint pools, time
 * and memory. */
#include "io/file.h"
#include "io/json.h"
#include "io/tasks/tasks.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

enum { TASKS = 20, PATH_BYTES = 1024 };
static char tasks_folder[PATH_BYTES], tokenizer_folder[PATH_BYTES];

static struct tasks_settings usual_settings(void) {
    struct tasks_settings settings;
    setting_defaults(tasks_settings_table, &settings);
    settings.path = tasks_folder;
    settings.group_by = TASKS_BY_FILE;
    settings.on_bad_instance = TASKS_BAD_SKIP; /* six real summaries are empty */
    return settings;
}

static struct task_set *load(const struct tasks_settings *settings, const char *cache) {
    struct error err = {0};
    struct tokenizer *tokenizer;
    if (tokenizer_load(tokenizer_folder, &tokenizer, &err)) fail_msg("%s", err.message);
    struct task_set *set;
    if (task_set_load(settings, tokenizer, tokenizer_token_id(tokenizer, "<|im_end|>"), NULL, cache, &set,
                      &err)) {
        fail_msg("%s", err.message);
    }
    tokenizer_destroy(&tokenizer);
    return set;
}

static double number(const cJSON *object, const char *name) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
    assert_true(cJSON_IsNumber(value));
    return value->valuedouble;
}

static void agrees_with_the_reference(void **state) {
    (void)state;
    struct error err = {0};
    cJSON *golden;
    if (json_parse_file(TEST_SOURCE_DIR "/golden/tasks/smollm2.json", 1 << 20, &golden, &err)) {
        fail_msg("%s", err.message);
    }
    struct tasks_settings settings = usual_settings();
    settings.max_tokens = 1 << 20;
    struct task_set *set = load(&settings, NULL);
    assert_int_equal(set->count, TASKS);
    for (int k = 0; k < TASKS; k++) {
        const struct task *task = &set->tasks[k];
        const cJSON *expected = cJSON_GetObjectItemCaseSensitive(golden, task->name);
        double prompts = 0, completions = 0, ids = 0;
        for (int pool = 0; pool < 2; pool++) {
            const struct example *examples = pool ? task->validation : task->training;
            int64_t count = pool ? task->validation_count : task->training_count;
            for (int64_t i = 0; i < count; i++) {
                prompts += examples[i].prompt;
                completions += examples[i].length - examples[i].prompt;
                for (int t = 0; t < examples[i].length - 1; t++) ids += examples[i].ids[t];
            }
        }
        assert_true(task->training_count + task->validation_count == number(expected, "kept"));
        assert_true(task->bad == number(expected, "bad"));
        assert_true(task->cut == 0 && task->dropped == 0);
        assert_true(prompts == number(expected, "prompt_tokens"));
        assert_true(completions == number(expected, "completion_tokens"));
        assert_true(ids == number(expected, "id_sum"));
    }
    cJSON_Delete(golden);
    task_set_destroy(&set);
}

static int compare_examples(const void *left, const void *right) {
    const struct example *a = left, *b = right;
    if (a->length != b->length) return a->length < b->length ? -1 : 1;
    return memcmp(a->ids, b->ids, (size_t)a->length * sizeof *a->ids);
}

static void pools_are_disjoint(void **state) {
    (void)state;
    struct tasks_settings settings = usual_settings();
    settings.group_by = TASKS_BY_CATEGORY;
    struct task_set *set = load(&settings, NULL);
    print_message("%-34s %8s %8s %10s %6s %6s %4s\n", "category", "train", "valid", "supervised", "cut",
                  "drop", "bad");
    for (int k = 0; k < set->count; k++) {
        struct task *task = &set->tasks[k];
        assert_int_equal(task->validation_count, 32);
        qsort(task->training, (size_t)task->training_count, sizeof *task->training, compare_examples);
        for (int64_t i = 0; i < task->validation_count; i++) {
            assert_null(bsearch(&task->validation[i], task->training, (size_t)task->training_count,
                                sizeof *task->training, compare_examples));
        }
        print_message("%-34s %8lld %8lld %10lld %6lld %6lld %4lld\n", task->name,
                      (long long)task->training_count, (long long)task->validation_count,
                      (long long)task->training_supervised, (long long)task->cut, (long long)task->dropped,
                      (long long)task->bad);
    }
    print_message("%d categories, %lld supervised tokens\n", set->count, (long long)set->supervised);
    task_set_destroy(&set);
}

/* Loads in a child of its own, so that the peak of memory is this load's. */
static void measure(const char *label, const char *cache, bool table) {
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        struct tasks_settings settings = usual_settings();
        struct task_set *set = load(&settings, cache);
        for (int k = 0; table && k < set->count; k++) {
            const struct task *task = &set->tasks[k];
            print_message("%-50s %5lld + %2lld examples %7lld supervised, %lld cut, %lld dropped, %lld bad\n",
                          task->name, (long long)task->training_count, (long long)task->validation_count,
                          (long long)task->training_supervised, (long long)task->cut,
                          (long long)task->dropped, (long long)task->bad);
        }
        fflush(stdout);
        _exit(set->count == TASKS ? 0 : 1);
    }
    int status;
    struct rusage usage;
    assert_int_equal(wait4(child, &status, 0, &usage), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    clock_gettime(CLOCK_MONOTONIC, &to);
    double seconds = (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
    double processor = (double)usage.ru_utime.tv_sec + 1e-6 * (double)usage.ru_utime.tv_usec;
    print_message("%s: %.3f s with the tokenizer (%.3f s of processor time), peak %ld kB\n", label, seconds,
                  processor, usage.ru_maxrss);
}

static void loads_fast(void **state) {
    (void)state;
    char cache[] = "/tmp/adapt-real-XXXXXX";
    assert_non_null(mkdtemp(cache));
    measure("without a cache", NULL, true);
    measure("cold cache", cache, false);
    measure("cached", cache, false);
    file_remove_tree(cache, NULL);
}

int main(void) {
    const char *data = getenv("ADAPT_TEST_DATA");
    if (!data) data = TEST_SOURCE_DIR "/../../shared";
    /* the folder may be the shared one, or the data itself */
    char inner[PATH_BYTES - 64];
    snprintf(inner, sizeof inner, "%s/data", data);
    if (file_is_folder(inner)) data = inner;
    snprintf(tasks_folder, sizeof tasks_folder, "%s/natural-instructions/tasks", data);
    snprintf(tokenizer_folder, sizeof tokenizer_folder, "%s/tokenizers/smollm2", data);
    if (!file_is_folder(tasks_folder) || !file_is_folder(tokenizer_folder)) {
        printf("skipped: no %s or no %s (set ADAPT_TEST_DATA)\n", tasks_folder, tokenizer_folder);
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_reference),
        cmocka_unit_test(pools_are_disjoint),
        cmocka_unit_test(loads_fast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

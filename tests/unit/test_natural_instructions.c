/* The Natural Instructions reader: keys in any order, every kind of damage named with its place, and memory
 * that does not grow with the file. */
#include "io/tasks/natural_instructions.h"

#include "base/text.h"
#include "io/file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <cmocka.h>

static const char whole[] =
    "{\n"
    " \"Contributors\": [\"a \\\"quoted\\\" ] name\", {\"deep\": [[1, -2.5e3], true, null]}],\n"
    " \"Instances\": [\n"
    "  {\"id\": \"x\", \"input\": \"in \\u00e9 1\", \"output\": [\"out 1\", \"other\"]},\n"
    "  {\"input\": \"\", \"output\": \"plain\"},\n"
    "  {\"id\": 3, \"output\": [\"out 3\"], \"input\": \"in } 3\", \"more\": []}\n"
    " ],\n"
    " \"Positive Examples\": [{\"input\": \"pi\", \"output\": \"po\", \"explanation\": \"why\"},\n"
    "                         {\"input\": \"qi\", \"output\": [\"qo\"]}],\n"
    " \"Categories\": [\"Question Answering\", \"Other\"],\n"
    " \"Definition\": [\"Do it.\", \"Or so.\"]\n"
    "}\n";

/* An exact copy on the heap, so that a sanitizer sees any read past the end. */
static struct instructions_file *open_copy(const char *text, size_t length, size_t examples, char **copy,
                                           int expected, struct error *err) {
    *copy = malloc(length ? length : 1);
    memcpy(*copy, text, length);
    struct instructions_file *file;
    int code = instructions_open_bytes("t.json", *copy, length, examples, &file, err);
    if (code != expected) fail_msg("%d instead of %d for \"%s\": %s", code, expected, text, err->message);
    return file;
}

static void reads_a_file(void **state) {
    (void)state;
    struct error err = {0};
    char *copy;
    struct instructions_file *file = open_copy(whole, strlen(whole), 10, &copy, 0, &err);
    assert_string_equal(instructions_definition(file), "Do it.");
    assert_string_equal(instructions_category(file), "Question Answering");
    size_t count;
    const struct instructions_example *examples = instructions_examples(file, &count);
    assert_int_equal(count, 2);
    assert_string_equal(examples[0].input, "pi");
    assert_string_equal(examples[0].output, "po");
    assert_string_equal(examples[1].output, "qo");

    static const char *const inputs[] = {"in \xc3\xa9 1", "", "in } 3"}, *const outputs[] = {"out 1", "plain",
                                                                                             "out 3"};
    for (int round = 0; round < 2; round++) {
        struct instructions_instance instance;
        enum instructions_found found;
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(instructions_next(file, &instance, &found, &err), 0);
            assert_int_equal(found, INSTRUCTIONS_INSTANCE);
            assert_int_equal(instance.number, i + 1);
            assert_string_equal(instance.input, inputs[i]);
            assert_string_equal(instance.output, outputs[i]);
        }
        for (int again = 0; again < 2; again++) {
            assert_int_equal(instructions_next(file, &instance, &found, &err), 0);
            assert_int_equal(found, INSTRUCTIONS_END);
        }
        instructions_rewind(file);
    }
    instructions_close(&file);
    assert_null(file);
    instructions_close(&file);
    free(copy);

    file = open_copy(whole, strlen(whole), 1, &copy, 0, &err);
    instructions_examples(file, &count);
    assert_int_equal(count, 1);
    instructions_close(&file);
    free(copy);
}

static void takes_what_may_be_missing(void **state) {
    (void)state;
    static const char *const good[] = {
        "{\"Instances\": []}",
        "{\"Instances\": [ ], \"Definition\": [], \"Categories\": [], \"Positive Examples\": []}",
        "{\"Definition\": \"\", \"Categories\": \"\", \"Instances\": []}",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct error err = {0};
        char *copy;
        struct instructions_file *file = open_copy(good[i], strlen(good[i]), 5, &copy, 0, &err);
        size_t count;
        instructions_examples(file, &count);
        assert_int_equal(count, 0);
        assert_string_equal(instructions_definition(file), "");
        assert_null(instructions_category(file));
        struct instructions_instance instance;
        enum instructions_found found;
        assert_int_equal(instructions_next(file, &instance, &found, &err), 0);
        assert_int_equal(found, INSTRUCTIONS_END);
        instructions_close(&file);
        free(copy);
    }
    struct error err = {0};
    static const char plain[] = "{\"Definition\": \"Just do.\", \"Categories\": \"C\", \"Instances\": []}";
    char *copy;
    struct instructions_file *file = open_copy(plain, strlen(plain), 5, &copy, 0, &err);
    assert_string_equal(instructions_definition(file), "Just do.");
    assert_string_equal(instructions_category(file), "C");
    instructions_close(&file);
    free(copy);
}

static void refuses_damaged_files(void **state) {
    (void)state;
    static const struct {
        const char *text, *expected;
    } bad[] = {
        {"", "t.json:1:1: a Natural Instructions file is one JSON object"},
        {"[]", "t.json:1:1: a Natural Instructions file is one JSON object"},
        {"{}", "t.json: has no \"Instances\""},
        {"{\"Definition\": []}", "t.json: has no \"Instances\""},
        {"{\"Instances\": {}}", "t.json:1:15: \"Instances\" is not a list"},
        {"{\"Instances\": [], \"Instances\": []}", "t.json:1:19: this key was given before"},
        {"{\"Instances\": [], \"Definition\": 3}", "t.json:1:33: \"Definition\" is not a list of strings"},
        {"{\"Instances\": [], \"Definition\": [\"a\", 3]}",
         "t.json:1:33: \"Definition\" is not a list of strings"},
        {"{\"Instances\": [], \"Categories\": [[]]}", "t.json:1:33: \"Categories\" is not a list of strings"},
        {"{\"Instances\": [], \"Definition\": [\"\xff\"]}", "t.json:1:35: invalid UTF-8"},
        {"{\"Instances\": [], \"Positive Examples\": 1}", "t.json:1:40: \"Positive Examples\" is not a list"},
        {"{\"Instances\": [], \"Positive Examples\": [{\"input\": \"a\"}]}",
         "t.json:1:40: \"Positive Examples\" holds an entry without"},
        {"{\"Instances\": [],\n\"Positive Examples\": [{\"input\" \"a\"}]}", "t.json:2:32: syntax error"},
        {"{\"Instances\": []} x", "t.json:1:19: unexpected text after the object"},
        {"{\"Instances\": [] \"x\": 1}", "t.json:1:18: ',' or '}' is expected here"},
        {"{\"Instances\" []}", "t.json:1:14: ':' is expected here"},
        {"{\"Instances\": }", "t.json:1:15: a value is expected here"},
        {"{Instances: []}", "t.json:1:2: a key is expected here"},
        {"{\"Instances\": [],}", "t.json:1:18: a key is expected here"},
        {"{\"Instances\": [\n{\"input\": \"a\"", "t.json:1:15: the value that begins here never ends"},
        {"{\"Instances\": [\n{\"input\": \"a", "t.json:2:11: the string that begins here is never closed"},
        {"{\"Instances\": [\n{\"input\": \"a\\", "t.json:2:11: the string that begins here is never closed"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err = {0};
        char *copy;
        struct instructions_file *file =
            open_copy(bad[i].text, strlen(bad[i].text), 5, &copy, ERROR_INPUT, &err);
        assert_null(file);
        if (strncmp(err.message, bad[i].expected, strlen(bad[i].expected))) {
            fail_msg("\"%s\" instead of \"%s\"", err.message, bad[i].expected);
        }
        free(copy);
    }
}

static void refuses_every_cut(void **state) {
    (void)state;
    for (size_t length = 0; length < strlen(whole) - 1; length++) { /* all but the last line break */
        struct error err = {0};
        char *copy;
        assert_null(open_copy(whole, length, 10, &copy, ERROR_INPUT, &err));
        assert_non_null(strstr(err.message, "t.json"));
        free(copy);
    }
}

static void names_bad_instances(void **state) {
    (void)state;
    static const struct {
        const char *text, *expected;
    } bad[] = {
        {"3", "not an object"},
        {"{\"output\": [\"a\"]}", "no \"input\""},
        {"{\"input\": 3, \"output\": [\"a\"]}", "\"input\" is not a string"},
        {"{\"input\": \"a\"}", "no \"output\""},
        {"{\"input\": \"a\", \"output\": 3}", "\"output\" is not a list of strings"},
        {"{\"input\": \"a\", \"output\": []}", "\"output\" is an empty list"},
        {"{\"input\": \"a\", \"output\": [\"b\", 3]}", "\"output\" holds something that is not a string"},
        {"{\"input\": \"a\", \"output\": [\" \\n\"]}", "\"output\" is blank"},
        {"{\"input\": \"a\", \"output\": \"\"}", "\"output\" is blank"},
        {"{\"input\": \"a\", \"input\": \"a\", \"output\": [\"b\"]}", "\"input\" is given twice"},
        {"{\"input\": \"a\", \"output\": [\"b\"], \"output\": [\"b\"]}", "\"output\" is given twice"},
        {"{\"input\": \"\xff\", \"output\": [\"b\"]}", "invalid UTF-8"},
        {"{\"input\": \"\\ud800\", \"output\": [\"b\"]}", "surrogate"},
        {"{\"input\" \"a\", \"output\": [\"b\"]}", "syntax error"},
        {"nonsense", "syntax error"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct text text = {0};
        struct error err = {0};
        assert_int_equal(text_append_string(&text, "{\"Instances\": [\n", &err), 0);
        for (int n = 1; n <= 20; n++) {
            assert_int_equal(text_printf(&text, &err, "%s%s",
                                         n == 17 ? bad[i].text : "{\"input\": \"i\", \"output\": [\"o\"]}",
                                         n == 20 ? "\n" : ",\n"),
                             0);
        }
        assert_int_equal(text_append_string(&text, "]}", &err), 0);
        char *copy;
        struct instructions_file *file = open_copy(text.data, text.length, 0, &copy, 0, &err);
        for (size_t n = 1; n <= 20; n++) {
            struct instructions_instance instance;
            enum instructions_found found;
            assert_int_equal(instructions_next(file, &instance, &found, &err), 0);
            assert_int_equal(found, n == 17 ? INSTRUCTIONS_BAD : INSTRUCTIONS_INSTANCE);
            assert_int_equal(instance.number, n);
            if (n == 17) assert_int_equal(instructions_explain(file, &err), ERROR_INPUT);
        }
        if (!strstr(err.message, "t.json: instance 17") || !strstr(err.message, "18") ||
            !strstr(err.message, bad[i].expected)) { /* it stands in line 18 */
            fail_msg("\"%s\" should speak of instance 17, line 18, %s", err.message, bad[i].expected);
        }
        instructions_close(&file);
        text_free(&text);
        free(copy);
    }
}

/* Commas that are missing or too many damage the list itself. */
static void refuses_damaged_lists(void **state) {
    (void)state;
    static const char *const bad[] = {"{\"Instances\": [1,]}", "{\"Instances\": [1 2]}",
                                      "{\"Instances\": [,1]}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err = {0};
        char *copy;
        struct instructions_file *file = open_copy(bad[i], strlen(bad[i]), 0, &copy, 0, &err);
        struct instructions_instance instance;
        enum instructions_found found = INSTRUCTIONS_BAD;
        int code = 0;
        while (!code && found != INSTRUCTIONS_END) code = instructions_next(file, &instance, &found, &err);
        assert_int_equal(code, ERROR_INPUT);
        assert_non_null(strstr(err.message, "expected here"));
        instructions_close(&file);
        free(copy);
    }
}

static long peak_kilobytes(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* Memory of our own, without the map's pages. */
static long own_kilobytes(void) {
    long own = -1;
    char line[128];
    FILE *status = fopen("/proc/self/status", "r");
    assert_non_null(status);
    while (fgets(line, sizeof line, status)) sscanf(line, "RssAnon: %ld", &own);
    fclose(status);
    return own;
}

enum { LARGE_MEGABYTES = 100, ALLOWED_KILOBYTES = 4096 };

static void reads_large_files_in_little_memory(void **state) {
    (void)state;
    if (!getenv("ADAPT_TEST_SLOW")) {
        print_message("skipped: writes a file of 100 MB; set ADAPT_TEST_SLOW=1\n");
        skip();
    }
    char folder[] = "/tmp/adapt-large-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/large.json", folder);
    struct error err = {0};
    struct file_writer *writer;
    assert_int_equal(file_writer_open(path, &writer, &err), 0);
    static const char head[] = "{\"Positive Examples\": [], \"Instances\": [\n",
                      tail[] = "\n], \"Definition\": [\"d\"]}";
    assert_int_equal(file_writer_append(writer, head, strlen(head), &err), 0);
    size_t written = 0, count = 0;
    while (written < (size_t)LARGE_MEGABYTES << 20) {
        char line[700];
        int length =
            snprintf(line, sizeof line, "%s{\"id\": \"%zu\", \"input\": \"%0500zu\", \"output\": [\"%zu\"]}",
                     count ? ",\n" : "", count, count, count);
        assert_int_equal(file_writer_append(writer, line, (size_t)length, &err), 0);
        written += (size_t)length;
        count++;
    }
    assert_int_equal(file_writer_append(writer, tail, strlen(tail), &err), 0);
    assert_int_equal(file_writer_commit(&writer, &err), 0);

    long own_before = own_kilobytes(), peak_before = peak_kilobytes(), own = 0;
    struct instructions_file *file;
    assert_int_equal(instructions_open(path, 0, &file, &err), 0);
    size_t seen = 0;
    for (;;) {
        struct instructions_instance instance;
        enum instructions_found found;
        assert_int_equal(instructions_next(file, &instance, &found, &err), 0);
        if (found == INSTRUCTIONS_END) break;
        assert_int_equal(found, INSTRUCTIONS_INSTANCE);
        seen++;
        if (seen % 4096 == 0 && own_kilobytes() - own_before > own) own = own_kilobytes() - own_before;
    }
    assert_int_equal(seen, count);
    long peak = peak_kilobytes() - peak_before;
    print_message("%zu instances, %d MB: %ld kB of memory besides the map, peak %ld kB with it\n", seen,
                  LARGE_MEGABYTES, own, peak);
    instructions_close(&file);
    file_remove_tree(folder, NULL);
    assert_true(own < ALLOWED_KILOBYTES);
    assert_true(peak < LARGE_MEGABYTES * 1100L + ALLOWED_KILOBYTES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_file),
        cmocka_unit_test(takes_what_may_be_missing),
        cmocka_unit_test(refuses_damaged_files),
        cmocka_unit_test(refuses_every_cut),
        cmocka_unit_test(names_bad_instances),
        cmocka_unit_test(refuses_damaged_lists),
        cmocka_unit_test(reads_large_files_in_little_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

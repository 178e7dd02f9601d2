/* The sample log, byte for byte as lm-evaluation-harness would write it
 * (tests/golden/eval/record_samples.py), and numbers as Python prints them. */
#include "eval/evaluate.h"
#include "eval/python/python_json.h"
#include "io/file.h"
#include "io/json.h"
#include "tests/support/eval_file.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void writes_the_log(void **state) {
    (void)state;
    static const char *const contexts[] = {"Question: q\nAnswer:", "Question: q\nAnswer:"};
    static const char *const continuations[] = {" a", " b\xc3\xa9"};
    static const char *const options[] = {"A", "B"}, *const rest[] = {" x.", " x."};
    static const char *const nothing[] = {""}, *const end[] = {" y"};
    static const double first[] = {-12.5, -3}, second[] = {-0.1, -1.2345678901234567e-05},
                        third[] = {-123456.78901234567};
    static const bool first_greedy[] = {false, true}, second_greedy[] = {false, false},
                      third_greedy[] = {true};
    static const double metrics[][2] = {{1, 0}, {0, 1}, {1, 1}};
    /* The last field prints from what a parser keeps, so it is parsed and printed here as a benchmark's
     * record is. */
    static const char record[] =
        "{\"id\":\"X_1\",\"question\":\"quote \\\" backslash \\\\ tab \\t bell \\u0007 nul-ish \\u001f del "
        "\x7f \xc3\xa9 "
        "\xe2\x80\xa8 \xf0\x9f\x98\x80 \\/ <&> "
        "\\r\\n\",\"choices\":{\"text\":[\"a\",\"b\\u00e9\"],\"label\":[\"A\",\"B\"]},"
        "\"answerKey\":\"B\",\"empty\":[],\"none\":null,\"flags\":[true,false],\"object\":{},"
        "\"numbers\":[0,-7,2.5,1e-7,1e300,123456789012]}";
    cJSON *value;
    struct text document = {0}, written = {0}, expected = {0};
    assert_int_equal(json_parse("record", record, strlen(record), &value, NULL), 0);
    assert_int_equal(python_json(&document, value, 0, NULL), 0);
    cJSON_Delete(value);
    struct eval_sample samples[] = {{.index = 0,
                                     .document = text_string(&document),
                                     .target = "1",
                                     .logged_target = "1",
                                     .requests = 2,
                                     .context = contexts,
                                     .continuation = continuations,
                                     .log_likelihood = first,
                                     .greedy = first_greedy,
                                     .metric = metrics[0]},
                                    {.index = 1,
                                     .document = "{\"sentence\": \"_ x.\"}",
                                     .target = "0",
                                     .logged_target = "x.",
                                     .requests = 2,
                                     .context = options,
                                     .continuation = rest,
                                     .log_likelihood = second,
                                     .greedy = second_greedy,
                                     .metric = metrics[1]},
                                    {.index = 2,
                                     .document = "{}",
                                     .target = "0",
                                     .logged_target = "0",
                                     .requests = 1,
                                     .context = nothing,
                                     .continuation = end,
                                     .log_likelihood = third,
                                     .greedy = third_greedy,
                                     .metric = metrics[2]}};
    struct eval_part whole = {.count = 3};
    struct eval_result result = {
        .benchmark = "arc_challenge",
        .metrics = {{.name = "acc", .filter = "none"}, {.name = "acc_norm", .filter = "none"}},
        .metric_count = 2,
        .parts = &whole,
        .part_count = 1,
        .samples = samples,
        .sample_count = 3};
    char folder[EVAL_PATH_BYTES], path[EVAL_PATH_BYTES + 16];
    eval_folder_make(folder);
    snprintf(path, sizeof path, "%s/samples.jsonl", folder);
    assert_int_equal(eval_write_samples(&result, 0, path, NULL), 0);
    assert_int_equal(file_read(path, 1 << 20, &written, NULL), 0);
    assert_int_equal(file_read(TEST_SOURCE_DIR "/golden/eval/samples.jsonl", 1 << 20, &expected, NULL), 0);
    assert_string_equal(text_string(&written), text_string(&expected));
    struct error err = {0};
    assert_int_equal(eval_write_samples(&result, 0, "/nowhere/at/all/samples.jsonl", &err), ERROR_IO);
    assert_non_null(strstr(err.message, "/nowhere/at/all"));
    text_free(&document);
    text_free(&written);
    text_free(&expected);
    eval_folder_remove(folder);
}

static void prints_floats_like_python(void **state) {
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {{-12.5, "-12.5"},
                 {0, "0.0"},
                 {-0.0, "-0.0"},
                 {3, "3.0"},
                 {0.1, "0.1"},
                 {1.0 / 3, "0.3333333333333333"},
                 {1e-4, "0.0001"},
                 {1e-5, "1e-05"},
                 {123456789012345680.0, "1.2345678901234568e+17"},
                 {1e15, "1000000000000000.0"},
                 {1e16, "1e+16"},
                 {9999999999999998.0, "9999999999999998.0"},
                 {5e-324, "5e-324"},
                 {1.7976931348623157e308, "1.7976931348623157e+308"},
                 {100, "100.0"},
                 {-1e-7, "-1e-07"},
                 {NAN, "nan"},
                 {-INFINITY, "-inf"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[PYTHON_FLOAT_BYTES];
        python_float(cases[i].number, text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(writes_the_log),
                                       cmocka_unit_test(prints_floats_like_python)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Strict JSON: what is accepted, what is refused and where, and settings bound from objects with every
 * mistake listed. */
#include "io/json.h"

#include "io/file.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void accepts(const char *text, size_t length) {
    /* An exact copy without a NUL, so that a sanitizer sees any read past the end. */
    char *exact = malloc(length ? length : 1);
    memcpy(exact, text, length);
    struct error err = {0};
    cJSON *value;
    if (json_parse("t", exact, length, &value, &err)) fail_msg("refused \"%s\": %s", text, err.message);
    assert_non_null(value);
    cJSON_Delete(value);
    free(exact);
}

static void refuses(const char *text, size_t length, const char *expected) {
    char *exact = malloc(length ? length : 1);
    memcpy(exact, text, length);
    struct error err = {0};
    cJSON *value;
    assert_int_equal(json_parse("t", exact, length, &value, &err), ERROR_INPUT);
    assert_null(value);
    if (strncmp(err.message, expected, strlen(expected))) {
        fail_msg("\"%s\": message \"%s\", expected \"%s...\"", text, err.message, expected);
    }
    free(exact);
}

static void parses_values(void **state) {
    (void)state;
    static const char *const good[] = {
        "1",
        "-0.5e+3",
        "0",
        "\"\"",
        "true",
        "false",
        "null",
        "[]",
        "{}",
        " [ 1 , 2 ] \n",
        "{\"a\":[{}],\"b\":null}",
        "\"\\u00e9 \\ud83d\\ude00 \\\\ \\\" \\/\"",
        "\"\xc3\xa9\xf0\x9f\x98\x80\xe2\x82\xac\"",
        "[1e308]",
        "1e-999",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) accepts(good[i], strlen(good[i]));

    static const char text[] = "{\"a\": \"\\ud83d\\ude00\\n\", \"b\": [1.5, -2]}";
    cJSON *value;
    assert_int_equal(json_parse("t", text, sizeof text - 1, &value, NULL), 0);
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(value, "a")->valuestring, "\xf0\x9f\x98\x80\n");
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(value, "b");
    assert_int_equal(cJSON_GetArraySize(list), 2);
    assert_true(cJSON_GetArrayItem(list, 0)->valuedouble == 1.5);
    assert_true(cJSON_GetArrayItem(list, 1)->valuedouble == -2);
    cJSON_Delete(value);
}

static void refuses_bad_text(void **state) {
    (void)state;
    static const struct {
        const char *text, *expected;
    } bad[] = {
        {"", "t: empty"},
        {" \n\t ", "t: empty"},
        {"{\"a\": 1,}", "t:1:9: syntax error"},
        {"[1, 2,]", "t:1:7: syntax error"},
        {"[1 2]", "t:1:4: syntax error"},
        {"{\"a\" 1}", "t:1:6: syntax error"},
        {"{a: 1}", "t:1:3: syntax error"},
        {"{1: 2}", "t:1:3: syntax error"},
        {"\n\n  nope", "t:3:3: syntax error"},
        {"{\"a\": 1} {\"b\": 2}", "t:1:10: unexpected text after the value"},
        {"1 true", "t:1:3: unexpected text"},
        {"truefalse", "t:1:5: unexpected text"},
        {"{'a': 1}", "t:1:2: strings are written in double quotes"},
        {"\xef\xbb\xbf{}", "t:1:1: the file begins with a byte order mark"},
        {"{\n\"a\": [1, 2", "t:2:6: the bracket that opens here is never closed"},
        {"[\n\"abc", "t:2:1: the string that begins here is never closed"},
        {"[1]]", "t:1:4: a bracket that was never opened"},
        {"[1}", "t:1:3: syntax error"},
        {"\"a\nb\"", "t:1:3: a control character"},
        {"\"\\x41\"", "t:1:2: unknown escape"},
        {"\"\\u12g4\"", "t:1:2: \\u needs four"},
        {"\"\\u12", "t:1:2: \\u needs four"},
        {"\"abc\\", "t:1:5: the text ends inside a string"},
        {"\"\\ud83d\"", "t:1:2: a lone high surrogate"},
        {"\"\\ud83dxxxxxx\"", "t:1:2: a lone high surrogate"},
        {"\"\\ud83d\\u0041\"", "t:1:2: a lone high surrogate"},
        {"\"\\ude00\"", "t:1:2: a lone low surrogate"},
        {"\"\\u0000\"", "t:1:2: a NUL character"},
        {"\"\xff\"", "t:1:2: invalid UTF-8"},
        {"\"\xc0\xaf\"", "t:1:2: invalid UTF-8"},         /* overlong */
        {"\"\xed\xa0\x80\"", "t:1:2: invalid UTF-8"},     /* surrogate */
        {"\"\xf4\x90\x80\x80\"", "t:1:2: invalid UTF-8"}, /* beyond U+10FFFF */
        {"\"\xe2\x82\"", "t:1:2: invalid UTF-8"},         /* cut short */
        {"[\xc3\xa9]", "t:1:2: unexpected character"},
        {"01", "t:1:1: not a number"},
        {"[1.]", "t:1:2: not a number"},
        {"-", "t:1:1: not a number"},
        {"[-.5]", "t:1:2: not a number"},
        {"1e", "t:1:1: not a number"},
        {"1e999", "t:1:1: a number too large"},
        {"[+1]", "t:1:2: unexpected character"},
        {"[NaN]", "t:1:2: unexpected character"},
        {"1111111111111111111111111111111111111111111111111111111111111111",
         "t:1:1: a number of more than 63"},
        {"[1, /* no */ 2]", "t:1:5: unexpected character"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(bad[i].text, strlen(bad[i].text), bad[i].expected);
    refuses("[1]\0", 4, "t:1:4: a NUL byte");
    refuses("\"a\0b\"", 5, "t:1:3: a NUL byte");
}

static void limits_depth(void **state) {
    (void)state;
    char text[2 * JSON_DEPTH_LIMIT + 3];
    memset(text, '[', JSON_DEPTH_LIMIT);
    memset(text + JSON_DEPTH_LIMIT, ']', JSON_DEPTH_LIMIT);
    accepts(text, 2 * JSON_DEPTH_LIMIT);
    memset(text, '[', JSON_DEPTH_LIMIT + 1);
    memset(text + JSON_DEPTH_LIMIT + 1, ']', JSON_DEPTH_LIMIT + 1);
    refuses(text, 2 * JSON_DEPTH_LIMIT + 2, "t:1:65: nested deeper than 64");
}

struct options {
    double rate;
    long long steps;
    bool shuffle;
    int kind;
    const char *name;
};
static const char *const kinds[] = {"adam", "sgd", NULL};
#define AT(field) offsetof(struct options, field)
static const struct setting table[] = {
    {"rate", SETTING_REAL, AT(rate), 0.1, 0, 1, NULL, NULL, "learning rate"},
    {"steps", SETTING_COUNT, AT(steps), 10, 1, INFINITY, NULL, NULL, "steps"},
    {"shuffle", SETTING_FLAG, AT(shuffle), 1, 0, 0, NULL, NULL, "shuffle"},
    {"kind", SETTING_CHOICE, AT(kind), 1, 0, 0, kinds, NULL, "optimizer"},
    {"name", SETTING_TEXT, AT(name), 0, 0, 0, NULL, "anonymous", "name"},
    {0},
};

/* Binds `json`; returns the report's message ("" when all is well). */
static const char *bind(const char *json, struct options *options, struct arena *arena) {
    static struct error err;
    err.message[0] = 0;
    cJSON *value;
    assert_int_equal(json_parse("e.json", json, strlen(json), &value, &err), 0);
    static const char *const others[] = {"methods", NULL};
    struct json_report report = {.file = "e.json"};
    json_bind(&report, value, "run", table, options, others, arena);
    cJSON_Delete(value);
    int code = json_report_finish(&report, &err);
    assert_int_equal(code, err.message[0] ? ERROR_INPUT : 0);
    return err.message;
}

static void binds_settings(void **state) {
    (void)state;
    struct arena *arena;
    assert_int_equal(arena_create(&arena, NULL), 0);
    struct options options;
    assert_string_equal(bind("{\"methods\": 3}", &options, arena), "");
    assert_true(options.rate == 0.1);
    assert_int_equal(options.steps, 10);
    assert_true(options.shuffle);
    assert_int_equal(options.kind, 1);
    assert_string_equal(options.name, "anonymous");

    assert_string_equal(
        bind("{\"rate\": 1, \"steps\": 9007199254740992, \"shuffle\": false, \"kind\": \"adam\", "
             "\"name\": \"x\"}",
             &options, arena),
        "");
    assert_true(options.rate == 1.0);
    assert_true(options.steps == 9007199254740992LL);
    assert_false(options.shuffle);
    assert_int_equal(options.kind, 0);
    assert_string_equal(options.name, "x");
    assert_string_equal(bind("{\"name\": null}", &options, arena), "");
    assert_null(options.name);
    arena_destroy(&arena);
}

static void reports_every_mistake(void **state) {
    (void)state;
    struct arena *arena;
    assert_int_equal(arena_create(&arena, NULL), 0);
    struct options options;
    assert_string_equal(
        bind("{\"rate\": 1.5, \"steps\": 0, \"shuffle\": 1, \"kind\": \"adamw\", \"name\": [], "
             "\"stpes\": 3, \"zzzz\": 1, \"Rate\": 2, \"rate\": 0.5}",
             &options, arena),
        "e.json: run.rate: 1.5, where a number from 0 to 1 is expected\n"
        "e.json: run.steps: 0, where a whole number, at least 1 is expected\n"
        "e.json: run.shuffle: a number, where true or false is expected\n"
        "e.json: run.kind: \"adamw\", where one of \"adam\", \"sgd\" is expected\n"
        "e.json: run.name: a list, where a string is expected\n"
        "e.json: run.stpes: unknown key (did you mean \"steps\"?)\n"
        "e.json: run.zzzz: unknown key\n"
        "e.json: run.Rate: unknown key (did you mean \"rate\"?)\n"
        "e.json: run.rate: the key appears more than once");
    assert_string_equal(bind("{\"steps\": 1.5}", &options, arena),
                        "e.json: run.steps: 1.5, where a whole number, at least 1 is expected");
    assert_string_equal(bind("{\"steps\": 1e300}", &options, arena),
                        "e.json: run.steps: 1e+300, where a whole number, at least 1 is expected");
    assert_string_equal(bind("{\"kind\": 0}", &options, arena),
                        "e.json: run.kind: a number, where one of \"adam\", \"sgd\" is expected");
    assert_string_equal(bind("{\"rate\": \"0.1\"}", &options, arena),
                        "e.json: run.rate: a string, where a number from 0 to 1 is expected");
    assert_string_equal(bind("[]", &options, arena), "e.json: run: a list, where an object is expected");
    arena_destroy(&arena);
}

static void cuts_long_reports(void **state) {
    (void)state;
    struct json_report report = {.file = "f"};
    for (int i = 0; i < 200; i++) json_mistake(&report, "", "mistake number %03d", i);
    struct error err;
    assert_int_equal(json_report_finish(&report, &err), ERROR_INPUT);
    const char *last = strrchr(err.message, '\n');
    assert_non_null(last);
    int shown, more;
    assert_int_equal(sscanf(last, "\n... and %d more", &more), 1);
    assert_int_equal(sscanf(last - strlen("f: mistake number 000"), "f: mistake number %d", &shown), 1);
    assert_int_equal(shown + 1 + more, 200);
    assert_null(report.mistakes.data);
}

static void suggests_words(void **state) {
    (void)state;
    static const char *const words[] = {"uniform", "temperature", "adapt", "exact", NULL};
    assert_string_equal(json_nearest("unifrom", words), "uniform");
    assert_string_equal(json_nearest("ADAPT", words), "adapt");
    assert_string_equal(json_nearest("temprature", words), "temperature");
    assert_null(json_nearest("proportional", words));
    assert_null(json_nearest("", words));
    assert_null(json_nearest("x", NULL));
}

static void writes_files(void **state) {
    (void)state;
    char folder[] = "/tmp/adapt-json-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char path[64];
    snprintf(path, sizeof path, "%s/a.json", folder);
    cJSON *value = cJSON_CreateObject();
    cJSON_AddNumberToObject(value, "third", 1.0 / 3);
    cJSON_AddStringToObject(value, "text", "\"\n\xc3\xa9");
    struct error err = {0};
    assert_int_equal(json_write_file(path, value, &err), 0);
    cJSON *back;
    assert_int_equal(json_parse_file(path, 1000, &back, &err), 0);
    assert_true(cJSON_Compare(value, back, true));
    assert_true(cJSON_GetObjectItemCaseSensitive(back, "third")->valuedouble == 1.0 / 3);
    cJSON_Delete(back);
    assert_int_equal(json_parse_file(path, 10, &back, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "larger than the 10 bytes"));
    cJSON_Delete(value);
    assert_int_equal(file_remove_tree(folder, &err), 0);
    assert_int_equal(json_parse_file(path, 1000, &back, &err), ERROR_IO);
    assert_non_null(strstr(err.message, path));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_values),     cmocka_unit_test(refuses_bad_text),
        cmocka_unit_test(limits_depth),      cmocka_unit_test(binds_settings),
        cmocka_unit_test(cuts_long_reports), cmocka_unit_test(reports_every_mistake),
        cmocka_unit_test(suggests_words),    cmocka_unit_test(writes_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

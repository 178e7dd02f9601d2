/* Filters of generated answers and exact match: the reference's traps, and its results on generated
 * responses. */
#include "eval/scoring/filter.h"
#include "io/json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct filter_rule STRICT = {"strict-match", "#### (\\-?[0-9\\.\\,]+)", false};
static const struct filter_rule FLEXIBLE = {"flexible-extract", "(-?[$0-9.,]{2,})|(-?[0-9]+)", true};
static const struct filter_rule GET_ANSWER = {"get-answer", "(?<=the answer is )(.*)(?=.)", false};
static const struct exact_match_rule GSM8K_MATCH = {{",", "\\$", "(?s).*#### ", "\\.$"}, true};
static const struct exact_match_rule PLAIN_MATCH = {{NULL}, false};

/* What `rule` takes from a response; "(...)" around it tells an empty answer from none. */
static void assert_takes(const struct filter_rule *rule, const char *response, const char *expected) {
    struct filter *filter;
    struct text out = {0};
    struct error err = {0};
    if (filter_create(rule, &filter, &err)) fail_msg("%s", err.message);
    text_append_string(&out, "(", NULL);
    if (filter_apply(filter, response, strlen(response), &out, &err)) fail_msg("%s", err.message);
    text_append_string(&out, ")", NULL);
    if (strncmp(out.data + 1, expected, strlen(expected)) || out.length != strlen(expected) + 2) {
        fail_msg("%s of \"%s\": %s, expected (%s)", rule->name, response, out.data, expected);
    }
    text_free(&out);
    filter_destroy(&filter);
    assert_null(filter);
}

static void assert_matches(const struct exact_match_rule *rule, const char *answer, const char *right,
                           bool expected) {
    struct exact_match *match;
    struct error err = {0};
    bool equal;
    if (exact_match_create(rule, &match, &err)) fail_msg("%s", err.message);
    for (int i = 0; i < 2; i++) { /* a comparison leaves nothing behind */
        if (exact_match_equal(match, answer, right, &equal, &err)) fail_msg("%s", err.message);
        if (equal != expected) fail_msg("\"%s\" and \"%s\": %d, expected %d", answer, right, equal, expected);
    }
    exact_match_destroy(&match);
    assert_null(match);
}

static void takes_strictly(void **state) {
    (void)state;
    assert_takes(&STRICT, "x\n#### 12", "12");
    assert_takes(&STRICT, "#### 12\n#### 13", "12"); /* the first */
    assert_takes(&STRICT, "#### -1,234.50. So", "-1,234.50.");
    assert_takes(&STRICT, "##### 7", "7");
    assert_takes(&STRICT, "#### $18\n#### 3", "3");
    assert_takes(&STRICT, "#### $18", "[invalid]");
    assert_takes(&STRICT,
                 "####18 ####\xc2\xa0"
                 "18 #### --1",
                 "[invalid]");
    assert_takes(&STRICT, "#### \xef\xbc\x95", "[invalid]"); /* a full-width five */
    assert_takes(&STRICT, "", "[invalid]");
}

static void takes_flexibly(void **state) {
    (void)state;
    assert_takes(&FLEXIBLE, "total is 5.", "5.");
    assert_takes(&FLEXIBLE, "12 and 7", "7"); /* the last */
    assert_takes(&FLEXIBLE, "it is 5... wait...", "...");
    assert_takes(&FLEXIBLE, "3*4=12, or $1,234.50!", "$1,234.50");
    assert_takes(&FLEXIBLE, "5 apples. Yes.", "5"); /* a lone period is no match */
    assert_takes(&FLEXIBLE, "from 3-4", "-4");
    assert_takes(&FLEXIBLE, "--4", "-4");
    assert_takes(&FLEXIBLE, "-", "[invalid]");
    assert_takes(&FLEXIBLE, "no number", "[invalid]");
}

static void takes_what_the_answer_is(void **state) {
    (void)state;
    assert_takes(&GET_ANSWER, "So the answer is (D).", "(D)");
    assert_takes(&GET_ANSWER, "So the answer is (D)", "(D"); /* the line's last character is lost */
    assert_takes(&GET_ANSWER, "the answer is X", "");
    assert_takes(&GET_ANSWER, "the answer is ", "[invalid]");
    assert_takes(&GET_ANSWER, "the answer is \nthe answer is b.", "b");
    assert_takes(&GET_ANSWER, "the answer is a.\nthe answer is b.", "a"); /* the first */
    assert_takes(&GET_ANSWER, "the answer is the answer is a.", "the answer is a");
    assert_takes(&GET_ANSWER, "The Answer is (A).", "[invalid]");
    assert_takes(&GET_ANSWER, "the answer is (A). Or\r\nnot", "(A). Or"); /* "\r" is the last character */
    assert_takes(&GET_ANSWER, "the answer is \xc2\xa0\x1f True\xe2\x80\x83.", "True"); /* stripped */
    assert_takes(&GET_ANSWER, "the answer is (A)\xf0\x9f\x98\x80", "(A)"); /* a character, not a byte */
}

static void takes_groups(void **state) {
    (void)state;
    assert_takes(&(struct filter_rule){"none", NULL, false}, " as it is\n", " as it is\n");
    assert_takes(&(struct filter_rule){"whole", "b+", false}, "abba", "bb");
    assert_takes(&(struct filter_rule){"second", "(x)|( y)", false}, "a y x", "y");
    assert_takes(&(struct filter_rule){"empty", "(x*)(y*)", false}, "zx", "[invalid]"); /* both are empty */
    assert_takes(&(struct filter_rule){"last", "(x*)(y*)", true}, "zx", "[invalid]");
    assert_takes(&(struct filter_rule){"absent", "a(x)?", false}, "a", "");
    assert_takes(&(struct filter_rule){"spaces", "\\s+", false}, "a \n b", "");

    struct filter *filter;
    struct exact_match *match;
    struct error err = {0};
    assert_int_equal(filter_create(&(struct filter_rule){"broken", "(", false}, &filter, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "filter broken: "));
    assert_null(filter);
    assert_int_equal(exact_match_create(&(struct exact_match_rule){{",", "["}, false}, &match, &err),
                     ERROR_INPUT);
    assert_non_null(strstr(err.message, "exact match: "));
    assert_null(match);
    filter_destroy(&filter);
    exact_match_destroy(&match);
}

static void matches_exactly(void **state) {
    (void)state;
    static const char right[] = "3 bags #### of 4\n#### 1,212";
    assert_matches(&GSM8K_MATCH, "1212", right, true);
    assert_matches(&GSM8K_MATCH, "$1,212.", right, true);
    assert_matches(&GSM8K_MATCH, "1212.\n", "1212\n", true); /* before a final newline too */
    assert_matches(&GSM8K_MATCH, "1212..", right, false);    /* one period is forgiven */
    assert_matches(&GSM8K_MATCH, "1212.00", right, false);
    assert_matches(&GSM8K_MATCH, "a\n#### 1212", right, true);
    assert_matches(&GSM8K_MATCH, "####1212", right, false);
    assert_matches(&GSM8K_MATCH, "", "#### $,.", true);
    assert_matches(&GSM8K_MATCH, "ABC \xc3\x89", "abc \xc3\xa9", true);
    assert_matches(&PLAIN_MATCH, "ABC", "abc", false);
    assert_matches(&PLAIN_MATCH, "(A)", "(A)", true);
    assert_matches(&PLAIN_MATCH, "(A)", "(A) ", false);
    assert_matches(&PLAIN_MATCH, "", "", true);
    assert_matches(&PLAIN_MATCH, "[invalid]", "", false);
}

/* ---- the reference */

static const cJSON *member(const cJSON *object, const char *name) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!value) fail_msg("scoring.json: no %s", name);
    return value;
}

/* Scores the cases of one benchmark and one filter as recorded. */
static void agrees(const cJSON *benchmark, const struct filter_rule *rule,
                   const struct exact_match_rule *match_rule) {
    const cJSON *recorded = member(member(benchmark, "filters"), rule->name);
    assert_string_equal(member(recorded, "pattern")->valuestring, rule->pattern);
    assert_int_equal(cJSON_IsTrue(member(recorded, "last")), rule->last);
    const cJSON *ignore = member(member(benchmark, "exact_match"), "ignore")->child;
    for (int i = 0; ignore || match_rule->ignore[i]; i++, ignore = ignore->next) {
        assert_string_equal(ignore ? ignore->valuestring : "",
                            match_rule->ignore[i] ? match_rule->ignore[i] : "");
    }
    struct filter *filter;
    struct exact_match *match;
    struct text answer = {0};
    assert_int_equal(filter_create(rule, &filter, NULL), 0);
    assert_int_equal(exact_match_create(match_rule, &match, NULL), 0);
    int count = 0;
    for (const cJSON *one = member(benchmark, "cases")->child; one; one = one->next, count++) {
        const char *response = member(one, "response")->valuestring,
                   *right = member(one, "right")->valuestring;
        const cJSON *expected = member(one, rule->name);
        bool equal;
        text_clear(&answer);
        assert_int_equal(filter_apply(filter, response, strlen(response), &answer, NULL), 0);
        if (strcmp(text_string(&answer), member(expected, "answer")->valuestring)) {
            fail_msg("%s of \"%s\": \"%s\", expected \"%s\"", rule->name, response, text_string(&answer),
                     member(expected, "answer")->valuestring);
        }
        assert_int_equal(exact_match_equal(match, text_string(&answer), right, &equal, NULL), 0);
        if (equal != cJSON_IsTrue(member(expected, "equal"))) {
            fail_msg("\"%s\" and \"%s\": %d", text_string(&answer), right, equal);
        }
    }
    assert_true(count >= 300);
    text_free(&answer);
    filter_destroy(&filter);
    exact_match_destroy(&match);
}

static void agrees_with_the_reference(void **state) {
    (void)state;
    cJSON *golden;
    struct error err = {0};
    if (json_parse_file(TEST_SOURCE_DIR "/golden/scoring/scoring.json", 1 << 24, &golden, &err)) {
        fail_msg("%s", err.message);
    }
    agrees(member(golden, "gsm8k"), &STRICT, &GSM8K_MATCH);
    agrees(member(golden, "gsm8k"), &FLEXIBLE, &GSM8K_MATCH);
    agrees(member(golden, "bbh"), &GET_ANSWER, &PLAIN_MATCH);
    cJSON_Delete(golden);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_strictly),           cmocka_unit_test(takes_flexibly),
        cmocka_unit_test(takes_what_the_answer_is), cmocka_unit_test(takes_groups),
        cmocka_unit_test(matches_exactly),          cmocka_unit_test(agrees_with_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

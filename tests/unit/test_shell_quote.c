/* Words of a shell script: sh and bash read every quoted text as the bytes that it was made of. */
#include "slurm/shell_quote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* What `shell` makes of the word, its length in front; the script goes through standard input and a file. */
static void check_shell(const char *shell, const char *data, const char *word) {
    char script[] = "/tmp/adapt-quote-XXXXXX", command[128], found[1024];
    int descriptor = mkstemp(script);
    assert_true(descriptor >= 0);
    FILE *file = fdopen(descriptor, "w");
    fprintf(file, "value=%s\nprintf %%s \"$value\"\n", word);
    fclose(file);
    snprintf(command, sizeof command, "%s %s", shell, script);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t length = fread(found, 1, sizeof found - 1, pipe);
    int status = pclose(pipe);
    remove(script);
    found[length] = 0;
    if (status || strcmp(found, data))
        fail_msg("%s reads %s as \"%s\" (status %d), not as \"%s\"", shell, word, found, status, data);
}

static void check(const char *data, const char *expected) {
    struct text word = {0};
    struct error err;
    assert_int_equal(shell_quote(data, &word, &err), 0);
    if (expected) assert_string_equal(text_string(&word), expected);
    check_shell("sh", data, text_string(&word));
    check_shell("bash", data, text_string(&word));
    text_free(&word);
}

static void test_words(void **state) {
    (void)state;
    check("/home/u/my-runs_1/x.json", "/home/u/my-runs_1/x.json");
    check("", "''");
    check("two words", "'two words'");
    check("it's", "'it'\\''s'");
    check("'", "''\\'''");
    check("''", "''\\'''\\'''");
    check("$(touch /tmp/adapt-owned)", "'$(touch /tmp/adapt-owned)'");
    check("`id`", "'`id`'");
    check("a\nb\n", NULL);
    check("\n", NULL);
    check("~", "'~'");
    check("~root/x", NULL);
    check("a\\nb\\", NULL);
    check("\"quoted\" $HOME ${x} !history *?[]", NULL);
    check("# no comment", NULL);
    check("-leading", "-leading");
    check("a;b&c|d<e>f(g)h", NULL);
    check("\xc3\xa4 \xff\x80 \x01\x7f\r\t", NULL);
}

static void test_every_byte(void **state) {
    (void)state;
    char all[512];
    size_t length = 0;
    for (int c = 1; c < 256; c++) all[length++] = (char)c;
    for (int c = 255; c > 0; c--) all[length++] = (char)c;
    all[length] = 0;
    check(all, NULL);
    for (int c = 1; c < 256; c++) {
        char one[2] = {(char)c, 0};
        struct text word = {0};
        assert_int_equal(shell_quote(one, &word, NULL), 0);
        assert_true(word.length == 1 || text_string(&word)[0] == '\'');
        text_free(&word);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words), cmocka_unit_test(test_every_byte)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Which cases a test program runs, and what is told of them. */
#include "tests/support/backend_test.h"
#include "tests/support/op_test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The case that runs, named also where the program ends in the middle of it. */
static char running[512];

static void name_running(void) {
    ssize_t written = write(STDERR_FILENO, running, strlen(running));
    (void)written;
}

static void on_signal(int number) {
    name_running();
    signal(number, SIG_DFL);
    raise(number);
}

/* Called by the address sanitizer before its report. */
void __asan_on_error(void);
void __asan_on_error(void) {
    name_running();
}

static void name_cases_that_end(void) {
    signal(SIGABRT, on_signal);
#ifndef __SANITIZE_ADDRESS__
    signal(SIGSEGV, on_signal);
    signal(SIGBUS, on_signal);
    signal(SIGFPE, on_signal);
#endif
}

/* On a backend of its own: its scratch memory is no larger than the case made it. */
static bool run_case(const struct op_suite *suite, int index, const char *name, const char *rerun) {
    struct op_case c = {.suite = suite->name, .index = index, .rerun = rerun};
    struct error err = {0};
    snprintf(running, sizeof running, "FAIL %s %s %d: the program ends\n", rerun, suite->name, index);
    if (test_backend_create(name, 0, &c.backend, &err)) op_abandon(&c, &err);
    suite->run(&c, index);
    expect_good(&c);
    op_release(&c);
    backend_destroy(&c.backend);
    return c.failures == 0;
}

/* Whether there is a case for every number. */
static bool endless(const struct op_suite *suite) {
    return !strncmp(suite->name, "random", strlen("random"));
}

static int usage(const char *program, const struct op_suite *suites) {
    fprintf(stderr, "usage: %s BACKEND [SUITE [CASE | FIRST-LAST]]; suites:", program);
    for (const struct op_suite *s = suites; s->name; s++)
        fprintf(stderr, " %s (0..%d%s)", s->name, s->cases - 1, endless(s) ? " and on" : "");
    fprintf(stderr, "\n");
    return 2;
}

/* CASE or FIRST-LAST; all that a run takes where there is none of them. */
static bool cases_of(const struct op_suite *suite, const char *words, int *first, int *last) {
    int read = 0, end = suite->cases - 1;
    *first = 0;
    *last = end;
    if (!words) return true;
    if (sscanf(words, "%d%n-%d%n", first, &read, last, &read) == 1) *last = *first;
    return read > 0 && !words[read] && *first >= 0 && *first <= *last && (*last <= end || endless(suite));
}

int op_test_main(int argc, char **argv, const struct op_suite *suites) {
    if (argc < 2 || argc > 4) return usage(argv[0], suites);
    const char *slash = strrchr(argv[0], '/');
    char rerun[256];
    snprintf(rerun, sizeof rerun, "%s %s", slash ? slash + 1 : argv[0], argv[1]);
    int failed = 0, ran = 0;
    name_cases_that_end();
    for (const struct op_suite *suite = suites; suite->name; suite++) {
        if (argc > 2 && strcmp(argv[2], suite->name)) continue;
        int bad = 0, first, last;
        if (!cases_of(suite, argc > 3 ? argv[3] : NULL, &first, &last)) return usage(argv[0], suites);
        for (int i = first; i <= last; i++) bad += !run_case(suite, i, argv[1], rerun);
        printf("%s %s: %d cases, %d failed\n", bad ? "FAIL" : "ok  ", suite->name, last - first + 1, bad);
        ran += last - first + 1;
        failed += bad > 0;
    }
    return ran ? failed : usage(argv[0], suites);
}

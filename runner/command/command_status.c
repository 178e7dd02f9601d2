#include "runner/command/command.h"

#include "base/text.h"
#include "runner/command/complain.h"
#include "runner/report/status.h"
#include <getopt.h>
#include <stdio.h>
#include <time.h>

static const char usage[] =
    "usage: adapt status DIR\n"
    "\n"
    "Tells how far an experiment is: counts of its cells, the progress of those that run, why cells failed, "
    "and\n"
    "about how long the rest will take. Also while cells run.\n"
    "\n"
    "  DIR   the experiment's folder (or its experiment.h5, or the file of one cell)\n";

static int status_of(const char *path, struct error *err) {
    struct results *results;
    struct text text = {0};
    TRY(results_load(path, &results, err));
    int code = status_text(results, (double)time(NULL), &text, err);
    if (!code && (fputs(text_string(&text), stdout) < 0 || fflush(stdout))) {
        code = error_set_errno(err, "cannot write the status to standard output");
    }
    text_free(&text);
    results_destroy(&results);
    return code;
}

int command_status(int argc, char **argv) {
    static const struct option known[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    struct error err = {0};
    int letter;
    optind = 1;
    while ((letter = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        fputs(usage, letter == 'h' ? stdout : stderr);
        return letter == 'h' ? 0 : 2;
    }
    if (optind + 1 != argc) {
        fputs(usage, stderr);
        return 2;
    }
    int code = status_of(argv[optind], &err);
    if (!code) return 0;
    complain(NULL, err.message);
    return complain_status(code);
}

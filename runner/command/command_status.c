#include "runner/command/command.h"

#include "base/text.h"
#include "runner/command/complain.h"
#include "runner/command/options.h"
#include "runner/report/status.h"
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
    const struct command_option none[] = {{NULL, NULL}};
    const char *path;
    struct error err = {0};
    int status;
    if (!command_options(argc, argv, usage, none, &path, &status)) return status;
    int code = status_of(path, &err);
    if (!code) return 0;
    complain(NULL, err.message);
    return complain_status(code);
}

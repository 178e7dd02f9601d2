#include "runner/command/command.h"

#include "runner/check/check.h"
#include "runner/command/complain.h"
#include "runner/command/options.h"
#include <stdio.h>

static const char usage[] = "usage: adapt check EXPERIMENT.json [--out DIR]\n"
                            "\n"
                            "Looks at everything that the experiment needs: models (config, tokenizer, every "
                            "weight), tasks, budgets, benchmarks,\n"
                            "memory, and the archive if there is one. Prints what it found, warnings, and "
                            "every reason why a run would fail.\n"
                            "\n"
                            "  --out DIR      folder of the archive, instead of the file's \"out\"\n"
                            "\n"
                            "exit status: 0 ready to run, 2 not\n";

int command_check(int argc, char **argv) {
    const char *path, *out = NULL;
    const struct command_option options[] = {{"out", &out}, {NULL, NULL}};
    int status;
    if (!command_options(argc, argv, usage, options, &path, &status)) return status;
    struct error err = {0};
    struct experiment *experiment;
    int code = experiment_load(path, &experiment, &err);
    if (!code && out) code = experiment_set_out(experiment, out, &err);
    if (code) {
        complain(NULL, err.message);
        return 2;
    }
    struct check check = {0};
    code = check_experiment(experiment, &check, &err);
    fputs(text_string(&check.facts), stdout);
    fflush(stdout);
    complain("warning", text_string(&check.warnings));
    complain(NULL, text_string(&check.failures));
    if (code) complain(NULL, err.message);
    status = code ? complain_status(code) : check.failures.length ? 2 : 0;
    check_free(&check);
    experiment_destroy(&experiment);
    return status;
}

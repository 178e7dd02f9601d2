#include "runner/command/command.h"

#include "runner/check/check.h"
#include "runner/command/complain.h"
#include <getopt.h>
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

/* 0, or a usage error's exit status, or -1: help was printed. */
static int parse(int argc, char **argv, const char **path, const char **out) {
    static const struct option known[] = {
        {"out", required_argument, NULL, 'o'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int letter;
    optind = 1;
    while ((letter = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (letter) {
        case 'o':
            *out = optarg;
            break;
        case 'h':
            fputs(usage, stdout);
            return -1;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    if (optind + 1 != argc) {
        fputs(usage, stderr);
        return 2;
    }
    *path = argv[optind];
    return 0;
}

int command_check(int argc, char **argv) {
    const char *path, *out = NULL;
    int status = parse(argc, argv, &path, &out);
    if (status) return status < 0 ? 0 : status;
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

#include "runner/command/command.h"

#include "runner/collect/collect.h"
#include "runner/command/complain.h"
#include <getopt.h>
#include <stdio.h>

static const char usage[] =
    "usage: adapt collect DIR [OTHER_DIR ...] [--out DIR] [--copy]\n"
    "\n"
    "Checks the cells' files of an experiment (settings, rows, tokens, evaluations), writes its "
    "experiment.h5 with the\n"
    "grid of scores, and says what is missing and how to run it. Finished cells of OTHER_DIRs, where parts "
    "of the same\n"
    "experiment ran, come into the archive as links. Cells may be running meanwhile.\n"
    "\n"
    "  --out DIR   folder of the archive (default: the first DIR)\n"
    "  --copy      copy files instead of linking them\n"
    "\n"
    "Exit status: 0 all cells are there, done and sound; 1 some are not; 2 wrong usage, or different "
    "experiments.\n";

int command_collect(int argc, char **argv) {
    static const struct option known[] = {{"help", no_argument, NULL, 'h'},
                                          {"out", required_argument, NULL, 'o'},
                                          {"copy", no_argument, NULL, 'c'},
                                          {0}};
    struct collect_options options = {0};
    int letter;
    optind = 1;
    while ((letter = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (letter == 'h') return fputs(usage, stdout), 0;
        if (letter == 'o') options.out = optarg;
        if (letter == 'c') options.copy = true;
        if (letter == '?') return fputs(usage, stderr), 2;
    }
    options.folders = (const char *const *)argv + optind;
    options.folder_count = argc - optind;
    if (options.folder_count < 1) return fputs(usage, stderr), 2;
    struct text report = {0};
    struct error err = {0};
    bool complete;
    int code = collect(&options, &report, &complete, &err);
    if (!code && (fputs(text_string(&report), stdout) < 0 || fflush(stdout)))
        code = error_set_errno(&err, "cannot write to standard output");
    text_free(&report);
    if (!code) return complete ? 0 : 1;
    complain(NULL, err.message);
    return complain_status(code);
}

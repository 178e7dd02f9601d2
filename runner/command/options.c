#include "runner/command/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { OPTIONS_MAX = 8, HELP = 'h', FIRST = 256 };

static bool refuse(const char *usage, int *status) {
    fputs(usage, stderr);
    *status = 2;
    return false;
}

bool command_options(int argc, char **argv, const char *usage, const struct command_option *options,
                     const char **operand, int *status) {
    struct option known[OPTIONS_MAX + 2] = {{"help", no_argument, NULL, HELP}};
    for (int i = 0; options[i].name && i < OPTIONS_MAX; i++)
        known[i + 1] = (struct option){options[i].name, required_argument, NULL, FIRST + i};
    int letter;
    optind = 1;
    while ((letter = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (letter == HELP) {
            fputs(usage, stdout);
            *status = 0;
            return false;
        }
        if (letter < FIRST) return refuse(usage, status);
        *options[letter - FIRST].value = optarg;
    }
    if (optind + 1 != argc) return refuse(usage, status);
    *operand = argv[optind];
    return true;
}

bool command_flag(int *argc, char **argv, const char *name) {
    int kept = 0;
    bool found = false;
    for (int i = 0; i < *argc; i++) {
        bool flag = i > 0 && !strncmp(argv[i], "--", 2) && !strcmp(argv[i] + 2, name);
        found = found || flag;
        if (!flag) argv[kept++] = argv[i];
    }
    argv[kept] = NULL;
    *argc = kept;
    return found;
}

/* The program: a table of subcommands. */
#include "runner/command/command.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *meaning;
} commands[] = {
    {"check", command_check, "find now what would fail later"},
    {"plan", command_plan, "show the cells of the grid and what they will take"},
    {"run", command_run, "run an experiment's grid"},
    {"submit", command_submit, "run it on a cluster, by Slurm"},
    {"eval", command_eval, "score a model on benchmarks"},
    {"bench", command_bench, "how fast training is on this machine"},
    {"status", command_status, "how far an experiment is"},
    {"collect", command_collect, "check the cells' files and put them into one archive"},
    {"report", command_report, "what an experiment's archive says"},
    {"tokenize", command_tokenize, "text to ids and back, a line at a time"},
    {"version", command_version, "what this program is made of"},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_usage(FILE *out) {
    fputs("usage: adapt COMMAND [ARGUMENTS]\n\ncommands:\n", out);
    for (int i = 0; i < COMMANDS; i++) fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].meaning);
    fputs("\n`adapt COMMAND --help` tells more.\n", out);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        print_usage(stderr);
        return 2;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        print_usage(stdout);
        return 0;
    }
    for (int i = 0; i < COMMANDS; i++)
        if (!strcmp(argv[1], commands[i].name)) return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "adapt: no command is called \"%s\"\n", argv[1]);
    print_usage(stderr);
    return 2;
}

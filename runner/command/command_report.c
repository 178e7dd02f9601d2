#include "runner/command/command.h"

#include "base/text.h"
#include "io/file.h"
#include "runner/command/complain.h"
#include "runner/report/report.h"
#include <getopt.h>
#include <stdio.h>
#include <time.h>

static const char usage[] =
    "usage: adapt report DIR|ARCHIVE [--csv FILE]\n"
    "\n"
    "Tells what an experiment's archive says: a verdict, scores, validation losses, differences to uniform "
    "and\n"
    "proportional with their confidence intervals, tokens, time, and the mixtures' paths. Also while cells "
    "run.\n"
    "\n"
    "  DIR|ARCHIVE   the experiment's folder, its experiment.h5, or the file of one cell\n"
    "  --csv FILE    also write every number into FILE: model,budget,method,seed,quantity,item,value\n";

static int parse(int argc, char **argv, const char **path, const char **csv) {
    static const struct option known[] = {
        {"csv", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int letter;
    optind = 1;
    while ((letter = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (letter) {
        case 'c':
            *csv = optarg;
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

static int write_csv(const struct results *results, const char *path, struct error *err) {
    struct text csv = {0};
    int code = report_csv(results, &csv, err);
    if (!code) code = file_write(path, text_string(&csv), csv.length, err);
    text_free(&csv);
    return code;
}

static int report(const char *path, const char *csv, struct error *err) {
    struct results *results;
    struct text text = {0};
    TRY(results_load(path, &results, err));
    int code = report_text(results, (double)time(NULL), &text, err);
    if (!code && csv) code = write_csv(results, csv, err);
    if (!code && (fputs(text_string(&text), stdout) < 0 || fflush(stdout))) {
        code = error_set_errno(err, "cannot write the report to standard output");
    }
    text_free(&text);
    results_destroy(&results);
    return code;
}

int command_report(int argc, char **argv) {
    const char *path = NULL, *csv = NULL;
    struct error err = {0};
    int status = parse(argc, argv, &path, &csv);
    if (status) return status < 0 ? 0 : status;
    int code = report(path, csv, &err);
    if (!code) return 0;
    complain(NULL, err.message);
    return complain_status(code);
}

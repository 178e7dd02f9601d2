#include "runner/command/command.h"

#include "base/text.h"
#include "io/file.h"
#include "runner/command/complain.h"
#include "runner/command/options.h"
#include "runner/report/report.h"
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
    const struct command_option options[] = {{"csv", &csv}, {NULL, NULL}};
    int status;
    if (!command_options(argc, argv, usage, options, &path, &status)) return status;
    int code = report(path, csv, &err);
    if (!code) return 0;
    complain(NULL, err.message);
    return complain_status(code);
}

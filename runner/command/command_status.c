#include "runner/command/command.h"

#include "base/text.h"
#include "runner/command/complain.h"
#include "runner/report/status.h"
#include "runner/report/status_queue.h"
#include "runner/sweep/sweep.h"
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: adapt status DIR [--watch [SECONDS]]\n"
    "\n"
    "Tells how far an experiment is: counts of its cells, the progress of those that run and who runs them, "
    "why cells\n"
    "failed, about how long the rest will take, and what Slurm's queue holds of it. Also while cells run.\n"
    "\n"
    "  DIR                  the experiment's folder (or its experiment.h5, or the file of one cell)\n"
    "  --watch [SECONDS]    tells it again every so many seconds (10), until all cells are done or failed, "
    "or Ctrl-C\n";

/* A sweep whose first job has not begun has no archive yet; 0 if `path` is the folder of one. */
static int look_before(const char *path, struct text *text, bool *open, struct error *err) {
    struct text jobs = {0};
    *open = true;
    int code = sweep_read_jobs(path, &jobs, NULL) || !jobs.length;
    text_free(&jobs);
    if (code) return code;
    TRY(text_append_string(text, "submitted; no cell has been started yet\n", err));
    return status_queue(path, text, err);
}

/* One look; *open: cells are left that run or wait. */
static int look(const char *path, struct text *text, bool *open, struct error *err) {
    struct results *results;
    int missing = results_load(path, &results, err);
    if (missing) return missing == ERROR_INPUT && !look_before(path, text, open, NULL) ? 0 : missing;
    int code = status_text(results, (double)time(NULL), text, err);
    if (!code && results->folder) code = status_queue(results->folder, text, err);
    *open = results_count(results, ARCHIVE_RUNNING) + results_count(results, ARCHIVE_PLANNED) > 0;
    results_destroy(&results);
    return code;
}

static int put(const char *text, struct error *err) {
    if (fputs(text, stdout) < 0 || fflush(stdout))
        return error_set_errno(err, "cannot write the status to standard output");
    return 0;
}

/* On a terminal every line goes over the one that was there, so that nothing flickers; elsewhere looks follow
 * each other under their time. */
static int show(const char *text, bool terminal, struct error *err) {
    struct text screen = {0};
    char stamp[64];
    time_t now = time(NULL);
    strftime(stamp, sizeof stamp, "%F %T", localtime(&now));
    int code =
        terminal ? text_append_string(&screen, "\033[H", err) : text_printf(&screen, err, "-- %s\n", stamp);
    for (const char *line = text; *line && !code;) {
        int length = (int)strcspn(line, "\n");
        code = text_printf(&screen, err, "%.*s%s\n", length, line, terminal ? "\033[K" : "");
        line += length + (line[length] == '\n');
    }
    if (!code && terminal) code = text_printf(&screen, err, "%s\033[K\n\033[J", stamp);
    if (!code) code = put(text_string(&screen), err);
    text_free(&screen);
    return code;
}

/* Ctrl-C comes as something to read, between two looks and never in one. */
static int watch(const char *path, double seconds, struct error *err) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &signals, NULL)) return error_set_errno(err, "signals");
    struct pollfd interrupted = {.fd = signalfd(-1, &signals, SFD_CLOEXEC), .events = POLLIN};
    if (interrupted.fd < 0) return error_set_errno(err, "signals");
    bool open = true, terminal = isatty(STDOUT_FILENO);
    struct text text = {0};
    int code = terminal ? put("\033[2J", err) : 0;
    while (!code) {
        text_clear(&text);
        code = look(path, &text, &open, err);
        if (!code) code = show(text_string(&text), terminal, err);
        if (code || !open || poll(&interrupted, 1, (int)(seconds * 1000)) != 0) break;
    }
    text_free(&text);
    close(interrupted.fd);
    return code;
}

static int tell(const char *path, struct error *err) {
    struct text text = {0};
    bool open;
    int code = look(path, &text, &open, err);
    if (!code) code = put(text_string(&text), err);
    text_free(&text);
    return code;
}

/* Seconds from 0.1 to a day; 0 for what is no such number. */
static double parse_seconds(const char *text) {
    char *end;
    double seconds = strtod(text, &end);
    return end != text && !*end && seconds >= 0.1 && seconds <= 86400 ? seconds : 0;
}

int command_status(int argc, char **argv) {
    static const struct option known[] = {
        {"help", no_argument, NULL, 'h'}, {"watch", optional_argument, NULL, 'w'}, {0}};
    double seconds = 0;
    int letter;
    optind = 1;
    while ((letter = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (letter == 'h') return fputs(usage, stdout), 0;
        if (letter == '?') return fputs(usage, stderr), 2;
        const char *value = optarg;
        if (!value && optind < argc && parse_seconds(argv[optind]) > 0)
            value = argv[optind++]; /* "--watch 5" */
        seconds = value ? parse_seconds(value) : 10;
        if (seconds <= 0) {
            fprintf(stderr, "adapt: --watch %s: not a number of seconds (0.1 to 86400)\n", value);
            return 2;
        }
    }
    if (optind + 1 != argc) return fputs(usage, stderr), 2;
    struct error err = {0};
    int code = seconds > 0 ? watch(argv[optind], seconds, &err) : tell(argv[optind], &err);
    if (!code) return 0;
    complain(NULL, err.message);
    return complain_status(code);
}

#include "runner/command/command.h"

#include "base/memory.h"
#include "runner/command/complain.h"
#include "runner/command/setting_options.h"
#include "runner/sweep/sweep.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: adapt submit EXPERIMENT.json [--dry-run] [--out DIR] [--cells 3,5-8] [OPTIONS]\n"
    "\n"
    "Submits the cells that are not done yet to Slurm, and a job that collects them afterwards. The job "
    "script is\n"
    "OUT/slurm/sweep.sh, with its logs beside it. Options go before the experiment file's \"slurm\".\n"
    "\n"
    "  --dry-run                    print the job script, submit nothing, write nothing\n"
    "  --out DIR                    folder of the archive, instead of the file's \"out\"\n"
    "  --cells LIST                 only these cells, by their index in `adapt plan`\n"
    "  --setup LINE                 a line of shell to run before (module load ...); may be repeated\n"
    "  --extra OPTION               a further #SBATCH line, such as --extra=--qos=long; may be repeated\n";

enum { DRY_RUN = 300, OUT, CELLS, SETUP, EXTRA, SETTINGS = 400, GIVEN_MAX = 256 };

/* The command line, before the experiment file is read. */
struct given {
    const char *experiment, *out, *cells;
    bool dry_run;
    int count, which[GIVEN_MAX]; /* SETUP, EXTRA or SETTINGS + row */
    const char *value[GIVEN_MAX];
};

static void print_help(FILE *out) {
    fputs(usage, out);
    setting_options_print(out, slurm_settings_table);
}

/* 0; 1: help was printed; ERROR_INPUT with a message, or after printing the usage. */
static int read_options(int argc, char **argv, struct given *given, struct error *err) {
    struct setting_options names = {0};
    struct option known[SETTING_OPTIONS_MAX + 8] = {
        {"help", no_argument, NULL, 'h'},          {"dry-run", no_argument, NULL, DRY_RUN},
        {"out", required_argument, NULL, OUT},     {"cells", required_argument, NULL, CELLS},
        {"setup", required_argument, NULL, SETUP}, {"extra", required_argument, NULL, EXTRA}};
    setting_options_add(&names, slurm_settings_table, SETTINGS, known, 6);
    int letter;
    optind = 1;
    opterr = 0;
    while ((letter = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
        if (letter == 'h') return print_help(stdout), 1;
        if (letter == ':') return error_set(err, ERROR_INPUT, "%s: a value expected", argv[optind - 1]);
        if (letter == '?')
            return error_set(err, ERROR_INPUT, "%s: no such option (see `adapt submit --help`)",
                             argv[optind - 1]);
        if (letter == DRY_RUN)
            given->dry_run = true;
        else if (letter == OUT)
            given->out = optarg;
        else if (letter == CELLS)
            given->cells = optarg;
        else if (given->count == GIVEN_MAX)
            return error_set(err, ERROR_INPUT, "more than %d options", GIVEN_MAX);
        else {
            given->which[given->count] = letter;
            given->value[given->count++] = optarg;
        }
    }
    if (optind + 1 != argc) return print_help(stderr), ERROR_INPUT;
    given->experiment = argv[optind];
    return 0;
}

/* Appends a line to a list; the list is of the arena. */
static int add_line(struct arena *arena, const char *line, const char ***list, int *count,
                    struct error *err) {
    const char **longer;
    TRY(arena_alloc(arena, &longer, (size_t)*count + 1, sizeof *longer, err));
    for (int i = 0; i < *count; i++) longer[i] = (*list)[i];
    longer[(*count)++] = line;
    *list = longer;
    return 0;
}

static void note(void *context, const char *key, const char *problem) {
    struct error *err = context;
    if (!err->code) error_set(err, ERROR_INPUT, "slurm.%s: %s", key, problem);
}

static int apply(const struct given *given, struct slurm_settings *slurm, struct arena *arena,
                 struct error *err) {
    for (int i = 0; i < given->count; i++) {
        const char *value = given->value[i];
        if (given->which[i] == SETUP)
            TRY(add_line(arena, value, &slurm->setup, &slurm->setup_count, err));
        else if (given->which[i] == EXTRA)
            TRY(add_line(arena, value, &slurm->extra, &slurm->extra_count, err));
        else
            TRY(setting_option_parse(&slurm_settings_table[given->which[i] - SETTINGS], value, slurm, err));
    }
    err->code = 0;
    slurm_settings_check(slurm, note, err);
    return err->code;
}

static int this_program(char out[PATH_MAX], struct error *err) {
    ssize_t length = readlink("/proc/self/exe", out, PATH_MAX - 1);
    if (length < 0) return error_set_errno(err, "/proc/self/exe");
    out[length] = 0;
    return 0;
}

static int submit(const struct experiment *experiment, const struct sweep *sweep, struct error *err) {
    struct sweep_ids ids;
    int code = sweep_submit(experiment, sweep, &ids, err);
    if (ids.sweep[0])
        printf("job %s: %d cells in %d %s; script and logs are in %s/slurm\n", ids.sweep, sweep->cells,
               sweep->jobs, experiment->slurm.mode == SLURM_MODE_ARRAY ? "array tasks" : "job",
               experiment->out);
    if (ids.collect[0]) printf("job %s: collects them afterwards\n", ids.collect);
    return code;
}

static int run(const struct given *given, struct experiment *experiment, struct arena *arena,
               struct error *err) {
    char program[PATH_MAX];
    struct grid *grid;
    struct sweep sweep;
    TRY(apply(given, &experiment->slurm, arena, err));
    if (given->out) TRY(experiment_set_out(experiment, given->out, err));
    TRY(this_program(program, err));
    TRY(grid_create(experiment, given->cells, &grid, err));
    int code = sweep_make(experiment, grid, program, &sweep, err);
    grid_destroy(&grid);
    TRY(code);
    if (!sweep.jobs)
        printf("nothing to run: all selected cells are done\n");
    else if (given->dry_run)
        fputs(text_string(&sweep.script), stdout);
    else
        code = submit(experiment, &sweep, err);
    sweep_free(&sweep);
    if (!code && fflush(stdout)) code = error_set_errno(err, "standard output");
    return code;
}

int command_submit(int argc, char **argv) {
    struct given given = {0};
    struct error err = {0};
    struct experiment *experiment = NULL;
    struct arena *arena = NULL;
    int code = read_options(argc, argv, &given, &err);
    if (code == 1) return 0;
    if (!code) code = arena_create(&arena, &err);
    if (!code) code = experiment_load(given.experiment, &experiment, &err);
    if (!code) code = run(&given, experiment, arena, &err);
    experiment_destroy(&experiment);
    arena_destroy(&arena);
    if (!code) return 0;
    if (err.message[0]) complain(NULL, err.message);
    return complain_status(code);
}

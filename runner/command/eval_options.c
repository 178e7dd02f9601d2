#include "runner/command/eval_options.h"

#include "base/memory.h"
#include "runner/command/setting_options.h"
#include <string.h>

static const char usage[] =
    "usage: adapt eval MODEL_DIR --benchmark NAME=FILE ... [OPTION ...]\n"
    "\n"
    "Scores a model (a Hugging Face folder) on benchmarks, as lm-evaluation-harness scores them. FILE holds "
    "one JSON\n"
    "record a line, with the field names of the dataset; for bbh it is a folder of such files.\n"
    "\n"
    "  --benchmark NAME=FILE        may be given several times\n"
    "  --exemplars NAME=FILE        records that NAME's prompts show as exemplars (default: FILE_train.jsonl "
    "beside the\n"
    "                               benchmark's FILE.jsonl, for mbpp FILE_prompt.jsonl)\n"
    "  --samples DIR                writes samples_NAME_TIME.jsonl, one line a record, into DIR\n"
    "  --archive FILE               writes scores and answers into an HDF5 file\n"
    "  --device NAME                what computes: cpu (default), cuda or cuda:N\n"
    "  --threads N                  threads (default: OMP_NUM_THREADS, else the cores at hand)\n";

enum {
    OPTION_HELP = 'h',
    OPTION_BENCHMARK = 256,
    OPTION_EXEMPLARS,
    OPTION_SAMPLES,
    OPTION_ARCHIVE,
    OPTION_THREADS,
    OPTION_DEVICE,
    OPTION_SETTING
};

/* What getopt_long knows. */
struct eval_known {
    struct setting_options settings; /* names */
    struct option known[SETTING_OPTIONS_MAX + 8];
};

static void list_options(struct eval_known *list) {
    static const struct option own[] = {
        {"help", no_argument, NULL, OPTION_HELP},
        {"benchmark", required_argument, NULL, OPTION_BENCHMARK},
        {"exemplars", required_argument, NULL, OPTION_EXEMPLARS},
        {"samples", required_argument, NULL, OPTION_SAMPLES},
        {"archive", required_argument, NULL, OPTION_ARCHIVE},
        {"threads", required_argument, NULL, OPTION_THREADS},
        {"device", required_argument, NULL, OPTION_DEVICE},
    };
    int count = sizeof own / sizeof own[0];
    memcpy(list->known, own, sizeof own);
    count = setting_options_add(&list->settings, eval_settings_table, OPTION_SETTING, list->known, count);
    list->known[count] = (struct option){0};
}

static void print_usage(FILE *out) {
    fputs(usage, out);
    setting_options_print(out, eval_settings_table);
    fputs("\nbenchmarks:", out);
    for (const char *const *name = eval_names(); *name; name++) fprintf(out, " %s", *name);
    fputc('\n', out);
}

static int parse_threads(const char *text, long long *out, struct error *err) {
    static const struct setting row = {.name = "threads", .kind = SETTING_COUNT, .low = 1, .high = 4096};
    return setting_option_parse(&row, text, out, err);
}

static int split(const char *option, char *argument, const char **name, const char **path,
                 struct error *err) {
    char *equals = strchr(argument, '=');
    if (!equals || equals == argument || !equals[1])
        return error_set(err, ERROR_INPUT, "--%s %s: NAME=FILE expected", option, argument);
    *equals = 0;
    *name = argument;
    *path = equals + 1;
    return 0;
}

static int add_task(struct eval_options *options, char *argument, struct error *err) {
    struct eval_task task = {0};
    TRY(split("benchmark", argument, &task.benchmark, &task.path, err));
    TRY(memory_reserve(&options->tasks, &options->capacity, options->count + 1, sizeof *options->tasks, err));
    options->tasks[options->count++] = task;
    return 0;
}

/* Options come in any order: exemplars wait until all benchmarks are known. */
static int add_exemplars(struct eval_options *options, char *argument, struct error *err) {
    const char *name = NULL, *path = NULL;
    bool found = false;
    TRY(split("exemplars", argument, &name, &path, err));
    for (size_t i = 0; i < options->count; i++) {
        if (strcmp(options->tasks[i].benchmark, name)) continue;
        options->tasks[i].shots_path = path;
        found = true;
    }
    return found ? 0
                 : error_set(err, ERROR_INPUT, "--exemplars %s=...: no --benchmark %s is given", name, name);
}

static int take(struct eval_options *options, int letter, struct error *err) {
    switch (letter) {
    case OPTION_BENCHMARK: return add_task(options, optarg, err);
    case OPTION_EXEMPLARS: return 0;
    case OPTION_SAMPLES: options->samples = optarg; return 0;
    case OPTION_ARCHIVE: options->archive = optarg; return 0;
    case OPTION_DEVICE: options->device = optarg; return 0;
    case OPTION_THREADS: return parse_threads(optarg, &options->threads, err);
    default:
        return setting_option_parse(&eval_settings_table[letter - OPTION_SETTING], optarg, &options->settings,
                                    err);
    }
}

/* One run over argv: benchmarks and settings first, exemplars the second time. */
static int scan(int argc, char **argv, const struct eval_known *list, bool exemplars,
                struct eval_options *out, struct error *err) {
    int letter;
    optind = 1;
    opterr = 0; /* its messages would begin with the subcommand's name */
    while ((letter = getopt_long(argc, argv, ":h", list->known, NULL)) != -1) {
        if (letter == OPTION_HELP) {
            print_usage(stdout);
            return 1;
        }
        if (letter == ':') return error_set(err, ERROR_INPUT, "%s: a value expected", argv[optind - 1]);
        if (letter == '?')
            return error_set(err, ERROR_INPUT, "%s: no such option (see `adapt eval --help`)",
                             argv[optind - 1]);
        int code = 0;
        if (!exemplars) code = take(out, letter, err);
        if (exemplars && letter == OPTION_EXEMPLARS) code = add_exemplars(out, optarg, err);
        if (code) return code;
    }
    return 0;
}

int eval_options_parse(int argc, char **argv, struct eval_options *out, struct error *err) {
    struct eval_known list;
    *out = (struct eval_options){0};
    list_options(&list);
    setting_defaults(eval_settings_table, &out->settings);
    int code = scan(argc, argv, &list, false, out, err);
    if (!code) code = scan(argc, argv, &list, true, out, err);
    if (code) return code;
    if (optind + 1 != argc || out->count == 0) {
        print_usage(stderr);
        return ERROR_INPUT;
    }
    out->folder = argv[optind];
    return 0;
}

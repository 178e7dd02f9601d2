#include "runner/command/command.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "eval/evaluate.h"
#include "io/file.h"
#include "runner/threads.h"
#include "train/parameters.h"
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: adapt eval MODEL_DIR --benchmark NAME=FILE ... [--limit N] [--max-length N] [--samples DIR] "
    "[--threads N]\n"
    "\n"
    "Scores a model (a Hugging Face folder) on benchmarks, as lm-evaluation-harness scores them. FILE holds "
    "one JSON\n"
    "record a line, with the field names of the dataset.\n"
    "\n"
    "  --benchmark NAME=FILE  may be given several times\n"
    "  --limit N              only the first N records of each\n"
    "  --max-length N         tokens of context (default: the model's)\n"
    "  --samples DIR          writes samples_NAME_TIME.jsonl, one line a record, into DIR\n"
    "  --threads N            threads (default: OMP_NUM_THREADS, else the cores at hand)\n"
    "\n"
    "benchmarks:";

struct benchmark_file {
    const char *name; /* points into argv, cut at the '=' */
    const char *path;
};

struct eval_options {
    const char *folder, *samples;
    long long limit, max_length, threads;
    struct benchmark_file *files;
    size_t count, capacity;
};

static void print_usage(FILE *out) {
    fputs(usage, out);
    for (const char *const *name = eval_names(); *name; name++) fprintf(out, " %s", *name);
    fputc('\n', out);
}

static int parse_count(const char *option, const char *text, long long most, long long *out,
                       struct error *err) {
    char *end;
    *out = strtoll(text, &end, 10);
    if (end != text && *end == 0 && *out >= 1 && *out <= most) return 0;
    return error_set(err, ERROR_INPUT, "%s %s: not a number in 1..%lld", option, text, most);
}

static int add_file(struct eval_options *options, char *argument, struct error *err) {
    char *equals = strchr(argument, '=');
    if (!equals || equals == argument || !equals[1]) {
        return error_set(err, ERROR_INPUT, "--benchmark %s: NAME=FILE expected", argument);
    }
    *equals = 0;
    TRY(memory_reserve(&options->files, &options->capacity, options->count + 1, sizeof *options->files, err));
    options->files[options->count++] = (struct benchmark_file){argument, equals + 1};
    return 0;
}

/* 1: helped. Where nothing but the usage is to be told, `err` stays empty. */
static int parse(int argc, char **argv, struct eval_options *options, struct error *err) {
    static const struct option known[] = {{"benchmark", required_argument, NULL, 'b'},
                                          {"limit", required_argument, NULL, 'l'},
                                          {"max-length", required_argument, NULL, 'm'},
                                          {"samples", required_argument, NULL, 's'},
                                          {"threads", required_argument, NULL, 't'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int letter;
    optind = 1;
    opterr = 0; /* its messages would begin with the subcommand's name */
    while ((letter = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
        switch (letter) {
        case 'b':
            TRY(add_file(options, optarg, err));
            break;
        case 'l':
            TRY(parse_count("--limit", optarg, 1LL << 40, &options->limit, err));
            break;
        case 'm':
            TRY(parse_count("--max-length", optarg, 1 << 30, &options->max_length, err));
            break;
        case 's':
            options->samples = optarg;
            break;
        case 't':
            TRY(parse_count("--threads", optarg, 4096, &options->threads, err));
            break;
        case 'h':
            print_usage(stdout);
            return 1;
        case ':':
            return error_set(err, ERROR_INPUT, "%s: a value expected", argv[optind - 1]);
        default:
            return error_set(err, ERROR_INPUT, "%s: no such option (see `adapt eval --help`)",
                             argv[optind - 1]);
        }
    }
    if (optind + 1 != argc || options->count == 0) {
        print_usage(stderr);
        return ERROR_INPUT;
    }
    options->folder = argv[optind];
    return 0;
}

/* A model with its weights, opened for scoring. */
struct scored_model {
    struct model_config config;
    struct parameter_layout *layout;
    struct tokenizer *tokenizer;
    struct backend *backend;
    struct buffer *weights;
    struct eval_model model;
};

static int check_folder(const char *folder, struct error *err) {
    char *path;
    TRY(file_join(folder, "config.json", &path, err));
    bool found = file_exists(path);
    memory_free(path);
    if (found) return 0;
    return error_set(err, ERROR_INPUT, "%s: no config.json in it (a Hugging Face model folder expected)",
                     folder);
}

static int open_model(const struct eval_options *options, struct scored_model *m, struct error *err) {
    TRY(model_config_load(options->folder, &m->config, err));
    TRY(parameter_layout_create(&m->config, &m->layout, err));
    TRY(tokenizer_load(options->folder, &m->tokenizer, err));
    TRY(backend_create("cpu", threads_alone((int)options->threads), &m->backend, err));
    TRY(m->backend->buffer_create(m->backend, m->layout->elements * sizeof(float), &m->weights, err));
    struct view parameters = {m->weights, 0, DTYPE_F32};
    TRY(parameters_load(options->folder, m->layout, m->backend, parameters, err));
    m->model = (struct eval_model){m->backend, &m->config, m->layout, parameters, m->tokenizer, 0};
    return 0;
}

static void close_model(struct scored_model *m) {
    if (m->backend) m->backend->buffer_destroy(m->backend, &m->weights);
    backend_destroy(&m->backend);
    tokenizer_destroy(&m->tokenizer);
    parameter_layout_destroy(&m->layout);
}

/* A line that is rewritten, where somebody watches. */
struct watcher {
    const char *benchmark;
    double started, told;
    bool shown;
};

static void show_progress(void *context, int64_t done, int64_t total) {
    struct watcher *watcher = context;
    double now = clock_seconds();
    if (now - watcher->told < 0.2) return;
    watcher->told = now;
    watcher->shown = true;
    double rate = (double)done / (now - watcher->started);
    fprintf(stderr, "\r%s: %lld of %lld requests, %.1f/s, %.0f s left   ", watcher->benchmark,
            (long long)done, (long long)total, rate, (double)(total - done) / rate);
    fflush(stderr);
}

/* The local time as Python's isoformat gives it, with '-' for ':', which not every file system takes. */
static void format_time(char *out, size_t size) {
    struct timeval now;
    struct tm local;
    gettimeofday(&now, NULL);
    localtime_r(&now.tv_sec, &local);
    size_t length = strftime(out, size, "%Y-%m-%dT%H-%M-%S", &local);
    snprintf(out + length, size - length, ".%06ld", (long)now.tv_usec);
}

static int write_samples(const struct eval_options *options, const struct eval_result *result,
                         const char *stamp, struct error *err) {
    struct text name = {0};
    char *path = NULL;
    int code = text_printf(&name, err, "samples_%s_%s.jsonl", result->benchmark, stamp);
    if (!code) code = file_join(options->samples, text_string(&name), &path, err);
    if (!code) code = eval_write_samples(result, path, err);
    memory_free(path);
    text_free(&name);
    return code;
}

/* One line a metric, the headline's first and with a star. */
static void print_result(const struct eval_result *result) {
    for (int i = 0; i < result->metric_count; i++) {
        int m = i == 0 ? result->headline : i <= result->headline ? i - 1 : i;
        const struct eval_metric *metric = &result->metrics[m];
        char deviation[32] = "N/A";
        if (!isnan(metric->standard_error))
            snprintf(deviation, sizeof deviation, "%.4f", metric->standard_error);
        printf("%-14s %-9s%s %7.4f ± %-6s %7lld %12.2f %10.1f\n", result->benchmark, metric->name,
               i == 0 ? "*" : " ", metric->value, deviation, (long long)result->sample_count,
               (double)result->requests / result->seconds, (double)result->tokens / result->seconds);
    }
    fflush(stdout);
}

static int run_benchmark(const struct eval_options *options, const struct eval_model *model,
                         const struct benchmark_file *file, const char *stamp, struct error *err) {
    struct watcher watcher = {.benchmark = file->name, .started = clock_seconds()};
    struct eval_settings settings = {.limit = options->limit, .max_length = (int)options->max_length};
    if (isatty(STDERR_FILENO)) {
        settings.progress = show_progress;
        settings.progress_context = &watcher;
    }
    struct eval_result *result;
    int code = eval_run(file->name, file->path, model, &settings, NULL, &result, err);
    if (watcher.shown) fputs("\r\033[K", stderr);
    TRY(code);
    print_result(result);
    if (options->samples) code = write_samples(options, result, stamp, err);
    eval_result_destroy(&result);
    return code;
}

/* Every file is read before the model is: a mistake on the last line of the last one shows at once. */
static int check_files(const struct eval_options *options, struct error *err) {
    for (size_t i = 0; i < options->count; i++) {
        int64_t records;
        TRY(eval_check(options->files[i].name, options->files[i].path, &records, err));
    }
    return options->samples ? file_make_folder(options->samples, err) : 0;
}

static int run(const struct eval_options *options, struct scored_model *m, struct error *err) {
    char stamp[64];
    format_time(stamp, sizeof stamp);
    TRY(check_folder(options->folder, err));
    TRY(check_files(options, err));
    TRY(open_model(options, m, err));
    printf("%-14s %-9s  %7s   %-6s %7s %12s %10s\n", "benchmark", "metric", "score", "stderr", "n",
           "requests/s", "tokens/s");
    for (size_t i = 0; i < options->count; i++)
        TRY(run_benchmark(options, &m->model, &options->files[i], stamp, err));
    return 0;
}

int command_eval(int argc, char **argv) {
    struct eval_options options = {0};
    struct scored_model model = {0};
    struct error err = {0};
    int code = parse(argc, argv, &options, &err);
    bool helped = code > 0;
    if (!code) code = run(&options, &model, &err);
    if (code < 0 && err.message[0]) fprintf(stderr, "adapt: %s\n", err.message);
    close_model(&model);
    memory_free(options.files);
    if (helped || code == 0) return 0;
    return code == ERROR_INPUT || code == ERROR_UNSUPPORTED ? 2 : 1;
}

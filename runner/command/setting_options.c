#include "runner/command/setting_options.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void name_option(const struct setting *row, char name[SETTING_OPTION_BYTES]) {
    snprintf(name, SETTING_OPTION_BYTES, "%s", row->name);
    for (char *c = name; *c; c++)
        if (*c == '_') *c = '-';
}

int setting_options_add(struct setting_options *options, const struct setting *table, int first,
                        struct option *known, int count) {
    for (int i = 0; table[i].name && i < SETTING_OPTIONS_MAX; i++) {
        name_option(&table[i], options->name[i]);
        int takes = table[i].kind == SETTING_FLAG ? no_argument : required_argument;
        known[count++] = (struct option){options->name[i], takes, NULL, first + i};
    }
    return count;
}

void setting_options_print(FILE *out, const struct setting *table) {
    static const char *const values[] = {[SETTING_REAL] = " X",
                                         [SETTING_COUNT] = " N",
                                         [SETTING_FLAG] = "",
                                         [SETTING_CHOICE] = " NAME",
                                         [SETTING_TEXT] = " TEXT"};
    for (const struct setting *row = table; row->name; row++) {
        char name[SETTING_OPTION_BYTES], left[SETTING_OPTION_BYTES + 8];
        name_option(row, name);
        snprintf(left, sizeof left, "--%s%s", name, values[row->kind]);
        fprintf(out, "  %-28s %s", left, row->meaning);
        for (int i = 0; row->kind == SETTING_CHOICE && row->choices[i]; i++)
            fprintf(out, "%s%s", i ? ", " : ": ", row->choices[i]);
        fputc('\n', out);
    }
}

/* ---- one value */

static int parse_count(const char *option, const struct setting *row, const char *text, long long *out,
                       struct error *err) {
    char *end;
    *out = strtoll(text, &end, 10);
    if (end != text && *end == 0 && (double)*out >= row->low && (double)*out <= row->high) return 0;
    return error_set(err, ERROR_INPUT, "--%s %s: not a number in %.0f..%.0f", option, text, row->low,
                     row->high);
}

static int parse_real(const char *option, const struct setting *row, const char *text, double *out,
                      struct error *err) {
    char *end;
    *out = strtod(text, &end);
    if (end != text && *end == 0 && *out >= row->low && *out <= row->high) return 0;
    return error_set(err, ERROR_INPUT, "--%s %s: not a number in %g..%g", option, text, row->low, row->high);
}

static int parse_choice(const char *option, const struct setting *row, const char *text, int *out,
                        struct error *err) {
    char known[256] = "";
    for (*out = 0; row->choices[*out]; ++*out) {
        size_t length = strlen(known);
        if (!strcmp(row->choices[*out], text)) return 0;
        snprintf(known + length, sizeof known - length, "%s%s", length ? ", " : "", row->choices[*out]);
    }
    return error_set(err, ERROR_INPUT, "--%s %s: one of %s expected", option, text, known);
}

int setting_option_parse(const struct setting *row, const char *text, void *settings, struct error *err) {
    void *field = (char *)settings + row->offset;
    char option[SETTING_OPTION_BYTES];
    name_option(row, option);
    switch (row->kind) {
    case SETTING_COUNT: return parse_count(option, row, text, field, err);
    case SETTING_CHOICE: return parse_choice(option, row, text, field, err);
    case SETTING_REAL: return parse_real(option, row, text, field, err);
    case SETTING_TEXT: *(const char **)field = text; return 0;
    case SETTING_FLAG: *(bool *)field = true; return 0;
    }
    return 0;
}

/* ---- a whole command line */

enum { HELP = 'h', FIRST = 256 };

static void print_help(FILE *out, const char *usage, const struct setting *table) {
    fputs(usage, out);
    setting_options_print(out, table);
}

int setting_options_command(int argc, char **argv, const char *usage, const struct setting *table,
                            void *settings, const char **operand, struct error *err) {
    struct setting_options options = {0};
    struct option known[SETTING_OPTIONS_MAX + 2] = {{"help", no_argument, NULL, HELP}};
    setting_options_add(&options, table, FIRST, known, 1);
    setting_defaults(table, settings);
    int letter;
    optind = 1;
    opterr = 0; /* its messages would begin with the subcommand's name */
    while ((letter = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
        if (letter == HELP) {
            print_help(stdout, usage, table);
            return 1;
        }
        if (letter == ':') return error_set(err, ERROR_INPUT, "%s: a value expected", argv[optind - 1]);
        if (letter == '?')
            return error_set(err, ERROR_INPUT, "%s: no such option (see `adapt %s --help`)", argv[optind - 1],
                             argv[0]);
        TRY(setting_option_parse(&table[letter - FIRST], optarg, settings, err));
    }
    *operand = argv[optind];
    if (optind + 1 == argc) return 0;
    print_help(stderr, usage, table);
    return ERROR_INPUT;
}

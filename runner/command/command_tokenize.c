/* `adapt tokenize`: text to ids and back, a line at a time; for trying a tokenizer and for comparing it with
 * others. */
#include "runner/command/command.h"

#include "base/memory.h"
#include "io/json.h"
#include "io/tokenizer/tokenizer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: adapt tokenize MODEL_DIR [--no-special]              JSON strings in, arrays of ids out, one a "
    "line\n"
    "       adapt tokenize MODEL_DIR --decode [--skip-special]   arrays of ids in, JSON strings out\n"
    "\n"
    "  --no-special     without the tokens that the tokenizer puts around every text\n"
    "  --decode         from ids to text\n"
    "  --skip-special   leave special tokens out of the text\n"
    "\n"
    "Reads standard input, writes standard output. Only the tokenizer's files of MODEL_DIR are needed.\n";

struct job {
    struct tokenizer *tokenizer;
    bool special, decode, skip_special;
    struct text text;      /* of the line at hand */
    struct token_list ids; /* of the line at hand */
    struct text printed;   /* what goes out for it */
};

/* The first \u0000 escape at or after `at`, or `end`. Such an escape is no JSON that the parser takes, but
 * texts with NUL are worth tokenizing. */
static const char *find_nul_escape(const char *at, const char *end) {
    for (; at < end; at++) {
        if (*at != '\\') continue;
        if (end - at >= 6 && !memcmp(at, "\\u0000", 6)) return at;
        at++;
    }
    return end;
}

/* Appends the text of a JSON string, `line`, to job->text: the stretches between NULs one by one. */
static int read_string(struct job *job, const char *line, size_t length, struct error *err) {
    while (length && strchr(" \t\r\n", line[length - 1])) length--;
    while (length && strchr(" \t", *line)) line++, length--;
    if (length < 2 || line[0] != '"' || line[length - 1] != '"')
        return error_set(err, ERROR_INPUT, "not a JSON string in double quotes");
    const char *at = line + 1, *end = line + length - 1;
    struct text part = {0};
    int code = 0;
    for (bool more = true; more && !code;) {
        const char *stop = find_nul_escape(at, end);
        cJSON *json = NULL;
        text_clear(&part);
        code = text_append(&part, "\"", 1, err);
        if (!code) code = text_append(&part, at, (size_t)(stop - at), err);
        if (!code) code = text_append(&part, "\"", 1, err);
        if (!code) code = json_parse("string", part.data, part.length, &json, err);
        if (!code) code = text_append_string(&job->text, json->valuestring, err);
        cJSON_Delete(json);
        more = stop < end;
        if (more && !code) code = text_append(&job->text, "", 1, err);
        at = stop + 6;
    }
    text_free(&part);
    return code;
}

static int print_string(struct job *job, struct error *err) {
    TRY(text_append(&job->printed, "\"", 1, err));
    const char *text = text_string(&job->text), *end = text + job->text.length;
    for (;;) { /* a C string at a time; NULs between */
        size_t length = strlen(text);
        cJSON *json = cJSON_CreateStringReference(text);
        char *quoted = json ? cJSON_PrintUnformatted(json) : NULL;
        int code = quoted ? text_append(&job->printed, quoted + 1, strlen(quoted) - 2, err)
                          : error_set(err, ERROR_MEMORY, "out of memory for a text of %zu bytes", length);
        cJSON_free(quoted);
        cJSON_Delete(json);
        TRY(code);
        text += length;
        if (text == end) break;
        TRY(text_append(&job->printed, "\\u0000", 6, err));
        text++;
    }
    return text_append(&job->printed, "\"\n", 2, err);
}

static int encode_line(struct job *job, const char *line, size_t length, struct error *err) {
    TRY(read_string(job, line, length, err));
    TRY(tokenizer_encode(job->tokenizer, text_string(&job->text), job->text.length, job->special, &job->ids,
                         err));
    TRY(text_append(&job->printed, "[", 1, err));
    for (size_t i = 0; i < job->ids.count; i++) {
        char number[16];
        int digits = snprintf(number, sizeof number, "%s%d", i ? ", " : "", job->ids.ids[i]);
        TRY(text_append(&job->printed, number, (size_t)digits, err));
    }
    return text_append(&job->printed, "]\n", 2, err);
}

static int read_ids(struct job *job, const cJSON *array, struct error *err) {
    if (!cJSON_IsArray(array)) return error_set(err, ERROR_INPUT, "not a JSON array of ids");
    for (const cJSON *json = array->child; json; json = json->next) {
        double value = cJSON_IsNumber(json) ? json->valuedouble : -1;
        if (!(value >= 0 && value < tokenizer_size(job->tokenizer)) || value != (int32_t)value)
            return error_set(err, ERROR_INPUT, "not an id (expected whole numbers from 0 to %d)",
                             tokenizer_size(job->tokenizer) - 1);
        TRY(token_list_append(&job->ids, (int32_t)value, err));
    }
    return 0;
}

static int decode_line(struct job *job, const char *line, size_t length, struct error *err) {
    cJSON *json;
    TRY(json_parse("array", line, length, &json, err));
    int code = read_ids(job, json, err);
    cJSON_Delete(json);
    TRY(code);
    TRY(tokenizer_decode(job->tokenizer, job->ids.ids, job->ids.count, job->skip_special, &job->text, err));
    return print_string(job, err);
}

static int work_through(struct job *job, struct error *err) {
    char *line = NULL;
    size_t capacity = 0, number = 0;
    ssize_t length;
    int code = 0;
    while (!code && (length = getline(&line, &capacity, stdin)) >= 0) {
        number++;
        text_clear(&job->text);
        text_clear(&job->printed);
        job->ids.count = 0;
        code = (job->decode ? decode_line : encode_line)(job, line, (size_t)length, err);
        if (code)
            error_context(err, "standard input, line %zu", number);
        else if (fwrite(job->printed.data, 1, job->printed.length, stdout) != job->printed.length)
            code = error_set_errno(err, "standard output");
    }
    if (!code && ferror(stdin)) code = error_set_errno(err, "standard input");
    if (!code && fflush(stdout)) code = error_set_errno(err, "standard output");
    free(line);
    return code;
}

/* Returns the model's folder, or NULL for wrong usage. */
static const char *read_arguments(struct job *job, int argc, char **argv) {
    const char *folder = NULL;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--no-special"))
            job->special = false;
        else if (!strcmp(argv[i], "--decode"))
            job->decode = true;
        else if (!strcmp(argv[i], "--skip-special"))
            job->skip_special = true;
        else if (argv[i][0] == '-' || folder)
            return NULL;
        else
            folder = argv[i];
    }
    if (job->decode ? !job->special : job->skip_special) return NULL;
    return folder;
}

int command_tokenize(int argc, char **argv) {
    if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
        fputs(usage, stdout);
        return 0;
    }
    struct job job = {.special = true};
    const char *folder = read_arguments(&job, argc, argv);
    if (!folder) {
        fputs(usage, stderr);
        return 2;
    }
    struct error err = {0};
    int code = tokenizer_load(folder, &job.tokenizer, &err);
    if (!code) code = work_through(&job, &err);
    if (code) fprintf(stderr, "adapt: %s\n", err.message);
    tokenizer_destroy(&job.tokenizer);
    text_free(&job.text);
    text_free(&job.printed);
    token_list_free(&job.ids);
    if (!code) return 0;
    return code == ERROR_INPUT || code == ERROR_UNSUPPORTED ? 2 : 1;
}

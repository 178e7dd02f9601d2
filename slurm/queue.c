/* Asking squeue and sbatch. */
#include "slurm/queue.h"

#include "base/memory.h"
#include "base/spawn.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SQUEUE_SECONDS = 20, SBATCH_SECONDS = 120 };

void queue_free(struct queue *queue) {
    memory_free(queue->jobs);
    *queue = (struct queue){0};
}

/* ---- squeue */

/* *answered: the program is there and ended well. */
static int ask(const char *path, char *const *argv, struct text *output, bool *answered, struct error *err) {
    int status;
    text_clear(output);
    TRY(spawn_capture(path, argv, environ, SQUEUE_SECONDS, output, &status, err));
    *answered = status == 0;
    return 0;
}

static int ask_json(const char *path, struct queue *queue, struct text *output, bool *there,
                    struct error *err) {
    char *argv[] = {(char *)"squeue", (char *)"--me", (char *)"--json", NULL};
    TRY(ask(path, argv, output, there, err));
    if (*there && queue_parse_json(text_string(output), output->length, queue, NULL)) {
        *there = false; /* no JSON, or more of it than is worth reading */
        queue->count = 0;
    }
    return 0;
}

static int ask_text(const char *path, struct queue *queue, struct text *output, bool *there,
                    struct error *err) {
    char *argv[] = {(char *)"squeue", (char *)"--me", (char *)"--noheader",
                    (char *)"--format=" QUEUE_TEXT_FORMAT, NULL};
    TRY(ask(path, argv, output, there, err));
    return *there ? queue_parse_text(text_string(output), output->length, queue, err) : 0;
}

int queue_read(struct queue *queue, bool *there, struct error *err) {
    char *path;
    struct text output = {0};
    *there = false;
    TRY(spawn_find("squeue", &path, err));
    if (!path) return 0;
    int code = ask_json(path, queue, &output, there, err);
    if (!code && !*there) code = ask_text(path, queue, &output, there, err);
    text_free(&output);
    memory_free(path);
    return code;
}

/* ---- sbatch */

bool queue_parse_submitted(const char *output, char id[QUEUE_ID_BYTES]) {
    bool found = false;
    for (const char *line = output; *line;) {
        size_t length = strcspn(line, "\n"), digits = strspn(line, "0123456789");
        if (digits && digits < QUEUE_ID_BYTES && (digits == length || line[digits] == ';')) {
            memcpy(id, line, digits);
            id[digits] = 0;
            found = true;
        }
        line += length + (line[length] == '\n');
    }
    return found;
}

static int run_sbatch(const char *path, char *const *argv, char id[QUEUE_ID_BYTES], struct error *err) {
    struct text output = {0};
    int status;
    int code = spawn_capture(path, argv, environ, SBATCH_SECONDS, &output, &status, err);
    if (!code && (status || !queue_parse_submitted(text_string(&output), id))) {
        while (output.length && isspace((unsigned char)output.data[output.length - 1]))
            output.data[--output.length] = 0;
        code = error_set(err, ERROR_IO, "sbatch did not take the job (status %d): %s", status,
                         text_string(&output));
    }
    text_free(&output);
    return code;
}

int queue_submit(const char *folder, const char *script, const char *after, char id[QUEUE_ID_BYTES],
                 struct error *err) {
    char *path;
    struct text where = {0}, dependency = {0};
    TRY(spawn_find("sbatch", &path, err));
    if (!path)
        return error_set(
            err, ERROR_INPUT,
            "no sbatch in PATH: jobs are submitted where Slurm is (--dry-run only prints the script)");
    int code = text_printf(&where, err, "--chdir=%s", folder);
    if (!code) code = text_printf(&dependency, err, "--dependency=afterany:%s", after ? after : "");
    if (!code) {
        char *argv[6] = {(char *)"sbatch", (char *)"--parsable", where.data};
        int count = 3;
        if (after) argv[count++] = dependency.data;
        argv[count] = (char *)script;
        code = run_sbatch(path, argv, id, err);
    }
    text_free(&where);
    text_free(&dependency);
    memory_free(path);
    return code;
}

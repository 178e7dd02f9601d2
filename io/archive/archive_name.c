/* Names in the archive: of files, groups, states and times. */
#include "io/archive/archive_internal.h"

#include "base/hash.h"
#include "base/text.h"
#include "io/file.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CELL_ENDING ".h5"

static const char *const state_names[] = {"planned", "running", "done", "failed"};

const char *archive_state_name(enum archive_state state) {
    return state_names[state];
}

const char *archive_phase_name(enum archive_phase phase) {
    static const char *const names[PHASE_COUNT] = {
        [PHASE_TRAIN] = "train",   [PHASE_VALIDATION] = "validation", [PHASE_MIXTURE] = "mixture",
        [PHASE_REDUCE] = "reduce", [PHASE_OPTIMIZER] = "optimizer",   [PHASE_ARCHIVE] = "archive",
        [PHASE_OTHER] = "other"};
    return names[phase];
}

int archive_state_parse(const char *name) {
    for (int i = 0; i <= ARCHIVE_FAILED; i++) {
        if (!strcmp(name, state_names[i])) return i;
    }
    return -1;
}

/* ---- times */

double archive_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void archive_time_text(double seconds, char out[ARCHIVE_TIME_BYTES]) {
    long long milliseconds = llround(seconds * 1000.0);
    time_t whole = (time_t)(milliseconds / 1000);
    struct tm fields;
    gmtime_r(&whole, &fields);
    size_t length = strftime(out, ARCHIVE_TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &fields);
    snprintf(out + length, ARCHIVE_TIME_BYTES - length, ".%03dZ", (int)(milliseconds % 1000));
}

double archive_time_parse(const char *text) {
    struct tm fields = {0};
    int milliseconds, end = 0;
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &fields);
    if (!rest || sscanf(rest, ".%3dZ%n", &milliseconds, &end) != 1 || !end || milliseconds < 0) return 0;
    return (double)timegm(&fields) + 0.001 * milliseconds;
}

/* ---- paths */

int archive_cell_group(const struct archive_cell_key *key, char **out, struct error *err) {
    char *model = NULL, *budget = NULL, *method = NULL;
    struct text path = {0};
    *out = NULL;
    int code = hdf5_link_name(key->model, &model, err);
    if (!code) code = hdf5_link_name(key->budget, &budget, err);
    if (!code) code = hdf5_link_name(key->method, &method, err);
    if (!code) code = text_printf(&path, err, "/cells/%s/%s/%s/seed%lld", model, budget, method, key->seed);
    if (!code) code = memory_alloc(out, path.length + 1, 1, err);
    if (!code) memcpy(*out, path.data, path.length);
    text_free(&path);
    memory_free(model);
    memory_free(budget);
    memory_free(method);
    return code;
}

enum { LABEL_BYTES = 60 }; /* of a label in a file name: three and a seed stay below the usual limit of 255 */

/* Appends a label with everything replaced that does not belong into a file name; *same becomes false if it
 * changed. "__" separates labels, so it must not be in one. */
static int append_label(struct text *name, const char *label, bool *same, struct error *err) {
    char clean[LABEL_BYTES + 1] = "";
    size_t length = strlen(label);
    if (!length || length > LABEL_BYTES || strstr(label, "__") || label[length - 1] == '_' ||
        label[0] == '_') {
        *same = false;
    }
    for (size_t i = 0; i < length && i < LABEL_BYTES; i++) {
        unsigned char c = (unsigned char)label[i];
        bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool fine = word || c == '_' || c == '+' || (i > 0 && (c == '.' || c == '-'));
        clean[i] = fine ? (char)c : '_';
        if (!fine) *same = false;
    }
    return text_append_string(name, clean, err);
}

int archive_cell_beside(const char *cell_path, const char *ending, char **out, struct error *err) {
    struct text path = {0};
    size_t length = strlen(cell_path), tail = strlen(CELL_ENDING);
    if (length > tail && !strcmp(cell_path + length - tail, CELL_ENDING)) length -= tail;
    int code = text_printf(&path, err, "%.*s%s", (int)length, cell_path, ending);
    *out = path.data;
    return code;
}

int archive_cell_path(const char *folder, const struct archive_cell_key *key, char **out, struct error *err) {
    struct text name = {0};
    bool same = true;
    *out = NULL;
    int code = text_append_string(&name, "cells/", err);
    if (!code) code = append_label(&name, key->model, &same, err);
    if (!code) code = text_append_string(&name, "__", err);
    if (!code) code = append_label(&name, key->budget, &same, err);
    if (!code) code = text_append_string(&name, "__", err);
    if (!code) code = append_label(&name, key->method, &same, err);
    if (!code && !same) {
        unsigned long long hash = hash_short(key->model, strlen(key->model) + 1, 1);
        hash = hash_short(key->budget, strlen(key->budget) + 1, hash);
        hash = hash_short(key->method, strlen(key->method) + 1, hash);
        code = text_printf(&name, err, "-%08llx", hash & 0xffffffffULL);
    }
    if (!code) code = text_printf(&name, err, "__seed%lld" CELL_ENDING, key->seed);
    if (!code) code = file_join(folder, text_string(&name), out, err);
    text_free(&name);
    return code;
}

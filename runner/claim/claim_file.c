/* A claim's file: a JSON object, written whole. */
#include "runner/claim/claim_internal.h"

#include "base/clock.h"
#include "base/machine.h"
#include "base/memory.h"
#include "io/file.h"
#include "io/json.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { CLAIM_BYTES_MAX = 4096 };

static void read_machine(struct claim_info *out) {
    struct text boot = {0};
    char space[64] = "";
    ssize_t length = readlink("/proc/self/ns/pid", space, sizeof space - 1);
    if (length < 0) space[0] = '\0';
    if (!file_read("/proc/sys/kernel/random/boot_id", 256, &boot, NULL)) {
        char *end = strchr(boot.data, '\n');
        if (end) *end = '\0';
        if (space[0]) snprintf(out->machine, sizeof out->machine, "%.60s %.60s", boot.data, space);
    }
    text_free(&boot);
}

int claim_describe_self(struct claim_info *out, struct error *err) {
    *out = (struct claim_info){.process = (long)getpid(), .started = clock_epoch(), .alive = true};
    const char *array = getenv("SLURM_ARRAY_JOB_ID"), *task = getenv("SLURM_ARRAY_TASK_ID");
    const char *job = getenv("SLURM_JOB_ID");
    if (array && task)
        snprintf(out->job, sizeof out->job, "%.30s_%.30s", array, task);
    else if (job)
        snprintf(out->job, sizeof out->job, "%.60s", job);
    const char *restart = getenv("SLURM_RESTART_COUNT");
    out->restart = out->job[0] && restart ? atoi(restart) : 0;
    if (gethostname(out->host, sizeof out->host - 1)) snprintf(out->host, sizeof out->host, "unknown");
    read_machine(out);
    machine_process_lives(out->process, &out->birth);
    unsigned long long bits[2];
    if (getrandom(bits, sizeof bits, 0) != (ssize_t)sizeof bits)
        return error_set_errno(err, "no random numbers for a claim");
    snprintf(out->token, sizeof out->token, "%016llx%016llx", bits[0], bits[1]);
    return 0;
}

int claim_file_write(const char *path, const struct claim_info *info, char **name, struct error *err) {
    struct text unique = {0};
    cJSON *json = cJSON_CreateObject();
    char birth[32];
    snprintf(birth, sizeof birth, "%llu", info->birth);
    bool whole = json && cJSON_AddStringToObject(json, "host", info->host) &&
                 cJSON_AddStringToObject(json, "job", info->job) &&
                 cJSON_AddNumberToObject(json, "restart", info->restart) &&
                 cJSON_AddNumberToObject(json, "process", (double)info->process) &&
                 cJSON_AddNumberToObject(json, "started", info->started) &&
                 cJSON_AddStringToObject(json, "machine", info->machine) &&
                 cJSON_AddStringToObject(json, "birth", birth) &&
                 cJSON_AddStringToObject(json, "token", info->token);
    char *printed = whole ? cJSON_PrintUnformatted(json) : NULL;
    cJSON_Delete(json);
    *name = NULL;
    if (!printed) return error_set(err, ERROR_MEMORY, "%s: out of memory", path);
    int code = text_printf(&unique, err, "%s.%s", path, info->token);
    if (!code) code = file_write(text_string(&unique), printed, strlen(printed), err);
    cJSON_free(printed);
    *name = unique.data;
    return code;
}

static void take_text(const cJSON *json, const char *key, char *out, size_t size) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
    if (cJSON_IsString(item)) snprintf(out, size, "%s", item->valuestring);
}

static double number(const cJSON *json, const char *key) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
    return cJSON_IsNumber(item) && isfinite(item->valuedouble) ? item->valuedouble : 0.0;
}

int claim_file_read(const char *path, bool *found, struct claim_info *out, struct error *err) {
    struct text text = {0};
    *out = (struct claim_info){0};
    errno = 0;
    int code = file_read(path, CLAIM_BYTES_MAX, &text, err);
    /* ESTALE: taken away between the opening and the reading, on NFS */
    bool gone = code == ERROR_IO && (errno == ENOENT || errno == ESTALE);
    *found = !gone;
    if (!code) {
        cJSON *json = cJSON_ParseWithLength(text_string(&text), text.length);
        take_text(json, "host", out->host, sizeof out->host);
        take_text(json, "job", out->job, sizeof out->job);
        take_text(json, "machine", out->machine, sizeof out->machine);
        take_text(json, "token", out->token, sizeof out->token);
        char birth[32] = "";
        take_text(json, "birth", birth, sizeof birth);
        out->birth = strtoull(birth, NULL, 10);
        double process = number(json, "process");
        out->process = process > 0.0 && process < 4e9 ? (long)process : 0;
        out->started = number(json, "started");
        double restart = number(json, "restart");
        out->restart = restart > 0.0 && restart < 1e9 ? (int)restart : 0;
        cJSON_Delete(json);
        if (strspn(out->token, "0123456789abcdef") != strlen(out->token)) out->token[0] = '\0';
    }
    text_free(&text);
    return gone || code == ERROR_INPUT ? 0 : code; /* larger than a claim: none */
}

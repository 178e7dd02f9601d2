/* What squeue prints, as jobs. */
#include "slurm/queue.h"

#include "base/memory.h"
#include "io/json.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int next_job(struct queue *queue, struct queue_job **out, struct error *err) {
    TRY(memory_reserve(&queue->jobs, &queue->capacity, queue->count + 1, sizeof *queue->jobs, err));
    *out = &queue->jobs[queue->count];
    **out = (struct queue_job){0};
    return 0;
}

/* ---- text */

static bool parse_id(const char *text, long long *out) {
    char *end;
    errno = 0;
    *out = isdigit((unsigned char)*text) ? strtoll(text, &end, 10) : 0;
    return *out > 0 && !errno && !*end;
}

/* A field up to the next '|' or the line's end, into out[bytes]; returns what follows, NULL if the line ends.
 */
static const char *take_field(const char *at, const char *end, char *out, size_t bytes) {
    size_t length = 0;
    for (; at < end && *at != '|'; at++)
        if (length + 1 < bytes) out[length++] = *at;
    out[length] = 0;
    return at < end ? at + 1 : NULL;
}

static bool parse_line(const char *at, const char *end, struct queue_job *job) {
    char id[32];
    if (!(at = take_field(at, end, id, sizeof id)) || !parse_id(id, &job->id)) return false;
    if (!(at = take_field(at, end, job->tasks, sizeof job->tasks))) return false;
    if (!(at = take_field(at, end, job->state, sizeof job->state)) || !job->state[0]) return false;
    if (!(at = take_field(at, end, job->nodes, sizeof job->nodes))) return false;
    take_field(at, end, job->reason, sizeof job->reason); /* may hold no '|' of its own */
    if (!strcmp(job->tasks, "N/A")) job->tasks[0] = 0;
    if (!strcmp(job->reason, "None")) job->reason[0] = 0;
    return true;
}

int queue_parse_text(const char *text, size_t length, struct queue *queue, struct error *err) {
    const char *end = text + length;
    for (const char *line = text; line < end;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        if (!stop) stop = end;
        struct queue_job *job;
        if (stop > line) {
            TRY(next_job(queue, &job, err));
            if (!parse_line(line, stop, job))
                return error_set(err, ERROR_INPUT, "squeue: \"%.*s\" is not a job (%s is expected)",
                                 (int)(stop - line < 100 ? stop - line : 100), line, QUEUE_TEXT_FORMAT);
            queue->count++;
        }
        line = stop + 1;
    }
    return 0;
}

/* ---- JSON */

/* A number, as it is or as {"set": true, "infinite": false, "number": 7} (Slurm 23); -1 for none. */
static long long number_of(const cJSON *item) {
    if (cJSON_IsObject(item)) {
        const cJSON *set = cJSON_GetObjectItemCaseSensitive(item, "set");
        item = cJSON_IsFalse(set) ? NULL : cJSON_GetObjectItemCaseSensitive(item, "number");
    }
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble < 1e15)) return -1;
    return (long long)item->valuedouble;
}

static void copy(const cJSON *item, char *out, size_t bytes) {
    if (cJSON_IsArray(item)) item = item->child; /* states, the base one first (Slurm 23) */
    snprintf(out, bytes, "%s", cJSON_IsString(item) ? item->valuestring : "");
}

static bool is_over(const char *state) {
    static const char *const over[] = {"COMPLETED", "CANCELLED", "FAILED",   "TIMEOUT",      "NODE_FAIL",
                                       "PREEMPTED", "BOOT_FAIL", "DEADLINE", "OUT_OF_MEMORY"};
    for (size_t i = 0; i < sizeof over / sizeof *over; i++)
        if (!strcmp(state, over[i])) return true;
    return false;
}

static bool take_job(const cJSON *item, struct queue_job *job) {
    long long array = number_of(cJSON_GetObjectItemCaseSensitive(item, "array_job_id"));
    long long task = number_of(cJSON_GetObjectItemCaseSensitive(item, "array_task_id"));
    job->id = array > 0 ? array : number_of(cJSON_GetObjectItemCaseSensitive(item, "job_id"));
    copy(cJSON_GetObjectItemCaseSensitive(item, "job_state"), job->state, sizeof job->state);
    copy(cJSON_GetObjectItemCaseSensitive(item, "nodes"), job->nodes, sizeof job->nodes);
    copy(cJSON_GetObjectItemCaseSensitive(item, "state_reason"), job->reason, sizeof job->reason);
    if (!strcmp(job->reason, "None")) job->reason[0] = 0;
    if (array > 0 && task >= 0)
        snprintf(job->tasks, sizeof job->tasks, "%lld", task);
    else
        copy(cJSON_GetObjectItemCaseSensitive(item, "array_task_string"), job->tasks, sizeof job->tasks);
    return job->id > 0 && job->state[0];
}

static int take_jobs(const cJSON *jobs, struct queue *queue, struct error *err) {
    const cJSON *item;
    if (!cJSON_IsArray(jobs)) return error_set(err, ERROR_INPUT, "squeue: no list \"jobs\" in its JSON");
    cJSON_ArrayForEach(item, jobs) {
        struct queue_job *job;
        TRY(next_job(queue, &job, err));
        if (!take_job(item, job))
            return error_set(err, ERROR_INPUT, "squeue: a job without a number or a state");
        if (!is_over(job->state)) queue->count++;
    }
    return 0;
}

int queue_parse_json(const char *text, size_t length, struct queue *queue, struct error *err) {
    cJSON *root;
    TRY(json_parse("squeue", text, length, &root, err));
    int code = take_jobs(cJSON_GetObjectItemCaseSensitive(root, "jobs"), queue, err);
    cJSON_Delete(root);
    return code;
}

/* ---- tasks */

long long queue_task_count(const char *tasks) {
    long long count = 0;
    for (const char *at = tasks; *at && *at != '%';) {
        char *end;
        long long first, last, step = 1;
        if (!isdigit((unsigned char)*at)) return count ? count : 1;
        first = last = strtoll(at, &end, 10);
        if (*end == '-' && isdigit((unsigned char)end[1])) last = strtoll(end + 1, &end, 10);
        if (*end == ':' && isdigit((unsigned char)end[1])) step = strtoll(end + 1, &end, 10);
        if (last < first || last > 1000000000 || step < 1) return count ? count : 1;
        count += (last - first) / step + 1;
        at = *end == ',' ? end + 1 : end;
        if (*at && *at != '%' && at == end) return count;
    }
    return count ? count : 1;
}

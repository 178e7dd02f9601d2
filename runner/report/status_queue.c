#include "runner/report/status_queue.h"

#include "runner/sweep/sweep.h"
#include <ctype.h>
#include <string.h>

/* Jobs and array tasks that are in the same state for the same reason, or on the same nodes, share a line. */
static bool alike(const struct queue_job *a, const struct queue_job *b) {
    return a->id == b->id && !strcmp(a->state, b->state) && !strcmp(a->reason, b->reason) &&
           !strcmp(a->nodes, b->nodes);
}

static int add_job(const struct queue *queue, size_t first, struct text *out, struct error *err) {
    const struct queue_job *job = &queue->jobs[first];
    char state[sizeof job->state];
    bool waits = !strcmp(job->state, "PENDING");
    long long tasks = 0;
    for (size_t i = first; i < queue->count; i++)
        if (alike(job, &queue->jobs[i])) tasks += queue_task_count(queue->jobs[i].tasks);
    for (size_t i = 0; i < sizeof state; i++) state[i] = (char)tolower((unsigned char)job->state[i]);
    TRY(text_printf(out, err, "queue: job %lld: ", job->id));
    if (job->tasks[0]) TRY(text_printf(out, err, "%lld array task%s ", tasks, tasks == 1 ? "" : "s"));
    TRY(text_append_string(out, state, err));
    if (job->nodes[0]) TRY(text_printf(out, err, " on %s", job->nodes));
    if (waits && job->reason[0]) TRY(text_printf(out, err, " (%s)", job->reason));
    return text_append_string(out, "\n", err);
}

int status_queue_text(const struct queue *queue, const char *jobs, struct text *out, struct error *err) {
    for (size_t i = 0; i < queue->count; i++) {
        bool told = !sweep_has_job(jobs, queue->jobs[i].id);
        for (size_t before = 0; before < i && !told; before++)
            told = alike(&queue->jobs[before], &queue->jobs[i]);
        if (!told) TRY(add_job(queue, i, out, err));
    }
    return 0;
}

int status_queue(const char *folder, struct text *out, struct error *err) {
    struct text jobs = {0};
    struct queue queue = {0};
    bool there = false;
    int code = sweep_read_jobs(folder, &jobs, err);
    if (!code && jobs.length) code = queue_read(&queue, &there, err);
    if (!code && there) code = status_queue_text(&queue, text_string(&jobs), out, err);
    queue_free(&queue);
    text_free(&jobs);
    return code;
}

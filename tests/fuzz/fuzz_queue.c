/* Anything as what squeue and sbatch print: read or refused; what was read is sound, and can be shown. */
#include "runner/report/status_queue.h"
#include "runner/sweep/sweep.h"
#include "slurm/queue.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void check(const struct queue *queue, const char *jobs) {
    struct text shown = {0};
    for (size_t i = 0; i < queue->count; i++) {
        const struct queue_job *job = &queue->jobs[i];
        if (job->id <= 0 || !job->state[0] || queue_task_count(job->tasks) < 1) abort();
        if (!memchr(job->tasks, 0, sizeof job->tasks) || !memchr(job->state, 0, sizeof job->state) ||
            !memchr(job->nodes, 0, sizeof job->nodes) || !memchr(job->reason, 0, sizeof job->reason))
            abort();
    }
    if (status_queue_text(queue, jobs, &shown, NULL)) abort();
    text_free(&shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct queue queue = {0};
    struct error err = {0};
    char id[QUEUE_ID_BYTES], *copy = malloc(size + 1);
    if (!copy) return 0;
    if (size) memcpy(copy, data, size);
    copy[size] = 0;
    if (queue_parse_text(copy, size, &queue, &err) && !err.message[0]) abort();
    check(&queue, copy);
    queue_free(&queue);
    if (queue_parse_json(copy, size, &queue, &err) && !err.message[0]) abort();
    check(&queue, "15 sweep\n1 collect\n");
    queue_free(&queue);
    if (queue_task_count(copy) < 1) abort();
    (void)sweep_has_job(copy, 15);
    if (queue_parse_submitted(copy, id))
        for (const char *c = id; *c; c++)
            if (!isdigit((unsigned char)*c)) abort();
    free(copy);
    return 0;
}

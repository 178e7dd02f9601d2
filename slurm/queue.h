/* Slurm's queue: jobs into it, and what squeue says of them. Programs are started with their arguments as
 * they are, never through a shell. */
#ifndef ADAPT_SLURM_QUEUE_H
#define ADAPT_SLURM_QUEUE_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>

/* A job that waits or runs, or tasks of an array that do so alike. */
struct queue_job {
    long long id;    /* of the job, or of the whole array */
    char tasks[64];  /* "3", "4-7,9%2"; "" where it is no array */
    char state[32];  /* "PENDING", "RUNNING", "COMPLETING", ... */
    char nodes[128]; /* "n[1-2]"; "" where it has none */
    char reason[64]; /* why it waits: "Priority", ...; "" */
};
struct queue {
    struct queue_job *jobs;
    size_t count, capacity;
};
void queue_free(struct queue *queue);

/* Appends the jobs of squeue's output: of `squeue --json`, those that are over left out; or of
 * QUEUE_TEXT_FORMAT. Fields that are too long are cut. ERROR_INPUT for what is no such output; the queue then
 * holds what came before. */
int queue_parse_json(const char *text, size_t length, struct queue *queue, struct error *err);
int queue_parse_text(const char *text, size_t length, struct queue *queue, struct error *err);
#define QUEUE_TEXT_FORMAT "%F|%K|%T|%N|%r"

/* How many tasks "3", "4-7,9%2", "1-9:2" are; 1 for "", and for what is no such list ("1-3,..." is how squeue
 * cuts). */
long long queue_task_count(const char *tasks);

/* The user's jobs, from squeue's JSON, or from its text where it has no JSON; *there is false, without an
 * error, where there is no squeue or no cluster that it can ask. */
int queue_read(struct queue *queue, bool *there, struct error *err);

enum { QUEUE_ID_BYTES = 32 };
/* sbatch: a script, run in `folder`, that starts after job `after` has ended in whatever way (NULL: at once).
 * ERROR_INPUT without sbatch, ERROR_IO with sbatch's words where it refuses. */
int queue_submit(const char *folder, const char *script, const char *after, char id[QUEUE_ID_BYTES],
                 struct error *err);
/* The job that `sbatch --parsable` tells, "123" or "123;cluster", on the last line of that form. */
bool queue_parse_submitted(const char *output, char id[QUEUE_ID_BYTES]);

#endif

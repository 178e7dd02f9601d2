/* The pool: a queue of programs, and one thread that starts their sandboxes and watches them. The thread is
 * also what the sandboxes' lives hang on (bwrap --die-with-parent means the thread that started it). */
#include "eval/sandbox/sandbox.h"

#include "base/memory.h"
#include "base/thread.h"
#include "eval/sandbox/command.h"
#include "eval/sandbox/process.h"
#include "eval/sandbox/settings.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { ATTEMPTS = 3 }; /* to start a sandbox: a machine may be out of processes or namespaces for a moment */

struct job {
    struct job *next;
    size_t number;
    int attempts;
    struct sandbox_verdict verdict;
    char program[];
};

struct worker {
    struct process process;
    struct job *job; /* NULL: free */
};

struct sandbox_pool {
    struct command command;
    struct worker workers[SANDBOX_MOST_WORKERS]; /* the thread's */
    pthread_t thread;
    bool has_thread;
    int wake; /* eventfd: there is something for the thread to do */

    pthread_mutex_t lock; /* for all that follows, except a job's program and number, which do not change */
    pthread_cond_t finished;
    struct job *first, *last; /* in order of submission */
    struct job *waiting;      /* the first that was not started */
    size_t left;              /* jobs that are not done */
    bool stop;
    struct error failure; /* code 0: none */
};

static void wake_thread(struct sandbox_pool *pool) {
    uint64_t one = 1;
    ssize_t wrote = write(pool->wake, &one, sizeof one);
    (void)wrote; /* fails only when the counter is full, and then the thread is awake */
}

static void fail(struct sandbox_pool *pool, const struct error *reason) {
    pthread_mutex_lock(&pool->lock);
    if (!pool->failure.code) pool->failure = *reason;
    pthread_cond_broadcast(&pool->finished);
    pthread_mutex_unlock(&pool->lock);
}

/* The next job to start, or NULL. */
static struct job *take_job(struct sandbox_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    struct job *job = pool->stop || pool->failure.code ? NULL : pool->waiting;
    if (job) pool->waiting = job->next;
    pthread_mutex_unlock(&pool->lock);
    return job;
}

static void finish_job(struct sandbox_pool *pool, struct job *job, const struct sandbox_verdict *verdict) {
    pthread_mutex_lock(&pool->lock);
    job->verdict = *verdict;
    if (--pool->left == 0) pthread_cond_broadcast(&pool->finished);
    pthread_mutex_unlock(&pool->lock);
}

static void start(struct sandbox_pool *pool, int index, struct job *job) {
    /* User ids that nobody has, one for each sandbox that may run at a time on this machine (where adapt is
     * root). */
    const uid_t unused = 0x7f000000u + (uid_t)(getpid() & 0xffff) * SANDBOX_MOST_WORKERS + (uid_t)index;
    struct error err = {0};
    struct worker *worker = &pool->workers[index];
    job->attempts++;
    if (process_start(&worker->process, &pool->command, job->program, unused, &err) == 0) {
        worker->job = job;
    } else if (job->attempts < ATTEMPTS) {
        poll(NULL, 0, 100);
        start(pool, index, job);
    } else {
        fail(pool, &err);
    }
}

static void step(struct sandbox_pool *pool, int index) {
    struct worker *worker = &pool->workers[index];
    process_step(&worker->process);
    if (worker->process.stage != PROCESS_GONE) return;
    struct job *job = worker->job;
    struct error err = {0};
    process_release(&worker->process);
    worker->job = NULL;
    if (!worker->process.broken) {
        finish_job(pool, job, &worker->process.verdict);
    } else if (job->attempts < ATTEMPTS) {
        start(pool, index, job);
    } else {
        error_set(&err, ERROR_IO, "a sandbox does not start: %s", worker->process.verdict.message);
        fail(pool, &err);
    }
}

/* Waits for something to happen, or for the next tick while anything runs. */
static void wait_for_news(struct sandbox_pool *pool, int workers) {
    struct pollfd polled[1 + SANDBOX_MOST_WORKERS * PROCESS_POLLED];
    bool running = false;
    polled[0] = (struct pollfd){.fd = pool->wake, .events = POLLIN};
    for (int i = 0; i < workers; i++) {
        process_descriptors(&pool->workers[i].process, &polled[1 + i * PROCESS_POLLED]);
        running |= pool->workers[i].job != NULL;
    }
    poll(polled, (nfds_t)(1 + workers * PROCESS_POLLED), running ? (int)(PROCESS_TICK_SECONDS * 1e3) : -1);
    uint64_t count;
    ssize_t got = read(pool->wake, &count, sizeof count);
    (void)got; /* nothing there is fine: it does not block */
}

static void *run(void *argument) {
    struct sandbox_pool *pool = argument;
    const int workers = pool->command.settings.workers;
    for (bool stop = false; !stop;) {
        wait_for_news(pool, workers);
        pthread_mutex_lock(&pool->lock);
        stop = pool->stop || pool->failure.code;
        pthread_mutex_unlock(&pool->lock);
        for (int i = 0; i < workers && !stop; i++) {
            if (pool->workers[i].job) step(pool, i);
            struct job *job = pool->workers[i].job ? NULL : take_job(pool);
            if (job) start(pool, i, job);
        }
    }
    for (int i = 0; i < workers; i++) process_kill(&pool->workers[i].process);
    for (int i = 0; i < workers; i++) {
        process_stop(&pool->workers[i].process);
        process_release(&pool->workers[i].process);
    }
    return NULL;
}

int sandbox_pool_create(const struct sandbox_settings *settings, struct sandbox_pool **out,
                        struct error *err) {
    *out = NULL;
    struct sandbox_pool *pool;
    TRY(memory_alloc(&pool, 1, sizeof *pool, err));
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->finished, NULL);
    pool->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int code = pool->wake < 0 ? error_set_errno(err, "cannot make a pool of sandboxes") : 0;
    if (!code) code = command_build(settings, &pool->command, err);
    if (!code) code = thread_start("adapt-sandboxes", run, pool, &pool->thread, err);
    pool->has_thread = !code;
    if (code)
        sandbox_pool_destroy(&pool);
    else
        *out = pool;
    return code;
}

static void free_jobs(struct sandbox_pool *pool) {
    for (struct job *job = pool->first, *next; job; job = next) {
        next = job->next;
        memory_free(job);
    }
    pool->first = pool->last = pool->waiting = NULL;
}

void sandbox_pool_destroy(struct sandbox_pool **pool_pointer) {
    struct sandbox_pool *pool = *pool_pointer;
    if (!pool) return;
    if (pool->has_thread) {
        pthread_mutex_lock(&pool->lock);
        pool->stop = true;
        pthread_mutex_unlock(&pool->lock);
        wake_thread(pool);
        pthread_join(pool->thread, NULL);
    }
    free_jobs(pool);
    command_free(&pool->command);
    if (pool->wake >= 0) close(pool->wake);
    pthread_cond_destroy(&pool->finished);
    pthread_mutex_destroy(&pool->lock);
    memory_free(pool);
    *pool_pointer = NULL;
}

int sandbox_pool_submit(struct sandbox_pool *pool, size_t number, const char *program, struct error *err) {
    struct job *job;
    size_t length = strlen(program);
    TRY(memory_alloc(&job, 1, sizeof *job + length + 1, err));
    job->number = number;
    memcpy(job->program, program, length);
    pthread_mutex_lock(&pool->lock);
    if (pool->last)
        pool->last->next = job;
    else
        pool->first = job;
    pool->last = job;
    if (!pool->waiting) pool->waiting = job;
    pool->left++;
    pthread_mutex_unlock(&pool->lock);
    wake_thread(pool);
    return 0;
}

int sandbox_pool_finish(struct sandbox_pool *pool,
                        int (*done)(void *context, size_t number, const struct sandbox_verdict *verdict,
                                    struct error *err),
                        void *context, struct error *err) {
    pthread_mutex_lock(&pool->lock);
    while (pool->left && !pool->failure.code) pthread_cond_wait(&pool->finished, &pool->lock);
    int code = pool->failure.code ? error_set(err, pool->failure.code, "%s", pool->failure.message) : 0;
    pthread_mutex_unlock(&pool->lock);
    if (code) return code; /* the thread may still be looking at the jobs */
    for (struct job *job = pool->first; job && !code; job = job->next)
        code = done(context, job->number, &job->verdict, err);
    free_jobs(pool); /* nothing is queued or running, and nobody submits meanwhile: the pool has one owner */
    return code;
}

#include "runner/watchdog.h"

#include "base/memory.h"
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct watchdog {
    char who[256];
    double limit, tick;
    bool threaded;
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    bool stop, watching;
    double silent, longest; /* seconds that were lived through since the last mark, and at most between two */
};

static _Noreturn void bark(const struct watchdog *w) {
    fprintf(stderr,
            "adapt: %s: no progress for %.0f s: a rank of its group does not respond; this process ends, and the same "
            "command goes on from the last checkpoint\n",
            w->who, w->silent);
    fflush(stderr);
    _exit(1);
}

static void *watch(void *context) {
    struct watchdog *w = context;
    struct timespec until;
    pthread_mutex_lock(&w->lock);
    while (!w->stop) {
        clock_gettime(CLOCK_MONOTONIC, &until);
        long long nanoseconds = until.tv_nsec + (long long)(w->tick * 1e9);
        until.tv_sec += (time_t)(nanoseconds / 1000000000);
        until.tv_nsec = (long)(nanoseconds % 1000000000);
        pthread_cond_timedwait(&w->changed, &w->lock, &until);
        /* One tick, however long it took: a process that was suspended finds that only one has passed. */
        if (!w->watching) continue;
        w->silent += w->tick;
        if (w->silent > w->limit + 2.0 * w->longest) bark(w);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

int watchdog_create(const char *who, double seconds, struct watchdog **out, struct error *err) {
    pthread_condattr_t attributes;
    sigset_t all, old;
    TRY(memory_alloc(out, 1, sizeof **out, err));
    struct watchdog *w = *out;
    snprintf(w->who, sizeof w->who, "%s", who);
    w->limit = seconds;
    w->tick = seconds < 8.0 ? seconds / 8.0 : 1.0;
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&w->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (seconds <= 0.0) return 0;
    sigfillset(&all); /* signals are for the thread that computes */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    w->threaded = !pthread_create(&w->thread, NULL, watch, w);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (w->threaded) return 0;
    watchdog_destroy(out);
    return error_set(err, ERROR_MEMORY, "no thread for the watchdog");
}

void watchdog_destroy(struct watchdog **out) {
    struct watchdog *w = *out;
    if (!w) return;
    *out = NULL;
    if (w->threaded) {
        pthread_mutex_lock(&w->lock);
        w->stop = true;
        pthread_cond_signal(&w->changed);
        pthread_mutex_unlock(&w->lock);
        pthread_join(w->thread, NULL);
    }
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    memory_free(w);
}

static void set(struct watchdog *w, bool watching) {
    if (!w) return;
    pthread_mutex_lock(&w->lock);
    if (w->watching && w->silent > w->longest) w->longest = w->silent;
    w->silent = 0.0;
    w->watching = watching;
    pthread_mutex_unlock(&w->lock);
}

void watchdog_mark(struct watchdog *watchdog) {
    set(watchdog, true);
}

void watchdog_rest(struct watchdog *watchdog) {
    set(watchdog, false);
}

#include "runner/watchdog.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
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
    fprintf(
        stderr,
        "adapt: %s: no progress for %.0f s: a rank of its group does not respond; this process ends, and the same command goes on from the last checkpoint\n",
        w->who, w->silent);
    fflush(stderr);
    _exit(1);
}

static void *watch(void *context) {
    struct watchdog *w = context;
    pthread_mutex_lock(&w->lock);
    while (!w->stop) {
        thread_wait_until(&w->changed, &w->lock, clock_seconds() + w->tick);
        /* One tick, however long it took: a process that was suspended finds that only one has passed. */
        if (!w->watching) continue;
        w->silent += w->tick;
        if (w->silent > w->limit + 2.0 * w->longest) bark(w);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

int watchdog_create(const char *who, double seconds, struct watchdog **out, struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    struct watchdog *w = *out;
    snprintf(w->who, sizeof w->who, "%s", who);
    w->limit = seconds;
    w->tick = seconds < 8.0 ? seconds / 8.0 : 1.0;
    pthread_mutex_init(&w->lock, NULL);
    thread_condition_init(&w->changed);
    if (seconds <= 0.0) return 0;
    int code = thread_start("adapt-watchdog", watch, w, &w->thread, err);
    w->threaded = !code;
    if (code) watchdog_destroy(out);
    return code;
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

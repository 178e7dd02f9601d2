#include "base/thread.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <time.h>

int thread_start(const char *name, void *(*body)(void *), void *context, pthread_t *out, struct error *err) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* a thread begins with its maker's mask */
    int refused = pthread_create(out, NULL, body, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (refused)
        return error_set(err, ERROR_MEMORY, "cannot start the thread %s: %s", name, strerror(refused));
    pthread_setname_np(*out, name);
    return 0;
}

void thread_condition_init(pthread_cond_t *out) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC); /* as clock_seconds */
    pthread_cond_init(out, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool thread_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, double end) {
    double seconds = floor(end);
    struct timespec until = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((end - seconds) * 1e9)};
    return pthread_cond_timedwait(condition, lock, &until) != ETIMEDOUT;
}

#include "runner/signals.h"

#include "base/clock.h"
#include "base/memory.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

static const double TOGETHER_SECONDS = 0.5; /* of one stop that reaches a process by several ways */

struct signals {
    sigset_t set;
    pthread_t thread;
    atomic_bool armed, came, stop;
};

/* Ends the process as the signal would have. */
static void die_of(int number) {
    sigset_t only;
    signal(number, SIG_DFL);
    sigemptyset(&only);
    sigaddset(&only, number);
    pthread_sigmask(SIG_UNBLOCK, &only, NULL);
    raise(number);
    _exit(128 + number);
}

static void *wait_for_signals(void *context) {
    struct signals *s = context;
    double first = 0.0;
    for (;;) {
        int number;
        if (sigwait(&s->set, &number)) continue;
        if (s->stop) return NULL;
        if (!s->armed) die_of(number);
        if (!s->came)
            first = clock_seconds();
        else if (clock_seconds() - first > TOGETHER_SECONDS)
            _exit(128 + number);
        s->came = true;
    }
}

int signals_create(struct signals **out, struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    struct signals *s = *out;
    sigemptyset(&s->set);
    sigaddset(&s->set, SIGTERM);
    sigaddset(&s->set, SIGINT);
    sigaddset(&s->set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &s->set, NULL);
    if (!pthread_create(&s->thread, NULL, wait_for_signals, s)) return 0;
    memory_free(s);
    *out = NULL;
    return error_set(err, ERROR_MEMORY, "no thread to wait for signals");
}

void signals_destroy(struct signals **out) {
    struct signals *s = *out;
    if (!s) return;
    *out = NULL;
    s->stop = true;
    pthread_kill(s->thread, SIGUSR1);
    pthread_join(s->thread, NULL);
    memory_free(s);
}

void signals_arm(struct signals *signals) {
    signals->armed = true;
}

bool signals_came(const struct signals *signals) {
    return signals->came;
}

#include "runner/signals.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

/* 0: no signal yet; else when the first one came, in milliseconds of the monotonic clock (cut to what the type holds), which
 * tells a second one from an echo. */
static volatile sig_atomic_t came;

static int milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now); /* async-signal-safe */
    return (int)((now.tv_sec * 1000 + now.tv_nsec / 1000000) & 0x3fffffff);
}

static void take(int number) {
    int now = milliseconds();
    if (!came)
        came = now | 1; /* never 0 */
    else if (((now - (int)came) & 0x3fffffff) > SIGNALS_TOGETHER_MILLISECONDS)
        _exit(128 + number);
}

void signals_catch(void) {
    static const int caught[] = {SIGTERM, SIGINT, SIGUSR1};
    struct sigaction action = {.sa_handler = take, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++) sigaction(caught[i], &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

bool signals_came(void) {
    return came != 0;
}

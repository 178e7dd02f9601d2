/* Threads that work beside the caller's. No signal is delivered to them: signals are for the thread that
 * waits for them (runner/signals.h), and a handler must not interrupt generated code that keeps data below
 * the stack pointer. */
#ifndef ADAPT_BASE_THREAD_H
#define ADAPT_BASE_THREAD_H

#include "base/error.h"
#include <pthread.h>
#include <stdbool.h>

/* Starts `body(context)` in a thread of its own, to be joined by the caller. `name`: at most 15 bytes, what
 * debuggers and top show. ERROR_MEMORY where the system has no further thread. */
int thread_start(const char *name, void *(*body)(void *), void *context, pthread_t *out, struct error *err);

/* A condition for thread_wait_until; pthread_cond_destroy ends it. */
void thread_condition_init(pthread_cond_t *out);

/* Waits on a condition of thread_condition_init, `lock` held, until it is signalled or clock_seconds() is
 * `end`. false: the time is up. As with any condition, it may return early. */
bool thread_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, double end);

#endif

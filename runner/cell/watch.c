#include "runner/cell/watch.h"

#include "base/memory.h"
#include <stdbool.h>
#include <string.h>

/* Validation losses come from small rotating batches: smooth them over about as many updates as half a
 * window. */
static const double SMOOTHING = 0.7;

struct span {
    double share_from, share_to, loss_from, loss_to;
};

struct watched_task {
    double smoothed;    /* validation loss */
    int updates;        /* since the window's start */
    struct span window; /* now */
    struct span told;   /* when last warned about */
};

struct watch {
    int tasks;
    int seen; /* updates */
    struct watched_task *task;
};

int watch_create(int tasks, struct watch **out, struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    (*out)->tasks = tasks;
    int code = memory_alloc(&(*out)->task, (size_t)tasks, sizeof *(*out)->task, err);
    if (code) watch_destroy(out);
    return code;
}

void watch_destroy(struct watch **watch) {
    if (!*watch) return;
    memory_free((*watch)->task);
    memory_free(*watch);
    *watch = NULL;
}

int watch_update(struct watch *watch, const double *share, const double *validation_loss) {
    int told = -1;
    for (int k = 0; k < watch->tasks; k++) {
        struct watched_task *task = &watch->task[k];
        task->smoothed = watch->seen ? SMOOTHING * task->smoothed + (1.0 - SMOOTHING) * validation_loss[k]
                                     : validation_loss[k];
        if (task->updates == 0) {
            task->window.share_from = share[k];
            task->window.loss_from = task->smoothed;
        }
        if (++task->updates <= WATCH_WINDOW) continue;
        task->window.share_to = share[k];
        task->window.loss_to = task->smoothed;
        task->updates = 0;
        bool grew = task->window.share_to > 1.25 * task->window.share_from;
        bool stuck = task->window.loss_to > 0.99 * task->window.loss_from;
        if (grew && stuck && told < 0) {
            task->told = task->window;
            told = k;
        }
    }
    watch->seen++;
    return told;
}

void watch_explain(const struct watch *watch, int task, double *share_from, double *share_to,
                   double *loss_from, double *loss_to) {
    const struct span *told = &watch->task[task].told;
    *share_from = told->share_from;
    *share_to = told->share_to;
    *loss_from = told->loss_from;
    *loss_to = told->loss_to;
}

enum { WORDS_A_TASK = 10 };

size_t watch_state_words(int tasks) {
    return 1 + WORDS_A_TASK * (size_t)tasks;
}

void watch_save(const struct watch *watch, uint64_t *words) {
    *words++ = (uint64_t)watch->seen;
    for (int k = 0; k < watch->tasks; k++, words += WORDS_A_TASK) {
        const struct watched_task *task = &watch->task[k];
        words[0] = (uint64_t)task->updates;
        memcpy(words + 1, &task->smoothed, 8);
        memcpy(words + 2, &task->window, 32);
        memcpy(words + 6, &task->told, 32);
    }
}

void watch_restore(struct watch *watch, const uint64_t *words) {
    watch->seen = (int)*words++;
    for (int k = 0; k < watch->tasks; k++, words += WORDS_A_TASK) {
        struct watched_task *task = &watch->task[k];
        task->updates = (int)words[0];
        memcpy(&task->smoothed, words + 1, 8);
        memcpy(&task->window, words + 2, 32);
        memcpy(&task->told, words + 6, 32);
    }
}

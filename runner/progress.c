#include "runner/progress.h"

#include "base/clock.h"
#include "base/memory.h"
#include <stdarg.h>
#include <string.h>

struct progress {
    FILE *out; /* borrowed */
    int live;
    int dirty; /* a live line stands unfinished */
    int index;
    char name[200];
    int64_t budget;
    double started, told;
};

int progress_create(FILE *out, int live, struct progress **out_progress, struct error *err) {
    TRY(memory_alloc(out_progress, 1, sizeof **out_progress, err));
    (*out_progress)->out = out;
    (*out_progress)->live = live;
    return 0;
}

static void end_line(struct progress *progress) {
    if (progress->dirty) fputc('\n', progress->out);
    progress->dirty = 0;
}

void progress_destroy(struct progress **progress) {
    if (!*progress) return;
    end_line(*progress);
    memory_free(*progress);
    *progress = NULL;
}

void progress_cell(struct progress *progress, int index, const char *name, int64_t budget) {
    end_line(progress);
    progress->index = index;
    progress->budget = budget;
    progress->started = clock_seconds();
    progress->told = progress->started;
    snprintf(progress->name, sizeof progress->name, "%s", name);
}

static void format_duration(double seconds, char *out, size_t size) {
    long s = (long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(out, size, "%ldh%02ldm", s / 3600, s / 60 % 60);
    else
        snprintf(out, size, "%ldm%02lds", s / 60, s % 60);
}

void progress_step(struct progress *progress, int64_t step, int64_t charged, int64_t fed_tokens, double loss,
                   int tasks, const double *share, const char *const *task_name) {
    double now = clock_seconds(), pause = progress->live ? 0.2 : PROGRESS_SECONDS;
    if (now - progress->told < pause) return;
    progress->told = now;
    int low = 0, high = 0;
    for (int k = 1; k < tasks; k++) {
        if (share[k] < share[low]) low = k;
        if (share[k] > share[high]) high = k;
    }
    double elapsed = now - progress->started;
    char left[32] = "?";
    if (charged > 0)
        format_duration(elapsed * (double)(progress->budget - charged) / (double)charged, left, sizeof left);
    fprintf(
        progress->out,
        "%scell %d (%s): step %lld, %lld of %lld tokens, %.0f tok/s, loss %.3f, mixture %.3f (%.24s) to %.3f (%.24s), %s left%s",
        progress->live ? "\r\033[K" : "", progress->index, progress->name, (long long)step,
        (long long)charged, (long long)progress->budget, elapsed > 0 ? (double)fed_tokens / elapsed : 0.0,
        loss, share[low], task_name[low], share[high], task_name[high], left, progress->live ? "" : "\n");
    progress->dirty = progress->live;
    fflush(progress->out);
}

void progress_say(struct progress *progress, const char *format, ...) {
    end_line(progress);
    va_list args;
    va_start(args, format);
    vfprintf(progress->out, format, args);
    va_end(args);
    fputc('\n', progress->out);
    fflush(progress->out);
}

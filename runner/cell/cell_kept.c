#include "runner/cell/cell_kept.h"

#include "base/memory.h"
#include "io/file.h"
#include "runner/cell/checkpoint_internal.h"
#include "runner/checkpoint/evaluation_file.h"
#include <string.h>
#include <unistd.h>

static const char SUFFIX[] = ".json";

struct kept {
    double share;
    const char *benchmark; /* in the arena */
};

struct kept_evaluations {
    struct arena *arena;
    struct kept *list;
    size_t count, capacity;
};

static int note(struct kept_evaluations *kept, double share, const char *benchmark, struct error *err) {
    char *copy;
    TRY(memory_reserve(&kept->list, &kept->capacity, kept->count + 1, sizeof *kept->list, err));
    TRY(arena_copy(kept->arena, benchmark, strlen(benchmark), &copy, err));
    kept->list[kept->count++] = (struct kept){share, copy};
    return 0;
}

/* One file; what is damaged or of later than the checkpoint is removed, and measured again. */
static int take_file(struct cell_run *run, const char *path, struct error *err) {
    struct archive_evaluation evaluation;
    struct error why = {0};
    struct arena *arena;
    TRY(arena_create(&arena, err));
    int code = evaluation_file_read(path, arena, &evaluation, &why);
    if (!code && evaluation.step <= run->step) {
        code = archive_cell_add_evaluation(run->archive, &evaluation, err);
        if (!code) code = note(run->kept, evaluation.share, evaluation.benchmark, err);
    } else {
        if (code && run->job->progress) progress_say(run->job->progress, "adapt: warning: %s", why.message);
        code = 0;
        unlink(path);
    }
    arena_destroy(&arena);
    return code;
}

int cell_kept_open(struct cell_run *run, struct error *err) {
    const char *folder = run->checkpoint->folder;
    char **names = NULL;
    size_t count = 0;
    TRY(memory_alloc(&run->kept, 1, sizeof *run->kept, err));
    TRY(arena_create(&run->kept->arena, err));
    if (!file_is_folder(folder)) return 0;
    int code = file_list(folder, SUFFIX, &names, &count, err);
    for (size_t i = 0; i < count && !code; i++) {
        char *path;
        code = file_join(folder, names[i], &path, err);
        if (!code) code = take_file(run, path, err);
        memory_free(path);
    }
    file_free_list(names, count);
    return code;
}

void cell_kept_close(struct cell_run *run) {
    if (!run->kept) return;
    arena_destroy(&run->kept->arena);
    memory_free(run->kept->list);
    memory_free(run->kept);
    run->kept = NULL;
}

bool cell_kept_has(const struct cell_run *run, double share, const char *benchmark) {
    for (size_t i = 0; i < run->kept->count; i++) {
        const struct kept *kept = &run->kept->list[i];
        if (kept->share == share && !strcmp(kept->benchmark, benchmark)) return true;
    }
    return false;
}

static int keep(const struct cell_run *run, const struct archive_evaluation *evaluation, struct error *err) {
    const char *folder = run->checkpoint->folder;
    struct text path = {0};
    TRY(file_make_folder(folder, err));
    int code =
        text_printf(&path, err, "%s/at-%.17g.%s%s", folder, evaluation->share, evaluation->benchmark, SUFFIX);
    if (!code) code = evaluation_file_write(text_string(&path), evaluation, err);
    text_free(&path);
    return code;
}

int cell_kept_add(struct cell_run *run, const struct archive_evaluation *evaluation, struct error *err) {
    struct error why = {0};
    TRY(archive_cell_add_evaluation(run->archive, evaluation, err));
    TRY(note(run->kept, evaluation->share, evaluation->benchmark, err));
    if (run->job->claim) TRY(claim_check(run->job->claim, err));
    if (keep(run, evaluation, &why) && run->job->progress)
        progress_say(run->job->progress,
                     "adapt: warning: a benchmark's result is not kept until the cell ends: %s", why.message);
    return 0;
}

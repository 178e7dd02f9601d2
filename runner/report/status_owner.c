#include "runner/report/status_owner.h"

#include "base/memory.h"
#include "runner/checkpoint/store.h"
#include "runner/claim/claim.h"
#include "runner/report/results_internal.h"
#include <stdio.h>

/* The step of the newest checkpoint whose manifest is good: what `adapt run` tries first. */
static int64_t find_resumption(const char *cell_path) {
    char *folder;
    int64_t *numbers = NULL, next, step = 0;
    size_t count = 0;
    if (store_folder(cell_path, &folder, NULL)) return 0;
    if (store_list(folder, &numbers, &count, &next, NULL)) count = 0;
    for (size_t i = 0; i < count && !step; i++) {
        struct manifest *manifest;
        if (store_read(folder, numbers[i], &manifest, NULL)) continue;
        step = manifest->step;
        manifest_destroy(&manifest);
    }
    memory_free(numbers);
    memory_free(folder);
    return step;
}

static int find_owner(struct results *results, struct result_cell *cell, struct error *err) {
    struct claim_info info;
    char *path, text[sizeof info.host + sizeof info.job + 8];
    int code = 0;
    TRY(archive_cell_path(results->folder, &cell->key, &path, err));
    if (claim_holder(path, &info)) {
        snprintf(text, sizeof text, "%s%s%s", info.host, info.job[0] ? ", job " : "", info.job);
        code = results_string(results->arena, text, &cell->owner, err);
    } else if (cell->state == ARCHIVE_RUNNING) {
        cell->stopped = true;
        cell->resumes = find_resumption(path);
    }
    memory_free(path);
    return code;
}

int status_find_owners(struct results *results, struct error *err) {
    for (int i = 0; i < results->count && results->folder; i++) {
        struct result_cell *cell = &results->cells[i];
        if (cell->state != ARCHIVE_DONE) TRY(find_owner(results, cell, err));
    }
    return 0;
}

int status_stopped(const struct results *results) {
    int stopped = 0;
    for (int i = 0; i < results->count; i++) stopped += results->cells[i].stopped;
    return stopped;
}

/* Going on from a checkpoint. */
#include "runner/cell/checkpoint_internal.h"

#include "base/memory.h"
#include "io/file.h"
#include "runner/cell/weights_hash.h"
#include <string.h>

/* What a cell computes with, as far as its archive's settings do not say it: those are compared for the
 * experiment as a whole. */
static int find_identity(const struct cell_run *run, char hex[HASH_HEX_BYTES], struct error *err) {
    const struct cell_job *job = run->job;
    struct archive_cell_key key = grid_cell_key(job->experiment, job->cell);
    struct hash *hash;
    char *settings = NULL, weights[HASH_HEX_BYTES];
    struct text numbers = {0};
    TRY(weights_hash(job->model->entry->path, weights, err));
    int code = experiment_method_json(&job->experiment->methods[job->cell->method], &settings, err);
    if (!code)
        code = text_printf(&numbers, err, "%lld %lld %zu", key.seed, (long long)run->ledger.budget,
                           job->model->layout->elements);
    const char *parts[] = {key.model,
                           key.budget,
                           key.method,
                           job->model->tasks->hash,
                           tokenizer_hash(job->model->tokenizer),
                           settings,
                           text_string(&numbers),
                           weights};
    if (!code) code = hash_create(&hash, err);
    if (!code) {
        for (size_t i = 0; i < sizeof parts / sizeof *parts && !code; i++)
            code = hash_update_string(hash, parts[i], err);
        if (!code)
            code = hash_finish(&hash, hex, err);
        else
            hash_destroy(&hash);
    }
    memory_free(settings);
    text_free(&numbers);
    return code;
}

static int open_folder(struct cell_run *run, struct error *err) {
    const struct experiment *experiment = run->job->experiment;
    struct archive_cell_key key = grid_cell_key(experiment, run->job->cell);
    char *path;
    TRY(memory_alloc(&run->checkpoint, 1, sizeof *run->checkpoint, err));
    struct cell_checkpoint *c = run->checkpoint;
    TRY(arena_create(&c->arena, err));
    TRY(archive_cell_path(experiment->out, &key, &path, err));
    int code = store_folder(path, &c->folder, err);
    memory_free(path);
    if (!code) code = find_identity(run, c->identity, err);
    if (!code && run->job->restart && cell_coordinates(run)) code = file_remove_tree(c->folder, err);
    return code;
}

/* Reads checkpoint `number` and checks all of it, each rank some of the shards. */
static int read_whole(struct cell_run *run, int64_t number, struct error *err) {
    struct cell_checkpoint *c = run->checkpoint;
    const struct group *group = run->job->group;
    TRY(store_read(c->folder, number, &c->found, err));
    if (strcmp(c->found->identity, c->identity) || c->found->elements != run->job->model->layout->elements)
        return error_set(err, ERROR_INPUT, "it is of another cell, or of other data, weights or settings");
    if (!c->found->moments && !c->found->trained &&
        run->job->experiment->training.optimizer.kind == OPTIMIZER_ADAMW)
        return error_set(err, ERROR_INPUT, "it lacks the optimizer's moments");
    return store_verify(c->folder, c->found, group->rank, group->size, err);
}

/* *good: the cell goes on from checkpoint `number`. */
static int try_checkpoint(struct cell_run *run, int64_t number, bool *good, struct error *err) {
    struct cell_checkpoint *c = run->checkpoint;
    const struct group *group = run->job->group;
    struct error why = {0};
    int code = group_agree(group, read_whole(run, number, &why), &why);
    bool archive = false;
    if (!code) {
        archive = true;
        code = cell_coordinates(run) ? cell_archive_open(run, c->found, &why) : 0;
        code = group_agree(group, code, &why);
    }
    *good = !code;
    if (!code) return 0;
    manifest_destroy(&c->found);
    /* A full disk, say, is no reason to throw a checkpoint away. */
    if (code == ERROR_PEER || code == ERROR_MEMORY || (archive && code != ERROR_INPUT)) {
        *err = why;
        return code;
    }
    if (run->job->progress)
        progress_say(run->job->progress, "adapt: warning: %s: checkpoint %lld cannot be used: %s", c->folder,
                     (long long)number, why.message);
    return 0;
}

/* The coordinator's list, one number at a time; -1 ends it. */
static int next_number(const struct cell_run *run, const int64_t *numbers, size_t count, size_t i,
                       int64_t *number, struct error *err) {
    double value = i < count ? (double)numbers[i] : -1.0;
    TRY(group_broadcast(run->job->group, &value, 1, err));
    *number = (int64_t)value;
    return 0;
}

static int start_anew(struct cell_run *run, bool lost, struct error *err) {
    int code = 0;
    if (cell_coordinates(run)) {
        if (lost && run->job->progress)
            progress_say(run->job->progress, "adapt: warning: the cell starts from its first step");
        code = cell_archive_open(run, NULL, err);
        struct error why;
        int left = code ? 0 : file_remove_tree(run->checkpoint->folder, &why);
        /* Where there was no checkpoint, nothing that is left there does harm. */
        if (left && lost) code = error_set(err, left, "%s", why.message);
    }
    return group_agree(run->job->group, code, err);
}

int cell_resume_open(struct cell_run *run, struct error *err) {
    const struct group *group = run->job->group;
    int64_t *numbers = NULL, next = 0, number;
    size_t count = 0, i = 0;
    bool good = false;
    int code = group_agree(group, open_folder(run, err), err);
    if (code) return code;
    code = cell_coordinates(run) ? store_list(run->checkpoint->folder, &numbers, &count, &next, err) : 0;
    code = group_agree(group, code, err);
    while (!code && !good) {
        code = next_number(run, numbers, count, i++, &number, err);
        if (code || number < 0) break;
        code = try_checkpoint(run, number, &good, err);
    }
    memory_free(numbers);
    double first = (double)next;
    if (!code) code = group_broadcast(group, &first, 1, err);
    run->checkpoint->number = (int64_t)first;
    if (!code && !good) code = start_anew(run, count > 0, err);
    return code;
}

/* ---- vectors */

/* The part of a shard's moments that this rank's optimizer holds. */
static void load_moments(struct backend *backend, const struct optimizer_state *optimizer,
                         const struct manifest_shard *shard, const float *data) {
    size_t first = shard->first, end = shard->first + shard->count;
    size_t held_end = optimizer->held.first + optimizer->held.count;
    if (first < optimizer->held.first) first = optimizer->held.first;
    if (end > held_end) end = held_end;
    if (first >= end) return;
    size_t at = first - optimizer->held.first, from = first - shard->first;
    backend->upload(backend, view_at(optimizer->first, at), data + shard->count + from, end - first);
    backend->upload(backend, view_at(optimizer->second, at), data + 2 * shard->count + from, end - first);
}

static int load_shard(struct cell_run *run, const struct manifest_shard *shard, struct error *err) {
    struct backend *backend = run->job->backend;
    const struct manifest *found = run->checkpoint->found;
    struct trainer_state state = trainer_state(run->trainer);
    struct file_map map = {0};
    char *path;
    TRY(file_join(run->checkpoint->folder, shard->file, &path, err));
    int code = file_map(path, &map, err);
    if (!code && map.length != manifest_shard_bytes(found, shard))
        code = error_set(err, ERROR_IO, "%s: changed while it was read", path);
    memory_free(path);
    if (!code && shard->count) {
        const float *data = (const float *)(const void *)map.data; /* a map begins at a page */
        backend->upload(backend, view_at(state.parameters, shard->first), data, shard->count);
        if (found->moments) load_moments(backend, &state.optimizer, shard, data);
        code = backend->check(backend, err);
    }
    file_unmap(&map);
    return code;
}

static int load(struct cell_run *run, struct error *err) {
    const struct manifest *found = run->checkpoint->found;
    for (int i = 0; i < found->shard_count; i++) TRY(load_shard(run, &found->shards[i], err));
    run->trained = run->checkpoint->trained = found->trained;
    int code = cell_state_load(run, found, err);
    return code ? error_context(err, "%s (adapt run --restart throws it away)", run->checkpoint->folder) : 0;
}

int cell_resume_load(struct cell_run *run, struct error *err) {
    struct cell_checkpoint *c = run->checkpoint;
    if (!c->found) return 0;
    TRY(group_agree(run->job->group, load(run, err), err));
    manifest_destroy(&c->found);
    if (run->job->progress)
        progress_say(run->job->progress, "cell %d goes on from its checkpoint at step %lld%s",
                     run->job->cell->index, (long long)run->step, run->trained ? ", trained" : "");
    return 0;
}

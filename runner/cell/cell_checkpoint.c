/* Making a checkpoint: each rank its share, the coordinator the manifest. */
#include "runner/cell/checkpoint_internal.h"

#include "base/clock.h"
#include "base/machine.h"
#include "base/memory.h"
#include "io/file.h"
#include "runner/device.h"
#include "runner/shards.h"
#include <string.h>

static bool has_moments(const struct training_settings *training) {
    return training->optimizer.kind == OPTIMIZER_ADAMW;
}

size_t cell_checkpoint_bytes(const struct loaded_model *model, const struct training_settings *training,
                             int ranks) {
    size_t most = 0;
    if (training->checkpoint_minutes <= 0.0) return 0;
    for (int rank = 0; rank < ranks; rank++) {
        size_t count = shards_range(model->layout->elements, ranks, rank).count;
        if (count > most) most = count;
    }
    return snapshot_bytes(most, has_moments(training));
}

/* ---- memory */

/* Copies are made only where they fit beside everything else that the run has on this machine. */
static bool room_for_copies(const struct cell_run *run) {
    const struct cell_job *job = run->job;
    const struct training_settings *training = &job->experiment->training;
    size_t copies = cell_checkpoint_bytes(job->model, training, job->group->size);
    double rank =
        trainer_memory(job->backend, job->model, training, mixture_plan(run->mixture), job->group->size)
            .total;
    if (!copies) return false;
    if (!device_uses_host_memory(job->experiment->device)) rank = 0;
    return (rank + (double)copies) * job->neighbours <= (double)machine_memory();
}

static struct snapshot_vectors vectors_of(const struct cell_run *run, bool moments) {
    const struct cell_job *job = run->job;
    struct trainer_state state = trainer_state(run->trainer);
    return (struct snapshot_vectors){
        .backend = job->backend,
        .parameters = state.parameters,
        .optimizer = state.optimizer,
        .range = shards_range(job->model->layout->elements, job->group->size, job->group->rank),
        .moments = moments,
    };
}

int cell_checkpoint_prepare(struct cell_run *run, struct error *err) {
    struct cell_checkpoint *c = run->checkpoint;
    const struct training_settings *training = &run->job->experiment->training;
    struct snapshot_vectors vectors = vectors_of(run, has_moments(training));
    int code = arena_alloc(c->arena, &c->shards, (size_t)run->job->group->size, sizeof *c->shards, err);
    if (!code && cell_coordinates(run)) code = cell_state_room(run, c->arena, c->sections, err);
    bool copies = room_for_copies(run);
    if (!code) code = snapshot_create(&vectors, copies, &c->snapshot, err);
    if (!copies && run->job->progress && training->checkpoint_minutes > 0.0)
        progress_say(
            run->job->progress,
            "adapt: warning: there is no memory for copies: training waits while a checkpoint is written");
    c->last = clock_seconds();
    return group_agree(run->job->group, code, err);
}

void cell_checkpoint_destroy(struct cell_run *run) {
    struct cell_checkpoint *c = run->checkpoint;
    if (!c) return;
    snapshot_destroy(&c->snapshot);
    manifest_destroy(&c->found);
    arena_destroy(&c->arena);
    memory_free(c->folder);
    memory_free(c);
    run->checkpoint = NULL;
}

void cell_checkpoint_remove(struct cell_run *run) {
    struct error ignored;
    if (cell_coordinates(run)) file_remove_tree(run->checkpoint->folder, &ignored);
}

/* ---- beginning */

static int begin_share(struct cell_run *run, struct error *err) {
    struct cell_checkpoint *c = run->checkpoint;
    const struct group *group = run->job->group;
    char name[MANIFEST_FILE_BYTES], *path = NULL;
    store_shard_name(c->number, group->rank, group->size, name);
    struct snapshot_vectors vectors = vectors_of(run, c->pending.moments);
    int code = file_make_folder(c->folder, err);
    if (!code) code = file_join(c->folder, name, &path, err);
    if (!code) code = snapshot_begin(c->snapshot, &vectors, path, err);
    memory_free(path);
    return code;
}

/* The rows that belong to the checkpoint must be on disk before it is. */
static int begin(struct cell_run *run, struct error *err) {
    struct cell_checkpoint *c = run->checkpoint;
    int code = cell_coordinates(run) ? archive_cell_flush(run->archive, err) : 0;
    TRY(group_agree(run->job->group, code, err));
    c->pending = (struct manifest){.identity = c->identity,
                                   .step = run->step,
                                   .validations = run->validations,
                                   .elements = run->job->model->layout->elements,
                                   .moments = has_moments(&run->job->experiment->training) && !run->trained,
                                   .trained = run->trained,
                                   .shards = c->shards,
                                   .shard_count = run->job->group->size,
                                   .sections = c->sections,
                                   .section_count = CELL_SECTIONS};
    if (cell_coordinates(run)) cell_state_save(run, c->sections);
    c->why = (struct error){0};
    c->begun = begin_share(run, &c->why);
    c->writing = true;
    c->last = clock_seconds();
    return 0;
}

/* ---- ending */

/* What a rank tells of its share. */
struct share {
    int code;
    struct error why;
    char sha256[HASH_HEX_BYTES];
};

static int commit(struct cell_run *run, const struct share *shares, struct error *err) {
    struct cell_checkpoint *c = run->checkpoint;
    const struct group *group = run->job->group;
    for (int rank = 0; rank < group->size; rank++) {
        const struct share *share = &shares[rank];
        struct parameter_range range = shards_range(c->pending.elements, group->size, rank);
        if (share->code) return error_set(err, share->code, "%s", share->why.message);
        c->shards[rank] = (struct manifest_shard){.first = range.first, .count = range.count};
        store_shard_name(c->number, rank, group->size, c->shards[rank].file);
        memcpy(c->shards[rank].sha256, share->sha256, HASH_HEX_BYTES);
    }
    return store_commit(c->folder, c->number, &c->pending, err);
}

/* The coordinator's: a checkpoint that could not be written is told, one of a cell that is not ours any more
 * ends it. */
static int commit_or_warn(struct cell_run *run, const struct share *shares, struct error *err) {
    struct cell_checkpoint *c = run->checkpoint;
    struct error why = {0};
    if (run->job->claim) TRY(claim_check(run->job->claim, err));
    if (!commit(run, shares, &why)) return 0;
    store_drop(c->folder, c->number);
    if (run->job->progress)
        progress_say(run->job->progress,
                     "adapt: warning: the checkpoint at step %lld could not be written: %s",
                     (long long)c->pending.step, why.message);
    return 0;
}

/* Waits for what is being written. */
static int finish(struct cell_run *run, struct error *err) {
    struct cell_checkpoint *c = run->checkpoint;
    const struct group *group = run->job->group;
    struct share mine = {.code = c->begun, .why = c->why}, *shares = NULL;
    if (!mine.code) mine.code = snapshot_finish(c->snapshot, mine.sha256, &mine.why);
    c->writing = false;
    int code = cell_coordinates(run) ? memory_alloc(&shares, (size_t)group->size, sizeof *shares, err) : 0;
    TRY(group_agree(group, code, err));
    code = group_gather(group, &mine, sizeof mine, shares, err);
    if (!code && cell_coordinates(run)) code = commit_or_warn(run, shares, err);
    memory_free(shares);
    c->number++;
    c->trained = c->pending.trained;
    return group_agree(group, code, err);
}

/* ---- when */

void cell_checkpoint_vote(struct cell_run *run, int vote[CELL_VOTES]) {
    struct cell_checkpoint *c = run->checkpoint;
    double interval = 60.0 * run->job->experiment->training.checkpoint_minutes;
    bool due = cell_coordinates(run) && interval > 0.0 && clock_seconds() - c->last >= interval;
    /* Minima are taken: one rank's wish is enough for the first two, the last needs all. */
    vote[CELL_VOTE_STOP] = -(int)stop_wanted(run->job->stop);
    vote[CELL_VOTE_DUE] = -(int)due;
    vote[CELL_VOTE_WRITTEN] = !c->writing || c->begun || snapshot_ended(c->snapshot);
}

static int step(struct cell_run *run, const int vote[CELL_VOTES], struct error *err) {
    struct cell_checkpoint *c = run->checkpoint;
    if (c->writing && vote[CELL_VOTE_WRITTEN]) TRY(finish(run, err));
    if (vote[CELL_VOTE_STOP]) {
        TRY(cell_checkpoint_write(run, err));
        return error_set(err, ERROR_STOPPED, "stopped by a signal at step %lld", (long long)run->step);
    }
    return vote[CELL_VOTE_DUE] && !c->writing ? begin(run, err) : 0;
}

int cell_checkpoint_step(struct cell_run *run, const int vote[CELL_VOTES], struct error *err) {
    double began = clock_seconds();
    int code = step(run, vote, err);
    run->archive_seconds += clock_seconds() - began;
    return code;
}

int cell_checkpoint_write(struct cell_run *run, struct error *err) {
    if (run->checkpoint->writing) TRY(finish(run, err));
    TRY(begin(run, err));
    return finish(run, err);
}

int cell_checkpoint_end(struct cell_run *run, bool keep, struct error *err) {
    struct cell_checkpoint *c = run->checkpoint;
    if (c->writing) TRY(finish(run, err));
    if (keep && !c->trained) TRY(cell_checkpoint_write(run, err));
    if (!keep || c->trained) snapshot_destroy(&c->snapshot);
    return 0;
}

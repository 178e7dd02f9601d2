#include "runner/taking.h"

#include "base/memory.h"
#include "io/file.h"
#include "runner/checkpoint/store.h"
#include <string.h>

enum fate {
    FATE_OPEN,
    FATE_BUSY, /* somebody else had it when it was last looked at */
    FATE_DONE,
    FATE_FAILED,
    FATE_ELSEWHERE /* done or failed by somebody else since this run began */
};

struct taking {
    const struct experiment *experiment;
    const struct grid *grid;
    struct progress *progress; /* may be NULL */
    int *order;                /* [count] of the cells to run, those dealt to this group first; owned */
    int count;
    unsigned char *fate; /* [cells] owned */
};

/* The cell as its file tells it now, which may be other than when the run began. */
static int look_at(const struct taking *t, int cell, struct cell *out, struct error *err) {
    *out = t->grid->cells[cell];
    return grid_cell_look(t->experiment, out, err);
}

static int fill(struct taking *t, const int *group_of, const int *order, int group, struct error *err) {
    size_t cells = (size_t)t->grid->count;
    TRY(memory_alloc(&t->order, cells, sizeof *t->order, err));
    TRY(memory_alloc(&t->fate, cells, sizeof *t->fate, err));
    for (int own = 1; own >= 0; own--)
        for (int i = 0; i < t->grid->count; i++)
            if (group_of[order[i]] >= 0 && (group_of[order[i]] == group) == own)
                t->order[t->count++] = order[i];
    return 0;
}

/* What a process left that was killed after its cell's end was recorded and before it had cleaned up. A cell
 * that somebody else is ending right now is left to him; what cannot be removed does no harm. */
static void tidy(const struct taking *t, int cell) {
    struct archive_cell_key key = grid_cell_key(t->experiment, &t->grid->cells[cell]);
    struct claim *claim = NULL;
    char *path, *name = NULL, *folder = NULL;
    if (archive_cell_path(t->experiment->out, &key, &path, NULL)) return;
    int code = claim_path(path, &name, NULL);
    if (!code) code = store_folder(path, &folder, NULL);
    if (!code && (file_exists(name) || file_exists(folder)) && !claim_take(name, &claim, NULL, NULL, NULL) &&
        claim)
        file_remove_tree(folder, NULL);
    claim_release(&claim);
    memory_free(path);
    memory_free(name);
    memory_free(folder);
}

int taking_create(const struct experiment *experiment, const struct grid *grid, const int *group_of,
                  const int *order, int group, struct progress *progress, struct taking **out,
                  struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    **out = (struct taking){.experiment = experiment, .grid = grid, .progress = progress};
    int code = fill(*out, group_of, order, group, err);
    for (int i = 0; i < grid->count && !code && group == 0; i++)
        if (grid->cells[i].done) tidy(*out, i);
    if (code) taking_destroy(out);
    return code;
}

void taking_destroy(struct taking **out) {
    struct taking *t = *out;
    if (!t) return;
    *out = NULL;
    memory_free(t->order);
    memory_free(t->fate);
    memory_free(t);
}

/* ---- choosing */

/* Whether the cell that this one compares with has come to its end, well or not (it then fails with that
 * reason). */
static int reference_ended(const struct taking *t, int cell, bool *ended, struct error *err) {
    int reference = t->grid->cells[cell].reference;
    struct cell now;
    *ended = true;
    if (reference < 0 || t->grid->cells[reference].done || t->fate[reference] >= FATE_DONE) return 0;
    TRY(look_at(t, reference, &now, err));
    *ended = now.done;
    return 0;
}

static void tell_takeover(const struct taking *t, int cell, const struct claim_info *from) {
    if (t->progress)
        progress_say(t->progress, "cell %d is taken over from %s, process %ld%s%s, which is gone", cell,
                     from->host[0] ? from->host : "nobody", from->process, from->job[0] ? ", job " : "",
                     from->job);
}

/* Claims a cell and sees, as nobody else can change it now, whether there is something to do; *claim is NULL
 * where there is not. */
static int try_cell(struct taking *t, int cell, struct claim **claim, struct error *err) {
    struct archive_cell_key key = grid_cell_key(t->experiment, &t->grid->cells[cell]);
    struct claim_info holder;
    struct cell now;
    bool over = false;
    char *path, *name = NULL;
    *claim = NULL;
    TRY(archive_cell_path(t->experiment->out, &key, &path, err));
    int code = claim_path(path, &name, err);
    memory_free(path);
    if (!code) code = claim_take(name, claim, &over, &holder, err);
    memory_free(name);
    if (code) return code;
    t->fate[cell] = *claim ? FATE_OPEN : FATE_BUSY;
    if (!*claim) return 0;
    code = look_at(t, cell, &now, err);
    bool failed = now.state == ARCHIVE_FAILED &&
                  now.ended != t->grid->cells[cell].ended; /* again, since this run began */
    if (!code && !now.done && !failed) {
        if (over) tell_takeover(t, cell, &holder);
        return 0;
    }
    if (!code) t->fate[cell] = FATE_ELSEWHERE;
    claim_release(claim);
    return code;
}

/* The first cell of this fate that can be claimed; -1: none. */
static int find(struct taking *t, enum fate fate, int *cell, struct claim **claim, struct error *err) {
    *claim = NULL;
    for (int i = 0; i < t->count && !*claim; i++) {
        bool ready;
        *cell = t->order[i];
        if (t->fate[*cell] != fate) continue;
        TRY(reference_ended(t, *cell, &ready, err));
        if (ready) TRY(try_cell(t, *cell, claim, err));
    }
    return 0;
}

/* A cell that nobody runs, and that waits for one that somebody else does, or did when this round began. */
static bool is_waiting(const struct taking *t, int cell) {
    int reference = t->grid->cells[cell].reference;
    return t->fate[cell] == FATE_OPEN && reference >= 0 && t->fate[reference] != FATE_OPEN;
}

int taking_next(struct taking *t, enum taking_kind *kind, int *cell, struct claim **claim,
                struct error *err) {
    *kind = TAKING_CELL;
    TRY(find(t, FATE_OPEN, cell, claim, err));
    if (!*claim) TRY(find(t, FATE_BUSY, cell, claim, err));
    if (*claim) return 0;
    *kind = TAKING_END;
    for (int i = 0; i < t->count; i++)
        if (is_waiting(t, t->order[i])) *kind = TAKING_WAIT;
    return 0;
}

void taking_ended(struct taking *t, int cell, bool done) {
    t->fate[cell] = done ? FATE_DONE : FATE_FAILED;
}

void taking_tell(const struct taking *t, double *fate) {
    for (int i = 0; i < t->grid->count; i++)
        fate[i] = t->fate[i] == FATE_DONE ? 1.0 : t->fate[i] == FATE_FAILED ? 2.0 : 0.0;
}

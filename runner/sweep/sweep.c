/* Cells to jobs, and the scripts. */
#include "runner/sweep/sweep.h"

#include "base/memory.h"
#include "runner/selection.h"
#include "slurm/job_script.h"
#include <stdlib.h>
#include <string.h>

/* ---- cells */

struct jobs {
    struct arena *arena;
    const char **cells; /* selections, [count] */
    int count;
};

/* The cells of one chain, or (chain -1) of all; `chain_of` is -1 for cells that are not to be run. */
static int take_cells(const struct grid *grid, const int *chain_of, int chain, bool *wanted,
                      struct jobs *jobs, struct error *err) {
    struct text selection = {0};
    char *copy;
    for (int i = 0; i < grid->count; i++) wanted[i] = chain < 0 ? chain_of[i] >= 0 : chain_of[i] == chain;
    int code = selection_text(wanted, grid->count, &selection, err);
    if (!code) code = arena_copy(jobs->arena, text_string(&selection), selection.length, &copy, err);
    text_free(&selection);
    if (!code) jobs->cells[jobs->count++] = copy;
    return code;
}

/* Dealing to as many groups as there are cells gives every chain a group of its own; they are taken in the
 * order of their first cells. */
static int take_jobs(const struct grid *grid, bool array, struct jobs *jobs, int *cells, struct error *err) {
    int *chain_of, *order;
    bool *wanted, *taken;
    size_t count = (size_t)grid->count;
    TRY(arena_alloc(jobs->arena, &chain_of, count, sizeof *chain_of, err));
    TRY(arena_alloc(jobs->arena, &order, count, sizeof *order, err));
    TRY(arena_alloc(jobs->arena, &wanted, count, sizeof *wanted, err));
    TRY(arena_alloc(jobs->arena, &taken, count, sizeof *taken, err));
    TRY(arena_alloc(jobs->arena, &jobs->cells, count, sizeof *jobs->cells, err));
    grid_deal(grid, grid->count, chain_of, order);
    for (int i = 0; i < grid->count; i++) *cells += chain_of[i] >= 0;
    if (!*cells) return 0;
    if (!array) return take_cells(grid, chain_of, -1, wanted, jobs, err);
    for (int i = 0; i < grid->count; i++) {
        if (chain_of[i] < 0 || taken[chain_of[i]]) continue;
        taken[chain_of[i]] = true;
        TRY(take_cells(grid, chain_of, chain_of[i], wanted, jobs, err));
    }
    return 0;
}

/* ---- scripts */

/* Jobs start anywhere. */
static int absolute(const char *path, struct arena *arena, const char **out, struct error *err) {
    struct text text = {0};
    char *here = NULL, *copy;
    int code = 0;
    while (!strncmp(path, "./", 2)) path += 2;
    if (path[0] != '/' && !(here = realpath(".", NULL))) return error_set_errno(err, "the current folder");
    if (here) code = text_append_string(&text, here, err);
    if (!code && here && strcmp(path, ".")) code = text_append_string(&text, "/", err);
    if (!code && strcmp(path, ".")) code = text_append_string(&text, path, err);
    if (!code) code = arena_copy(arena, text_string(&text), text.length, &copy, err);
    if (!code) *out = copy;
    free(here);
    text_free(&text);
    return code;
}

static int check_ranks(const struct experiment *experiment, long long ranks, struct error *err) {
    const struct slurm_settings *slurm = &experiment->slurm;
    if (ranks >= experiment->ranks_per_cell) return 0;
    return error_set(err, ERROR_INPUT,
                     "%s: slurm: %lld nodes of %lld ranks do not hold a cell's ranks_per_cell %lld",
                     experiment->path, slurm->nodes, slurm->tasks_per_node, experiment->ranks_per_cell);
}

/* Slurm replaces % and drops \\ in the whole path of a log, the job's folder included. */
static int check_logs(const char *out, struct error *err) {
    if (!strpbrk(out, "%\\")) return 0;
    return error_set(
        err, ERROR_INPUT,
        "%s: Slurm cannot write logs in a folder with %% or \\ in its path (another \"out\" is expected)",
        out);
}

static int make(const struct experiment *experiment, const struct grid *grid, const char *program,
                struct jobs *jobs, struct sweep *out, struct error *err) {
    const struct slurm_settings *slurm = &experiment->slurm;
    struct job_script script = {.name = experiment->name, .settings = slurm};
    script.tasks_per_node = slurm->tasks_per_node;
    if (!script.tasks_per_node)
        script.tasks_per_node = (experiment->ranks_per_cell + slurm->nodes - 1) / slurm->nodes;
    TRY(check_ranks(experiment, script.tasks_per_node * slurm->nodes, err));
    TRY(take_jobs(grid, slurm->mode == SLURM_MODE_ARRAY, jobs, &out->cells, err));
    out->jobs = script.count = jobs->count;
    if (!jobs->count) return 0;
    script.cells = jobs->cells;
    script.program = slurm->program ? slurm->program : program;
    TRY(absolute(experiment->path, jobs->arena, &script.experiment, err));
    TRY(absolute(experiment->folder, jobs->arena, &script.folder, err));
    TRY(absolute(experiment->out, jobs->arena, &script.out, err));
    TRY(check_logs(script.out, err));
    if (strchr(script.program, '/')) TRY(absolute(script.program, jobs->arena, &script.program, err));
    TRY(job_script_sweep(&script, &out->script, err));
    return job_script_collect(&script, &out->collect, err);
}

int sweep_make(const struct experiment *experiment, const struct grid *grid, const char *program,
               struct sweep *out, struct error *err) {
    struct jobs jobs = {0};
    *out = (struct sweep){0};
    TRY(arena_create(&jobs.arena, err));
    int code = make(experiment, grid, program, &jobs, out, err);
    arena_destroy(&jobs.arena);
    if (code) sweep_free(out);
    return code;
}

void sweep_free(struct sweep *sweep) {
    text_free(&sweep->script);
    text_free(&sweep->collect);
}

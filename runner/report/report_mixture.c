/* Where methods that learn the mixture moved it, and tasks that gained share for nothing. */
#include "runner/report/report_internal.h"

#include "base/memory.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { EXTREMES = 3 };                /* tasks shown at the top and at the bottom */
static const double gain_told = 1.05; /* a share that grew by less is not told */

/* Means over the finished seeds whose mixture moved. */
struct path {
    const struct result_cell *example;
    int tasks, cells;
    double *share; /* [PATH_POINTS, tasks] */
    double *first,
        *last; /* [tasks] validation losses at the first and the last set point; NaN: not measured */
};

static bool belongs(const struct result_cell *cell, const struct path *path) {
    if (cell->state != ARCHIVE_DONE || !cell->has_path || !cell->moved) return false;
    if (!path->example) return true;
    if (cell->tasks != path->tasks) return false;
    for (int k = 0; k < path->tasks; k++) {
        if (strcmp(cell->task[k], path->example->task[k]) != 0) return false;
    }
    return true;
}

static void add_cell(struct path *path, const struct result_cell *cell) {
    int tasks = path->tasks, points = cell->points;
    for (int i = 0; i < PATH_POINTS * tasks; i++) path->share[i] += cell->path[i];
    for (int k = 0; k < tasks; k++) {
        path->first[k] += points > 1 ? cell->loss[k] : NAN;
        path->last[k] += points > 1 ? cell->loss[(points - 1) * tasks + k] : NAN;
    }
    path->cells++;
}

/* path->cells is 0 where no mixture moved. Freed by path_release. */
static int path_of(const struct results *results, int model, int budget, int method, struct path *path,
                   struct error *err) {
    *path = (struct path){0};
    for (int s = 0; s < results->axes.seeds; s++) {
        const struct result_cell *cell = results_cell(results, model, budget, method, s);
        if (!belongs(cell, path)) continue;
        if (!path->example) {
            path->example = cell;
            path->tasks = cell->tasks;
            TRY(memory_alloc(&path->share, (size_t)((PATH_POINTS + 2) * path->tasks), sizeof(double), err));
            path->first = path->share + PATH_POINTS * path->tasks;
            path->last = path->first + path->tasks;
        }
        add_cell(path, cell);
    }
    for (int i = 0; i < (PATH_POINTS + 2) * path->tasks; i++) path->share[i] /= path->cells;
    return 0;
}

static void path_release(struct path *path) {
    memory_free(path->share);
}

/* The task with the largest share that is not yet taken; ties go to the first. */
static int largest(const double *share, int tasks, const bool *taken) {
    int best = -1;
    for (int k = 0; k < tasks; k++) {
        if (!taken[k] && (best < 0 || share[k] > share[best])) best = k;
    }
    return best;
}

/* order[tasks]: tasks from the largest share to the smallest. */
static int sort_tasks(const double *share, int tasks, int *order, struct error *err) {
    bool *taken;
    TRY(memory_alloc(&taken, (size_t)tasks, sizeof *taken, err));
    for (int i = 0; i < tasks; i++) {
        order[i] = largest(share, tasks, taken);
        taken[order[i]] = true;
    }
    memory_free(taken);
    return 0;
}

static int add_extremes(struct table *table, const struct path *path, const double *share, const int *order,
                        int first, int last, struct error *err) {
    struct text list = {0};
    int code = 0;
    for (int i = first; i < last && !code; i++) {
        code = text_printf(&list, err, "%s%.28s %.3f", i > first ? ", " : "", path->example->task[order[i]],
                           share[order[i]]);
    }
    if (!code) code = table_add(table, err, "%s", text_string(&list));
    text_free(&list);
    return code;
}

static int add_path_rows(struct table *table, const struct path *path, int *order, struct error *err) {
    static const char *const when[PATH_POINTS] = {"start", "25 %", "50 %", "75 %", "100 %"};
    int top = path->tasks < EXTREMES ? path->tasks : EXTREMES, bottom = path->tasks - EXTREMES;
    if (bottom < top) bottom = top;
    TRY(table_add(table, err, "steps"));
    TRY(table_add(table, err, "largest shares"));
    TRY(table_add(table, err, "smallest shares"));
    TRY(table_end_row(table, err));
    for (int i = 0; i < PATH_POINTS; i++) {
        const double *share = path->share + i * path->tasks;
        TRY(sort_tasks(share, path->tasks, order, err));
        TRY(table_add(table, err, "%s", when[i]));
        TRY(add_extremes(table, path, share, order, 0, top, err));
        TRY(add_extremes(table, path, share, order, bottom, path->tasks, err));
        TRY(table_end_row(table, err));
    }
    return 0;
}

/* Tokens that may have been wasted: share that grew on a task whose validation loss did not fall. */
static int tell_gains(const struct path *path, struct text *out, struct error *err) {
    for (int k = 0; k < path->tasks; k++) {
        double from = path->share[k], to = path->share[(PATH_POINTS - 1) * path->tasks + k];
        if (!(to > gain_told * from) || !(path->last[k] >= path->first[k])) continue;
        TRY(text_printf(
            out, err, "gained share without learning: %s, share %.3f to %.3f, validation loss %.3f to %.3f\n",
            path->example->task[k], from, to, path->first[k], path->last[k]));
    }
    return 0;
}

static int print_path(const struct results *results, int model, int budget, int method,
                      const struct path *path, struct text *out, struct error *err) {
    struct table *table = NULL;
    int *order = NULL;
    int code = text_printf(out, err, "\n%s, budget %s, %s (%d seed%s)\n", results->axes.model[model],
                           results->axes.budget[budget], results->axes.method[method], path->cells,
                           path->cells > 1 ? "s" : "");
    if (!code) code = table_create(3, &table, err);
    if (!code) code = memory_alloc(&order, (size_t)path->tasks, sizeof *order, err);
    if (!code) code = add_path_rows(table, path, order, err);
    if (!code) code = table_print(table, out, err);
    if (!code) code = tell_gains(path, out, err);
    memory_free(order);
    table_destroy(&table);
    return code;
}

int report_section_paths(const struct results *results, struct text *out, struct error *err) {
    const struct archive_grid_axes *axes = &results->axes;
    bool titled = false;
    for (int i = 0; i < axes->models * axes->budgets * axes->methods; i++) {
        int method = i % axes->methods, pair = i / axes->methods, model = pair / axes->budgets,
            budget = pair % axes->budgets;
        struct path path;
        int code = path_of(results, model, budget, method, &path, err);
        if (!code && path.cells && !titled) {
            code = report_title(out, "The mixture's path, where it moved (mean over seeds)", NULL, err);
            titled = true;
        }
        if (!code && path.cells) code = print_path(results, model, budget, method, &path, out, err);
        path_release(&path);
        TRY(code);
    }
    return 0;
}

/* The grid of an archive: its axes, and every cell's file put in its place. */
#include "runner/report/results.h"

#include "io/file.h"
#include "runner/report/results_internal.h"
#include <math.h>
#include <string.h>

enum { SILENCE_SECONDS = 600 };

/* Axes that grow while files are read. */
struct names {
    const char **name;
    size_t count, capacity;
};

struct loading {
    struct results *results;
    struct names models, budgets, methods, benchmarks, categories,
        metrics; /* the last two beside benchmarks */
    double *fractions;
    long long *seeds;
    size_t fraction_capacity, seed_count, seed_capacity;
    struct loaded_cell *cells;
    size_t cell_count, cell_capacity;
    const char **bad_files; /* beside results->complaints */
    size_t bad_capacity, complaint_capacity;
};

/* ---- axes */

static int names_add(struct names *names, const char *name, struct error *err) {
    TRY(memory_reserve(&names->name, &names->capacity, names->count + 1, sizeof *names->name, err));
    names->name[names->count++] = name;
    return 0;
}

static int names_find(const struct names *names, const char *name) {
    for (size_t i = 0; i < names->count; i++) {
        if (!strcmp(names->name[i], name)) return (int)i;
    }
    return -1;
}

static int names_take(struct names *names, const char *name, struct error *err) {
    return names_find(names, name) < 0 ? names_add(names, name, err) : 0;
}

static int find_seed(const struct loading *loading, long long seed) {
    for (size_t i = 0; i < loading->seed_count; i++) {
        if (loading->seeds[i] == seed) return (int)i;
    }
    return -1;
}

static int take_seed(struct loading *loading, long long seed, struct error *err) {
    if (find_seed(loading, seed) >= 0) return 0;
    TRY(memory_reserve(&loading->seeds, &loading->seed_capacity, loading->seed_count + 1, sizeof seed, err));
    loading->seeds[loading->seed_count++] = seed;
    return 0;
}

static int take_budget(struct loading *loading, const char *name, double fraction, struct error *err) {
    if (names_find(&loading->budgets, name) >= 0) return 0;
    TRY(memory_reserve(&loading->fractions, &loading->fraction_capacity, loading->budgets.count + 1,
                       sizeof fraction, err));
    loading->fractions[loading->budgets.count] = fraction;
    return names_add(&loading->budgets, name, err);
}

static int take_benchmark(struct loading *loading, const char *name, const char *category, const char *metric,
                          struct error *err) {
    if (names_find(&loading->benchmarks, name) >= 0) return 0;
    TRY(names_add(&loading->benchmarks, name, err));
    TRY(names_add(&loading->categories, category, err));
    return names_add(&loading->metrics, metric, err);
}

static int take_experiment(struct loading *loading, const struct archive_experiment *experiment,
                           struct error *err) {
    struct results *results = loading->results;
    struct arena *arena = results->arena;
    const struct archive_grid_axes *axes = &experiment->axes;
    const char *name, *category, *metric;
    results->grid_known = true;
    TRY(results_string(arena, experiment->name, &results->name, err));
    TRY(results_string(arena, experiment->path, &results->experiment, err));
    for (int i = 0; i < axes->models; i++) {
        TRY(results_string(arena, axes->model[i], &name, err));
        TRY(names_take(&loading->models, name, err));
    }
    for (int i = 0; i < axes->budgets; i++) {
        TRY(results_string(arena, axes->budget[i], &name, err));
        TRY(take_budget(loading, name, axes->fraction[i], err));
    }
    for (int i = 0; i < axes->methods; i++) {
        TRY(results_string(arena, axes->method[i], &name, err));
        TRY(names_take(&loading->methods, name, err));
    }
    for (int i = 0; i < axes->seeds; i++) TRY(take_seed(loading, axes->seed[i], err));
    for (int i = 0; i < axes->benchmarks; i++) {
        TRY(results_string(arena, axes->benchmark[i], &name, err));
        TRY(results_string(arena, axes->benchmark_category[i], &category, err));
        TRY(results_string(arena, axes->benchmark_metric[i], &metric, err));
        TRY(take_benchmark(loading, name, category, metric, err));
    }
    return 0;
}

/* A cell that the axes do not have widens them. */
static int take_cell_axes(struct loading *loading, const struct loaded_cell *loaded, struct error *err) {
    const struct archive_cell_key *key = &loaded->cell.key;
    TRY(names_take(&loading->models, key->model, err));
    TRY(take_budget(loading, key->budget, loaded->budget_fraction, err));
    TRY(names_take(&loading->methods, key->method, err));
    TRY(take_seed(loading, key->seed, err));
    for (int i = 0; i < loaded->score_count; i++) {
        const struct loaded_score *score = &loaded->scores[i];
        TRY(take_benchmark(loading, score->benchmark, score->category, score->metric, err));
    }
    return 0;
}

/* ---- files */

static int take_complaint(struct loading *loading, const char *file, const char *message, struct error *err) {
    struct results *results = loading->results;
    size_t count = results->complaint_count;
    TRY(memory_reserve(&loading->bad_files, &loading->bad_capacity, count + 1, sizeof(char *), err));
    TRY(memory_reserve(&results->complaints, &loading->complaint_capacity, count + 1, sizeof(char *), err));
    TRY(results_string(results->arena, file, &loading->bad_files[count], err));
    TRY(results_string(results->arena, message, &results->complaints[count], err));
    results->complaint_count++;
    return 0;
}

static int take_file(struct loading *loading, const char *path, struct error *err) {
    struct error reading = {0};
    struct loaded_cell loaded;
    int code = results_load_cell(path, loading->results->arena, &loaded, &reading);
    if (code == ERROR_MEMORY) return err ? (*err = reading, code) : code;
    if (code) return take_complaint(loading, path, reading.message, err);
    TRY(memory_reserve(&loading->cells, &loading->cell_capacity, loading->cell_count + 1, sizeof loaded,
                       err));
    loading->cells[loading->cell_count++] = loaded;
    return take_cell_axes(loading, &loaded, err);
}

static int take_folder(struct loading *loading, const char *folder, struct error *err) {
    struct archive_experiment *experiment;
    TRY(archive_experiment_read(folder, &experiment, err));
    int code = experiment ? take_experiment(loading, experiment, err) : 0;
    bool known = experiment;
    archive_experiment_destroy(&experiment);
    char *cells = NULL, **names = NULL;
    size_t count = 0;
    if (!code) code = file_join(folder, "cells", &cells, err);
    if (!code && file_is_folder(cells)) code = file_list(cells, ".h5", &names, &count, err);
    for (size_t i = 0; i < count && !code; i++) {
        char *path;
        code = file_join(cells, names[i], &path, err);
        if (!code) code = take_file(loading, path, err);
        memory_free(path);
    }
    if (!code && !known && !count) {
        code = error_set(err, ERROR_INPUT, "%s: holds no archive (expected experiment.h5 or cells/*.h5)",
                         folder);
    }
    file_free_list(names, count);
    memory_free(cells);
    return code;
}

static bool ends_in_experiment(const char *path) {
    const char *slash = strrchr(path, '/');
    return !strcmp(slash ? slash + 1 : path, "experiment.h5");
}

static int take_path(struct loading *loading, const char *path, struct error *err) {
    struct results *results = loading->results;
    if (file_is_folder(path)) {
        TRY(results_string(results->arena, path, &results->folder, err));
        return take_folder(loading, path, err);
    }
    if (ends_in_experiment(path) && file_exists(path)) {
        char *folder;
        TRY(file_folder_of(path, &folder, err));
        int code = results_string(results->arena, folder, &results->folder, err);
        memory_free(folder);
        return code ? code : take_folder(loading, results->folder, err);
    }
    struct loaded_cell loaded; /* of a single file, a failure is the answer */
    TRY(results_load_cell(path, results->arena, &loaded, err));
    TRY(memory_reserve(&loading->cells, &loading->cell_capacity, 1, sizeof loaded, err));
    loading->cells[loading->cell_count++] = loaded;
    return take_cell_axes(loading, &loaded, err);
}

/* ---- the grid */

static int copy_names(struct results *results, const struct names *names, const char *const **out,
                      struct error *err) {
    const char **copy;
    TRY(arena_alloc(results->arena, &copy, names->count, sizeof *copy, err));
    for (size_t i = 0; i < names->count; i++) copy[i] = names->name[i];
    *out = copy;
    return 0;
}

static int fix_axes(struct loading *loading, struct error *err) {
    struct results *results = loading->results;
    struct archive_grid_axes *axes = &results->axes;
    axes->models = (int)loading->models.count;
    axes->budgets = (int)loading->budgets.count;
    axes->methods = (int)loading->methods.count;
    axes->seeds = (int)loading->seed_count;
    axes->benchmarks = (int)loading->benchmarks.count;
    TRY(copy_names(results, &loading->models, &axes->model, err));
    TRY(copy_names(results, &loading->budgets, &axes->budget, err));
    TRY(copy_names(results, &loading->methods, &axes->method, err));
    TRY(copy_names(results, &loading->benchmarks, &axes->benchmark, err));
    TRY(copy_names(results, &loading->categories, &axes->benchmark_category, err));
    TRY(copy_names(results, &loading->metrics, &axes->benchmark_metric, err));
    long long *seeds;
    double *fractions;
    TRY(arena_alloc(results->arena, &seeds, loading->seed_count, sizeof *seeds, err));
    TRY(arena_alloc(results->arena, &fractions, loading->budgets.count, sizeof *fractions, err));
    for (size_t i = 0; i < loading->seed_count; i++) seeds[i] = loading->seeds[i];
    for (size_t i = 0; i < loading->budgets.count; i++) fractions[i] = loading->fractions[i];
    axes->seed = seeds;
    axes->fraction = fractions;
    return 0;
}

static int make_grid(struct results *results, struct error *err) {
    const struct archive_grid_axes *axes = &results->axes;
    results->count = axes->models * axes->budgets * axes->methods * axes->seeds;
    TRY(arena_alloc(results->arena, &results->cells, (size_t)results->count, sizeof *results->cells, err));
    for (int i = 0; i < results->count; i++) {
        struct result_cell *cell = &results->cells[i];
        int rest = i / axes->seeds;
        cell->index = i;
        cell->seed = i % axes->seeds;
        cell->method = rest % axes->methods;
        rest /= axes->methods;
        cell->budget = rest % axes->budgets;
        cell->model = rest / axes->budgets;
        cell->key = (struct archive_cell_key){axes->model[cell->model], axes->method[cell->method],
                                              axes->budget[cell->budget], axes->seed[cell->seed]};
        cell->message = "";
        cell->rate = NAN;
        TRY(arena_alloc(results->arena, &cell->score, (size_t)axes->benchmarks, sizeof(double), err));
        for (int b = 0; b < axes->benchmarks; b++) cell->score[b] = NAN;
    }
    return 0;
}

static void place_cells(struct loading *loading) {
    struct results *results = loading->results;
    for (size_t i = 0; i < loading->cell_count; i++) {
        const struct loaded_cell *loaded = &loading->cells[i];
        const struct archive_cell_key *key = &loaded->cell.key;
        struct result_cell *place = results_cell(
            results, names_find(&loading->models, key->model), names_find(&loading->budgets, key->budget),
            names_find(&loading->methods, key->method), find_seed(loading, key->seed));
        struct result_cell empty = *place;
        *place = loaded->cell;
        place->index = empty.index;
        place->model = empty.model;
        place->budget = empty.budget;
        place->method = empty.method;
        place->seed = empty.seed;
        place->score = empty.score;
        for (int s = 0; s < loaded->score_count; s++) {
            place->score[names_find(&loading->benchmarks, loaded->scores[s].benchmark)] =
                loaded->scores[s].score;
        }
    }
}

/* A file that cannot be read belongs to the cell that would have its name. */
static int place_complaints(struct loading *loading, struct error *err) {
    struct results *results = loading->results;
    for (size_t i = 0; i < results->complaint_count; i++) {
        for (int c = 0; c < results->count; c++) {
            char *path;
            struct result_cell *cell = &results->cells[c];
            TRY(archive_cell_path(results->folder, &cell->key, &path, err));
            if (!strcmp(path, loading->bad_files[i])) {
                cell->state = ARCHIVE_FAILED;
                cell->message = results->complaints[i];
            }
            memory_free(path);
        }
    }
    return 0;
}

static void loading_release(struct loading *loading) {
    struct names *const all[] = {&loading->models,     &loading->budgets,    &loading->methods,
                                 &loading->benchmarks, &loading->categories, &loading->metrics};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]->name);
    memory_free(loading->fractions);
    memory_free(loading->seeds);
    memory_free(loading->cells);
    memory_free(loading->bad_files);
}

int results_load(const char *path, struct results **out, struct error *err) {
    struct loading loading = {0};
    *out = NULL;
    TRY(memory_alloc(&loading.results, 1, sizeof *loading.results, err));
    struct results *results = loading.results;
    results->name = results->experiment = "";
    int code = arena_create(&results->arena, err);
    if (!code) code = take_path(&loading, path, err);
    if (!code) code = fix_axes(&loading, err);
    if (!code) code = make_grid(results, err);
    if (!code) {
        place_cells(&loading);
        code = place_complaints(&loading, err);
    }
    loading_release(&loading);
    if (code) {
        results_destroy(&results);
    } else {
        *out = results;
    }
    return code;
}

void results_destroy(struct results **results) {
    if (!*results) return;
    arena_destroy(&(*results)->arena);
    memory_free((*results)->complaints);
    memory_free(*results);
    *results = NULL;
}

/* ---- looking */

struct result_cell *results_cell(const struct results *results, int model, int budget, int method, int seed) {
    const struct archive_grid_axes *axes = &results->axes;
    return &results->cells[((model * axes->budgets + budget) * axes->methods + method) * axes->seeds + seed];
}

int results_method(const struct results *results, const char *label) {
    for (int i = 0; i < results->axes.methods; i++) {
        if (!strcmp(results->axes.method[i], label)) return i;
    }
    return -1;
}

int results_count(const struct results *results, enum archive_state state) {
    int count = 0;
    for (int i = 0; i < results->count; i++) count += results->cells[i].state == state;
    return count;
}

bool results_seems_killed(const struct result_cell *cell, double now) {
    return cell->state == ARCHIVE_RUNNING && now - cell->updated > SILENCE_SECONDS;
}

/* Writing experiment.h5: links to the cells' files, and the grid of their results. */
#include "io/archive/archive_internal.h"
#include "io/file.h"
#include "io/archive/hdf5_file.h"

#include "base/text.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* One number a cell (or a cell and benchmark), row-major in the order of the axes. */
struct grid_arrays {
    double *score, *standard_error; /* [model, budget, method, seed, benchmark] */
    double *worst, *mean;           /* [model, budget, method, seed] */
    int64_t *state;                 /* the same */
    size_t cells;
};

struct writing {
    const char *folder;
    const struct archive_grid_axes *axes;
    struct hdf5_file *file;
    struct arena *arena;
    struct grid_arrays grid;
    bool tasks_written;
};

static int grid_create(struct writing *w, struct error *err) {
    const struct archive_grid_axes *axes = w->axes;
    struct grid_arrays *grid = &w->grid;
    grid->cells = (size_t)axes->models * (size_t)axes->budgets * (size_t)axes->methods * (size_t)axes->seeds;
    size_t scores = grid->cells * (size_t)axes->benchmarks;
    TRY(arena_alloc(w->arena, &grid->score, scores, sizeof(double), err));
    TRY(arena_alloc(w->arena, &grid->standard_error, scores, sizeof(double), err));
    TRY(arena_alloc(w->arena, &grid->worst, grid->cells, sizeof(double), err));
    TRY(arena_alloc(w->arena, &grid->mean, grid->cells, sizeof(double), err));
    TRY(arena_alloc(w->arena, &grid->state, grid->cells, sizeof(int64_t), err));
    for (size_t i = 0; i < scores; i++) grid->score[i] = grid->standard_error[i] = NAN;
    for (size_t i = 0; i < grid->cells; i++) grid->worst[i] = grid->mean[i] = NAN;
    return 0;
}

/* ---- cells */

/* The last row of a column of validation/, NaN where there is none. */
static int last_value(struct archive_reader *reader, const char *column, double *out, struct error *err) {
    double *values;
    int64_t rows, columns;
    TRY(archive_reader_validation(reader, column, &values, &rows, &columns, err));
    *out = rows ? values[rows - 1] : NAN;
    memory_free(values);
    return 0;
}

static int take_results(struct writing *w, size_t cell, struct archive_reader *reader, struct error *err) {
    const struct archive_grid_axes *axes = w->axes;
    struct archive_cell_summary summary;
    TRY(archive_reader_summary(reader, &summary, err));
    w->grid.state[cell] = summary.state;
    if (summary.state != ARCHIVE_DONE) return 0;
    TRY(last_value(reader, "worst", &w->grid.worst[cell], err));
    TRY(last_value(reader, "mean", &w->grid.mean[cell], err));
    for (int i = 0; i < summary.evaluations; i++) {
        struct archive_evaluation evaluation;
        TRY(archive_reader_evaluation(reader, i, &evaluation, err));
        for (int b = 0; b < axes->benchmarks; b++) {
            if (strcmp(axes->benchmark[b], evaluation.benchmark) != 0) continue;
            w->grid.score[cell * (size_t)axes->benchmarks + (size_t)b] = evaluation.score;
            w->grid.standard_error[cell * (size_t)axes->benchmarks + (size_t)b] = evaluation.standard_error;
        }
    }
    return 0;
}

static int copy_tasks(struct writing *w, struct archive_reader *reader, struct error *err) {
    struct archive_task *tasks;
    struct archive_overlap *overlap;
    int count;
    TRY(archive_read_tasks(archive_reader_file(reader), w->arena, &tasks, &count, &overlap, err));
    TRY(archive_write_tasks(w->file->id, tasks, count, overlap, err));
    w->tasks_written = true;
    return 0;
}

/* A group that stands for a cell without a file, or with one that cannot be read. */
static int write_placeholder(struct writing *w, const char *group_path, const struct archive_cell_key *key,
                             double fraction, const char *broken, struct error *err) {
    HDF5_ID group = H5I_INVALID_HID;
    TRY(hdf5_group_create(w->file->id, group_path, &group, err));
    TRY(archive_write_key(group, key, fraction, err));
    TRY(hdf5_set_text(group, "message", broken, err));
    return hdf5_set_text(group, "state", archive_state_name(broken ? ARCHIVE_FAILED : ARCHIVE_PLANNED), err);
}

static int write_link(struct writing *w, const char *path, const char *group_path, struct error *err) {
    HDF5_ID links = hdf5_link_properties();
    const char *relative = path + strlen(path); /* "cells/NAME.h5", the last two parts */
    for (int slashes = 0; relative > path; relative--) {
        if (relative[-1] == '/' && ++slashes == 2) break;
    }
    if (H5Lcreate_external(relative, group_path, w->file->id, group_path, links, H5P_DEFAULT) < 0) {
        return hdf5_error(err, ERROR_IO, "cannot link %s", relative);
    }
    return 0;
}

static int write_cell(struct writing *w, size_t cell, const struct archive_cell_key *key, double fraction,
                      struct error *err) {
    char *path = NULL, *group = NULL;
    struct archive_reader *reader = NULL;
    struct error reading = {0};
    const char *broken = w->axes->broken ? w->axes->broken[cell] : NULL;
    int code = archive_cell_path(w->folder, key, &path, err);
    if (!code) code = archive_cell_group(key, &group, err);
    if (!code && !file_exists(path)) {
        code = write_placeholder(w, group, key, fraction, NULL, err);
    } else if (!code && (broken || archive_reader_open(path, &reader, &reading))) {
        w->grid.state[cell] = ARCHIVE_FAILED;
        code = write_placeholder(w, group, key, fraction, broken ? broken : reading.message, err);
    } else if (!code) {
        code = take_results(w, cell, reader, err);
        if (!code && !w->tasks_written) code = copy_tasks(w, reader, err);
        if (!code) code = write_link(w, path, group, err);
    }
    archive_reader_close(&reader);
    memory_free(path);
    memory_free(group);
    return code;
}

static int write_cells(struct writing *w, struct error *err) {
    const struct archive_grid_axes *axes = w->axes;
    HDF5_ID cells = H5I_INVALID_HID;
    TRY(hdf5_group_create(w->file->id, "cells", &cells, err));
    for (size_t i = 0; i < w->grid.cells; i++) {
        size_t rest = i;
        int seed = (int)(rest % (size_t)axes->seeds);
        rest /= (size_t)axes->seeds;
        int method = (int)(rest % (size_t)axes->methods);
        rest /= (size_t)axes->methods;
        int budget = (int)(rest % (size_t)axes->budgets), model = (int)(rest / (size_t)axes->budgets);
        struct archive_cell_key key = {axes->model[model], axes->method[method], axes->budget[budget],
                                       axes->seed[seed]};
        TRY(write_cell(w, i, &key, axes->fraction[budget], err));
    }
    return 0;
}

/* ---- grid and benchmarks */

static int write_benchmarks(struct writing *w, struct error *err) {
    const struct archive_grid_axes *axes = w->axes;
    HDF5_ID group = H5I_INVALID_HID, name = H5I_INVALID_HID, category = H5I_INVALID_HID,
            metric = H5I_INVALID_HID;
    TRY(hdf5_group_create(w->file->id, "benchmarks", &group, err));
    TRY(hdf5_write_texts(group, "name", axes->benchmark, axes->benchmarks, "the benchmark's name", &name,
                         err));
    TRY(hdf5_make_scale(name, "name", err));
    TRY(hdf5_write_texts(group, "category", axes->benchmark_category, axes->benchmarks, "what it asks for",
                         &category, err));
    TRY(hdf5_write_texts(group, "metric", axes->benchmark_metric, axes->benchmarks, "its headline metric",
                         &metric, err));
    TRY(hdf5_attach_scale(category, name, 0, err));
    return hdf5_attach_scale(metric, name, 0, err);
}

enum { AXES = 5 };

static int write_axes(struct writing *w, hid_t group, hid_t scale[AXES], struct error *err) {
    static const char *const names[AXES] = {"model", "budget", "method", "seed", "benchmark"};
    const struct archive_grid_axes *axes = w->axes;
    hsize_t budgets = (hsize_t)axes->budgets, seeds = (hsize_t)axes->seeds;
    int64_t *seed;
    TRY(arena_alloc(w->arena, &seed, seeds, sizeof *seed, err));
    for (int i = 0; i < axes->seeds; i++) seed[i] = axes->seed[i];
    TRY(hdf5_write_texts(group, names[0], axes->model, axes->models, "the model's name", &scale[0], err));
    TRY(hdf5_write_numbers(group, names[1], H5T_NATIVE_DOUBLE, 1, &budgets, axes->fraction, "1",
                           "share of the available supervised tokens", &scale[1], err));
    TRY(hdf5_write_texts(group, names[2], axes->method, axes->methods, "the method's label", &scale[2], err));
    TRY(hdf5_write_numbers(group, names[3], H5T_NATIVE_INT64, 1, &seeds, seed, "1", "the seed", &scale[3],
                           err));
    TRY(hdf5_write_texts(group, names[4], axes->benchmark, axes->benchmarks, "the benchmark's name",
                         &scale[4], err));
    for (int i = 0; i < AXES; i++) TRY(hdf5_make_scale(scale[i], names[i], err));
    HDF5_ID written = H5I_INVALID_HID;
    TRY(hdf5_write_texts(group, "budget_name", axes->budget, axes->budgets,
                         "the budget as the experiment writes it", &written, err));
    return hdf5_attach_scale(written, scale[1], 0, err);
}

static int write_grid_column(struct writing *w, hid_t group, const hid_t scale[AXES], int rank,
                             const char *name, hid_t type, const void *values, const char *units,
                             const char *description, struct error *err) {
    const struct archive_grid_axes *a = w->axes;
    hsize_t shape[AXES] = {(hsize_t)a->models, (hsize_t)a->budgets, (hsize_t)a->methods, (hsize_t)a->seeds,
                           (hsize_t)a->benchmarks};
    HDF5_ID dataset = H5I_INVALID_HID;
    TRY(hdf5_write_numbers(group, name, type, rank, shape, values, units, description, &dataset, err));
    for (int i = 0; i < rank; i++) TRY(hdf5_attach_scale(dataset, scale[i], (unsigned)i, err));
    return 0;
}

static int write_grid_columns(struct writing *w, hid_t group, const hid_t scale[AXES], struct error *err) {
    const struct grid_arrays *grid = &w->grid;
    hid_t real = H5T_NATIVE_DOUBLE;
    TRY(write_grid_column(w, group, scale, AXES, "score", real, grid->score, "1",
                          "the benchmark's headline metric of the finished cell", err));
    TRY(write_grid_column(w, group, scale, AXES, "standard_error", real, grid->standard_error, "1",
                          "standard error of the score over the benchmark's records", err));
    TRY(write_grid_column(w, group, scale, AXES - 1, "validation_worst", real, grid->worst, "nat",
                          "the largest of the tasks' validation losses at the end", err));
    TRY(write_grid_column(w, group, scale, AXES - 1, "validation_mean", real, grid->mean, "nat",
                          "the mean of the tasks' validation losses at the end", err));
    return write_grid_column(w, group, scale, AXES - 1, "state", H5T_NATIVE_INT64, grid->state, "1",
                             "0 planned, 1 running, 2 done, 3 failed", err);
}

static int write_grid(struct writing *w, struct error *err) {
    HDF5_ID group = H5I_INVALID_HID;
    hid_t scale[AXES] = {H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID};
    TRY(hdf5_group_create(w->file->id, "grid", &group, err));
    int code = write_axes(w, group, scale, err);
    if (!code) code = write_grid_columns(w, group, scale, err);
    for (int i = 0; i < AXES; i++) hdf5_release(&scale[i]);
    return code;
}

/* ---- the file */

static int write_all(struct writing *w, const struct archive_run *run, struct error *err) {
    TRY(archive_write_root(w->file->id, run, err));
    TRY(grid_create(w, err));
    TRY(write_cells(w, err));
    TRY(write_benchmarks(w, err));
    return write_grid(w, err);
}

static int write_file(struct writing *w, const char *part, const char *path, const struct archive_run *run,
                      struct error *err) {
    TRY(hdf5_file_create(part, &w->file, err));
    int code = write_all(w, run, err);
    if (code) {
        hdf5_file_abandon(&w->file);
    } else {
        code = hdf5_file_close(&w->file, err);
    }
    if (code) error_context(err, "%s", path);
    if (!code) code = hdf5_file_replace(part, path, err);
    if (code) unlink(part);
    return code;
}

int archive_experiment_write(const char *folder, const struct archive_run *run,
                             const struct archive_grid_axes *axes, struct error *err) {
    hdf5_silence();
    struct writing w = {.folder = folder, .axes = axes};
    struct text part = {0};
    char *path = NULL, host[65] = "";
    gethostname(host, sizeof host - 1);
    TRY(file_make_folder(folder, err));
    int code = file_join(folder, "experiment.h5", &path, err);
    /* Several processes may write it at the same time, on several hosts. */
    if (!code) code = text_printf(&part, err, "%s.part-%s-%ld", path, host, (long)getpid());
    if (!code) code = arena_create(&w.arena, err);
    if (!code) code = write_file(&w, text_string(&part), path, run, err);
    arena_destroy(&w.arena);
    text_free(&part);
    memory_free(path);
    return code;
}

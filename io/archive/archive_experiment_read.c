/* Reading experiment.h5: what grid there is, and from what configuration. */
#include "io/archive/archive_internal.h"
#include "io/file.h"
#include "io/archive/hdf5_file.h"

#include <string.h>

struct holder {
    struct archive_experiment experiment; /* first: the handle is a pointer to it */
    struct arena *arena;
};

static int read_texts(hid_t group, const char *name, int *count, const char *const **out, struct arena *arena,
                      struct error *err) {
    const char **texts;
    int64_t found;
    TRY(hdf5_read_texts(group, name, ARCHIVE_NAMES_LIMIT, arena, &texts, &found, err));
    *out = texts;
    *count = (int)found;
    return 0;
}

/* A list that must be as long as another one. */
static int same_length(const char *name, int64_t has, int64_t expected, struct error *err) {
    if (has == expected) return 0;
    return error_set(err, ERROR_INPUT, "dataset %s has %lld elements (expected %lld)", name, (long long)has,
                     (long long)expected);
}

static int read_axes(hid_t file, struct archive_grid_axes *axes, struct arena *arena, struct error *err) {
    HDF5_ID grid = H5Gopen2(file, "grid", H5P_DEFAULT);
    HDF5_ID benchmarks = H5Gopen2(file, "benchmarks", H5P_DEFAULT);
    if (grid < 0 || benchmarks < 0)
        return hdf5_error(err, ERROR_INPUT, "cannot open groups grid and benchmarks");
    int64_t *seeds, count;
    int others;
    double *fractions;
    TRY(read_texts(grid, "model", &axes->models, &axes->model, arena, err));
    TRY(read_texts(grid, "budget_name", &axes->budgets, &axes->budget, arena, err));
    TRY(read_texts(grid, "method", &axes->methods, &axes->method, arena, err));
    TRY(read_texts(grid, "benchmark", &axes->benchmarks, &axes->benchmark, arena, err));
    TRY(hdf5_read_numbers(grid, "budget", H5T_NATIVE_DOUBLE, ARCHIVE_NAMES_LIMIT, arena, &fractions, &count,
                          err));
    TRY(same_length("budget", count, axes->budgets, err));
    TRY(read_texts(benchmarks, "category", &others, &axes->benchmark_category, arena, err));
    TRY(same_length("category", others, axes->benchmarks, err));
    TRY(read_texts(benchmarks, "metric", &others, &axes->benchmark_metric, arena, err));
    TRY(same_length("metric", others, axes->benchmarks, err));
    TRY(hdf5_read_numbers(grid, "seed", H5T_NATIVE_INT64, ARCHIVE_NAMES_LIMIT, arena, &seeds, &count, err));
    long long *seed;
    TRY(arena_alloc(arena, &seed, (size_t)count, sizeof *seed, err));
    for (int64_t i = 0; i < count; i++) seed[i] = seeds[i];
    axes->fraction = fractions;
    axes->seeds = (int)count;
    axes->seed = seed;
    return 0;
}

static int read_root(hid_t file, struct archive_experiment *experiment, struct arena *arena,
                     struct error *err) {
    const char *schema;
    TRY(hdf5_get_text(file, "schema", "", arena, &schema, err));
    if (strcmp(schema, ARCHIVE_SCHEMA) != 0) {
        return error_set(err, ERROR_INPUT, "is not an archive of schema %s (attribute schema: \"%.40s\")",
                         ARCHIVE_SCHEMA, schema);
    }
    TRY(hdf5_get_text(file, "experiment", "", arena, &experiment->name, err));
    TRY(hdf5_get_text(file, "experiment_path", "", arena, &experiment->path, err));
    return hdf5_get_text(file, "config", "", arena, &experiment->config, err);
}

static int read_file(const char *path, struct holder *holder, struct error *err) {
    struct hdf5_file *file;
    TRY(hdf5_file_open(path, false, &file, err));
    int code = read_root(file->id, &holder->experiment, holder->arena, err);
    if (!code) code = read_axes(file->id, &holder->experiment.axes, holder->arena, err);
    if (code) error_context(err, "%s", path);
    hdf5_file_close(&file, NULL);
    return code;
}

int archive_experiment_read(const char *folder, struct archive_experiment **out, struct error *err) {
    hdf5_silence();
    *out = NULL;
    char *path;
    TRY(file_join(folder, "experiment.h5", &path, err));
    struct holder *holder = NULL;
    int code = 0;
    if (file_exists(path)) {
        code = memory_alloc(&holder, 1, sizeof *holder, err);
        if (!code) code = arena_create(&holder->arena, err);
        if (!code) code = read_file(path, holder, err);
    }
    memory_free(path);
    struct archive_experiment *experiment = holder ? &holder->experiment : NULL;
    if (code) {
        archive_experiment_destroy(&experiment);
    } else {
        *out = experiment;
    }
    return code;
}

void archive_experiment_destroy(struct archive_experiment **experiment) {
    struct holder *holder = (struct holder *)*experiment;
    *experiment = NULL;
    if (!holder) return;
    arena_destroy(&holder->arena);
    memory_free(holder);
}

int archive_experiment_config(const char *folder, char **out, struct error *err) {
    struct archive_experiment *experiment;
    *out = NULL;
    TRY(archive_experiment_read(folder, &experiment, err));
    if (!experiment) return 0;
    size_t length = strlen(experiment->config);
    int code = memory_alloc(out, length + 1, 1, err);
    if (!code) memcpy(*out, experiment->config, length);
    archive_experiment_destroy(&experiment);
    return code;
}

/* Files given to the archive's reader: read or refused, never worse.
 *
 * HDF5's own parser is not the target: release 1.10 is known to crash on damaged files whose checksums fit.
 * So there are two modes, by the input's first byte. Even: the other bytes are the file; what is not HDF5 is
 * refused by our own checks. Odd: a good archive, to whose objects the other bytes do things through HDF5
 * itself, four at a time: which object, what to do, and two bytes to do it with. Such a file is sound HDF5
 * that is not what we wrote. */
#include "io/archive/archive.h"

#include "base/memory.h"
#include "base/text.h"
#include "io/file.h"
#include <hdf5.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const cell = "/cells/m/0.1/adapt/seed0";
static const char *const columns[] = {
    "step", "time", "supervised_tokens", "loss", "mixture", "task_tokens", "task", "worst", "mean"};

static void stop(const struct error *err) {
    fprintf(stderr, "%s\n", err->message);
    abort();
}

/* ---- a good archive */

static void write_good(const char *folder) {
    struct error err;
    const char *const names[] = {"m"}, *const budgets[] = {"0.1"}, *const methods[] = {"adapt"},
                      *const benchmarks[] = {"b"};
    struct archive_run run = {
        .experiment = "e", .config = "{}", .backend = "cpu", .host = "h", .ranks = 1, .threads = 1};
    struct archive_task tasks[] = {{.name = "one", .category = "c"}, {.name = "two", .category = "c"}};
    struct archive_cell_plan plan = {
        .key = {"m", "adapt", "0.1", 0}, .budget_tokens = 10, .tasks = 2, .task = tasks};
    struct archive_grid_axes axes = {.models = 1,
                                     .budgets = 1,
                                     .methods = 1,
                                     .seeds = 1,
                                     .benchmarks = 1,
                                     .model = names,
                                     .budget = budgets,
                                     .method = methods,
                                     .benchmark = benchmarks,
                                     .benchmark_category = benchmarks,
                                     .benchmark_metric = benchmarks,
                                     .seed = (const long long[]){0},
                                     .fraction = (const double[]){0.1}};
    struct archive_evaluation evaluation = {.benchmark = "b", .metric = "acc", .score = 0.5};
    struct archive_cell *archive;
    char *path;
    if (archive_cell_path(folder, &plan.key, &path, &err) ||
        archive_cell_create(path, &run, &plan, &archive, &err))
        stop(&err);
    for (int i = 0; i < 5; i++) {
        struct archive_step step = {.step = i, .mixture = (double[]){0.5, 0.5}};
        struct archive_validation point = {.step = i, .loss = (double[]){1, 2}};
        if (archive_cell_append_step(archive, &step, &err) ||
            archive_cell_append_validation(archive, &point, &err))
            stop(&err);
    }
    if (archive_cell_add_evaluation(archive, &evaluation, &err) ||
        archive_cell_finish(&archive, ARCHIVE_DONE, "", NULL, &err) ||
        archive_experiment_write(folder, &run, &axes, &err)) {
        stop(&err);
    }
    memory_free(path);
}

/* Folders and the good files' bytes, made at the first input. */
struct fixture {
    char folder[64], victim[96], experiment[96];
    struct text good_cell, good_experiment;
};

static struct fixture *fixture_get(void) {
    static struct fixture *fixture;
    if (fixture) return fixture;
    struct error err;
    struct fixture *made = calloc(1, sizeof *made);
    char path[160];
    snprintf(made->folder, sizeof made->folder, "%s/fuzz-archive-XXXXXX",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    if (!mkdtemp(made->folder)) abort();
    write_good(made->folder);
    snprintf(path, sizeof path, "%s/cells/m__0.1__adapt__seed0.h5", made->folder);
    snprintf(made->victim, sizeof made->victim, "%s/victim.h5", made->folder);
    snprintf(made->experiment, sizeof made->experiment, "%s/experiment.h5", made->folder);
    if (file_read(path, 1 << 24, &made->good_cell, &err)) stop(&err);
    if (file_read(made->experiment, 1 << 24, &made->good_experiment, &err)) stop(&err);
    fixture = made;
    return made;
}

/* ---- doing things to it */

static void put_attribute(hid_t object, const char *name, int how, const uint8_t *bytes) {
    hsize_t one = 1, two[2] = {2, (hsize_t)bytes[0] + 1};
    hid_t type = how % 4 == 0   ? H5Tcopy(H5T_NATIVE_INT)
                 : how % 4 == 1 ? H5Tcopy(H5T_NATIVE_DOUBLE)
                                : H5Tcopy(H5T_C_S1);
    if (how % 4 == 2) H5Tset_size(type, (size_t)bytes[0] + 1);
    if (how % 4 == 3) H5Tset_size(type, H5T_VARIABLE);
    hid_t space = how / 4 % 4 == 0   ? H5Screate(H5S_SCALAR)
                  : how / 4 % 4 == 1 ? H5Screate(H5S_NULL)
                  : how / 4 % 4 == 2 ? H5Screate_simple(1, &one, NULL)
                                     : H5Screate_simple(2, two, NULL);
    if (H5Aexists(object, name) > 0) H5Adelete(object, name);
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    static char values[2 * 256 * 256];
    char word[2] = {(char)bytes[1], 0}, *words[1024];
    for (int i = 0; i < 1024; i++) words[i] = word;
    memset(values, bytes[1], sizeof values);
    if (how / 4 % 4 != 1 && how & 16) H5Awrite(attribute, type, how % 4 == 3 ? (void *)words : values);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
}

static void put_dataset(hid_t group, const char *name, int how, const uint8_t *bytes) {
    hsize_t shape[3] = {bytes[0], how & 8 ? 2 : bytes[1], 2},
            most[3] = {H5S_UNLIMITED, H5S_UNLIMITED, H5S_UNLIMITED};
    hsize_t chunk[3] = {4, 2, 2};
    int rank = 1 + how % 3;
    hid_t type = how & 16   ? H5Tcopy(H5T_C_S1)
                 : how & 32 ? H5Tcopy(H5T_NATIVE_FLOAT)
                            : H5Tcopy(H5T_NATIVE_INT8);
    hid_t space = how & 64 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, shape, most);
    hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
    if (!(how & 64)) H5Pset_chunk(layout, rank, chunk);
    if (how & 16 && how & 32) H5Tset_size(type, H5T_VARIABLE);
    hid_t dataset = H5Dcreate2(group, name, type, space, H5P_DEFAULT, layout, H5P_DEFAULT);
    H5Dclose(dataset);
    H5Pclose(layout);
    H5Sclose(space);
    H5Tclose(type);
}

static hsize_t rows_of(hid_t dataset) {
    hsize_t shape[H5S_MAX_RANK] = {0};
    hid_t space = H5Dget_space(dataset);
    H5Sget_simple_extent_dims(space, shape, NULL);
    H5Sclose(space);
    return shape[0];
}

static void alter_link(hid_t group, const char *name, const uint8_t *bytes) {
    int what = bytes[1] % 8;
    if (what < 2) { /* as it is, but longer or shorter */
        hid_t dataset = H5Dopen2(group, name, H5P_DEFAULT);
        hsize_t shape[2] = {(hsize_t)1 << bytes[2] % 50, 2};
        /* HDF5 looks for every chunk that a shorter dataset would no longer have. */
        if (dataset >= 0 && rows_of(dataset) < 1 << 20) H5Dset_extent(dataset, shape);
        H5Dclose(dataset);
        return;
    }
    H5Ldelete(group, name, H5P_DEFAULT);
    if (what == 2) H5Gclose(H5Gcreate2(group, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    if (what == 3) H5Lcreate_soft("/nowhere", group, name, H5P_DEFAULT, H5P_DEFAULT);
    if (what == 4) H5Lcreate_soft(name, group, name, H5P_DEFAULT, H5P_DEFAULT);
    if (what > 5) put_dataset(group, name, bytes[2], bytes + 2);
}

/* One step of destruction; bytes[4]. */
static void alter(hid_t file, bool experiment, const uint8_t *bytes) {
    static const char *const groups[] = {"/", "steps", "validation", "eval", "eval/b", "."};
    static const char *const attributes[] = {
        "schema",  "cell", "model",   "budget",  "method", "seed",      "state", "budget_tokens",
        "message", "host", "started", "updated", "score",  "benchmark", "n",     "metric"};
    static const char *const axes[] = {"model", "budget",    "budget_name", "method",
                                       "seed",  "benchmark", "name",        "category"};
    hid_t top = H5Gopen2(file, experiment ? "/grid" : cell, H5P_DEFAULT);
    int which = bytes[0];
    if (experiment) {
        hid_t group =
            which & 1 ? H5Gopen2(file, "/benchmarks", H5P_DEFAULT) : H5Gopen2(file, "/grid", H5P_DEFAULT);
        if (which & 2) put_attribute(file, attributes[which / 4 % 16], bytes[1], bytes + 2);
        if (!(which & 2)) alter_link(group, axes[which / 4 % 8], bytes);
        H5Gclose(group);
    } else if (which & 1) {
        hid_t group =
            H5Gopen2(which & 2 ? top : file, which & 2 ? groups[1 + which / 4 % 5] : "/", H5P_DEFAULT);
        if (group >= 0) put_attribute(group, attributes[which / 4 % 16], bytes[1], bytes + 2);
        H5Gclose(group);
    } else {
        hid_t group = H5Gopen2(top, which & 2 ? "steps" : "validation", H5P_DEFAULT);
        if (which & 128) alter_link(top, groups[1 + which / 4 % 3], bytes);
        if (!(which & 128) && group >= 0) alter_link(group, columns[which / 4 % 9], bytes);
        H5Gclose(group);
    }
    H5Gclose(top);
}

/* ---- reading it */

static void read_cell(const char *path) {
    struct error err = {0};
    struct archive_reader *reader;
    struct archive_cell_summary summary;
    if (archive_reader_open(path, &reader, &err)) {
        if (reader || !err.message[0]) abort();
        return;
    }
    if (archive_reader_summary(reader, &summary, &err)) abort();
    volatile double sum = 0; /* everything that is handed out is looked at */
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
        for (int table = 0; table < 2; table++) {
            double *values;
            int64_t rows, width;
            int code = table ? archive_reader_steps(reader, columns[c], &values, &rows, &width, &err)
                             : archive_reader_validation(reader, columns[c], &values, &rows, &width, &err);
            if (code) continue;
            for (int64_t i = 0; i < rows * width; i++) sum = sum + values[i];
            memory_free(values);
        }
    }
    for (int k = 0; k < summary.tasks; k++) sum = sum + (double)strlen(archive_reader_task_name(reader, k));
    for (int i = 0; i < summary.evaluations; i++) {
        struct archive_evaluation evaluation;
        if (archive_reader_evaluation(reader, i, &evaluation, &err)) continue;
        sum = sum + (double)(strlen(evaluation.benchmark) + strlen(evaluation.metric) +
                             strlen(evaluation.category));
    }
    sum = sum + (double)(strlen(summary.key.model) + strlen(summary.key.budget) + strlen(summary.message) +
                         strlen(summary.host));
    archive_reader_close(&reader);
}

static void read_experiment(const char *folder) {
    struct error err = {0};
    struct archive_experiment *experiment;
    if (archive_experiment_read(folder, &experiment, &err)) {
        if (experiment || !err.message[0]) abort();
        return;
    }
    volatile double sum = 0;
    const struct archive_grid_axes *axes = &experiment->axes;
    for (int i = 0; i < axes->models; i++) sum = sum + (double)strlen(axes->model[i]);
    for (int i = 0; i < axes->budgets; i++) sum = sum + (double)strlen(axes->budget[i]) + axes->fraction[i];
    for (int i = 0; i < axes->methods; i++) sum = sum + (double)strlen(axes->method[i]);
    for (int i = 0; i < axes->seeds; i++) sum = sum + (double)axes->seed[i];
    for (int i = 0; i < axes->benchmarks; i++) {
        sum = sum + (double)(strlen(axes->benchmark[i]) + strlen(axes->benchmark_category[i]) +
                             strlen(axes->benchmark_metric[i]));
    }
    archive_experiment_destroy(&experiment);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fixture *fixture = fixture_get();
    struct error err;
    if (!size) return 0;
    bool altered = data[0] & 1, experiment = data[0] & 2;
    const char *path = experiment ? fixture->experiment : fixture->victim;
    const struct text *good = experiment ? &fixture->good_experiment : &fixture->good_cell;
    if (file_write(path, altered ? (const void *)good->data : data + 1, altered ? good->length : size - 1,
                   &err))
        stop(&err);
    if (altered) {
        H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
        hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
        for (size_t i = 1; i + 4 <= size && i < 64; i += 4) alter(file, experiment, data + i);
        H5Fclose(file);
    }
    if (experiment) {
        read_experiment(fixture->folder);
    } else {
        read_cell(path);
    }
    return 0;
}

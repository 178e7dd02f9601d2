/* What /tasks says of the overlap with benchmarks. The group of an experiment without benchmarks, or of an
 * archive from before there was such a count, has none of it. */
#include "io/archive/archive_internal.h"

static const char *const examples_name = "contaminated", *const any_name = "contaminated_any",
                         *const benchmark_name = "benchmark";

static const struct {
    const char *name, *description;
    size_t offset;
} record_counts[] = {
    {"records", "records of the benchmark", offsetof(struct archive_overlap, records)},
    {"records_short", "of them, records of too few words to be found",
     offsetof(struct archive_overlap, without)},
    {"records_contaminated", "of them, records that an example counted here repeats",
     offsetof(struct archive_overlap, found)},
};
enum { RECORD_COUNTS = sizeof record_counts / sizeof *record_counts, OVERLAP_BENCHMARKS_LIMIT = 256 };

static const int64_t **counts_of(struct archive_overlap *overlap, int column) {
    return (const int64_t **)(void *)((char *)overlap + record_counts[column].offset);
}

/* ---- writing */

static int write_columns(hid_t group, hid_t tasks, hid_t benchmarks, int count,
                         const struct archive_overlap *overlap, struct error *err) {
    HDF5_ID examples = H5I_INVALID_HID, any = H5I_INVALID_HID;
    const hsize_t shape[2] = {(hsize_t)count, (hsize_t)overlap->benchmarks};
    struct archive_overlap columns = *overlap;
    TRY(hdf5_write_numbers(
        group, examples_name, H5T_NATIVE_INT64, 2, shape, overlap->examples, "examples",
        "training examples (instances left out, where the action is \"drop\") that share words in a "
        "row with a record of the benchmark",
        &examples, err));
    TRY(hdf5_attach_scale(examples, tasks, 0, err));
    TRY(hdf5_attach_scale(examples, benchmarks, 1, err));
    TRY(hdf5_write_numbers(group, any_name, H5T_NATIVE_INT64, 1, shape, overlap->any, "examples",
                           "the same for any of the benchmarks", &any, err));
    TRY(hdf5_attach_scale(any, tasks, 0, err));
    for (int c = 0; c < RECORD_COUNTS; c++) {
        HDF5_ID dataset = H5I_INVALID_HID;
        TRY(hdf5_write_numbers(group, record_counts[c].name, H5T_NATIVE_INT64, 1, &shape[1],
                               *counts_of(&columns, c), "records", record_counts[c].description, &dataset,
                               err));
        TRY(hdf5_attach_scale(dataset, benchmarks, 0, err));
    }
    return 0;
}

int archive_write_overlap(hid_t group, const struct archive_overlap *overlap, int tasks, struct error *err) {
    HDF5_ID names = H5Dopen2(group, "name", H5P_DEFAULT), benchmarks = H5I_INVALID_HID;
    if (names < 0) return hdf5_error(err, ERROR_INTERNAL, "cannot open dataset name");
    TRY(hdf5_set_text(group, "decontaminate_action", overlap->action, err));
    TRY(hdf5_set_count(group, "decontaminate_ngram", overlap->ngram, err));
    TRY(hdf5_write_texts(group, benchmark_name, overlap->benchmark, overlap->benchmarks,
                         "the benchmark's name", &benchmarks, err));
    TRY(hdf5_make_scale(benchmarks, benchmark_name, err));
    return write_columns(group, names, benchmarks, tasks, overlap, err);
}

/* ---- reading */

static int read_matrix(hid_t group, const char *name, int rows, int columns, struct arena *arena,
                       const int64_t **out, struct error *err) {
    HDF5_ID dataset = H5Dopen2(group, name, H5P_DEFAULT);
    if (dataset < 0) return hdf5_error(err, ERROR_INPUT, "cannot open dataset %s", name);
    HDF5_ID type = H5Dget_type(dataset);
    HDF5_ID space = H5Dget_space(dataset);
    hsize_t shape[2] = {0, 0};
    if (H5Tget_class(type) != H5T_INTEGER || H5Sget_simple_extent_ndims(space) != 2 ||
        H5Sget_simple_extent_dims(space, shape, NULL) < 0 || shape[0] != (hsize_t)rows ||
        shape[1] != (hsize_t)columns) {
        return error_set(err, ERROR_INPUT, "dataset %s is not a table of %d x %d counts", name, rows,
                         columns);
    }
    int64_t *values;
    TRY(arena_alloc(arena, &values, (size_t)rows * (size_t)columns, sizeof *values, err));
    *out = values;
    if (H5Dread(dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
        return hdf5_error(err, ERROR_INPUT, "cannot read dataset %s", name);
    return 0;
}

static int read_column(hid_t group, const char *name, int expected, struct arena *arena, const int64_t **out,
                       struct error *err) {
    int64_t *values, count;
    TRY(hdf5_read_numbers(group, name, H5T_NATIVE_INT64, expected, arena, &values, &count, err));
    *out = values;
    if (count == expected) return 0;
    return error_set(err, ERROR_INPUT, "dataset %s has %lld elements (expected %d)", name, (long long)count,
                     expected);
}

int archive_read_overlap(hid_t group, int tasks, struct arena *arena, struct archive_overlap **out,
                         struct error *err) {
    *out = NULL;
    htri_t there = H5Lexists(group, examples_name, H5P_DEFAULT);
    if (there < 0) return hdf5_error(err, ERROR_INPUT, "cannot look for dataset %s", examples_name);
    if (!there) return 0;
    struct archive_overlap *overlap;
    const char **names;
    int64_t count;
    TRY(arena_alloc(arena, &overlap, 1, sizeof *overlap, err));
    TRY(hdf5_get_text(group, "decontaminate_action", "", arena, &overlap->action, err));
    TRY(hdf5_get_count(group, "decontaminate_ngram", 0, &overlap->ngram, err));
    TRY(hdf5_read_texts(group, benchmark_name, OVERLAP_BENCHMARKS_LIMIT, arena, &names, &count, err));
    overlap->benchmark = names;
    overlap->benchmarks = (int)count;
    TRY(read_matrix(group, examples_name, tasks, overlap->benchmarks, arena, &overlap->examples, err));
    TRY(read_column(group, any_name, tasks, arena, &overlap->any, err));
    for (int c = 0; c < RECORD_COUNTS; c++)
        TRY(read_column(group, record_counts[c].name, overlap->benchmarks, arena, counts_of(overlap, c),
                        err));
    *out = overlap;
    return 0;
}

/* Evaluations: copies that outlive the caller's, and eval/<benchmark> in a cell's file. */
#include "io/archive/archive_internal.h"

#include "base/text.h"
#include <math.h>
#include <string.h>

/* --------------------------------------------------------------------------------------------- copying */

static int copy_sample(const struct archive_sample *from, struct arena *arena, struct archive_sample *to,
                       struct error *err) {
    *to = *from;
    TRY(archive_string(arena, from->id, &to->id, err));
    TRY(archive_string(arena, from->prediction, &to->prediction, err));
    TRY(archive_string(arena, from->target, &to->target, err));
    double *values;
    TRY(arena_alloc(arena, &values, (size_t)from->choices, sizeof *values, err));
    if (from->choices) memcpy(values, from->log_likelihood, (size_t)from->choices * sizeof *values);
    to->log_likelihood = values;
    return 0;
}

int archive_evaluation_copy(const struct archive_evaluation *from, struct arena *arena,
                            struct archive_evaluation *out, struct error *err) {
    *out = *from;
    TRY(archive_string(arena, from->benchmark, &out->benchmark, err));
    TRY(archive_string(arena, from->category, &out->category, err));
    TRY(archive_string(arena, from->metric, &out->metric, err));
    TRY(archive_string(arena, from->data_hash, &out->data_hash, err));
    TRY(archive_string(arena, from->prompt_hash, &out->prompt_hash, err));
    struct archive_metric *metrics;
    TRY(arena_alloc(arena, &metrics, (size_t)from->metric_count, sizeof *metrics, err));
    for (int i = 0; i < from->metric_count; i++) {
        metrics[i] = from->metrics[i];
        TRY(archive_string(arena, from->metrics[i].name, &metrics[i].name, err));
    }
    out->metrics = metrics;
    struct archive_sample *samples;
    TRY(arena_alloc(arena, &samples, (size_t)from->sample_count, sizeof *samples, err));
    for (int64_t i = 0; i < from->sample_count; i++)
        TRY(copy_sample(&from->samples[i], arena, &samples[i], err));
    out->samples = samples;
    return 0;
}

/* --------------------------------------------------------------------------------------------- writing */

static int write_attributes(hid_t group, const struct archive_evaluation *evaluation, struct error *err) {
    TRY(hdf5_set_text(group, "benchmark", evaluation->benchmark, err));
    TRY(hdf5_set_text(group, "category", evaluation->category, err));
    TRY(hdf5_set_text(group, "metric", evaluation->metric, err));
    TRY(hdf5_set_real(group, "score", evaluation->score, err));
    TRY(hdf5_set_real(group, "stderr", evaluation->standard_error, err));
    TRY(hdf5_set_count(group, "n", evaluation->n, err));
    TRY(hdf5_set_count(group, "step", evaluation->step, err));
    TRY(hdf5_set_text(group, "data_hash", evaluation->data_hash, err));
    return hdf5_set_text(group, "prompt_hash", evaluation->prompt_hash, err);
}

/* Every metric as an attribute, "acc_norm" and "acc_norm_stderr"; "metric_n" should one be called like an
 * attribute that is there. */
static int write_metric(hid_t group, const struct archive_metric *metric, struct error *err) {
    struct text name = {0};
    const char *before = H5Aexists(group, metric->name) > 0 ? "metric_" : "";
    int code = text_printf(&name, err, "%s%s", before, metric->name);
    if (!code) code = hdf5_set_real(group, text_string(&name), metric->value, err);
    if (!code) code = text_append_string(&name, "_stderr", err);
    if (!code) code = hdf5_set_real(group, text_string(&name), metric->standard_error, err);
    text_free(&name);
    return code;
}

/* The columns of samples/, filled record by record. */
struct sample_columns {
    const char **id, **prediction, **target;
    double *log_likelihood; /* [samples, most], padded with NaN */
    double *score;
    int64_t *choices;
    int most; /* choices of a record */
};

static int fill_samples(const struct archive_evaluation *evaluation, struct arena *arena,
                        struct sample_columns *to, struct error *err) {
    size_t count = (size_t)evaluation->sample_count;
    to->most = 0;
    for (size_t i = 0; i < count; i++) {
        if (evaluation->samples[i].choices > to->most) to->most = evaluation->samples[i].choices;
    }
    size_t most = (size_t)to->most;
    TRY(arena_alloc(arena, &to->id, count, sizeof *to->id, err));
    TRY(arena_alloc(arena, &to->prediction, count, sizeof *to->prediction, err));
    TRY(arena_alloc(arena, &to->target, count, sizeof *to->target, err));
    TRY(arena_alloc(arena, &to->score, count, sizeof *to->score, err));
    TRY(arena_alloc(arena, &to->choices, count, sizeof *to->choices, err));
    TRY(arena_alloc(arena, &to->log_likelihood, count * most, sizeof *to->log_likelihood, err));
    for (size_t i = 0; i < count; i++) {
        const struct archive_sample *sample = &evaluation->samples[i];
        to->id[i] = sample->id;
        to->prediction[i] = sample->prediction;
        to->target[i] = sample->target;
        to->score[i] = sample->score;
        to->choices[i] = sample->choices;
        for (size_t c = 0; c < most; c++) {
            to->log_likelihood[i * most + c] = c < (size_t)sample->choices ? sample->log_likelihood[c] : NAN;
        }
    }
    return 0;
}

/* Closes `dataset` in any case. */
static int attach_first(hid_t *dataset, hid_t scale, struct error *err) {
    int code = hdf5_attach_scale(*dataset, scale, 0, err);
    hdf5_release(dataset);
    return code;
}

static int write_samples(hid_t group, const struct archive_evaluation *evaluation, struct arena *arena,
                         struct error *err) {
    HDF5_ID samples = H5I_INVALID_HID, id = H5I_INVALID_HID, choice = H5I_INVALID_HID;
    struct sample_columns columns;
    int64_t count = evaluation->sample_count;
    hid_t dataset = H5I_INVALID_HID;
    TRY(fill_samples(evaluation, arena, &columns, err));
    TRY(hdf5_group_create(group, "samples", &samples, err));
    TRY(hdf5_write_texts(samples, "id", columns.id, count, "the record's own id", &id, err));
    TRY(hdf5_make_scale(id, "id", err));
    TRY(hdf5_write_texts(samples, "prediction", columns.prediction, count, "what the model answered",
                         &dataset, err));
    TRY(attach_first(&dataset, id, err));
    TRY(hdf5_write_texts(samples, "target", columns.target, count, "the right answer", &dataset, err));
    TRY(attach_first(&dataset, id, err));
    hsize_t shape[2] = {(hsize_t)count, (hsize_t)columns.most};
    TRY(hdf5_write_numbers(samples, "score", H5T_NATIVE_DOUBLE, 1, shape, columns.score, "1",
                           "the headline metric of the record", &dataset, err));
    TRY(attach_first(&dataset, id, err));
    TRY(hdf5_write_numbers(samples, "choices", H5T_NATIVE_INT64, 1, shape, columns.choices, "1",
                           "number of log-likelihoods of the record", &dataset, err));
    TRY(attach_first(&dataset, id, err));
    if (!columns.most) return 0;
    int64_t *numbers;
    TRY(arena_alloc(arena, &numbers, (size_t)columns.most, sizeof *numbers, err));
    for (int c = 0; c < columns.most; c++) numbers[c] = c;
    TRY(hdf5_write_numbers(samples, "choice", H5T_NATIVE_INT64, 1, &shape[1], numbers, "1",
                           "number of the choice", &choice, err));
    TRY(hdf5_make_scale(choice, "choice", err));
    HDF5_ID likelihood = H5I_INVALID_HID;
    TRY(hdf5_write_numbers(
        samples, "log_likelihood", H5T_NATIVE_DOUBLE, 2, shape, columns.log_likelihood, "nat",
        "log-likelihood of each choice given the prompt; NaN past the record's last choice", &likelihood,
        err));
    TRY(hdf5_attach_scale(likelihood, id, 0, err));
    return hdf5_attach_scale(likelihood, choice, 1, err);
}

int archive_evaluation_write(hid_t cell, const struct archive_evaluation *evaluation, struct error *err) {
    HDF5_ID parent = H5Gopen2(cell, "eval", H5P_DEFAULT), group = H5I_INVALID_HID;
    if (parent < 0) return hdf5_error(err, ERROR_IO, "cannot open group eval");
    char *name;
    TRY(hdf5_link_name(evaluation->benchmark, &name, err));
    int code = 0;
    if (H5Lexists(parent, name, H5P_DEFAULT) > 0 && H5Ldelete(parent, name, H5P_DEFAULT) < 0) {
        code = hdf5_error(err, ERROR_IO, "cannot replace eval/%s", name);
    }
    if (!code) code = hdf5_group_create(parent, name, &group, err);
    if (!code) code = write_attributes(group, evaluation, err);
    for (int i = 0; i < evaluation->metric_count && !code; i++) {
        code = write_metric(group, &evaluation->metrics[i], err);
    }
    if (!code && evaluation->sample_count) {
        struct arena *arena;
        code = arena_create(&arena, err);
        if (!code) code = write_samples(group, evaluation, arena, err);
        arena_destroy(&arena);
    }
    if (code) error_context(err, "eval/%s", name);
    memory_free(name);
    return code;
}

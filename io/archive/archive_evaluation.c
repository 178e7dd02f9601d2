/* Evaluations: copies that outlive the caller's, and eval/<benchmark> in a cell's file. */
#include "io/archive/archive_internal.h"

#include "base/text.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- copying */

static int copy_sample(const struct archive_sample *from, struct arena *arena, struct archive_sample *to,
                       struct error *err) {
    *to = *from;
    TRY(archive_string(arena, from->id, &to->id, err));
    TRY(archive_string(arena, from->prediction, &to->prediction, err));
    TRY(archive_string(arena, from->target, &to->target, err));
    TRY(archive_string(arena, from->response, &to->response, err));
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
    TRY(archive_string(arena, from->version, &out->version, err));
    TRY(archive_string(arena, from->chat_template, &out->chat_template, err));
    TRY(archive_string(arena, from->metric, &out->metric, err));
    TRY(archive_string(arena, from->data_hash, &out->data_hash, err));
    TRY(archive_string(arena, from->prompt_hash, &out->prompt_hash, err));
    struct archive_metric *metrics;
    TRY(arena_alloc(arena, &metrics, (size_t)from->metric_count, sizeof *metrics, err));
    for (int i = 0; i < from->metric_count; i++) {
        metrics[i] = from->metrics[i];
        TRY(archive_string(arena, from->metrics[i].name, &metrics[i].name, err));
        TRY(archive_string(arena, from->metrics[i].filter, &metrics[i].filter, err));
    }
    out->metrics = metrics;
    struct archive_part *parts;
    TRY(arena_alloc(arena, &parts, (size_t)from->part_count, sizeof *parts, err));
    for (int i = 0; i < from->part_count; i++) {
        parts[i] = from->parts[i];
        TRY(archive_string(arena, from->parts[i].name, &parts[i].name, err));
    }
    out->parts = parts;
    struct archive_sample *samples;
    TRY(arena_alloc(arena, &samples, (size_t)from->sample_count, sizeof *samples, err));
    for (int64_t i = 0; i < from->sample_count; i++)
        TRY(copy_sample(&from->samples[i], arena, &samples[i], err));
    out->samples = samples;
    return 0;
}

/* ---- writing */

static int write_attributes(hid_t group, const struct archive_evaluation *evaluation, struct error *err) {
    TRY(hdf5_set_text(group, "benchmark", evaluation->benchmark, err));
    TRY(hdf5_set_text(group, "category", evaluation->category, err));
    TRY(hdf5_set_text(group, "metric", evaluation->metric, err));
    TRY(hdf5_set_real(group, "score", evaluation->score, err));
    TRY(hdf5_set_real(group, "stderr", evaluation->standard_error, err));
    TRY(hdf5_set_count(group, "n", evaluation->n, err));
    TRY(hdf5_set_count(group, "step", evaluation->step, err));
    TRY(hdf5_set_real(group, "share", evaluation->share, err));
    TRY(hdf5_set_text(group, "version", evaluation->version, err));
    TRY(hdf5_set_count(group, "shots", evaluation->shots, err));
    TRY(hdf5_set_text(group, "chat_template", evaluation->chat_template, err));
    TRY(hdf5_set_text(group, "data_hash", evaluation->data_hash, err));
    return hdf5_set_text(group, "prompt_hash", evaluation->prompt_hash, err);
}

/* Every metric as an attribute with its standard error: "acc_norm" and "acc_norm_stderr", with a filter
 * "exact_match,strict-match" and "exact_match_stderr,strict-match" as the reference names them; "metric_n"
 * should one be called like an attribute that is there. */
static int write_metric(hid_t group, const struct archive_metric *metric, struct error *err) {
    struct text name = {0}, deviation = {0};
    bool filtered = strcmp(metric->filter, "none") != 0;
    const char *before = H5Aexists(group, metric->name) > 0 ? "metric_" : "";
    const char *comma = filtered ? "," : "", *filter = filtered ? metric->filter : "";
    int code = text_printf(&name, err, "%s%s%s%s", before, metric->name, comma, filter);
    if (!code) code = text_printf(&deviation, err, "%s%s_stderr%s%s", before, metric->name, comma, filter);
    if (!code) code = hdf5_set_real(group, text_string(&name), metric->value, err);
    if (!code) code = hdf5_set_real(group, text_string(&deviation), metric->standard_error, err);
    text_free(&name);
    text_free(&deviation);
    return code;
}

/* The columns of samples/, filled record by record. */
struct sample_columns {
    const char **id, **prediction, **target;
    const char **response;  /* "" where there is none */
    bool generated;         /* some record has a response */
    double *log_likelihood; /* [samples, most], padded with NaN */
    double *score;
    int64_t *choices;
    int most; /* choices of a record */
};

static int fill_samples(const struct archive_evaluation *evaluation, struct arena *arena,
                        struct sample_columns *to, struct error *err) {
    size_t count = (size_t)evaluation->sample_count;
    to->most = 0;
    to->generated = false;
    for (size_t i = 0; i < count; i++) {
        if (evaluation->samples[i].choices > to->most) to->most = evaluation->samples[i].choices;
    }
    size_t most = (size_t)to->most;
    TRY(arena_alloc(arena, &to->id, count, sizeof *to->id, err));
    TRY(arena_alloc(arena, &to->prediction, count, sizeof *to->prediction, err));
    TRY(arena_alloc(arena, &to->target, count, sizeof *to->target, err));
    TRY(arena_alloc(arena, &to->response, count, sizeof *to->response, err));
    TRY(arena_alloc(arena, &to->score, count, sizeof *to->score, err));
    TRY(arena_alloc(arena, &to->choices, count, sizeof *to->choices, err));
    TRY(arena_alloc(arena, &to->log_likelihood, count * most, sizeof *to->log_likelihood, err));
    for (size_t i = 0; i < count; i++) {
        const struct archive_sample *sample = &evaluation->samples[i];
        to->id[i] = sample->id;
        to->prediction[i] = sample->prediction;
        to->target[i] = sample->target;
        to->response[i] = sample->response ? sample->response : "";
        to->generated = to->generated || sample->response;
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
    if (columns.generated) {
        TRY(hdf5_write_texts(samples, "response", columns.response, count,
                             "the text that the model generated", &dataset, err));
        TRY(attach_first(&dataset, id, err));
    }
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

/* parts/: the subtasks and their headline metric. */
static int write_parts(hid_t group, const struct archive_evaluation *evaluation, struct arena *arena,
                       struct error *err) {
    HDF5_ID parts = H5I_INVALID_HID, name = H5I_INVALID_HID;
    hid_t dataset = H5I_INVALID_HID;
    int64_t count = evaluation->part_count, *n;
    hsize_t shape = (hsize_t)count;
    const char **names;
    double *score, *deviation;
    TRY(arena_alloc(arena, &names, (size_t)count, sizeof *names, err));
    TRY(arena_alloc(arena, &n, (size_t)count, sizeof *n, err));
    TRY(arena_alloc(arena, &score, (size_t)count, sizeof *score, err));
    TRY(arena_alloc(arena, &deviation, (size_t)count, sizeof *deviation, err));
    for (int64_t i = 0; i < count; i++) {
        names[i] = evaluation->parts[i].name;
        n[i] = evaluation->parts[i].n;
        score[i] = evaluation->parts[i].score;
        deviation[i] = evaluation->parts[i].standard_error;
    }
    TRY(hdf5_group_create(group, "parts", &parts, err));
    TRY(hdf5_write_texts(parts, "name", names, count, "the subtask's name", &name, err));
    TRY(hdf5_make_scale(name, "name", err));
    TRY(hdf5_write_numbers(parts, "n", H5T_NATIVE_INT64, 1, &shape, n, "1", "records of the subtask",
                           &dataset, err));
    TRY(attach_first(&dataset, name, err));
    TRY(hdf5_write_numbers(parts, "score", H5T_NATIVE_DOUBLE, 1, &shape, score, "1",
                           "the headline metric of the subtask", &dataset, err));
    TRY(attach_first(&dataset, name, err));
    TRY(hdf5_write_numbers(parts, "stderr", H5T_NATIVE_DOUBLE, 1, &shape, deviation, "1",
                           "its standard error", &dataset, err));
    return attach_first(&dataset, name, err);
}

static int write_evaluation(hid_t group, const struct archive_evaluation *evaluation, struct arena *arena,
                            struct error *err) {
    TRY(write_attributes(group, evaluation, err));
    for (int i = 0; i < evaluation->metric_count; i++) TRY(write_metric(group, &evaluation->metrics[i], err));
    if (evaluation->part_count) TRY(write_parts(group, evaluation, arena, err));
    return evaluation->sample_count ? write_samples(group, evaluation, arena, err) : 0;
}

/* Opens or creates the group that holds the evaluations of a time: eval, or eval_at/SHARE. */
static int open_parent(hid_t cell, double share, hid_t *out, struct error *err) {
    char path[64] = "eval";
    if (share < 1) snprintf(path, sizeof path, "eval_at/%g", share);
    if (share < 1 && H5Lexists(cell, path, H5P_DEFAULT) <= 0) return hdf5_group_create(cell, path, out, err);
    *out = H5Gopen2(cell, path, H5P_DEFAULT);
    return *out < 0 ? hdf5_error(err, ERROR_IO, "cannot open group %s", path) : 0;
}

int archive_evaluation_write(hid_t cell, const struct archive_evaluation *evaluation, struct error *err) {
    HDF5_ID parent = H5I_INVALID_HID, group = H5I_INVALID_HID;
    struct arena *arena;
    char *name;
    TRY(open_parent(cell, evaluation->share, &parent, err));
    TRY(hdf5_link_name(evaluation->benchmark, &name, err));
    int code = 0;
    if (H5Lexists(parent, name, H5P_DEFAULT) > 0 && H5Ldelete(parent, name, H5P_DEFAULT) < 0)
        code = hdf5_error(err, ERROR_IO, "cannot replace the evaluation");
    if (!code) code = hdf5_group_create(parent, name, &group, err);
    if (!code) code = arena_create(&arena, err);
    if (!code) {
        code = write_evaluation(group, evaluation, arena, err);
        arena_destroy(&arena);
    }
    if (code) error_context(err, "eval/%s", name);
    memory_free(name);
    return code;
}

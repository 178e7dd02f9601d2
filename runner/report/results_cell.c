/* One cell's file: what a report needs of it. */
#include "runner/report/results_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { RATE_STEPS = 50 }; /* the speed is that of the last so many steps */

int results_string(struct arena *arena, const char *from, const char **out, struct error *err) {
    char *copy;
    TRY(arena_copy(arena, from, strlen(from), &copy, err));
    *out = copy;
    return 0;
}

/* ---- columns */

typedef int read_column(struct archive_reader *reader, const char *column, double **out, int64_t *rows,
                        int64_t *columns, struct error *err);

static int last_value(struct archive_reader *reader, const char *column, double *out, struct error *err) {
    double *values;
    int64_t rows, columns;
    TRY(archive_reader_steps(reader, column, &values, &rows, &columns, err));
    *out = rows ? values[rows - 1] : 0.0;
    memory_free(values);
    return 0;
}

static int sum_of(struct archive_reader *reader, const char *column, double *out, struct error *err) {
    double *values;
    int64_t rows, columns;
    TRY(archive_reader_steps(reader, column, &values, &rows, &columns, err));
    *out = 0.0;
    for (int64_t i = 0; i < rows; i++) {
        if (!isnan(values[i])) *out += values[i];
    }
    memory_free(values);
    return 0;
}

/* A column as a whole, or its last row only, copied into the arena. */
static int take(struct archive_reader *reader, read_column *read, const char *column, bool last_only,
                struct arena *arena, double **out, struct error *err) {
    double *values;
    int64_t rows, columns;
    TRY(read(reader, column, &values, &rows, &columns, err));
    int64_t first = last_only && rows ? rows - 1 : 0;
    size_t kept = (size_t)((last_only ? 1 : rows) * columns);
    int code = arena_alloc(arena, out, kept, sizeof **out, err);
    if (!code && rows) memcpy(*out, values + first * columns, kept * sizeof **out);
    memory_free(values);
    return code;
}

static int take_validation(struct archive_reader *reader, struct arena *arena, struct result_cell *cell,
                           struct error *err) {
    read_column *read = archive_reader_validation;
    TRY(take(reader, read, "supervised_tokens", false, arena, &cell->point_tokens, err));
    TRY(take(reader, read, "worst", false, arena, &cell->worst, err));
    TRY(take(reader, read, "mean", false, arena, &cell->mean, err));
    return take(reader, read, "loss", false, arena, &cell->loss, err);
}

static int take_costs(struct archive_reader *reader, struct arena *arena, struct result_cell *cell,
                      struct error *err) {
    TRY(last_value(reader, "supervised_tokens", &cell->supervised_tokens, err));
    TRY(last_value(reader, "validation_tokens", &cell->validation_tokens, err));
    TRY(last_value(reader, "probe_tokens", &cell->probe_tokens, err));
    TRY(last_value(reader, "charged_tokens", &cell->charged_tokens, err));
    TRY(last_value(reader, "time", &cell->last_step, err));
    TRY(sum_of(reader, "seconds", &cell->seconds, err));
    for (int i = 0; i < PHASE_COUNT; i++) {
        char column[64];
        snprintf(column, sizeof column, "seconds_%s", archive_phase_name((enum archive_phase)i));
        TRY(sum_of(reader, column, &cell->phase_seconds[i], err));
    }
    TRY(take(reader, archive_reader_steps, "task_tokens", true, arena, &cell->task_tokens, err));
    return take(reader, archive_reader_steps, "task_validation_tokens", true, arena,
                &cell->task_validation_tokens, err);
}

static int take_rate(struct archive_reader *reader, struct result_cell *cell, struct error *err) {
    double *tokens, *times = NULL;
    int64_t rows, others, columns;
    cell->rate = NAN;
    TRY(archive_reader_steps(reader, "charged_tokens", &tokens, &rows, &columns, err));
    int code = archive_reader_steps(reader, "time", &times, &others, &columns, err);
    if (!code && rows > 1) {
        int64_t last = rows - 1, first = last > RATE_STEPS ? last - RATE_STEPS : 0;
        if (times[last] > times[first])
            cell->rate = (tokens[last] - tokens[first]) / (times[last] - times[first]);
    }
    memory_free(times);
    memory_free(tokens);
    return code;
}

/* The mixture at the path's points, and whether it ever changed. */
static int take_path(struct archive_reader *reader, struct arena *arena, struct result_cell *cell,
                     struct error *err) {
    double *mixture;
    int64_t rows, tasks;
    TRY(archive_reader_steps(reader, "mixture", &mixture, &rows, &tasks, err));
    int code = rows ? arena_alloc(arena, &cell->path, (size_t)(PATH_POINTS * tasks), sizeof(double), err) : 0;
    for (int i = 0; i < PATH_POINTS && rows && !code; i++) {
        int64_t row = (rows - 1) * i / (PATH_POINTS - 1);
        memcpy(cell->path + i * tasks, mixture + row * tasks, (size_t)tasks * sizeof(double));
    }
    for (int64_t i = 0; i < rows * tasks && !cell->moved; i++)
        cell->moved = fabs(mixture[i] - mixture[i % tasks]) > 1e-9;
    cell->has_path = rows > 0;
    memory_free(mixture);
    return code;
}

/* ---- the cell */

static int take_names(struct archive_reader *reader, const struct archive_cell_summary *summary,
                      struct arena *arena, struct result_cell *cell, struct error *err) {
    TRY(results_string(arena, summary->key.model, &cell->key.model, err));
    TRY(results_string(arena, summary->key.budget, &cell->key.budget, err));
    TRY(results_string(arena, summary->key.method, &cell->key.method, err));
    TRY(results_string(arena, summary->message, &cell->message, err));
    TRY(arena_alloc(arena, &cell->task, (size_t)summary->tasks, sizeof *cell->task, err));
    for (int k = 0; k < summary->tasks; k++) {
        TRY(results_string(arena, archive_reader_task_name(reader, k), &cell->task[k], err));
    }
    return 0;
}

static int take_scores(struct archive_reader *reader, int count, struct arena *arena, struct loaded_cell *out,
                       struct error *err) {
    TRY(arena_alloc(arena, &out->scores, (size_t)count, sizeof *out->scores, err));
    for (int i = 0; i < count; i++) {
        struct archive_evaluation evaluation;
        TRY(archive_reader_evaluation(reader, i, &evaluation, err));
        TRY(results_string(arena, evaluation.benchmark, &out->scores[i].benchmark, err));
        TRY(results_string(arena, evaluation.category, &out->scores[i].category, err));
        TRY(results_string(arena, evaluation.metric, &out->scores[i].metric, err));
        out->scores[i].score = evaluation.score;
    }
    out->score_count = count;
    return 0;
}

static int take_cell(struct archive_reader *reader, struct arena *arena, struct loaded_cell *out,
                     struct error *err) {
    struct archive_cell_summary summary;
    TRY(archive_reader_summary(reader, &summary, err));
    struct result_cell *cell = &out->cell;
    out->budget_fraction = summary.budget_fraction;
    cell->key.seed = summary.key.seed;
    cell->state = summary.state;
    cell->budget_tokens = summary.budget_tokens;
    cell->steps = summary.steps;
    cell->points = (int)summary.validations;
    cell->tasks = summary.tasks;
    cell->started = summary.started;
    cell->ended = summary.ended;
    cell->updated = summary.updated;
    TRY(take_names(reader, &summary, arena, cell, err));
    TRY(take_scores(reader, summary.evaluations, arena, out, err));
    TRY(take_validation(reader, arena, cell, err));
    TRY(take_costs(reader, arena, cell, err));
    TRY(take_rate(reader, cell, err));
    return take_path(reader, arena, cell, err);
}

int results_load_cell(const char *path, struct arena *arena, struct loaded_cell *out, struct error *err) {
    struct archive_reader *reader;
    *out = (struct loaded_cell){0};
    TRY(archive_reader_open(path, &reader, err));
    int code = take_cell(reader, arena, out, err);
    archive_reader_close(&reader);
    return code;
}

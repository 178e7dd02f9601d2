/* `adapt report` and `adapt status`: their numbers against values computed here from the formulas of
 * synthetic_archive.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "io/file.h"
#include "runner/checkpoint/store.h"
#include "runner/claim/claim.h"
#include "runner/report/report.h"
#include "runner/report/report_internal.h"
#include "runner/report/status.h"
#include "tests/support/archive_check.h"
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double tolerance = 1e-12; /* relative: sums of a few numbers in another order */

/* Student's 97.5 % quantile for 2 degrees of freedom, 0.95 sqrt(2 / (1 - 0.95^2)). */
static const double quantile2 = 4.302652729749463;

static void check_near(double found, double expected, const char *what) {
    if (!(fabs(found - expected) <= tolerance * fmax(1.0, fabs(expected)))) {
        fail_msg("%s is %.17g, expected %.17g", what, found, expected);
    }
}

static void succeed(int code, const struct error *err) {
    if (code) fail_msg("%s", err->message);
}

/* A folder with all cells done, and one where some are not; both made once. */
static char complete[ARCHIVE_PATH_BYTES], partial[ARCHIVE_PATH_BYTES];
enum { FAILED_CELL = 3, RUNNING_CELL = 10, PLANNED_CELL = 35, DAMAGED_CELL = 20 };

static int make_archives(void **state) {
    (void)state;
    struct error err;
    enum archive_state states[SYNTHETIC_CELLS];
    for (int i = 0; i < SYNTHETIC_CELLS; i++) states[i] = ARCHIVE_DONE;
    states[FAILED_CELL] = ARCHIVE_FAILED;
    states[RUNNING_CELL] = ARCHIVE_RUNNING;
    states[PLANNED_CELL] = states[PLANNED_CELL - 1] = ARCHIVE_PLANNED;
    archive_folder_make_in_memory(complete);
    archive_folder_make_in_memory(partial);
    succeed(synthetic_archive_write(complete, NULL, &err), &err);
    succeed(synthetic_archive_write(partial, states, &err), &err);
    char *path;
    struct archive_cell_key key = synthetic_key(synthetic_cell_at(DAMAGED_CELL));
    succeed(archive_cell_path(partial, &key, &path, &err), &err);
    succeed(file_write(path, "garbage", 7, &err), &err);
    memory_free(path);
    return 0;
}

static int remove_archives(void **state) {
    (void)state;
    archive_folder_remove(complete);
    archive_folder_remove(partial);
    return 0;
}

static struct results *load(const char *path) {
    struct error err;
    struct results *results;
    succeed(results_load(path, &results, &err), &err);
    return results;
}

/* ---- statistics */

/* Table values of the two-sided 95 % and 99 % quantiles (to the digits printed in tables). */
static void test_student_quantiles(void **state) {
    (void)state;
    static const struct {
        int freedom;
        double p975, p995;
    } table[] = {{1, 12.706205, 63.656741}, {2, 4.302653, 9.924843},  {3, 3.182446, 5.840909},
                 {4, 2.776445, 4.604095},   {5, 2.570582, 4.032143},  {6, 2.446912, 3.707428},
                 {9, 2.262157, 3.249836},   {10, 2.228139, 3.169273}, {29, 2.045230, 2.756386},
                 {30, 2.042272, 2.749996},  {120, 1.979930, 2.617421}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_true(fabs(student_quantile(0.975, table[i].freedom) - table[i].p975) < 1e-6);
        assert_true(fabs(student_quantile(0.995, table[i].freedom) - table[i].p995) < 1e-6);
    }
    assert_true(fabs(student_quantile(0.75, 1) - 1.0) < 1e-12);             /* Cauchy */
    assert_true(fabs(student_quantile(0.75, 2) - sqrt(2.0 / 3.0)) < 1e-12); /* closed form for 2 */
    assert_true(fabs(student_quantile(0.975, 100000) - 1.959988) < 1e-5);   /* normal */
}

static void test_intervals(void **state) {
    (void)state;
    struct interval i = interval_of((const double[]){1.0, NAN, 2.0, 4.0}, 4);
    assert_int_equal(i.n, 3);
    check_near(i.mean, 7.0 / 3.0, "mean");
    check_near(i.half, quantile2 * sqrt(7.0 / 3.0) / sqrt(3.0), "half"); /* variance 7/3 */
    assert_false(interval_excludes_zero(i));
    assert_true(interval_excludes_zero(interval_of((const double[]){1.0, 1.1}, 2)));
    i = interval_of((const double[]){5.0}, 1);
    assert_true(i.n == 1 && i.mean == 5.0 && isnan(i.half) && !interval_excludes_zero(i));
    i = interval_of((const double[]){NAN}, 1);
    assert_true(i.n == 0 && isnan(i.mean) && isnan(i.half) && !interval_excludes_zero(i));
}

/* ---- CSV */

/* Finds the value of one line; NaN if there is none, failure if there are several. */
static double csv_value(const char *csv, struct synthetic_cell cell, const char *quantity, const char *item) {
    struct archive_cell_key key = synthetic_key(cell);
    char start[512];
    snprintf(start, sizeof start, "\n%s,%s,%s,%lld,%s,%s,", key.model, key.budget, key.method, key.seed,
             quantity, item);
    const char *line = strstr(csv, start);
    if (!line) return NAN;
    assert_null(strstr(line + 1, start));
    char *end;
    double value = strtod(line + strlen(start), &end);
    assert_int_equal(*end, '\n');
    return value;
}

static double score_mean(struct synthetic_cell cell) {
    return (synthetic_score(cell, 0) + synthetic_score(cell, 1)) / 2;
}

/* By a search over a fine grid, not by the formula that the report uses. */
static double share_to_reach(struct synthetic_cell cell, double target,
                             double (*loss)(struct synthetic_cell, int)) {
    enum { FINE = 1 << 16 };
    for (int i = 0; i <= FINE; i++) {
        double at = (double)i / FINE * (SYNTHETIC_POINTS - 1);
        int before = (int)at < SYNTHETIC_POINTS - 1 ? (int)at : SYNTHETIC_POINTS - 2;
        double value = loss(cell, before) + (at - before) * (loss(cell, before + 1) - loss(cell, before));
        if (value <= target) return (double)i / FINE;
    }
    return NAN;
}

static void check_cell(const char *csv, struct synthetic_cell cell) {
    static const char *const csv_tasks[] = {"Question Answering", "\"a/b \"\"quoted\"\" & 100%\"",
                                            "\xC3\x9C\x62\x65rsetzung \xE2\x98\x83", "Sentiment Analysis",
                                            "noise"};
    int last = SYNTHETIC_POINTS - 1, end = SYNTHETIC_STEPS - 1;
    struct synthetic_cell uniform = cell, proportional = cell;
    uniform.method = 0;
    proportional.method = 1;
    check_near(csv_value(csv, cell, "score", "arc_challenge"), synthetic_score(cell, 0), "score");
    check_near(csv_value(csv, cell, "score", "gsm8k"), synthetic_score(cell, 1), "score");
    check_near(csv_value(csv, cell, "score_mean", ""), score_mean(cell), "score_mean");
    check_near(csv_value(csv, cell, "validation_worst", ""), synthetic_worst(cell, last), "worst");
    check_near(csv_value(csv, cell, "validation_mean", ""), synthetic_mean(cell, last), "mean");
    if (cell.method != 0) {
        check_near(csv_value(csv, cell, "score_minus_uniform", "gsm8k"),
                   synthetic_score(cell, 1) - synthetic_score(uniform, 1), "score_minus_uniform");
        check_near(csv_value(csv, cell, "validation_worst_minus_uniform", ""),
                   synthetic_worst(cell, last) - synthetic_worst(uniform, last), "worst_minus_uniform");
    } else {
        assert_true(isnan(csv_value(csv, cell, "score_minus_uniform", "gsm8k")));
    }
    if (cell.method != 1) {
        check_near(csv_value(csv, cell, "score_mean_minus_proportional", ""),
                   score_mean(cell) - score_mean(proportional), "score_mean_minus_proportional");
    }
    double reached = share_to_reach(cell, synthetic_worst(uniform, last), synthetic_worst);
    double told = csv_value(csv, cell, "share_to_uniform_worst", "");
    if (isnan(reached) ? !isnan(told) : !(fabs(told - reached) < 2.0 / (1 << 16)))
        fail_msg("share %g, expected %g", told, reached);
    check_near(csv_value(csv, cell, "supervised_tokens", ""), (double)synthetic_tokens(cell, end), "tokens");
    check_near(csv_value(csv, cell, "validation_tokens", ""),
               cell.method == 2 ? 10.0 * SYNTHETIC_STEPS * SYNTHETIC_TASKS : 0.0, "validation_tokens");
    check_near(csv_value(csv, cell, "seconds", ""), SYNTHETIC_STEPS * synthetic_seconds(cell), "seconds");
    check_near(csv_value(csv, cell, "seconds_validation", ""),
               SYNTHETIC_STEPS * (synthetic_seconds(cell) - 0.5), "seconds");
    check_near(csv_value(csv, cell, "seconds_per_token", ""),
               SYNTHETIC_STEPS * synthetic_seconds(cell) / (double)synthetic_budget(cell),
               "seconds_per_token");
    for (int k = 0; k < SYNTHETIC_TASKS; k++) {
        check_near(csv_value(csv, cell, "validation_loss", csv_tasks[k]), synthetic_loss(cell, last, k),
                   "loss");
        check_near(csv_value(csv, cell, "task_tokens", csv_tasks[k]),
                   (double)synthetic_task_tokens(cell, end, k), "task_tokens");
        check_near(csv_value(csv, cell, "mixture_0", csv_tasks[k]), synthetic_share(cell, 0, k), "mixture_0");
        check_near(csv_value(csv, cell, "mixture_50", csv_tasks[k]), synthetic_share(cell, end / 2, k),
                   "mixture_50");
        check_near(csv_value(csv, cell, "mixture_100", csv_tasks[k]), synthetic_share(cell, end, k),
                   "mixture_100");
    }
}

static void test_csv(void **state) {
    (void)state;
    struct error err;
    struct text csv = {0};
    struct results *results = load(complete);
    succeed(report_csv(results, &csv, &err), &err);
    assert_memory_equal(csv.data, "model,budget,method,seed,quantity,item,value\n", 45);
    for (int i = 0; i < SYNTHETIC_CELLS; i++) check_cell(csv.data, synthetic_cell_at(i));
    text_free(&csv);
    results_destroy(&results);
}

/* ---- intervals over seeds */

/* Three values' mean and half-width, by hand. */
static void three(const double v[3], double *mean, double *half) {
    *mean = (v[0] + v[1] + v[2]) / 3;
    double variance = ((v[0] - *mean) * (v[0] - *mean) + (v[1] - *mean) * (v[1] - *mean) +
                       (v[2] - *mean) * (v[2] - *mean)) /
                      2;
    *half = quantile2 * sqrt(variance / 3);
}

static void test_over_seeds(void **state) {
    (void)state;
    struct results *results = load(complete);
    assert_int_equal(report_quantities(results), SYNTHETIC_BENCHMARKS + 3);
    for (int i = 0; i < SYNTHETIC_CELLS; i += SYNTHETIC_SEEDS) {
        struct synthetic_cell c = synthetic_cell_at(i);
        double score[3], worst[3], difference[3], mean, half;
        for (int s = 0; s < SYNTHETIC_SEEDS; s++) {
            struct synthetic_cell cell = c, uniform = c;
            cell.seed = uniform.seed = s;
            uniform.method = 0;
            score[s] = synthetic_score(cell, 1);
            worst[s] = synthetic_worst(cell, SYNTHETIC_POINTS - 1);
            difference[s] = score_mean(cell) - score_mean(uniform);
        }
        struct interval found = report_over_seeds(results, c.model, c.budget, c.method, 1);
        three(score, &mean, &half);
        assert_int_equal(found.n, 3);
        check_near(found.mean, mean, "mean score");
        check_near(found.half, half, "its half-width");
        found = report_over_seeds(results, c.model, c.budget, c.method, report_worst(results));
        three(worst, &mean, &half);
        check_near(found.mean, mean, "worst loss");
        check_near(found.half, half, "its half-width");
        found = report_difference(results, c.model, c.budget, c.method, 0, report_score_mean(results));
        three(difference, &mean, &half);
        check_near(found.mean, mean, "difference");
        check_near(found.half, half, "its half-width");
    }
    results_destroy(&results);
}

static void test_share_to_reach(void **state) {
    (void)state;
    struct result_cell reference = {
        .state = ARCHIVE_DONE, .points = 1, .worst = (double[]){1.0}, .mean = (double[]){1.0}};
    struct result_cell cell = {.state = ARCHIVE_DONE,
                               .points = 4,
                               .budget_tokens = 200,
                               .point_tokens = (double[]){0, 50, 100, 200},
                               .worst = (double[]){3.0, 2.0, 0.5, 0.4},
                               .mean = (double[]){3.0, 2.0, 2.5, 1.5}};
    check_near(report_share_to_reach(&cell, &reference, true), (50 + 50 / 1.5) / 200, "share");
    assert_true(isnan(report_share_to_reach(&cell, &reference, false)));
    reference.worst[0] = 3.0;
    check_near(report_share_to_reach(&cell, &reference, true), 0.0, "share at the start");
    reference.worst[0] = 2.0;
    check_near(report_share_to_reach(&cell, &reference, true), 0.25, "share at a set point");
    reference.worst[0] = NAN;
    assert_true(isnan(report_share_to_reach(&cell, &reference, true)));
    reference.worst[0] = 3.0;
    cell.state = ARCHIVE_FAILED;
    assert_true(isnan(report_share_to_reach(&cell, &reference, true)));
}

/* ---- the text */

static void contains(const struct text *text, const char *part) {
    if (!strstr(text_string(text), part)) fail_msg("\"%s\" is missing in:\n%s", part, text_string(text));
}

/* The verdict counted here from the formulas. */
static void expected_verdict(char out[256]) {
    int better = 0, clear = 0;
    for (int pair = 0; pair < SYNTHETIC_MODELS * SYNTHETIC_BUDGETS; pair++) {
        double d[3], mean, half;
        for (int s = 0; s < 3; s++) {
            struct synthetic_cell adapt = {pair / 2, pair % 2, 2, s}, uniform = {pair / 2, pair % 2, 0, s};
            d[s] =
                synthetic_worst(adapt, SYNTHETIC_POINTS - 1) - synthetic_worst(uniform, SYNTHETIC_POINTS - 1);
        }
        three(d, &mean, &half);
        better += mean < 0;
        clear += mean < 0 && -mean > half;
    }
    assert_int_equal(better, 4); /* the formulas say so; a wrong sign would be seen */
    snprintf(out, 256,
             "adapt beats uniform in worst validation loss in %d of 4 (model, budget) pairs; the difference "
             "is significant in %d.",
             better, clear);
}

static void test_text_of_complete(void **state) {
    (void)state;
    struct error err;
    struct text text = {0};
    struct results *results = load(complete);
    char verdict[256];
    expected_verdict(verdict);
    succeed(report_text(results, 0.0, &text, &err), &err);
    contains(&text, "synthetic: 36 cells: 36 done, 0 running, 0 failed, 0 not started\n");
    contains(&text, verdict);
    contains(&text, "adapt takes 20 % more time per supervised token than uniform");
    contains(&text,
             "gained share without learning: noise, share 0.200 to 0.300, validation loss 0.250 to 0.290");
    assert_null(strstr(text.data, "gained share without learning: a/b")); /* it gained, and learned */
    assert_null(strstr(text.data, "Cells without a result"));
    assert_null(strstr(text.data, " \n"));
    double score[3], mean, half;
    for (int s = 0; s < 3; s++) score[s] = 100 * synthetic_score((struct synthetic_cell){0, 0, 2, s}, 0);
    three(score, &mean, &half);
    char row[128];
    snprintf(row, sizeof row, "tiny-llama     0.01    adapt             3     %.1f ± %.1f  ", mean, half);
    contains(&text, row);
    text_free(&text);
    results_destroy(&results);
}

static void test_text_of_partial(void **state) {
    (void)state;
    struct error err;
    struct text text = {0};
    struct results *results = load(partial);
    double now = results->cells[RUNNING_CELL].updated + 30;
    succeed(report_text(results, now, &text, &err), &err);
    contains(&text, "36 cells: 31 done, 1 running, 2 failed, 2 not started\n");
    contains(&text, "the loss is not finite");
    contains(&text, "is not an HDF5 file");
    contains(&text, "last written 30 s ago");
    contains(&text, "\n  adapt run experiments/synthetic.json --out ");
    contains(&text, " --cells 3,20,34-35\n");
    contains(&text, "with one seed only");
    text_clear(&text);
    succeed(report_text(results, now + 3600, &text, &err), &err);
    contains(&text, "killed?");
    contains(&text, " --cells 3,10,20,34-35\n"); /* the silent one as well */
    text_clear(&text);
    succeed(report_csv(results, &text, &err), &err);
    assert_true(isnan(csv_value(text.data, synthetic_cell_at(FAILED_CELL), "validation_worst", "")));
    check_near(csv_value(text.data, synthetic_cell_at(FAILED_CELL), "steps", ""), SYNTHETIC_STEPS / 2,
               "steps");
    assert_true(isnan(csv_value(text.data, synthetic_cell_at(PLANNED_CELL), "steps", "")));
    text_free(&text);
    results_destroy(&results);
}

static void test_sources(void **state) {
    (void)state;
    struct error err;
    struct results *results;
    char path[ARCHIVE_PATH_BYTES];
    archive_path(complete, "experiment.h5", path);
    results = load(path);
    assert_int_equal(results->count, SYNTHETIC_CELLS);
    assert_string_equal(results->folder, complete);
    results_destroy(&results);

    archive_path(complete, "cells/tiny-llama__0.05__adapt__seed7.h5", path);
    results = load(path);
    assert_int_equal(results->count, 1);
    assert_false(results->grid_known);
    check_near(results->cells[0].score[1], synthetic_score((struct synthetic_cell){0, 1, 2, 2}, 1), "score");
    struct text text = {0};
    succeed(report_text(results, 0.0, &text, &err), &err);
    contains(&text, "1 cell: 1 done");
    text_free(&text);
    results_destroy(&results);

    char empty[ARCHIVE_PATH_BYTES];
    archive_folder_make_in_memory(empty);
    assert_int_equal(results_load(empty, &results, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, "holds no archive"));
    archive_path(empty, "x.h5", path);
    assert_int_equal(results_load(path, &results, &err), ERROR_INPUT);
    assert_non_null(strstr(err.message, path));
    archive_folder_remove(empty);
}

/* ---- status */

/* Text of an archive as it is now. */
static struct results *look(const char *path, struct text *text) {
    struct error err;
    struct results *results = load(path);
    text_clear(text);
    succeed(status_text(results, results->cells[RUNNING_CELL].updated + 30, text, &err), &err);
    return results;
}

/* A checkpoint of a step, whose manifest alone is looked at. */
static void write_checkpoint(const char *folder, int64_t number, int64_t step) {
    struct error err;
    struct manifest_shard shard = {.count = 1};
    struct manifest manifest = {
        .identity = "none", .step = step, .elements = 1, .shards = &shard, .shard_count = 1};
    memset(shard.sha256, '0', sizeof shard.sha256 - 1);
    store_shard_name(number, 0, 1, shard.file);
    succeed(file_make_folder(folder, &err), &err);
    succeed(store_commit(folder, number, &manifest, &err), &err);
}

/* A cell that is "running" by its file: nobody's, somebody's, and stopped with checkpoints, the newest of
 * them damaged. */
static void test_status_of_a_stopped_cell(void **state) {
    (void)state;
    struct error err;
    struct text text = {0};
    struct claim *claim;
    char *cell, *path, *folder;
    struct archive_cell_key key = synthetic_key(synthetic_cell_at(RUNNING_CELL));
    succeed(archive_cell_path(partial, &key, &cell, &err), &err);
    succeed(claim_path(cell, &path, &err), &err);
    succeed(store_folder(cell, &folder, &err), &err);

    struct results *results = look(partial, &text);
    contains(&text, "synthetic: 36 cells: 2 planned, 0 running, 1 stopped, 31 done, 2 failed\n");
    contains(&text, "stopped  nobody; starts anew");
    assert_null(strstr(text_string(&text), "tokens/s in all"));
    double seconds = status_seconds_left(results, &results->cells[PLANNED_CELL]);
    check_near(status_total_left(results),
               status_seconds_left(results, &results->cells[RUNNING_CELL]) + 2 * seconds,
               "left where nothing runs");
    results_destroy(&results);

    write_checkpoint(folder, 3, 17);
    write_checkpoint(folder, 4, 29);
    results = look(partial, &text);
    contains(&text, "stopped  nobody; goes on at step 29");
    results_destroy(&results);
    struct text damaged = {0};
    succeed(text_printf(&damaged, &err, "%s/000004.checkpoint", folder), &err);
    assert_true(file_exists(text_string(&damaged)));
    succeed(file_write(text_string(&damaged), "garbage", 7, &err), &err);
    results = look(partial, &text);
    contains(&text, "stopped  nobody; goes on at step 17");
    results_destroy(&results);

    succeed(claim_take(path, &claim, NULL, NULL, &err), &err);
    results = look(partial, &text);
    contains(&text, "synthetic: 36 cells: 2 planned, 1 running, 31 done, 2 failed\n");
    assert_null(strstr(text_string(&text), "nobody"));
    results_destroy(&results);
    claim_release(&claim);
    succeed(file_remove_tree(folder, &err), &err);
    text_free(&damaged);
    text_free(&text);
    memory_free(folder);
    memory_free(path);
    memory_free(cell);
}

static void test_status(void **state) {
    (void)state;
    struct error err;
    struct text text = {0};
    struct claim *claim;
    char *cell_path, *path;
    struct archive_cell_key key = synthetic_key(synthetic_cell_at(RUNNING_CELL));
    succeed(archive_cell_path(partial, &key, &cell_path, &err), &err);
    succeed(claim_path(cell_path, &path, &err), &err);
    succeed(claim_take(path, &claim, NULL, NULL, &err), &err);
    struct results *results = look(partial, &text);
    claim_release(&claim);
    memory_free(path);
    memory_free(cell_path);
    contains(&text, "synthetic: 36 cells: 2 planned, 1 running, 31 done, 2 failed\n");
    contains(&text, "2500 of 5000      50 %");
    contains(&text, "cell 3 failed: the loss is not finite\n");
    contains(&text, "time left: about ");
    text_free(&text);

    /* Known speeds: the running cell makes 10 tokens a second, finished ones 20 and 5 s of evaluation. */
    for (int i = 0; i < results->count; i++) {
        struct result_cell *cell = &results->cells[i];
        cell->started = 1000;
        cell->rate = NAN;
        if (cell->state != ARCHIVE_DONE) continue;
        cell->last_step = 1000 + cell->charged_tokens / 20;
        cell->ended = cell->last_step + 5;
    }
    struct result_cell *running = &results->cells[RUNNING_CELL], *planned = &results->cells[PLANNED_CELL];
    running->rate = 10;
    results->cells[FAILED_CELL].rate = NAN;
    check_near(status_seconds_left(results, running), 2500.0 / 10 + 5, "left of the running cell");
    check_near(status_seconds_left(results, planned), 5000.0 / 20 + 5, "left of a planned cell");
    check_near(status_seconds_left(results, &results->cells[0]), 0.0, "left of a finished cell");
    check_near(status_total_left(results), 255.0 + 2 * 255.0, "left in all");
    running->state = ARCHIVE_PLANNED;
    results->cells[RUNNING_CELL - 1].state = results->cells[RUNNING_CELL - 2].state = ARCHIVE_RUNNING;
    assert_false(isnan(status_total_left(results)));
    results_destroy(&results);
}

/* Archives for other tests: "--write FOLDER" makes one; "--killed FILE" a cell's file, and dies like a
 * process that is killed. */
static int write_for_others(const char *what, const char *path) {
    struct error err = {0};
    struct synthetic_cell cell = {0, 0, 2, 0};
    struct archive_cell *archive;
    struct archive_cell_plan plan = synthetic_plan(cell);
    int code = strcmp(what, "--killed") != 0
                   ? synthetic_archive_write(path, NULL, &err)
                   : archive_cell_create(path, &synthetic_run, &plan, &archive, &err);
    if (!code && !strcmp(what, "--killed")) {
        code = synthetic_append(archive, cell, 0, SYNTHETIC_STEPS / 2, &err);
        if (!code) code = archive_cell_flush(archive, &err);
        if (!code) code = synthetic_append(archive, cell, SYNTHETIC_STEPS / 2, SYNTHETIC_STEPS, &err);
        if (!code) raise(SIGKILL);
    }
    if (code) fprintf(stderr, "%s\n", err.message);
    return code ? 1 : 0;
}

int main(int argc, char **argv) {
    if (argc == 3) return write_for_others(argv[1], argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_student_quantiles),
        cmocka_unit_test(test_intervals),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_over_seeds),
        cmocka_unit_test(test_share_to_reach),
        cmocka_unit_test(test_text_of_complete),
        cmocka_unit_test(test_text_of_partial),
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_status_of_a_stopped_cell),
    };
    return cmocka_run_group_tests(tests, make_archives, remove_archives);
}

/* The grid: order of cells, references, selections, finished cells found in the archive, and how cells are
 * dealt to groups. */
#include "runner/grid.h"

#include "base/memory.h"
#include "io/file.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { CELLS = 2 * 2 * 3 * 2 };

/* Two models (their weights of 3000 and 1000 bytes), two budgets, three methods, two seeds, in a folder of
 * its own. */
static char folder[64];
static struct experiment *experiment;

static void write_weights(const char *model, size_t bytes) {
    char path[128];
    char *zeros = calloc(1, bytes);
    snprintf(path, sizeof path, "%s/%s", folder, model);
    assert_int_equal(file_make_folder(path, NULL), 0);
    snprintf(path, sizeof path, "%s/%s/model.safetensors", folder, model);
    assert_int_equal(file_write(path, zeros, bytes, NULL), 0);
    free(zeros);
}

static int set_up(void **state) {
    (void)state;
    static const char text[] = "{\"name\": \"grid\", \"models\": [{\"name\": \"large\", \"path\": "
                               "\"large\"}, {\"name\": \"small\", \"path\": \"small\"}], "
                               "\"tasks\": {\"path\": \"d\"}, \"budgets\": [0.1, 0.30], \"methods\": "
                               "[{\"name\": \"adapt\"}, {\"name\": \"uniform\"}, "
                               "{\"name\": \"proportional\"}], \"seeds\": [7, 3]}";
    char path[128];
    struct error err = {0};
    strcpy(folder, "/tmp/adapt-grid-XXXXXX");
    if (!mkdtemp(folder)) return 1;
    write_weights("large", 3000);
    write_weights("small", 1000);
    snprintf(path, sizeof path, "%s/e.json", folder);
    return experiment_parse(path, text, strlen(text), &experiment, &err);
}

static int tear_down(void **state) {
    (void)state;
    experiment_destroy(&experiment);
    return file_remove_tree(folder, NULL);
}

static struct grid *create(const char *selection) {
    struct grid *grid;
    struct error err = {0};
    if (grid_create(experiment, selection, &grid, &err)) fail_msg("%s", err.message);
    return grid;
}

/* Writes a cell's file in some state. */
static void archive_cell(const struct grid *grid, int index, enum archive_state state) {
    struct archive_task task = {.name = "t", .category = "c", .training_count = 1};
    struct archive_run run = {
        .experiment = "grid", .config = "{}", .backend = "cpu", .host = "h", .ranks = 1, .threads = 1};
    struct archive_cell_plan plan = {.key = grid_cell_key(experiment, &grid->cells[index]),
                                     .budget_fraction = 0.1,
                                     .budget_tokens = 1,
                                     .method_settings = "{}",
                                     .tasks = 1,
                                     .task = &task,
                                     .data_hash = "d",
                                     .tokenizer_hash = "t"};
    char *path, cells[128];
    struct archive_cell *cell;
    struct error err = {0};
    snprintf(cells, sizeof cells, "%s/cells", experiment->out);
    assert_int_equal(file_make_folder(cells, NULL), 0);
    assert_int_equal(archive_cell_path(experiment->out, &plan.key, &path, NULL), 0);
    if (archive_cell_create(path, &run, &plan, &cell, &err)) fail_msg("%s", err.message);
    if (state == ARCHIVE_RUNNING)
        archive_cell_close(&cell);
    else if (archive_cell_finish(&cell, state, state == ARCHIVE_FAILED ? "why" : NULL, NULL, &err))
        fail_msg("%s", err.message);
    memory_free(path);
}

/* ---- cells */

static void cells_come_model_major(void **state) {
    (void)state;
    struct grid *grid = create(NULL);
    assert_int_equal(grid->count, CELLS);
    int index = 0;
    for (int m = 0; m < 2; m++)
        for (int b = 0; b < 2; b++)
            for (int k = 0; k < 3; k++)
                for (int s = 0; s < 2; s++, index++) {
                    const struct cell *cell = &grid->cells[index];
                    assert_int_equal(cell->index, index);
                    assert_true(cell->model == m && cell->budget == b && cell->method == k &&
                                cell->seed == s);
                    assert_true(cell->selected && !cell->done);
                    assert_int_equal(cell->reference,
                                     k == 0 ? index + 2 : -1); /* uniform of the same model, budget, seed */
                    double cost = (m ? 1000 : 3000) * (b ? 0.3 : 0.1) * (k ? 1.0 : 1.0 + 8.0 / 70.0);
                    assert_true(fabs(cell->cost - cost) <= 1e-9 * cost);
                }
    struct archive_cell_key key = grid_cell_key(experiment, &grid->cells[21]);
    assert_string_equal(key.model, "small");
    assert_string_equal(key.budget, "0.30");
    assert_string_equal(key.method, "uniform");
    assert_int_equal(key.seed, 3);
    char *name;
    assert_int_equal(grid_cell_name(experiment, &grid->cells[21], &name, NULL), 0);
    assert_string_equal(name, "small / 0.30 / uniform / seed 3");
    memory_free(name);
    grid_destroy(&grid);
    assert_null(grid);
    grid_destroy(&grid);
}

static void selections(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *selected; /* a digit a cell */
    } cases[] = {
        {"0-23", "111111111111111111111111"},   {"2", "001000000000000000000000"},
        {"2,3", "001100000000000000000000"},    {"0,2", "101000000000000000000000"},
        {"2-4,23", "001110000000000000000001"}, {"5,5,4-5", "000011000000000000000000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct grid *grid = create(cases[i].text);
        for (int c = 0; c < CELLS; c++)
            assert_int_equal(grid->cells[c].selected, cases[i].selected[c] == '1');
        grid_destroy(&grid);
    }
}

static void bad_selections(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "cells \"\": not a list of indices such as 3,5-8"},
        {",", "cells \",\": not a list of indices such as 3,5-8"},
        {"1,", "cells \"1,\": not a list of indices such as 3,5-8"},
        {"1 2", "cells \"1 2\": not a list of indices such as 3,5-8"},
        {"-1", "cells \"-1\": not a list of indices such as 3,5-8"},
        {"1-", "cells \"1-\": not a list of indices such as 3,5-8"},
        {"1-2-3", "cells \"1-2-3\": not a list of indices such as 3,5-8"},
        {"x", "cells \"x\": not a list of indices such as 3,5-8"},
        {"99999999999999999999", "cells \"99999999999999999999\": not a list of indices such as 3,5-8"},
        {"4-2", "cells \"4-2\": 4-2 is empty (the smaller index comes first)"},
        {"24", "cells \"24\": there is no cell 24 (the grid has 0 to 23)"},
        {"3-30", "cells \"3-30\": there is no cell 30 (the grid has 0 to 23)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct grid *grid;
        struct error err = {0};
        assert_int_equal(grid_create(experiment, cases[i].text, &grid, &err), ERROR_INPUT);
        assert_string_equal(err.message, cases[i].message);
        assert_null(grid);
    }
}

static void finished_cells_are_found(void **state) {
    (void)state;
    struct grid *grid = create(NULL), *again;
    archive_cell(grid, 2, ARCHIVE_DONE);
    archive_cell(grid, 3, ARCHIVE_FAILED);
    archive_cell(grid, 4, ARCHIVE_RUNNING);
    char *path;
    struct archive_cell_key key = grid_cell_key(experiment, &grid->cells[5]);
    assert_int_equal(archive_cell_path(experiment->out, &key, &path, NULL), 0);
    assert_int_equal(file_write(path, "no HDF5", 7, NULL), 0);
    memory_free(path);
    again = create(NULL);
    for (int c = 0; c < CELLS; c++) assert_int_equal(again->cells[c].done, c == 2);
    grid_destroy(&again);
    grid_destroy(&grid);

    grid = create("0"); /* its reference, cell 2, is done */
    grid_destroy(&grid);
    struct error err = {0};
    assert_int_equal(grid_create(experiment, "1", &grid, &err), ERROR_INPUT); /* cell 3 failed */
    char message[256];
    snprintf(message, sizeof message,
             "%s/e.json: cell 1 (method adapt) compares with cell 3 (method uniform), which is not done "
             "(select it too)",
             folder);
    assert_string_equal(err.message, message);
    assert_int_equal(file_remove_tree(experiment->out, NULL), 0);
}

/* ---- dealing */

/* Every cell to run is in exactly one group and comes once; a reference comes first, in the same group;
 * groups not needed stay empty. */
static void check_deal(const struct grid *grid, int groups, const int *group_of, const int *order) {
    bool seen[CELLS] = {false};
    for (int i = 0; i < grid->count; i++) {
        const struct cell *cell = &grid->cells[order[i]];
        assert_in_range(order[i], 0, CELLS - 1);
        assert_false(seen[order[i]]);
        bool run = cell->selected && !cell->done;
        if (run)
            assert_in_range(group_of[order[i]], 0, groups - 1);
        else
            assert_int_equal(group_of[order[i]], -1);
        if (run && cell->reference >= 0 && group_of[cell->reference] >= 0) {
            assert_true(seen[cell->reference]);
            assert_int_equal(group_of[cell->reference], group_of[order[i]]);
        }
        seen[order[i]] = true;
    }
}

static void deals_are_complete_and_keep_chains_together(void **state) {
    (void)state;
    static const char *const selected[] = {NULL, "2-5", "0-3", "0,2,4,6,8,12-23", "5"};
    for (int s = 0; s < 5; s++) {
        struct grid *grid = create(selected[s]);
        for (int groups = 1; groups <= 40; groups += groups < 8 ? 1 : 16) {
            int group_of[CELLS], order[CELLS];
            grid_deal(grid, groups, group_of, order);
            check_deal(grid, groups, group_of, order);
        }
        grid_destroy(&grid);
    }
}

static void loads_are_balanced_longest_first(void **state) {
    (void)state;
    struct grid *grid = create(NULL);
    int group_of[CELLS], order[CELLS];
    double load[3] = {0.0}, total = 0.0, longest = 0.0;
    grid_deal(grid, 3, group_of, order);
    for (int c = 0; c < CELLS; c++) {
        load[group_of[c]] += grid->cells[c].cost;
        total += grid->cells[c].cost;
        if (grid->cells[c].reference >= 0)
            longest = fmax(longest, grid->cells[c].cost + grid->cells[grid->cells[c].reference].cost);
    }
    /* Graham's bound for longest-processing-time first: 4/3 - 1/(3 groups) of the best possible. */
    double best = fmax(total / 3, longest);
    for (int g = 0; g < 3; g++)
        assert_true(load[g] > 0.0 && load[g] <= (4.0 / 3.0 - 1.0 / 9.0) * best * (1 + 1e-9));
    grid_destroy(&grid);
}

static void a_deal_by_hand(void **state) {
    (void)state;
    struct grid *grid = create(
        "0-3,8-11"); /* of model large: budget 0.1 with adapt and uniform, 0.30 with uniform, proportional */
    int group_of[CELLS], order[CELLS];
    grid_deal(grid, 2, group_of, order);
    /* Chains by cost (in units of 100 bytes of budget 0.1): {8}, {9}, {10}, {11} 9 each; {2, 0}, {3, 1} 3
     * + 3.4 each. Four of 9 alternate, then the two chains. */
    assert_true(group_of[8] == 0 && group_of[9] == 1 && group_of[10] == 0 && group_of[11] == 1);
    assert_true(group_of[2] == 0 && group_of[0] == 0 && group_of[3] == 1 && group_of[1] == 1);
    static const int expected[] = {2, 0, 3, 1, 8, 9, 10, 11};
    for (int i = 0; i < 8; i++) assert_int_equal(order[i], expected[i]);
    grid_destroy(&grid);

    grid = create("0-3");
    grid->cells[2].done = true; /* then cell 0 waits for nothing and is a chain of its own */
    grid_deal(grid, 2, group_of, order);
    assert_true(group_of[3] == 0 && group_of[1] == 0 && group_of[0] == 1 && group_of[2] == -1);
    for (int c = 0; c < 4; c++) grid->cells[c].done = true;
    grid_deal(grid, 2, group_of, order);
    check_deal(grid, 2, group_of, order);
    grid_destroy(&grid);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_come_model_major),
        cmocka_unit_test(selections),
        cmocka_unit_test(bad_selections),
        cmocka_unit_test(finished_cells_are_found),
        cmocka_unit_test(deals_are_complete_and_keep_chains_together),
        cmocka_unit_test(loads_are_balanced_longest_first),
        cmocka_unit_test(a_deal_by_hand),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

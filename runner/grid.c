#include "runner/grid.h"

#include "base/memory.h"
#include "base/text.h"
#include "io/file.h"
#include "base/deal.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- names */

struct archive_cell_key grid_cell_key(const struct experiment *experiment, const struct cell *cell) {
    return (struct archive_cell_key){.model = experiment->models[cell->model].name,
                                     .method = experiment->methods[cell->method].name,
                                     .budget = experiment->budgets[cell->budget].name,
                                     .seed = experiment->seeds[cell->seed]};
}

int grid_cell_name(const struct experiment *experiment, const struct cell *cell, char **out,
                   struct error *err) {
    struct archive_cell_key key = grid_cell_key(experiment, cell);
    struct text text = {0};
    int code =
        text_printf(&text, err, "%s / %s / %s / seed %lld", key.model, key.budget, key.method, key.seed);
    *out = text.data;
    return code;
}

/* ---- cells */

/* Bytes of a model folder's weights, which stand for its size; 1 where there are none to be seen. */
static double model_size(const char *folder) {
    char **names, *path;
    size_t count;
    double bytes = 0.0;
    if (file_list(folder, ".safetensors", &names, &count, NULL)) return 1.0;
    for (size_t i = 0; i < count; i++) {
        struct stat about;
        if (file_join(folder, names[i], &path, NULL)) continue;
        if (!stat(path, &about)) bytes += (double)about.st_size;
        memory_free(path);
    }
    file_free_list(names, count);
    return bytes > 0.0 ? bytes : 1.0;
}

/* An update costs a validation pass of about a step's size, and the alignments, which take about a seventh of
 * one. */
static double method_factor(const struct experiment_method *method) {
    if (!method->method->plan) return 1.0;
    return 1.0 + 8.0 / 7.0 / (double)method->method->plan(method->settings).interval;
}

static void fill_cells(const struct experiment *experiment, struct cell *cells) {
    int index = 0;
    for (int m = 0; m < experiment->model_count; m++) {
        double size = model_size(experiment->models[m].path);
        for (int b = 0; b < experiment->budget_count; b++) {
            for (int k = 0; k < experiment->method_count; k++) {
                const struct experiment_method *method = &experiment->methods[k];
                double cost = size * experiment->budgets[b].fraction * method_factor(method);
                for (int s = 0; s < experiment->seed_count; s++, index++) {
                    int away = method->reference_method < 0 ? 0 : method->reference_method - k;
                    cells[index] =
                        (struct cell){.index = index,
                                      .model = m,
                                      .budget = b,
                                      .method = k,
                                      .seed = s,
                                      .reference = away ? index + away * experiment->seed_count : -1,
                                      .cost = cost};
                }
            }
        }
    }
}

int grid_cell_look(const struct experiment *experiment, struct cell *cell, struct error *err) {
    struct archive_cell_key key = grid_cell_key(experiment, cell);
    struct archive_reader *reader;
    struct archive_cell_summary summary;
    char *path;
    cell->state = ARCHIVE_PLANNED;
    cell->ended = 0.0;
    TRY(archive_cell_path(experiment->out, &key, &path, err));
    if (file_exists(path) && !archive_reader_open(path, &reader, NULL)) {
        if (!archive_reader_summary(reader, &summary, NULL)) {
            cell->state = summary.state;
            cell->ended = summary.ended;
        }
        archive_reader_close(&reader);
    }
    cell->done = cell->state == ARCHIVE_DONE;
    memory_free(path);
    return 0;
}

/* ---- selection */

/* A cell's index at *at, which moves behind it; -1 where there is none. */
static long read_index(const char **at) {
    if (!isdigit((unsigned char)**at)) return -1;
    char *end;
    errno = 0;
    long value = strtol(*at, &end, 10);
    *at = end;
    return errno ? -1 : value;
}

static int select_cells(const char *selection, struct grid *grid, struct error *err) {
    for (int i = 0; !selection && i < grid->count; i++) grid->cells[i].selected = true;
    for (const char *at = selection; at;) {
        long first = read_index(&at), last = first;
        if (*at == '-' && at++) last = read_index(&at);
        if (first < 0 || last < 0 || (*at && *at != ','))
            return error_set(err, ERROR_INPUT, "cells \"%.128s\": not a list of indices such as 3,5-8",
                             selection);
        if (last < first)
            return error_set(err, ERROR_INPUT,
                             "cells \"%.128s\": %ld-%ld is empty (the smaller index comes first)", selection,
                             first, last);
        if (last >= grid->count)
            return error_set(err, ERROR_INPUT,
                             "cells \"%.128s\": there is no cell %ld (the grid has 0 to %d)", selection, last,
                             grid->count - 1);
        for (long i = first; i <= last; i++) grid->cells[i].selected = true;
        at = *at ? at + 1 : NULL;
    }
    return 0;
}

static int check_references(const struct experiment *experiment, const struct grid *grid, struct error *err) {
    for (int i = 0; i < grid->count; i++) {
        const struct cell *cell = &grid->cells[i];
        if (!cell->selected || cell->done || cell->reference < 0) continue;
        const struct cell *reference = &grid->cells[cell->reference];
        if (reference->selected || reference->done) continue;
        return error_set(
            err, ERROR_INPUT,
            "%s: cell %d (method %s) compares with cell %d (method %s), which is not done (select it too)",
            experiment->path, cell->index, experiment->methods[cell->method].name, reference->index,
            experiment->methods[reference->method].name);
    }
    return 0;
}

/* ---- the grid */

/* A cell's place in the order of running. */
struct place {
    int root, depth, cell;
};

struct grid_scratch {
    struct place *places;    /* [count] */
    struct deal_item *items; /* [count] */
    int64_t *cost, *load;    /* [count] by chain, by group */
    int *owner, *root;       /* [count] by chain */
};

static int create_scratch(size_t count, struct grid_scratch **out, struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    struct grid_scratch *scratch = *out;
    TRY(memory_alloc(&scratch->places, count, sizeof *scratch->places, err));
    TRY(memory_alloc(&scratch->items, count, sizeof *scratch->items, err));
    TRY(memory_alloc(&scratch->cost, count, sizeof *scratch->cost, err));
    TRY(memory_alloc(&scratch->load, count, sizeof *scratch->load, err));
    TRY(memory_alloc(&scratch->owner, count, sizeof *scratch->owner, err));
    return memory_alloc(&scratch->root, count, sizeof *scratch->root, err);
}

static void destroy_scratch(struct grid_scratch *scratch) {
    if (!scratch) return;
    memory_free(scratch->places);
    memory_free(scratch->items);
    memory_free(scratch->cost);
    memory_free(scratch->load);
    memory_free(scratch->owner);
    memory_free(scratch->root);
    memory_free(scratch);
}

static int build(const struct experiment *experiment, const char *selection, struct grid *grid,
                 struct error *err) {
    double count = (double)experiment->model_count * experiment->budget_count * experiment->method_count *
                   experiment->seed_count;
    const int largest = 1000000;
    if (count > largest)
        return error_set(err, ERROR_INPUT, "%s: a grid of %.0f cells (at most %d are expected)",
                         experiment->path, count, largest);
    grid->count = (int)count;
    TRY(memory_alloc(&grid->cells, (size_t)grid->count, sizeof *grid->cells, err));
    TRY(create_scratch((size_t)grid->count, &grid->scratch, err));
    fill_cells(experiment, grid->cells);
    TRY(select_cells(selection, grid, err));
    for (int i = 0; i < grid->count; i++) TRY(grid_cell_look(experiment, &grid->cells[i], err));
    return check_references(experiment, grid, err);
}

int grid_create(const struct experiment *experiment, const char *selection, struct grid **out,
                struct error *err) {
    TRY(memory_alloc(out, 1, sizeof **out, err));
    int code = build(experiment, selection, *out, err);
    if (code) grid_destroy(out);
    return code;
}

void grid_destroy(struct grid **grid) {
    if (!*grid) return;
    destroy_scratch((*grid)->scratch);
    memory_free((*grid)->cells);
    memory_free(*grid);
    *grid = NULL;
}

/* ---- dealing */

static bool to_run(const struct grid *grid, int cell) {
    return cell >= 0 && grid->cells[cell].selected && !grid->cells[cell].done;
}

/* The chain's first cell that is to be run, and how many stand between. */
static struct place place_of(const struct grid *grid, int cell) {
    struct place place = {.root = cell, .cell = cell};
    while (to_run(grid, grid->cells[place.root].reference)) {
        place.root = grid->cells[place.root].reference;
        place.depth++;
    }
    return place;
}

static int by_place(const void *a, const void *b) {
    const struct place *x = a, *y = b;
    if (x->root != y->root) return x->root < y->root ? -1 : 1;
    if (x->depth != y->depth) return x->depth < y->depth ? -1 : 1;
    return (x->cell > y->cell) - (x->cell < y->cell);
}

void grid_deal(const struct grid *grid, int groups, int *group_of, int *order) {
    struct grid_scratch *scratch = grid->scratch;
    int running = 0, idle = grid->count, chains = 0;
    double total = 0.0, sum = 0.0;
    for (int i = 0; i < grid->count; i++) {
        group_of[i] = -1;
        if (to_run(grid, i)) {
            scratch->places[running++] = place_of(grid, i);
            total += grid->cells[i].cost;
        } else {
            order[--idle] = i;
        }
    }
    qsort(scratch->places, (size_t)running, sizeof *scratch->places, by_place);
    for (int i = 0; i < running; i++) {
        const struct place *place = &scratch->places[i];
        bool first = i == 0 || place->root != scratch->places[i - 1].root;
        bool last = i + 1 == running || place->root != scratch->places[i + 1].root;
        order[i] = place->cell;
        sum = (first ? 0.0 : sum) + grid->cells[place->cell].cost;
        if (!last) continue;
        scratch->root[chains] = place->root;
        scratch->cost[chains++] = 1 + (int64_t)(sum / total * 1e15); /* whole numbers, for exact ties */
    }
    int workers = groups < chains ? groups : chains; /* more would get nothing, and have no scratch */
    if (workers < 1) return;
    deal_balanced(scratch->cost, chains, workers, scratch->owner, scratch->items, scratch->load);
    int chain = 0;
    for (int i = 0; i < running; i++) {
        while (scratch->root[chain] != scratch->places[i].root) chain++;
        group_of[scratch->places[i].cell] = scratch->owner[chain];
    }
}

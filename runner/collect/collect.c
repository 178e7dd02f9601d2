/* The collection as a whole: which experiment, which file of every cell, and the archive that is made of
 * them. */
#include "runner/collect/collect_internal.h"

#include "base/memory.h"
#include "io/file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- which experiment */

/* The settings that a folder's files were made with: of its experiment.h5, or of any cell; *out is NULL where
 * there is neither. */
static int folder_experiment(const char *folder, struct experiment **out, struct error *err) {
    struct archive_experiment *archive;
    char *cells, **names = NULL;
    size_t count = 0;
    *out = NULL;
    TRY(archive_experiment_read(folder, &archive, err));
    if (archive) {
        int code = experiment_parse(archive->path, archive->config, strlen(archive->config), out, err);
        archive_experiment_destroy(&archive);
        return code ? error_context(err, "%s/experiment.h5: its settings cannot be read", folder) : 0;
    }
    TRY(file_join(folder, "cells", &cells, err));
    int code = file_is_folder(cells) ? file_list(cells, ".h5", &names, &count, err) : 0;
    for (size_t i = 0; i < count && !code && !*out; i++) {
        struct archive_reader *reader;
        struct archive_cell_summary summary;
        char *path;
        code = file_join(cells, names[i], &path, err);
        if (!code && !archive_reader_open(path, &reader, NULL)) {
            if (!archive_reader_summary(reader, &summary, NULL))
                (void)experiment_parse(summary.experiment_path, summary.config, strlen(summary.config), out,
                                       NULL);
            archive_reader_close(&reader);
        }
        memory_free(path);
    }
    file_free_list(names, count);
    memory_free(cells);
    return code;
}

static long long grid_size(const struct experiment *experiment) {
    return (long long)experiment->model_count * experiment->budget_count * experiment->method_count *
           experiment->seed_count;
}

/* Of the folders' experiments the one with the largest grid, which all others must be a part of. */
static int find_experiment(struct collection *c, struct error *err) {
    const struct collect_options *options = c->options;
    struct experiment **all;
    int code = 0, best = -1;
    TRY(arena_alloc(c->arena, &all, (size_t)options->folder_count, sizeof *all, err));
    for (int i = 0; i < options->folder_count && !code; i++) {
        code = folder_experiment(options->folders[i], &all[i], err);
        if (code || !all[i]) continue;
        if (best < 0 || grid_size(all[i]) > grid_size(all[best])) best = i;
    }
    if (!code && best < 0)
        code = error_set(err, ERROR_INPUT, "%s: holds no archive (expected experiment.h5 or cells/*.h5)",
                         options->folders[0]);
    for (int i = 0; i < options->folder_count && !code; i++) {
        if (!all[i] || i == best) continue;
        code = experiment_set_out(all[best], options->folders[i], err); /* for the message */
        if (!code) code = experiment_compare(all[best], all[i]->text, err);
    }
    for (int i = 0; i < options->folder_count; i++) {
        if (i == best && !code) continue;
        experiment_destroy(&all[i]);
    }
    if (code) return code;
    c->experiment = all[best];
    return experiment_set_out(c->experiment, options->out ? options->out : options->folders[0], err);
}

/* ---- which file */

static int note_conflict(struct collection *c, struct collected *cell, const struct collect_find *other,
                         struct error *err) {
    struct text difference = {0}, told = {0};
    char *copy;
    int code = collect_compare(cell->best.path, other->path, &difference, err);
    if (!code && difference.length) {
        code = text_printf(&told, err, "%s and %s differ: %s", cell->best.path, other->path,
                           text_string(&difference));
        if (!code) code = arena_copy(c->arena, text_string(&told), told.length, &copy, err);
        if (!code) cell->conflict = copy;
    }
    text_free(&difference);
    text_free(&told);
    return code;
}

static bool same_file(const char *a, const char *b) {
    struct stat x, y;
    return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int find_cell(struct collection *c, int index, struct error *err) {
    struct collected *cell = &c->cells[index];
    struct archive_cell_key key = grid_cell_key(c->experiment, &c->grid->cells[index]);
    cell->best.why = "";
    for (int i = 0; i < c->options->folder_count; i++) {
        struct collect_find found;
        char *path;
        TRY(archive_cell_path(c->options->folders[i], &key, &path, err));
        int code = collect_look(c->experiment, &key, path, c->arena, &found, err);
        memory_free(path);
        TRY(code);
        if (found.state > cell->best.state) {
            cell->best = found;
            cell->place = i;
        } else if (found.state == COLLECT_DONE && !same_file(found.path, cell->best.path)) {
            TRY(note_conflict(c, cell, &found, err));
        }
    }
    return 0;
}

/* ---- the archive */

/* A symbolic link in place of whatever is there, at once. */
static int link_file(const char *from, const char *to, struct error *err) {
    struct text part = {0};
    char *real = realpath(from, NULL);
    if (!real) return error_set_errno(err, "%s", from);
    int code = text_printf(&part, err, "%s.link-%ld", to, (long)getpid());
    if (!code) {
        unlink(text_string(&part));
        if (symlink(real, text_string(&part)) || rename(text_string(&part), to))
            code = error_set_errno(err, "%s: cannot link %s", to, real);
        if (code) unlink(text_string(&part));
    }
    text_free(&part);
    free(real);
    return code;
}

/* A finished cell of another place comes into the archive, unless somebody runs it there. */
static int bring(struct collection *c, int index, struct error *err) {
    struct collected *cell = &c->cells[index];
    struct archive_cell_key key = grid_cell_key(c->experiment, &c->grid->cells[index]);
    struct collect_find there;
    char *path;
    if (cell->best.state != COLLECT_DONE) return 0;
    TRY(archive_cell_path(c->experiment->out, &key, &path, err));
    if (same_file(path, cell->best.path)) {
        memory_free(path);
        return 0;
    }
    int code = collect_look(c->experiment, &key, path, c->arena, &there, err);
    if (!code && there.state == COLLECT_RUNNING) {
        cell->busy = true;
    } else if (!code) {
        code =
            c->options->copy ? file_copy(cell->best.path, path, err) : link_file(cell->best.path, path, err);
        c->linked += !code;
    }
    memory_free(path);
    return code;
}

/* Damaged files stay out of it, with the reason. */
static int write_archive(struct collection *c, struct error *err) {
    const struct experiment *e = c->experiment;
    const char **broken;
    TRY(arena_alloc(c->arena, &broken, (size_t)c->grid->count + 1, sizeof *broken, err));
    for (int i = 0; i < c->grid->count; i++)
        if (c->cells[i].best.state == COLLECT_BAD) broken[i] = c->cells[i].best.why;
    return experiment_write_archive(e, e->device, (int)e->ranks_per_cell, 0, broken, err);
}

static int collect_all(struct collection *c, struct text *report, bool *complete, struct error *err) {
    char *cells;
    TRY(find_experiment(c, err));
    TRY(grid_create(c->experiment, NULL, &c->grid, err));
    TRY(arena_alloc(c->arena, &c->cells, (size_t)c->grid->count, sizeof *c->cells, err));
    for (int i = 0; i < c->grid->count; i++) TRY(find_cell(c, i, err));
    TRY(file_join(c->experiment->out, "cells", &cells, err));
    int code = file_make_folder(cells, err);
    memory_free(cells);
    for (int i = 0; i < c->grid->count && !code; i++) code = bring(c, i, err);
    if (!code) code = write_archive(c, err);
    return code ? code : collect_report(c, report, complete, err);
}

int collect(const struct collect_options *options, struct text *report, bool *complete, struct error *err) {
    struct collection c = {.options = options};
    *complete = false;
    TRY(arena_create(&c.arena, err));
    int code = collect_all(&c, report, complete, err);
    grid_destroy(&c.grid);
    experiment_destroy(&c.experiment);
    arena_destroy(&c.arena);
    return code;
}

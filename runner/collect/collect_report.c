/* What the collection found, and what is to be done about the rest. */
#include "runner/collect/collect_internal.h"

#include "base/memory.h"
#include "runner/selection.h"
#include "slurm/shell_quote.h"
#include <stdlib.h>
#include <string.h>

static int count_of(const struct collection *c, enum collect_state state) {
    int count = 0;
    for (int i = 0; i < c->grid->count; i++) count += c->cells[i].best.state == state;
    return count;
}

static int tell_counts(const struct collection *c, struct text *out, struct error *err) {
    int done = count_of(c, COLLECT_DONE), running = count_of(c, COLLECT_RUNNING);
    int bad = count_of(c, COLLECT_BAD), open = count_of(c, COLLECT_OPEN),
        missing = count_of(c, COLLECT_MISSING);
    TRY(text_printf(out, err,
                    "%s: %d cell%s: %d done, %d running, %d stopped or failed, %d not started, %d damaged\n",
                    c->experiment->name, c->grid->count, c->grid->count > 1 ? "s" : "", done, running, open,
                    missing, bad));
    if (!c->linked) return 0;
    return text_printf(out, err, "%d file%s %s into %s\n", c->linked, c->linked > 1 ? "s" : "",
                       c->options->copy ? "copied" : "linked", c->experiment->out);
}

static int tell_cell(const struct collection *c, int index, struct text *out, struct error *err) {
    const struct collected *cell = &c->cells[index];
    char *name;
    if (cell->best.state == COLLECT_DONE && !cell->conflict && !cell->busy) return 0;
    if (cell->best.state == COLLECT_MISSING) return 0; /* the command tells them */
    TRY(grid_cell_name(c->experiment, &c->grid->cells[index], &name, err));
    int code = text_printf(out, err, "cell %d (%s): ", index, name);
    memory_free(name);
    TRY(code);
    switch (cell->best.state) {
    case COLLECT_RUNNING: return text_printf(out, err, "runs %s\n", cell->best.why);
    case COLLECT_OPEN:
        return text_printf(out, err, "%s\n", cell->best.why[0] ? cell->best.why : "stopped before its end");
    case COLLECT_BAD: return text_printf(out, err, "damaged: %s: %s\n", cell->best.path, cell->best.why);
    default:
        if (cell->busy)
            return text_printf(out, err, "done in %s, but being run in %s\n", cell->best.path,
                               c->experiment->out);
        return text_printf(out, err, "conflict: %s; the first is taken\n", cell->conflict);
    }
}

/* To be run now: what nobody runs, and whose reference nobody is running. */
static bool to_run(const struct collection *c, int index) {
    enum collect_state state = c->cells[index].best.state;
    int reference = c->grid->cells[index].reference;
    if (state == COLLECT_DONE || state == COLLECT_RUNNING) return false;
    return reference < 0 || c->cells[reference].best.state == COLLECT_DONE || to_run(c, reference);
}

/* Finished but damaged files stand in the way: a run takes them for done. */
static int tell_removals(const struct collection *c, struct text *out, struct error *err) {
    for (int i = 0; i < c->grid->count; i++) {
        if (c->cells[i].best.state != COLLECT_BAD) continue;
        TRY(text_append_string(out, "  rm -- ", err));
        TRY(shell_quote(c->cells[i].best.path, out, err));
        TRY(text_append_string(out, "\n", err));
    }
    return 0;
}

static int tell_command(const struct collection *c, struct text *out, struct error *err) {
    bool *wanted, any = false;
    TRY(arena_alloc(c->arena, &wanted, (size_t)c->grid->count, sizeof *wanted, err));
    for (int i = 0; i < c->grid->count; i++) any |= wanted[i] = to_run(c, i);
    if (!any) return 0;
    TRY(text_append_string(out, "to run what is missing:\n", err));
    TRY(tell_removals(c, out, err));
    TRY(text_append_string(out, "  adapt run ", err));
    TRY(shell_quote(c->experiment->path[0] ? c->experiment->path : "EXPERIMENT.json", out, err));
    TRY(text_append_string(out, " --out ", err));
    TRY(shell_quote(c->experiment->out, out, err));
    TRY(text_append_string(out, " --cells ", err));
    TRY(selection_text(wanted, c->grid->count, out, err));
    return text_append_string(out, "\n", err);
}

int collect_report(const struct collection *c, struct text *out, bool *complete, struct error *err) {
    TRY(tell_counts(c, out, err));
    *complete = true;
    for (int i = 0; i < c->grid->count; i++) {
        const struct collected *cell = &c->cells[i];
        *complete = *complete && cell->best.state == COLLECT_DONE && !cell->conflict && !cell->busy;
        TRY(tell_cell(c, i, out, err));
    }
    TRY(tell_command(c, out, err));
    return text_printf(out, err, "the archive is %s/experiment.h5\n", c->experiment->out);
}

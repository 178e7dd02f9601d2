/* Between the parts of the collection. */
#ifndef ADAPT_RUNNER_COLLECT_INTERNAL_H
#define ADAPT_RUNNER_COLLECT_INTERNAL_H

#include "io/archive/archive.h"
#include "runner/collect/collect.h"
#include "runner/grid.h"

/* What became of a cell in one place, from the worst to the best. */
enum collect_state {
    COLLECT_MISSING, /* no file */
    COLLECT_OPEN,    /* begun, failed or unreadable, and nobody is at it */
    COLLECT_BAD,     /* finished, but does not pass the checks */
    COLLECT_RUNNING, /* somebody alive has claimed it */
    COLLECT_DONE
};

/* A cell's file in one place. Strings are the arena's. */
struct collect_find {
    enum collect_state state;
    const char *path;
    const char *why; /* of OPEN and BAD; who runs it, of RUNNING; "" */
};

struct collected {
    struct collect_find best;
    int place;            /* of `best` among the folders */
    const char *conflict; /* how a second finished file differs; NULL */
    bool busy;            /* it is finished elsewhere, but somebody runs it in `out` */
};

struct collection {
    const struct collect_options *options;
    struct arena *arena;
    struct experiment *experiment; /* `out` is where the archive is made */
    struct grid *grid;
    struct collected *cells; /* [grid->count] */
    int linked;              /* files that were linked or copied */
};

/* collect_look.c: looks at a cell's file and its claim. A file that fails a check is COLLECT_BAD or
 * COLLECT_OPEN with the reason, not an error. */
int collect_look(const struct experiment *experiment, const struct archive_cell_key *key, const char *path,
                 struct arena *arena, struct collect_find *out, struct error *err);
/* collect_rows.c: what is wrong with the rows and evaluations of an open file, appended to `why`; nothing if
 * all is right. */
int collect_check_rows(struct archive_reader *reader, const struct experiment *experiment, struct text *why,
                       struct error *err);

/* collect_compare.c: where two finished files of a cell differ in what is not a matter of time, appended to
 * `difference`. */
int collect_compare(const char *first, const char *second, struct text *difference, struct error *err);

/* collect_report.c */
int collect_report(const struct collection *collection, struct text *out, bool *complete, struct error *err);

#endif

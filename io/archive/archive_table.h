/* A growing table in the archive: a group with one dataset a column, appended to by rows beside concurrent
 * readers.
 *
 * Rows are kept in memory until they are written. The column `step` is the dimension scale of the rows and
 * the table's commit mark: it is extended after all other columns are on disk, so its length is the number of
 * rows that count, also in the file of a killed writer. Internal to io/. */
#ifndef ADAPT_IO_ARCHIVE_TABLE_H
#define ADAPT_IO_ARCHIVE_TABLE_H

#include "io/archive/archive.h"
#include "io/archive/hdf5_helpers.h"

/* How a column is found in a row struct. COUNT: int64_t; REAL: double; the BY_TASK ones: a pointer to [tasks]
 * of them, where NULL is a row of missing values (NaN; -1). */
enum column_kind { COLUMN_COUNT, COLUMN_REAL, COLUMN_COUNT_BY_TASK, COLUMN_REAL_BY_TASK };
struct archive_column {
    const char *name; /* NULL ends a list */
    enum column_kind kind;
    size_t offset; /* in the row struct */
    const char *units, *description;
};

/* The rows of steps/ and validation/: what the caller gives, and the time of day. */
struct archive_step_row {
    struct archive_step step;
    double time; /* seconds since 1970 */
};
struct archive_validation_row {
    struct archive_validation validation;
    double time;
};
extern const struct archive_column archive_step_columns[],
    archive_validation_columns[]; /* both start with `step` */

struct archive_table;
/* Makes group `name` below `at` with its columns and the scales `step` and `task`; `columns` is borrowed. */
int archive_table_create(hid_t at, const char *name, const struct archive_column *columns, int tasks,
                         const char *const *task_names, struct archive_table **out, struct error *err);
void archive_table_destroy(struct archive_table **table); /* closes the datasets; *table may be NULL */

/* Copies a row. */
int archive_table_append(struct archive_table *table, const void *row, struct error *err);
/* Rows appended and not yet committed; rows committed. */
int64_t archive_table_pending(const struct archive_table *table);
int64_t archive_table_committed(const struct archive_table *table);
/* Writes the pending rows of all columns but `step`; then, after a flush of the file, those of `step`, and
 * forgets them. */
int archive_table_write(struct archive_table *table, struct error *err);
int archive_table_commit(struct archive_table *table, struct error *err);

#endif

/* Text tables, aligned by what is seen: UTF-8, wide and combining characters included. */
#ifndef ADAPT_RUNNER_TABLE_H
#define ADAPT_RUNNER_TABLE_H

#include "base/error.h"
#include "base/text.h"

struct table;

/* A table whose first `left` columns are aligned to the left, the others to the right. */
int table_create(int left, struct table **out, struct error *err);
void table_destroy(struct table **table);

/* Adds the next cell of the current row; copied. Control characters become spaces. */
int table_add(struct table *table, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Ends the row; rows may be of different lengths. */
int table_end_row(struct table *table, struct error *err);

/* Appends the table to `out`: the first row, a rule, the other rows; two spaces between columns, none at the
 * end of a line. */
int table_print(const struct table *table, struct text *out, struct error *err);

/* "45 s", "12 min", "3.4 h", "2.1 d"; "-" for NaN. */
enum { DURATION_BYTES = 32 };
const char *table_duration(double seconds, char out[DURATION_BYTES]);

#endif

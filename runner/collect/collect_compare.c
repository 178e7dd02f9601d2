/* Whether two finished files of one cell say the same. */
#include "runner/collect/collect_internal.h"

#include "base/memory.h"
#include "io/archive/archive_table.h"
#include <math.h>
#include <string.h>

typedef int read_column(struct archive_reader *reader, const char *column, double **out, int64_t *rows,
                        int64_t *columns, struct error *err);

static bool is_of_time(const char *column) {
    return !strcmp(column, "time") || !strncmp(column, "seconds", 7);
}

static bool same(double a, double b) {
    return a == b || (isnan(a) && isnan(b));
}

static int compare_column(struct archive_reader *first, struct archive_reader *second, read_column *read,
                          const char *table, const char *column, struct text *difference, struct error *err) {
    double *a, *b = NULL;
    int64_t rows, columns, other_rows, other_columns;
    TRY(read(first, column, &a, &rows, &columns, err));
    int code = read(second, column, &b, &other_rows, &other_columns, err);
    if (!code && (rows != other_rows || columns != other_columns))
        code = text_printf(difference, err, "%s: %lld rows and %lld", table, (long long)rows,
                           (long long)other_rows);
    for (int64_t i = 0; i < rows * columns && !code && !difference->length; i++)
        if (!same(a[i], b[i]))
            code = text_printf(difference, err, "%s/%s: row %lld has %.17g and %.17g", table, column,
                               (long long)(i / columns), a[i], b[i]);
    memory_free(a);
    memory_free(b);
    return code;
}

static int compare_table(struct archive_reader *first, struct archive_reader *second, read_column *read,
                         const char *table, const struct archive_column *columns, struct text *difference,
                         struct error *err) {
    for (; columns->name && !difference->length; columns++)
        if (!is_of_time(columns->name))
            TRY(compare_column(first, second, read, table, columns->name, difference, err));
    return 0;
}

static int compare_evaluations(struct archive_reader *first, struct archive_reader *second, int count,
                               struct text *difference, struct error *err) {
    for (int i = 0; i < count && !difference->length; i++) {
        struct archive_evaluation a, b;
        TRY(archive_reader_evaluation(first, i, &a, err));
        TRY(archive_reader_evaluation(second, i, &b, err)); /* in the order of names */
        if (strcmp(a.benchmark, b.benchmark))
            return text_printf(difference, err, "eval: %s and %s", a.benchmark, b.benchmark);
        if (a.n != b.n || !same(a.score, b.score))
            return text_printf(difference, err, "eval/%s: %.17g over %lld records and %.17g over %lld",
                               a.benchmark, a.score, (long long)a.n, b.score, (long long)b.n);
    }
    return 0;
}

static int compare(struct archive_reader *first, struct archive_reader *second, struct text *difference,
                   struct error *err) {
    struct archive_cell_summary a, b;
    TRY(archive_reader_summary(first, &a, err));
    TRY(archive_reader_summary(second, &b, err));
    if (a.tasks != b.tasks) return text_printf(difference, err, "%d tasks and %d", a.tasks, b.tasks);
    TRY(compare_table(first, second, archive_reader_steps, "steps", archive_step_columns, difference, err));
    TRY(compare_table(first, second, archive_reader_validation, "validation", archive_validation_columns,
                      difference, err));
    if (!difference->length && a.evaluations != b.evaluations)
        return text_printf(difference, err, "%d evaluations and %d", a.evaluations, b.evaluations);
    return compare_evaluations(first, second, a.evaluations, difference, err);
}

int collect_compare(const char *first, const char *second, struct text *difference, struct error *err) {
    struct archive_reader *a, *b = NULL;
    TRY(archive_reader_open(first, &a, err));
    int code = archive_reader_open(second, &b, err);
    if (!code) code = compare(a, b, difference, err);
    archive_reader_close(&b);
    archive_reader_close(&a);
    return code;
}

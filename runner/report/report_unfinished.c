/* Cells without a result: why, and the command that runs them. */
#include "runner/report/report_internal.h"

#include "base/memory.h"
#include "runner/selection.h"
#include "slurm/shell_quote.h"

static int add_reason(struct table *table, const struct result_cell *cell, double now, bool *wanted,
                      struct error *err) {
    char duration[DURATION_BYTES];
    *wanted = true;
    if (cell->state == ARCHIVE_PLANNED) return table_add(table, err, "not started");
    if (cell->state == ARCHIVE_FAILED) return table_add(table, err, "%s", cell->message);
    *wanted = results_seems_killed(cell, now);
    return table_add(table, err, *wanted ? "nothing written for %s: killed?" : "last written %s ago",
                     table_duration(now - cell->updated, duration));
}

static int add_rows(const struct results *results, double now, struct table *table, bool *wanted,
                    struct error *err) {
    static const char *const header[] = {"cell", "model", "budget", "method", "seed", "state", "reason"};
    for (size_t i = 0; i < sizeof header / sizeof *header; i++) TRY(table_add(table, err, "%s", header[i]));
    TRY(table_end_row(table, err));
    for (int i = 0; i < results->count; i++) {
        const struct result_cell *cell = &results->cells[i];
        if (cell->state == ARCHIVE_DONE) continue;
        TRY(table_add(table, err, "%d", cell->index));
        TRY(report_add_row_name(table, results, cell->model, cell->budget, cell->method, err));
        TRY(table_add(table, err, "%lld", cell->key.seed));
        TRY(table_add(table, err, "%s", archive_state_name(cell->state)));
        TRY(add_reason(table, cell, now, &wanted[i], err));
        TRY(table_end_row(table, err));
    }
    return 0;
}

static int tell_command(const struct results *results, const bool *wanted, struct text *out,
                        struct error *err) {
    bool any = false;
    for (int i = 0; i < results->count; i++) any = any || wanted[i];
    if (!any || !results->grid_known) return 0;
    TRY(text_append_string(out, "\nTo run them:\n  adapt run ", err));
    TRY(shell_quote(results->experiment[0] ? results->experiment : "EXPERIMENT.json", out, err));
    TRY(text_append_string(out, " --out ", err));
    TRY(shell_quote(results->folder, out, err));
    TRY(text_append_string(out, " --cells ", err));
    TRY(selection_text(wanted, results->count, out, err));
    return text_append_string(out, "\n", err);
}

static int tell_complaints(const struct results *results, struct text *out, struct error *err) {
    for (size_t i = 0; i < results->complaint_count; i++)
        TRY(text_printf(out, err, "unreadable: %s\n", results->complaints[i]));
    return 0;
}

int report_section_unfinished(const struct results *results, double now, struct text *out,
                              struct error *err) {
    struct table *table = NULL;
    bool *wanted = NULL;
    if (results_count(results, ARCHIVE_DONE) == results->count) return tell_complaints(results, out, err);
    int code = table_create(7, &table, err);
    if (!code) code = memory_alloc(&wanted, (size_t)results->count, sizeof *wanted, err);
    if (!code) code = add_rows(results, now, table, wanted, err);
    if (!code) code = report_title(out, "Cells without a result", NULL, err);
    if (!code) code = table_print(table, out, err);
    if (!code) code = tell_command(results, wanted, out, err);
    if (!code) code = tell_complaints(results, out, err);
    memory_free(wanted);
    table_destroy(&table);
    return code;
}

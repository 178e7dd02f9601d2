/* The whole report, section after section. */
#include "runner/report/report.h"

#include "runner/report/report_internal.h"

static int head(const struct results *results, struct text *out, struct error *err) {
    int done = results_count(results, ARCHIVE_DONE), running = results_count(results, ARCHIVE_RUNNING),
        failed = results_count(results, ARCHIVE_FAILED), planned = results_count(results, ARCHIVE_PLANNED);
    TRY(text_printf(out, err, "%s%s%d cell%s: %d done, %d running, %d failed, %d not started\n",
                    results->name, results->name[0] ? ": " : "", results->count,
                    results->count > 1 ? "s" : "", done, running, failed, planned));
    if (!results->grid_known && results->folder) {
        TRY(text_append_string(out, "There is no experiment.h5: which cells are missing is not known.\n",
                               err));
    }
    if (done < results->count) TRY(text_append_string(out, "Only finished cells are counted below.\n", err));
    return 0;
}

int report_text(const struct results *results, double now, struct text *out, struct error *err) {
    TRY(head(results, out, err));
    if (results_count(results, ARCHIVE_DONE)) {
        TRY(report_section_verdict(results, out, err));
        TRY(report_section_scores(results, out, err));
        TRY(report_section_losses(results, out, err));
        TRY(report_section_differences(results, "uniform", out, err));
        TRY(report_section_differences(results, "proportional", out, err));
        TRY(report_section_reaching(results, out, err));
        TRY(report_section_tokens(results, out, err));
        TRY(report_section_time(results, out, err));
        TRY(report_section_paths(results, out, err));
    }
    return report_section_unfinished(results, now, out, err);
}

/* The sections of a report, each of which appends itself to `out`, or nothing where there is nothing to say.
 */
#ifndef ADAPT_RUNNER_REPORT_INTERNAL_H
#define ADAPT_RUNNER_REPORT_INTERNAL_H

#include "runner/report/report.h"
#include "runner/report/table.h"

int report_section_verdict(const struct results *results, struct text *out, struct error *err);
int report_section_scores(const struct results *results, struct text *out, struct error *err);
int report_section_differences(const struct results *results, const char *baseline, struct text *out,
                               struct error *err);
int report_section_losses(const struct results *results, struct text *out, struct error *err);
int report_section_reaching(const struct results *results, struct text *out, struct error *err);
int report_section_tokens(const struct results *results, struct text *out, struct error *err);
int report_section_time(const struct results *results, struct text *out, struct error *err);
int report_section_paths(const struct results *results, struct text *out, struct error *err);
int report_section_unfinished(const struct results *results, double now, struct text *out, struct error *err);

/* Starts a section: an empty line, the title, and a remark on a line of its own (may be NULL). */
int report_title(struct text *out, const char *title, const char *remark, struct error *err);
/* Adds "mean ± half" times `scale`; only the mean for n = 1; "-" for n = 0. With a sign and with " *" where 0
 * is excluded, if `signed_`. */
int report_add_interval(struct table *table, struct interval interval, double scale, int decimals,
                        bool signed_, struct error *err);
/* Scores are shown times 100. */
double report_scale(const struct results *results, int quantity);
int report_decimals(const struct results *results, int quantity);
/* Adds the columns that say which row it is: model, budget, method. */
int report_add_row_name(struct table *table, const struct results *results, int model, int budget, int method,
                        struct error *err);

/* Finished cells among the seeds of a (model, budget, method). */
int report_finished(const struct results *results, int model, int budget, int method);
/* The mean over the seeds' finished cells of a number of a cell; NaN if there is none. */
struct interval report_mean_of(const struct results *results, int model, int budget, int method,
                               double (*value)(const struct result_cell *cell));
/* The first finished cell of them whose tasks are known; NULL. */
const struct result_cell *report_example(const struct results *results, int model, int budget, int method);

#endif

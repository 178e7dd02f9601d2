/* Who is at a cell now, by the claim beside its file, and what becomes of one that nobody is at. */
#ifndef ADAPT_RUNNER_STATUS_OWNER_H
#define ADAPT_RUNNER_STATUS_OWNER_H

#include "runner/report/results.h"

/* Fills owner, stopped and resumes of the cells that are not done. A cell whose process got a signal or was
 * killed is "running" by its file, which nobody opens again before it goes on: that it is not is known from
 * its claim alone. Of a single cell's file, outside an archive's folder, nothing is known. */
int status_find_owners(struct results *results, struct error *err);
/* Cells that are stopped. */
int status_stopped(const struct results *results);

#endif

/* Who is at a cell now, by the claim beside its file. */
#ifndef ADAPT_RUNNER_STATUS_OWNER_H
#define ADAPT_RUNNER_STATUS_OWNER_H

#include "runner/report/results.h"

enum { OWNER_BYTES = 160 };
/* "n1, job 12_3"; "nobody" for a cell that was begun and that nobody alive has claimed; "-" for one that
 * needs nobody, or where nothing tells. True if somebody has it. */
bool status_owner(const struct results *results, const struct result_cell *cell, char out[OWNER_BYTES]);

#endif

/* Cells' files from one or several places into one archive: every file is checked, finished ones are linked
 * or copied, and what is missing is told with the command that runs it. Cells may be running meanwhile. */
#ifndef ADAPT_RUNNER_COLLECT_H
#define ADAPT_RUNNER_COLLECT_H

#include "base/text.h"
#include <stdbool.h>

struct collect_options {
    const char *const
        *folders; /* archives' folders, [folder_count >= 1]: the first has the say where two have the same */
    int folder_count;
    const char *out; /* folder of the archive that is made; NULL: the first of `folders` */
    bool copy;       /* files are copied, not linked */
};

/* Appends what was found and done to `report`. *complete: every cell is there, finished and sound, and no two
 * places contradict each other. ERROR_INPUT: there is no archive, or the places hold different experiments.
 */
int collect(const struct collect_options *options, struct text *report, bool *complete, struct error *err);

#endif

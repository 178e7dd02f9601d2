#include "runner/report/status_owner.h"

#include "base/memory.h"
#include "runner/claim/claim.h"
#include <stdio.h>

bool status_owner(const struct results *results, const struct result_cell *cell, char out[OWNER_BYTES]) {
    char *path = NULL, *claim = NULL;
    struct claim_info info;
    bool found = false;
    snprintf(out, OWNER_BYTES, "-");
    if (!results->folder || cell->state == ARCHIVE_DONE) return false;
    if (!archive_cell_path(results->folder, &cell->key, &path, NULL) && !claim_path(path, &claim, NULL) &&
        claim_read(claim, &found, &info, NULL))
        found = false;
    memory_free(claim);
    memory_free(path);
    if (found && info.alive)
        snprintf(out, OWNER_BYTES, "%s%s%s", info.host, info.job[0] ? ", job " : "", info.job);
    else if (cell->state == ARCHIVE_RUNNING)
        snprintf(out, OWNER_BYTES, "nobody");
    return found && info.alive;
}
